"""The ledger's laws on stored facts, as property tests on both engines."""

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from random import Random
from uuid import UUID

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ledger_practice import Practice
from sqlalchemy.engine import Engine
from sqlmodel import col

from billing.ledger.explain import EventKey, explain
from rpm.actions.close_month import CloseMonth, close_month
from rpm.actions.what_if import what_if
from rpm.actions.what_if_command import WhatIf
from rpm.store.engine import reading, transaction
from rpm.store.outcomes import Evaluated, evaluated
from rpm.store.scope import Scope
from rpm.store.tables.ledger import Posting

OPENED = date(2026, 1, 1)
AS_OF = date(2026, 2, 1)
FEBRUARY_THIRD = datetime(2026, 2, 3, 15, tzinfo=UTC)
RANK = {"99453": 0, "99445": 1, "99454": 2, "99470": 1, "99457": 2, "99458": 3}
Line = tuple[str, int, date]
Work = tuple[int, int, int]  # day of the month, start second, seconds

DAYS = st.sets(st.integers(0, 29), max_size=20).map(sorted)
WORK = st.lists(
    st.tuples(
        st.integers(0, 29),
        st.integers(36_000, 37_200),
        st.sampled_from((300, 599, 600, 601, 1_199, 1_200, 2_400, 3_600)),
    ),
    max_size=5,
)
# each example is recorded in an organization of its own in the test's database
stored = settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@dataclass(frozen=True)
class Story:
    """A patient's January: days with a reading, and work; each can be recorded at any time."""

    setup_billed: bool
    measured: list[int]
    worked: list[Work]

    @property
    def steps(self) -> list[int | Work]:
        """The readings, then the entries."""
        return [*self.measured, *self.worked]


STORIES = st.builds(Story, st.booleans(), DAYS, WORK)


class Told:
    """A story's patient in an organization of its own."""

    def __init__(self, engine: Engine, story: Story) -> None:
        self.practice = Practice.opened(engine, FEBRUARY_THIRD)
        self.patient_id, self.episode_id = self.practice.enrolled(
            opened_day=OPENED, setup_billed=story.setup_billed
        )

    def take(self, step: int | Work) -> UUID | None:
        """Record a reading, or an entry, whose id is returned."""
        if isinstance(step, int):
            self.read([step])
            return None
        offset, start, seconds = step
        day = OPENED + timedelta(days=offset)
        return self.practice.entry(
            self.patient_id, self.episode_id, day, seconds, start_second=start
        )

    def read(self, offsets: list[int]) -> None:
        """Record a reading on each of some days of the month."""
        days = [OPENED + timedelta(days=offset) for offset in offsets]
        self.practice.readings(self.patient_id, self.episode_id, days)

    @property
    def lines(self) -> list[Line]:
        """What the stored facts earn."""
        found = self.evaluated()
        return sorted((one.code, one.units, one.service_day) for one in found.events())

    def evaluated(self) -> Evaluated:
        """What follows from the stored facts."""
        with reading(self.practice.engine) as db:
            organization_id = self.practice.actor.organization_id
            return evaluated(db, organization_id, as_of=AS_OF, known=AS_OF)


def told(engine: Engine, story: Story) -> Told:
    """The whole story, recorded."""
    mine = Told(engine, story)
    mine.read(story.measured)
    for work in story.worked:
        mine.take(work)
    return mine


@stored
@given(STORIES, st.randoms(use_true_random=False))
def test_the_order_of_recording_does_not_matter(
    engine: Engine, story: Story, chance: Random
) -> None:
    """The same facts recorded in another order earn the same lines."""
    shuffled = list(story.steps)
    chance.shuffle(shuffled)
    other = Told(engine, story)
    for step in shuffled:
        other.take(step)
    assert other.lines == told(engine, story).lines


@stored
@given(STORIES, WORK.filter(bool))
def test_an_entry_and_its_reversal_equal_neither(
    engine: Engine, story: Story, undone: list[Work]
) -> None:
    """Minutes that were taken back leave every line as it was."""
    mine = told(engine, story)
    before = mine.lines
    for work in undone:
        entry_id = mine.take(work)
        assert entry_id is not None
        mine.practice.reverse(entry_id)
    assert mine.lines == before


@stored
@given(STORIES)
def test_another_reading_of_a_counted_day_changes_nothing(engine: Engine, story: Story) -> None:
    """Days are a set: a second reading on each counted day leaves every line as it was."""
    mine = told(engine, story)
    before = mine.lines
    mine.read(story.measured)
    assert mine.lines == before


@stored
@given(STORIES, DAYS, WORK)
def test_more_facts_never_lower_a_ladder(
    engine: Engine, story: Story, days: list[int], work: list[Work]
) -> None:
    """With further readings and minutes, no ladder's best code or its units go down."""
    mine = told(engine, story)
    before = best(mine.lines)
    mine.read(days)
    for one in work:
        mine.take(one)
    after = best(mine.lines)
    assert all(after.get(ladder, (0, 0)) >= rank for ladder, rank in before.items())


def best(lines: list[Line]) -> dict[str, tuple[int, int]]:
    """By ladder, the rank of its best code and the units of that code."""
    found: dict[str, tuple[int, int]] = {}
    for code, units, _ in lines:
        if code != "99453":
            ladder = "supply" if code in ("99445", "99454") else "management"
            found[ladder] = max(found.get(ladder, (0, 0)), (RANK[code], units))
    return found


@stored
@given(STORIES)
def test_every_event_is_explained_by_facts_of_its_period(engine: Engine, story: Story) -> None:
    """The counted days and minutes behind an event lie inside the event's own period."""
    found = told(engine, story).evaluated()
    facts = found.loaded.facts
    for row in found.outcome.events.to_dict("records"):
        key = EventKey(row["subject"], row["subject_row"], row["code"], row["period_start_day"])
        why = explain(facts, found.book, AS_OF, AS_OF, key)
        assert why is not None
        worked = facts.entries["day"].to_numpy()[list(why.entry_rows)]
        days = [*why.counted_days, *worked.tolist()]
        assert days
        assert all(why.period_start_day <= day <= why.period_end_day for day in days)


@stored
@given(STORIES)
def test_a_what_if_without_a_change_is_the_bill(engine: Engine, story: Story) -> None:
    """Asking what if nothing were different gives the events as they are."""
    mine = told(engine, story)
    command = WhatIf(patient_id=mine.patient_id, as_of=AS_OF)
    with reading(engine) as db:
        compared = what_if(db, mine.practice.actor, FEBRUARY_THIRD, command)
    assert compared.what_if.events() == compared.bill.events()
    assert sorted((x.code, x.units, x.service_day) for x in compared.bill.events()) == mine.lines


@stored
@given(STORIES)
def test_live_postings_equal_events_and_a_second_close_posts_nothing(
    engine: Engine, story: Story
) -> None:
    """A close posts what the facts earn; closing again adds no posting."""
    mine = told(engine, story)
    actor = mine.practice.actor
    for _ in range(2):
        with transaction(engine) as db:
            close_month(db, actor, FEBRUARY_THIRD, CloseMonth(month="2026-01"))
    with reading(engine) as db:
        rows = Scope.of(actor).all_of(db, Posting, col(Posting.sign) == 1)
    assert sorted((one.code, one.units, one.service_day) for one in rows) == mine.lines


@stored
@given(STORIES, DAYS.filter(bool), WORK)
def test_after_a_late_close_the_live_postings_are_what_all_facts_earn(
    engine: Engine, story: Story, late_days: list[int], late_work: list[Work]
) -> None:
    """Facts that come after the close: the next one posts the difference, and only that."""
    mine = told(engine, story)
    actor = mine.practice.actor
    with transaction(engine) as db:
        close_month(db, actor, FEBRUARY_THIRD, CloseMonth(month="2026-01"))
    mine.read(late_days)
    for one in late_work:
        mine.take(one)
    with transaction(engine) as db:
        close_month(db, actor, FEBRUARY_THIRD, CloseMonth(month="2026-01"))
    with reading(engine) as db:
        rows = Scope.of(actor).all_of(db, Posting)
    live: Counter[Line] = Counter()
    for one in rows:
        live[one.code, one.units, one.service_day] += one.sign
    assert sorted(live.elements()) == mine.lines

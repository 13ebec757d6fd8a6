"""R14: no second is billed twice, against plain sets of seconds.

A case is two patients and two people of the practice, with timers that overlap: of one person in
two browser windows, of both people on one patient, and of one person on both patients. The days
lie at the end of a month and of a device-supply window, where seconds must not slip over.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from random import Random
from uuid import UUID, uuid4

import pytest
from ledger_practice import Practice
from promised import Promised
from sqlalchemy.engine import Engine

from billing.days import day_date, day_number
from billing.ledger.evaluate import measure
from billing.ledger.minutes import COUNTED_WORK
from billing.ledger.periods import MONTH, WINDOW
from rpm.store.engine import reading
from rpm.store.outcomes import evaluated
from rpm.store.tables.ledger import InteractionEntry

OPENED = date(2026, 1, 1)
WINDOW_ENDS = date(2026, 1, 30)
DAYS = (WINDOW_ENDS, date(2026, 1, 31), date(2026, 2, 1))
AS_OF = date(2026, 4, 1)
SPRING = datetime(2026, 4, 1, 15, tzinfo=UTC)
WORK = (*("RPM",) * 5, *("99091",) * 3, "CCM")
PEOPLE = (("Ned Nurse", "rn"), ("Dora Doctor", "qhp"))
NINE = 9 * 3600
CASES_A_PRACTICE = 25
Second = tuple[date, int]
Counted = dict[tuple[UUID, str, date], int]
"""Seconds by patient, work and the first day of its period."""


@dataclass
class Case:
    """Two enrolled patients and what was logged on them, in the order of recording."""

    patients: list[tuple[UUID, UUID]]
    entries: list[InteractionEntry]


def told(practice: Practice, draw: Random) -> Case:
    """A case that is not recorded yet but for its patients; people are of this case alone."""
    patients = [practice.enrolled(opened_day=OPENED) for _ in range(2)]
    practice.record(
        *(
            practice.reading(patient_id, episode_id, day)
            for patient_id, episode_id in patients
            for day in (OPENED, date(2026, 1, 31))
        )
    )
    people = [(f"{name} {uuid4().hex}", role) for name, role in PEOPLE]
    entries = [_entry(practice, draw, patients, people) for _ in range(draw.randrange(4, 9))]
    entries.sort(key=lambda one: one.id)
    taken_back = [one for one in entries if draw.random() < 0.1]
    return Case(patients, entries + [_reversal(practice, one) for one in taken_back])


def _entry(
    practice: Practice,
    draw: Random,
    patients: list[tuple[UUID, UUID]],
    people: list[tuple[str, str]],
) -> InteractionEntry:
    patient_id, episode_id = draw.choice(patients)
    name, role = draw.choice(people)
    start = draw.choice((NINE + draw.randrange(1200), NINE, NINE + 300, 86_400 - 900, None))
    return InteractionEntry(
        id=practice.new_id(),
        client_id=uuid4(),
        patient_id=patient_id,
        episode_id=episode_id,
        actor_name=name,
        role=role,
        work=draw.choice(WORK),
        mode="live",
        local_day=draw.choice(DAYS),
        start_second=start,
        duration_seconds=draw.choice((draw.randrange(1, 900), 300, 600)),
        zone="America/New_York",
        activity="call",
        origin="timer",
    )


def _reversal(practice: Practice, entry: InteractionEntry) -> InteractionEntry:
    kept = entry.model_dump(exclude={"id", "client_id", "duration_seconds", "origin"})
    return InteractionEntry(
        **kept
        | {
            "id": practice.new_id(),
            "client_id": uuid4(),
            "duration_seconds": -entry.duration_seconds,
            "origin": "reversal",
            "reverses_id": entry.id,
            "reason": "logged twice",
        }
    )


def by_hand(case: Case) -> Counted:
    """The seconds of a case as sets: one owner for a person's second, one use on a patient."""
    gone = {one.reverses_id for one in case.entries if one.reverses_id}
    standing = [one for one in case.entries if one.reverses_id is None and one.id not in gone]
    untimed: Counter[tuple[UUID, str, date]] = Counter()
    on_clock: dict[tuple[UUID, str], set[Second]] = defaultdict(set)
    owner: dict[tuple[str, Second], UUID] = {}
    for one in standing:
        if one.start_second is None:
            if counts(one):
                untimed[one.patient_id, one.work, period_of(one.work, one.local_day)] += (
                    one.duration_seconds
                )
            continue
        for at in range(one.start_second, one.start_second + one.duration_seconds):
            second = (one.local_day, at)
            if owner.setdefault((one.actor_name, second), one.patient_id) == one.patient_id:
                on_clock[one.patient_id, one.work if counts(one) else "other"].add(second)
    total = Counter(untimed)
    for patient_id, _ in case.patients:
        other, used = on_clock[patient_id, "CCM"], on_clock[patient_id, "RPM"]
        for work, seconds in (
            ("RPM", used - other),
            ("99091", on_clock[patient_id, "99091"] - other - used),
        ):
            for day, _ in seconds:
                total[patient_id, work, period_of(work, day)] += 1
    return {key: seconds for key, seconds in total.items() if key[1] != "CCM"}


def counts(one: InteractionEntry) -> bool:
    """Everything logged here is work of clinical people under consent."""
    return one.role in ("rn", "qhp")


def period_of(work: str, day: date) -> date:
    """First day of the month for management, of the 30-day window for the review."""
    if work == "99091":
        return OPENED if day <= WINDOW_ENDS else date(2026, 1, 31)
    return day.replace(day=1)


def counted(practice: Practice) -> Counted:
    """The seconds that the calculation counts for all patients of the practice."""
    with reading(practice.engine) as db:
        found = evaluated(db, practice.actor.organization_id, as_of=AS_OF, known=AS_OF)
    periods = measure(found.loaded.facts, found.book, day_number(AS_OF)).periods
    total: Counted = {}
    for work, kind in (("RPM", MONTH), ("99091", WINDOW)):
        column = periods.seconds[:, COUNTED_WORK.index(work)]
        for row in (at for at in range(len(periods)) if periods.kind[at] == kind):
            if column[row]:
                patient_id = found.loaded.patient_ids[periods.patient[row]]
                total[patient_id, work, day_date(periods.start_day[row])] = int(column[row])
    return total


def practices(engine: Engine, cases: int) -> Iterator[tuple[Practice, list[Case], int]]:
    """Practices with some cases each, recorded, and the seed they were drawn from."""
    for seed in range(0, cases, CASES_A_PRACTICE):
        draw = Random(seed)
        practice = Practice.opened(engine, SPRING)
        told_cases = [told(practice, draw) for _ in range(min(CASES_A_PRACTICE, cases - seed))]
        practice.record(*(one for case in told_cases for one in case.entries))
        yield practice, told_cases, seed


@pytest.mark.promise("R14")
def test_no_second_is_counted_twice(engine: Engine, promised: Promised) -> None:
    """Months and windows have exactly the seconds of the sets, in whatever way timers overlap."""
    cases = promised.count(2_000, 50)
    overlaps = 0
    for practice, told_cases, seed in practices(engine, cases):
        expected = {key: n for case in told_cases for key, n in by_hand(case).items() if n}
        assert counted(practice) == expected, f"seed {seed}"
        logged = sum(
            one.duration_seconds for case in told_cases for one in case.entries if one.work != "CCM"
        )
        overlaps += logged - sum(expected.values())
    assert overlaps > cases * 60
    promised.reached(
        f"{engine.dialect.name}: {cases:,} cases against a set of seconds: 0 differences"
    )

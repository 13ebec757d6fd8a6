"""The worklist in the database: sums kept with readiness, pages, counts, views, what runs out."""

from datetime import date, timedelta
from uuid import UUID

import pytest
from conftest import FixedClock
from ledger_practice import Practice, days
from sqlalchemy.engine import Engine

from rpm.access import Actor
from rpm.store.engine import reading
from rpm.store.queries.expiring import expiring
from rpm.store.queries.worklist import (
    CHOICES,
    WorklistFilter,
    WorklistPatient,
    worklist_counts,
    worklist_page,
)
from rpm.store.readiness_refresh import refresh
from rpm.store.scope import Scope
from rpm.store.tables.base import Row
from rpm.store.tables.monitoring import EpisodeEnd, EpisodeGate
from rpm.store.tables.people import Coverage

TODAY = date(2026, 1, 15)
WINDOW_START = date(2025, 12, 31)


@pytest.fixture
def practice(engine: Engine, actor: Actor, clock: FixedClock) -> Practice:
    """The test's practice."""
    return Practice(engine, actor, clock.now())


def enrolled(
    practice: Practice, name: str, measured_days: int, seconds: int, hour: int = 9
) -> UUID:
    """A patient with days in the running window and, from an hour on, live minutes."""
    patient_id = practice.patient(family_name=name)
    episode_id = practice.episode(patient_id, opened_day=WINDOW_START)
    practice.readings(patient_id, episode_id, days(WINDOW_START, measured_days))
    if seconds:
        practice.entry(patient_id, episode_id, date(2026, 1, 5), seconds, start_second=hour * 3600)
    return patient_id


def shown(practice: Practice, chosen: WorklistFilter) -> list[str]:
    """Family names on the list, read in pages of one."""
    scope = Scope.of(practice.actor)
    refresh(practice.engine, scope, practice.now)
    names: list[str] = []
    last: WorklistPatient | None = None
    with reading(practice.engine) as db:
        while True:
            after = None if last is None else last.key(chosen.sort)
            page = worklist_page(db, scope, chosen, after=after, limit=1)
            if not page:
                return names
            last = page[0]
            names.append(last.family_name)


def test_the_nearest_to_done_comes_first(practice: Practice) -> None:
    """Two minutes short stands before eight, and who is ready stands last."""
    enrolled(practice, "Eight", 16, 720)
    enrolled(practice, "Ready", 16, 1_200, hour=10)
    enrolled(practice, "Two", 16, 1_080, hour=11)
    assert shown(practice, WorklistFilter()) == ["Two", "Eight", "Ready"]
    assert shown(practice, WorklistFilter(sort="name")) == ["Eight", "Ready", "Two"]


def test_a_choice_narrows_the_list(practice: Practice) -> None:
    """Calls, readings, live contact, payer and name narrow the list; counts agree with it."""
    enrolled(practice, "Call", 16, 1_080)
    enrolled(practice, "Days", 3, 1_200, hour=10)
    enrolled(practice, "Ready", 16, 1_200, hour=11)
    silent = enrolled(practice, "Silent", 16, 0)
    assert shown(practice, WorklistFilter(show="call")) == ["Call", "Silent"]
    assert shown(practice, WorklistFilter(show="readings")) == ["Days"]
    assert shown(practice, WorklistFilter(show="ready")) == ["Ready"]
    assert shown(practice, WorklistFilter(show="no_contact")) == ["Silent"]
    assert shown(practice, WorklistFilter(family_name="sI")) == ["Silent"]
    assert shown(practice, WorklistFilter(payer_key="AETNA")) == []
    with reading(practice.engine) as db:
        counts = worklist_counts(db, Scope.of(practice.actor))
        page = worklist_page(db, Scope.of(practice.actor), WorklistFilter(family_name="Silent"))
    assert counts == {show: len(shown(practice, WorklistFilter(show=show))) for show in CHOICES}
    assert [one.row.patient_id for one in page] == [silent]
    assert {row.role for row in page[0].ladders} >= {"supply", "management"}


def test_two_more_minutes_turn_the_row_ready(practice: Practice) -> None:
    """The sum follows the facts: 18 minutes are to do, 20 are ready."""
    patient_id = enrolled(practice, "Twenty", 16, 1_080)
    assert shown(practice, WorklistFilter(show="ready")) == []
    with reading(practice.engine) as db:
        (found,) = worklist_page(db, Scope.of(practice.actor), WorklistFilter())
    episode_id = found.ladders[0].episode_id
    practice.entry(patient_id, episode_id, TODAY, 120, start_second=60)
    assert shown(practice, WorklistFilter(show="ready")) == ["Twenty"]


def test_another_practice_sees_none_of_it(
    practice: Practice, engine: Engine, clock: FixedClock
) -> None:
    """List and counts are those of the own practice."""
    enrolled(practice, "Ours", 16, 1_080)
    shown(practice, WorklistFilter())
    other = Practice.opened(engine, clock.now())
    assert shown(other, WorklistFilter()) == []
    with reading(engine) as db:
        assert worklist_counts(db, Scope.of(other.actor))["all"] == 0


def test_a_patient_without_readiness_leaves_the_list(practice: Practice) -> None:
    """Whose episode is over is no longer on the list."""
    enrolled(practice, "Gone", 16, 1_080)
    assert shown(practice, WorklistFilter()) == ["Gone"]
    with reading(practice.engine) as db:
        (found,) = worklist_page(db, Scope.of(practice.actor), WorklistFilter())
    end = EpisodeEnd(
        episode_id=found.ladders[0].episode_id, last_day=date(2026, 1, 10), end_reason="goals_met"
    )
    practice.record(end)
    assert shown(practice, WorklistFilter()) == []


def papers(practice: Practice) -> list[tuple[str, date]]:
    """What runs out within 30 days, and when."""
    scope = Scope.of(practice.actor)
    refresh(practice.engine, scope, practice.now)
    with reading(practice.engine) as db:
        return [(one.what, one.last_day) for one in expiring(db, scope, TODAY)]


def gate(episode_id: UUID, last: date | None, first: date = WINDOW_START) -> Row:
    """An authorization of an episode."""
    return EpisodeGate(
        episode_id=episode_id, gate="prior-auth", from_day=first, to_day=last, reference="A1"
    )


def test_what_ends_soon_is_told_the_nearest_first(practice: Practice) -> None:
    """Authorizations, consents and coverages that end within 30 days stand in order of the day."""
    patient_id, episode_id = practice.enrolled()
    practice.record(gate(episode_id, TODAY + timedelta(days=5)))
    practice.record(*practice.coverage_ends(patient_id, TODAY + timedelta(days=20)))
    practice.record(*practice.consent_ends(episode_id, TODAY))
    assert papers(practice) == [
        ("consent", TODAY),
        ("prior-auth", TODAY + timedelta(days=5)),
        ("coverage", TODAY + timedelta(days=20)),
    ]


def test_what_goes_on_does_not_run_out(practice: Practice) -> None:
    """A next authorization, a next coverage, a corrected end and a far one are no news."""
    patient_id, episode_id = practice.enrolled()
    end = TODAY + timedelta(days=5)
    practice.record(gate(episode_id, end), gate(episode_id, None, end + timedelta(days=1)))
    practice.record(*practice.coverage_ends(patient_id, end))
    practice.record(
        Coverage(
            patient_id=patient_id,
            payer_id=practice.payer("MEDICARE_B"),
            member_id="2",
            from_day=end + timedelta(days=1),
        )
    )
    practice.record(*practice.consent_ends(episode_id, end))
    practice.record(*practice.consent_ends(episode_id, TODAY + timedelta(days=200)))
    assert papers(practice) == []

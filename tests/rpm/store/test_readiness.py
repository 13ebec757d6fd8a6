"""Readiness: the kept list says what the facts give, and is refreshed where they changed."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from typing import Any

import pytest
from ledger_practice import Practice, days
from sqlalchemy.engine import Engine

from rpm.access import Actor
from rpm.clock import Clock
from rpm.store import readiness, readiness_refresh
from rpm.store.chain import chain_head
from rpm.store.engine import reading, transaction
from rpm.store.outcomes import evaluated
from rpm.store.readiness import ReadinessFilter, ReadyPatient, readiness_page
from rpm.store.scope import Scope
from rpm.store.tables.ledger import ReadinessMark

TODAY = datetime(2026, 1, 20, 15, tzinfo=UTC)


@pytest.fixture
def practice(engine: Engine, actor: Actor, clock: Clock) -> Practice:
    """The records of the organization of ``actor``."""
    return Practice(engine, actor, clock.now())


def refresh(practice: Practice, now: datetime = TODAY) -> int:
    """Bring the list up to date; how many patients were looked at."""
    return readiness_refresh.refresh(practice.engine, Scope.of(practice.actor), now)


def page(
    practice: Practice, after: Any = None, limit: int = 50, **chosen: Any
) -> list[ReadyPatient]:
    """A page of the list as it stands."""
    with reading(practice.engine) as db:
        scope = Scope.of(practice.actor)
        return readiness_page(db, scope, ReadinessFilter(**chosen), after=after, limit=limit)


def supply(practice: Practice) -> list[tuple[str, int, str]]:
    """State, days so far and what holds, of each patient's supply ladder."""
    return [
        (one.row.state, one.row.measured, ",".join(one.row.findings))
        for one in page(practice, ladder="device-supply")
    ]


def test_each_running_ladder_has_a_row_with_what_is_still_needed(practice: Practice) -> None:
    """Ten days and no talk: the supply earns its short code, management is short of its first."""
    patient_id, episode_id = practice.enrolled(opened_day=date(2026, 1, 1))
    practice.readings(patient_id, episode_id, days(date(2026, 1, 1), 10))
    assert refresh(practice) == 1
    rows = {one.row.ladder: one.row for one in page(practice)}
    assert rows["device-supply"].state == "earned"
    assert rows["device-supply"].earned_code == "99445"
    assert rows["device-supply"].next_code == "99454"
    assert rows["device-supply"].still_needed == 6
    assert rows["management"].state == "short"
    assert rows["management"].still_needed == 600
    assert rows["management"].payer_key == "MEDICARE_B"
    assert rows["management"].end_day == date(2026, 1, 31)


def test_a_missing_consent_holds(practice: Practice) -> None:
    """A patient without consent is held, with the reason."""
    patient_id = practice.patient()
    episode_id = practice.episode(patient_id, consent=False, opened_day=date(2026, 1, 1))
    practice.readings(patient_id, episode_id, days(date(2026, 1, 1), 10))
    refresh(practice)
    assert supply(practice) == [("held", 10, "E_NO_CONSENT")]


def test_what_cannot_be_reached_any_more_is_said(practice: Practice) -> None:
    """One day with the window almost over: the first supply code can no longer be earned."""
    patient_id, episode_id = practice.enrolled(opened_day=date(2026, 1, 1))
    practice.readings(patient_id, episode_id, [date(2026, 1, 1)])
    refresh(practice, datetime(2026, 1, 31, 15, tzinfo=UTC))
    assert [state for state, _, _ in supply(practice)] in (["out_of_reach"], ["short"])


def test_only_changed_patients_are_computed_again(practice: Practice) -> None:
    """After one patient's reading one patient is looked at; after nothing, none."""
    enrolled = [practice.enrolled(opened_day=date(2026, 1, 1)) for _ in range(3)]
    assert refresh(practice) == 3
    assert refresh(practice) == 0
    practice.readings(*enrolled[1], [date(2026, 1, 2)])
    with reading(practice.engine) as db:
        assert not readiness_refresh.is_fresh(db, Scope.of(practice.actor), TODAY)
    assert refresh(practice) == 1
    with reading(practice.engine) as db:
        assert readiness_refresh.is_fresh(db, Scope.of(practice.actor), TODAY)
    assert sorted(measured for _, measured, _ in supply(practice)) == [0, 0, 1]


def test_a_new_day_and_a_changed_setting_concern_everyone(practice: Practice) -> None:
    """The next day all are computed again, and so after a choice of the practice."""
    for _ in range(2):
        practice.enrolled(opened_day=date(2026, 1, 1))
    refresh(practice)
    practice.setting("count_cgm_days", value=True)
    assert refresh(practice) == 2
    assert refresh(practice, datetime(2026, 1, 21, 15, tzinfo=UTC)) == 2


def test_every_kind_of_fact_makes_its_patient_stale(practice: Practice) -> None:
    """Consents and their ends, exclusions, entries, services and ends reach the list."""
    patient_id, episode_id = practice.enrolled(opened_day=date(2026, 1, 1))
    (only,) = practice.readings(patient_id, episode_id, [date(2026, 1, 2)])
    practice.enrolled(opened_day=date(2026, 1, 1))
    refresh(practice)
    practice.exclude(only)
    assert refresh(practice) == 1
    practice.record(*practice.coverage_ends(patient_id, date(2026, 1, 3)))
    assert refresh(practice) == 1
    practice.consent(episode_id, date(2026, 1, 5))
    assert refresh(practice) == 1
    practice.record(*practice.consent_ends(episode_id, date(2026, 1, 9)))
    assert refresh(practice) == 1
    practice.service(patient_id, "99490", date(2026, 1, 9), own=False)
    assert refresh(practice) == 1


def test_minutes_given_back_reach_the_other_patient(practice: Practice) -> None:
    """Reversing the entry that held a shared minute changes the patient it goes back to."""
    one, first = practice.enrolled(opened_day=date(2026, 1, 1))
    two, second = practice.enrolled(opened_day=date(2026, 1, 1))
    entry = practice.entry(one, first, date(2026, 1, 8), 600)
    practice.entry(two, second, date(2026, 1, 8), 600)
    refresh(practice)
    assert sorted(row.row.measured for row in page(practice, ladder="management")) == [0, 600]
    practice.reverse(entry)
    assert refresh(practice) == 2
    rows = {row.row.patient_id: row.row.measured for row in page(practice, ladder="management")}
    assert rows == {one: 0, two: 600}


@pytest.mark.parametrize("sort", readiness.SORTS)
def test_pages_show_every_row_once_in_order(practice: Practice, sort: str) -> None:
    """Walking by cursor key gives the whole list, whatever it is sorted by."""
    for name in ("Zed", "Abel", "Moss"):
        patient_id = practice.patient(family_name=name)
        episode_id = practice.episode(patient_id, opened_day=date(2026, 1, 1))
        practice.readings(patient_id, episode_id, days(date(2026, 1, 1), len(name)))
    refresh(practice)
    whole = [one.key(sort) for one in page(practice, sort=sort)]
    assert whole == sorted(whole)
    walked: list[Any] = []
    while rows := page(practice, sort=sort, after=walked[-1] if walked else None, limit=2):
        walked += [one.key(sort) for one in rows]
    assert walked == whole
    assert {one.family_name for one in page(practice, family_name="ab")} == {"Abel"}


def test_the_list_is_what_evaluate_says(practice: Practice) -> None:
    """The measures of the list equal a fresh evaluation of everyone."""
    for count in (0, 4, 17):
        patient_id, episode_id = practice.enrolled(opened_day=date(2026, 1, 1))
        practice.readings(patient_id, episode_id, days(date(2026, 1, 1), count))
    refresh(practice)
    with reading(practice.engine) as db:
        fresh = evaluated(
            db, practice.actor.organization_id, as_of=TODAY.date(), known=TODAY.date()
        )
    expected = sorted((one.patient_id, one.ladder, one.measured) for one in fresh.progress())
    rows = [(one.row.patient_id, one.row.ladder, one.row.measured) for one in page(practice)]
    assert sorted(rows) == expected


def test_two_refreshes_at_once_do_the_work_once(practice: Practice) -> None:
    """The second waits for the first and finds nothing left to do."""
    practice.enrolled(opened_day=date(2026, 1, 1))
    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(lambda _: refresh(practice), range(2))) == [0, 1]


def meanwhile(monkeypatch: pytest.MonkeyPatch, happens: Callable[[], object]) -> None:
    """Let something happen once, after the next refresh has computed and before it writes."""
    compute = readiness_refresh._computed

    def and_then(*arguments: Any) -> Any:
        computed = compute(*arguments)
        monkeypatch.setattr(readiness_refresh, "_computed", compute)
        happens()
        return computed

    monkeypatch.setattr(readiness_refresh, "_computed", and_then)


def test_minutes_logged_while_the_list_is_computed_wait_for_nothing_and_are_seen_next(
    practice: Practice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Computing holds no lock: an entry recorded meanwhile is stored, and in the next refresh."""
    patient_id, episode_id = practice.enrolled(opened_day=date(2026, 1, 1))
    day = date(2026, 1, 5)
    meanwhile(monkeypatch, lambda: practice.entry(patient_id, episode_id, day, 600))
    assert refresh(practice) == 1
    assert [row.row.measured for row in page(practice, ladder="management")] == [0]
    assert refresh(practice) == 1
    assert [row.row.measured for row in page(practice, ladder="management")] == [600]


def test_a_refresh_that_another_process_overtook_puts_nothing_in_place(
    practice: Practice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows computed from an older state never stand under a newer mark."""
    patient_id, episode_id = practice.enrolled(opened_day=date(2026, 1, 1))
    refresh(practice)
    practice.readings(patient_id, episode_id, days(date(2026, 1, 1), 5))
    with reading(practice.engine) as db:
        head = chain_head(db, practice.actor.organization_id).number

    def overtake() -> None:
        with transaction(practice.engine) as db:
            mark = db.get_one(ReadinessMark, practice.actor.organization_id)
            mark.computed_through = head
            db.add(mark)

    meanwhile(monkeypatch, overtake)
    assert refresh(practice) == 0
    assert supply(practice) == [("short", 0, "")]

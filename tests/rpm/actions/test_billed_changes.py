"""Billed changes: what late facts do to periods that are closed is seen before the next close."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta

import pytest
from ledger_practice import Practice, days
from sqlalchemy.engine import Engine

from rpm.access import Actor
from rpm.actions.billed_changes import BilledChange, billed_changes, watch_billed
from rpm.actions.close_month import ClosedMonth, CloseMonth, close_month
from rpm.store.engine import reading, transaction
from rpm.store.queries.checklist import waiting
from rpm.store.scope import Scope
from rpm.store.tables.ledger import Posting

OPENED = date(2026, 1, 1)
CLOSED_AT = datetime(2026, 2, 2, 15, tzinfo=UTC)


@pytest.fixture
def practice(engine: Engine, actor: Actor) -> Practice:
    """A practice of its own, at the time at which January is closed."""
    return Practice(engine, actor, CLOSED_AT)


def close(practice: Practice) -> ClosedMonth:
    """Close January, again if need be."""
    with transaction(practice.engine) as db:
        return close_month(db, practice.actor, practice.now, CloseMonth(month="2026-01"))


def changes(practice: Practice) -> list[BilledChange]:
    """What the next close would post about what is closed."""
    with reading(practice.engine) as db:
        return billed_changes(db, Scope.of(practice.actor), practice.now)


def told(practice: Practice) -> list[tuple[str, str, int]]:
    """Change, code and units of each."""
    return [(one.change.value, one.code, one.units) for one in changes(practice)]


def test_a_billed_line_that_loses_its_readings_is_seen_before_the_next_close(
    practice: Practice,
) -> None:
    """One alert for the line, once for ever; the close reverses it, and then nothing is open."""
    patient_id, episode_id = practice.enrolled(opened_day=OPENED)
    kept = practice.readings(patient_id, episode_id, days(OPENED, 17))
    assert changes(practice) == []
    close(practice)
    assert changes(practice) == []
    practice.now += timedelta(days=1)
    practice.exclude(kept[5])
    assert watch_billed(practice.engine, practice.actor, practice.now) == []
    practice.exclude(kept[6])
    practice.now += timedelta(hours=1)
    assert ("withdrawn", "99454", 1) in told(practice)
    found = watch_billed(practice.engine, practice.actor, practice.now)
    assert [one.detail["code"] for one in found] == ["99454"]
    assert {(one.rule, one.patient_id, one.route[0]) for one in found} == {
        ("billed_loss", patient_id, "biller")
    }
    assert watch_billed(practice.engine, practice.actor, practice.now) == []
    scope = Scope.of(practice.actor)
    with reading(practice.engine) as db:
        assert waiting(db, scope).billed_losses == 1
    close(practice)
    assert changes(practice) == []
    with reading(practice.engine) as db:
        assert waiting(db, scope).billed_losses == 0


def test_a_late_reading_that_earns_a_line_is_listed_and_no_alert(practice: Practice) -> None:
    """The practice loses nothing: the next close bills it."""
    patient_id, episode_id = practice.enrolled(opened_day=OPENED)
    practice.readings(patient_id, episode_id, days(OPENED, 15))
    close(practice)
    practice.now += timedelta(days=1)
    practice.readings(patient_id, episode_id, [date(2026, 1, 20)])
    assert ("new", "99454", 1) in told(practice)
    losses = watch_billed(practice.engine, practice.actor, practice.now)
    assert "99454" not in {one.detail["code"] for one in losses}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("seed", range(6))
def test_the_list_is_what_the_next_close_posts(practice: Practice, seed: int) -> None:
    """Patients with late readings, exclusions, minutes and reversals: the same lines both ways."""
    entries, kept = [], []
    for place in range(4):
        patient_id, episode_id = practice.enrolled(opened_day=OPENED)
        kept.append(
            practice.readings(patient_id, episode_id, days(OPENED, 14 + (place + seed) % 4))
        )
        entries.append(
            practice.entry(
                patient_id, episode_id, OPENED, 1_200, start_second=36_000 + place * 2_000
            )
        )
    close(practice)
    practice.now += timedelta(days=2)
    for place, (rows, entry) in enumerate(zip(kept, entries, strict=True)):
        match (place + seed) % 4:
            case 0:
                practice.exclude(rows[place])
                practice.exclude(rows[place + 1])
            case 1:
                practice.reverse(entry)
            case 2:
                episode_id = rows[0].episode_id
                assert episode_id is not None
                assert rows[0].patient_id is not None
                practice.readings(rows[0].patient_id, episode_id, days(date(2026, 1, 24), 3))
            case _:
                pass
    listed = Counter((one.code, one.patient_id, one.change.value) for one in changes(practice))
    closed = close(practice)
    with reading(practice.engine) as db:
        scope = Scope.of(practice.actor)
        posted = [one for one in scope.all_of(db, Posting) if one.close_id == closed.close.id]
    words = Counter(
        (one.code, one.patient_id, (one.reason or "").partition(":")[0])
        for one in posted
        if one.sign < 0 or (one.reason or "").startswith("new")
    )
    assert listed == words

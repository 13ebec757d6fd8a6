"""Exclusions lower a day and are lifted; quarantined readings count once a person says so."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from intake_door import Door, weight
from sqlalchemy.engine import Engine
from sqlmodel import Session, col, select

from rpm.access import ROLE_PERMISSIONS, Actor
from rpm.actions.exclude_reading import (
    ExcludeReading,
    LiftExclusion,
    exclude_reading,
    lift_exclusion,
)
from rpm.actions.release_reading import ReleaseReading, release_reading
from rpm.clock import Clock
from rpm.errors import Conflict, InvalidRequest, NotAllowed, NotFound
from rpm.settings import Settings
from rpm.store.engine import reading, transaction
from rpm.store.queries.readings import STATES, ReadingFilter, list_readings
from rpm.store.scope import Scope
from rpm.store.tables.monitoring import Reading, ReadingExclusion
from rpm.store.tables.security import AuditEvent

DAY = date(2026, 1, 14)


@pytest.fixture
def door(engine: Engine, settings: Settings, actor: Actor, clock: Clock) -> Door:
    """A connection, and a patient with a scale."""
    door = Door(engine, settings, actor, clock.now())
    door.enrolled_with_scale()
    return door


def _first_id(door: Door) -> UUID:
    return door.readings()[0].id


def _exclude(door: Door, reading_id: UUID, actor: Actor | None = None) -> ReadingExclusion:
    with transaction(door.engine) as db:
        command = ExcludeReading(reading_id=reading_id, reason="a visitor")
        return exclude_reading(db, actor or door.actor, door.now, command)


def _lift(door: Door, reading_id: UUID) -> ReadingExclusion:
    with transaction(door.engine) as db:
        command = LiftExclusion(reading_id=reading_id, reason="the patient after all")
        return lift_exclusion(db, door.actor, door.now, command)


def _release(door: Door, reading_id: UUID, at: datetime | None = None) -> Reading:
    with transaction(door.engine) as db:
        command = ReleaseReading(reading_id=reading_id, reason="asked", measured_at=at)
        return release_reading(db, door.actor, door.now, command)


def test_an_exclusion_lowers_the_day_and_a_lift_restores_it(door: Door) -> None:
    """An excluded reading stands as refused until the exclusion is lifted; it can be renewed."""
    door.send(weight("r-1"), weight("r-2"))
    reading_id = _first_id(door)
    first = _exclude(door, reading_id)
    assert door.days() == {(DAY, ""): (1, 0), (DAY, "excluded"): (0, 1)}
    lift = _lift(door, reading_id)
    assert lift.lifts_id == first.id
    assert door.days() == {(DAY, ""): (2, 0)}
    _exclude(door, reading_id)
    assert door.days() == {(DAY, ""): (1, 0), (DAY, "excluded"): (0, 1)}


def test_an_exclusion_holds_for_what_the_sender_corrects(door: Door) -> None:
    """A correction does not bring an excluded reading back; an earlier id still names it."""
    door.send(weight("r-1"))
    reading_id = _first_id(door)
    _exclude(door, reading_id)
    door.send(weight("r-1", value="73", status="corrected"))
    assert door.days() == {(DAY, "excluded"): (0, 1)}
    with pytest.raises(Conflict):
        _exclude(door, reading_id)
    _lift(door, reading_id)
    assert door.days() == {(DAY, ""): (1, 0)}


def test_an_excluded_typed_in_reading_is_told_as_excluded(door: Door) -> None:
    """What a person took out does not count for programs that take typed-in values either."""
    door.send(weight("r-1", entry_method="manual"))
    _exclude(door, _first_id(door))
    assert door.days() == {(DAY, "excluded"): (0, 1)}


def test_exclusions_are_refused_where_they_make_no_sense(door: Door, other_actor: Actor) -> None:
    """Twice, of nothing, of a foreign reading or without permission: nothing is written."""
    door.send(weight("r-1"))
    reading_id = _first_id(door)
    biller = Actor(door.organization_id, None, None, "biller", ROLE_PERMISSIONS["biller"], "Bill")
    with pytest.raises(Conflict):
        _lift(door, reading_id)
    with pytest.raises(NotFound):
        _exclude(door, UUID(int=1))
    with pytest.raises(NotFound):
        _exclude(door, reading_id, other_actor)
    with pytest.raises(NotAllowed):
        _exclude(door, reading_id, biller)
    with reading(door.engine) as db:
        assert db.exec(select(ReadingExclusion)).all() == []


def test_a_reason_stands_in_the_audit_event(door: Door) -> None:
    """The audit event of an exclusion holds ids and the reason given."""
    door.send(weight("r-1"))
    _exclude(door, _first_id(door))
    with reading(door.engine) as db:
        event = db.exec(select(AuditEvent).where(col(AuditEvent.action) == "reading.exclude")).one()
    assert event.reason == "a visitor"
    assert event.subject["reading_id"] == _first_id(door).hex


def test_an_impossible_value_counts_once_released(door: Door) -> None:
    """Release is a new version that counts and says so; it cannot be released twice."""
    door.send(weight("r-1", value="0.4"))
    reading_id = _first_id(door)
    released = _release(door, reading_id)
    assert (released.version, "released" in released.flags) == (2, True)
    assert door.days() == {(DAY, ""): (1, 0)}
    with pytest.raises(Conflict):
        _release(door, reading_id)
    assert door.statuses(weight("r-1", value="0.4")) == ["duplicate"]


def test_a_suspect_time_is_set_by_a_person(door: Door) -> None:
    """A reading of a reset clock counts on the patient's day of the time that a person gives."""
    door.send(weight("r-1", "2000-01-01T08:00:00-05:00"))
    reading_id = _first_id(door)
    with pytest.raises(InvalidRequest):
        _release(door, reading_id)
    with pytest.raises(InvalidRequest):
        _release(door, reading_id, door.now + timedelta(hours=1))
    released = _release(door, reading_id, datetime(2026, 1, 15, 3, 0, tzinfo=UTC))
    assert (released.local_day, released.zone_origin) == (DAY, "patient")
    assert door.days() == {(DAY, ""): (1, 0)}


def test_a_suspect_time_does_not_let_an_impossible_value_pass(door: Door) -> None:
    """Once its time is set, an implausible reading waits on for its value."""
    door.send(weight("r-1", "2000-01-01T08:00:00-05:00", value="900"))
    released = _release(door, _first_id(door), datetime(2026, 1, 14, 15, tzinfo=UTC))
    assert (released.countable, released.reason_code) == (False, "out_of_range")
    assert _release(door, released.id).countable


def test_what_does_not_wait_is_not_released(door: Door) -> None:
    """A counting, a typed-in and an unassigned reading cannot be released."""
    door.send(
        weight("r-1"), weight("r-2", entry_method="manual"), weight("r-3", device_id="scale-9")
    )
    for stored in door.readings():
        with pytest.raises(Conflict):
            _release(door, stored.id)


def _listed(db: Session, scope: Scope, state: str) -> list[str | None]:
    found = list_readings(db, scope, ReadingFilter(state=state), after=None, limit=10)
    return [row.vendor_reading_id for row, _ in found]


def test_lists_tell_apart_what_counts(door: Door, other_actor: Actor) -> None:
    """Every reading that holds stands in the list of one state; another organization sees none."""
    door.send(
        weight("r-1"),
        weight("r-2", entry_method="manual"),
        weight("r-3", device_id="scale-9"),
        weight("r-4"),
    )
    _exclude(door, door.readings()[3].id)
    door.send(weight("r-1", value="73", status="corrected"))
    with reading(door.engine) as db:
        scope = Scope.of(door.actor)
        assert {state: _listed(db, scope, state) for state in STATES} == {
            "counted": ["r-1"],
            "refused": ["r-2"],
            "quarantined": ["r-3"],
            "excluded": ["r-4"],
        }
        everything = ReadingFilter(all_versions=True)
        assert len(list_readings(db, scope, everything, after=None, limit=10)) == 5
        foreign = Scope.of(other_actor)
        assert list_readings(db, foreign, everything, after=None, limit=10) == []

"""Replaying stored deliveries: what is there stays once, what can be read now comes in."""

import json
from datetime import timedelta
from typing import Any

import pytest
from intake_door import Door, body_of, weight
from sqlalchemy.engine import Engine
from sqlmodel import col, func, select

from devices.delivery import Incoming
from rpm.access import Actor
from rpm.actions.manage_connections import ChangeConnection, change_connection
from rpm.actions.replay_delivery import ReplayDelivery, Replayed, replay_delivery
from rpm.clock import Clock
from rpm.errors import NotAllowed, NotFound
from rpm.settings import Settings
from rpm.store.engine import reading, transaction
from rpm.store.tables.monitoring import (
    DeliveryReplay,
    Reading,
    ReadingConflict,
    RejectedItem,
)
from rpm.store.tables.security import AuditEvent
from rpm.store.verify import verify_chain


@pytest.fixture
def door(engine: Engine, settings: Settings, actor: Actor, clock: Clock) -> Door:
    """A connection, and a patient with a scale."""
    door = Door(engine, settings, actor, clock.now())
    door.enrolled_with_scale()
    return door


def _replayed(door: Door, delivery_id: Any) -> Replayed:
    with transaction(door.engine) as db:
        command = ReplayDelivery(delivery_id=delivery_id)
        return replay_delivery(db, door.actor, door.now, command)


def _statuses(done: Replayed) -> list[str]:
    return [item["status"] for item in done.results]


def _rows(door: Door) -> list[int]:
    """How many rows there are of all that a delivery can leave."""
    with reading(door.engine) as db:
        return [
            db.exec(
                select(func.count())
                .select_from(table)
                .where(col(table.organization_id) == door.organization_id)
            ).one()
            for table in (Reading, ReadingConflict, RejectedItem, DeliveryReplay)
        ]


def test_a_replay_of_what_was_read_changes_nothing(door: Door) -> None:
    """Readings, corrections, conflicts and refused items are there once, however often replayed."""
    told = [
        door.send(weight("r-1"), weight("r-2", unit="stone"), weight("r-3")),
        door.send(weight("r-1", value="80")),
        door.send(weight("r-3", value="81", status="corrected"), weight("r-4", replaces="r-1")),
    ]
    before, days = _rows(door), door.days()
    door.now += timedelta(days=1)
    for _ in range(2):
        done = [_replayed(door, one.delivery_id) for one in told]
        assert [_statuses(one) for one in done] == [
            ["duplicate", "quarantined", "duplicate"],
            ["quarantined"],
            ["duplicate", "duplicate"],
        ]
    assert (_rows(door), door.days()) == (before, days)
    again = door.post("msg-1", body_of(weight("r-1"), weight("r-2", unit="stone"), weight("r-3")))
    assert again == told[0]
    with reading(door.engine) as db:
        events = select(AuditEvent.number).where(col(AuditEvent.action) == "delivery.replay")
        assert len(db.exec(events).all()) == 6
        assert verify_chain(db, door.organization_id) == []


def test_what_could_not_be_read_comes_in_after_an_update(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A unit that a later version knows: the item is recorded as of its delivery's arrival."""
    arrived = door.now
    with monkeypatch.context() as before_the_update:
        before_the_update.setattr("devices.units._SPELLINGS", {})
        told = door.send(weight("r-1", unit="lbs"), weight("r-2"))
    assert [item["status"] for item in told.items] == ["quarantined", "accepted"]
    door.now += timedelta(days=3)
    assert _statuses(_replayed(door, told.delivery_id)) == ["accepted", "duplicate"]
    assert _statuses(_replayed(door, told.delivery_id)) == ["duplicate", "duplicate"]
    assert {row.received_at for row in door.readings()} == {arrived}
    assert _rows(door) == [2, 0, 1, 1]


def test_a_setting_changed_since_makes_no_second_reading(
    engine: Engine, settings: Settings, actor: Actor, clock: Clock
) -> None:
    """A glucose value is part of what makes it one; with another unit it stays the one it was."""
    door = Door(engine, settings, actor, clock.now(), vendor="telli")
    message = {
        "deviceId": "864593054464085",
        "readingType": "BloodGlucose",
        "time": "1768482900000",
        "data": {"glucose": 104},
    }
    body = json.dumps(message).encode()
    told = door.take(Incoming({"x-api-key": door.secret}, body))
    with transaction(engine) as db:
        command = ChangeConnection(
            connection_id=door.connection.id, settings={"glucose_unit": "mmol/L"}, reason="told so"
        )
        change_connection(db, actor, door.now, command)
    assert _statuses(_replayed(door, told.delivery_id)) == ["duplicate"]
    assert len(door.readings()) == 1


def test_a_dead_letter_stays_one_until_it_can_be_read(door: Door) -> None:
    """A body that still cannot be read stays a dead letter, with the reason of today."""
    told = door.post("msg-1", b"{")
    done = _replayed(door, told.delivery_id)
    assert (done.state, done.problem, done.items) == ("dead_letter", "not JSON", 0)
    assert _rows(door) == [0, 0, 0, 1]


def test_what_was_read_once_stays_read(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    """When a format cannot read a body any more, its readings stay and the reason is told."""
    told = door.send(weight("r-1"))
    monkeypatch.setattr("rpm.actions.take_delivery.VENDORS", {})
    done = _replayed(door, told.delivery_id)
    assert (done.state, done.problem) == ("read", "the format's reader failed: KeyError")
    assert _rows(door) == [1, 0, 0, 0]


def test_only_ones_own_and_only_with_permission(door: Door, other_actor: Actor) -> None:
    """A delivery of another practice is not found, and without the permission nobody replays."""
    told = door.send(weight("r-1"))
    command = ReplayDelivery(delivery_id=told.delivery_id)
    reader = Actor(door.organization_id, None, None, "auditor", frozenset(), "A")
    with transaction(door.engine) as db:
        with pytest.raises(NotFound):
            replay_delivery(db, other_actor, door.now, command)
        with pytest.raises(NotAllowed):
            replay_delivery(db, reader, door.now, command)

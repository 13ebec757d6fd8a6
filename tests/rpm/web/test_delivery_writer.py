"""Group commit: deliveries that wait together are stored together, and each gets its own answer."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from uuid import uuid4

import anyio
import pytest
from fastapi import FastAPI
from intake_door import Door, body_of, signed, weight
from sqlalchemy.engine import Engine
from sqlmodel import col, func, select
from starlette.testclient import TestClient

from devices.delivery import Incoming
from rpm.access import Actor
from rpm.actions.authenticate_delivery import Sender, authenticate
from rpm.actions.manage_connections import (
    RetireConnection,
    RotateSecret,
    retire_connection,
    rotate_secret,
)
from rpm.actions.take_delivery import Arrived, DeliveryAnswer
from rpm.actions.verify import verify_record
from rpm.clock import Clock
from rpm.errors import Busy
from rpm.settings import Settings
from rpm.store.engine import reading, transaction
from rpm.store.tables.monitoring import Delivery
from rpm.store.tables.security import AuditEvent
from rpm.web import delivery_writer
from rpm.web.delivery_writer import DeliveryWriter, DoorChangedError


@pytest.fixture
def door(engine: Engine, settings: Settings, actor: Actor, clock: Clock) -> Door:
    """A connection, and a patient with a scale."""
    door = Door(engine, settings, actor, clock.now())
    door.enrolled_with_scale()
    return door


def arrived(door: Door, number: int, message_id: str | None = None) -> Arrived:
    """A proved delivery of one reading, not stored yet."""
    body = body_of(weight(f"r-{number}", f"2026-01-14T08:{number % 60:02}:00-05:00"))
    headers = signed(door.secret, message_id or f"msg-{number}", door.now, body)
    incoming = Incoming(headers, body)
    with reading(door.engine) as db:
        sender = authenticate(db, door.ring, door.now, "generic", door.token, incoming)
    return Arrived(sender, incoming, door.now)


def stored(engine: Engine, waiting: Sequence[Arrived]) -> list[DeliveryAnswer | BaseException]:
    """What each of these is told when all come at the same time."""

    async def all_at_once() -> list[DeliveryAnswer | BaseException]:
        writer = DeliveryWriter(engine, anyio.CapacityLimiter(1))
        answers = await asyncio.gather(
            *(writer.store(one) for one in waiting), return_exceptions=True
        )
        await writer.settle()
        return answers

    return asyncio.run(all_at_once())


def takings(door: Door) -> int:
    """How many audit events deliveries have made."""
    with reading(door.engine) as db:
        events = select(func.count()).where(col(AuditEvent.action) == "delivery.take")
        return db.exec(events).one()


def test_what_waits_together_is_one_audit_event_and_many_answers(door: Door) -> None:
    """Forty deliveries at once: each is told its own reading, in one event, and all verifies."""
    waiting = [arrived(door, number) for number in range(40)]
    answers = [one for one in stored(door.engine, waiting) if isinstance(one, DeliveryAnswer)]
    assert [one.items[0]["id"] for one in answers] == [f"r-{number}" for number in range(40)]
    assert len({one.delivery_id for one in answers}) == 40
    assert takings(door) == 1
    assert [qualifying for qualifying, _ in door.days().values()] == [40]
    with reading(door.engine) as db:
        assert verify_record(db, door.actor) == []


def test_a_repeat_beside_its_first_is_told_the_same(door: Door) -> None:
    """The same bytes twice in one group are one delivery and one answer."""
    first, again = stored(door.engine, [arrived(door, 1), arrived(door, 1)])
    assert first == again
    assert len(door.readings()) == 1


def test_the_same_reading_by_two_deliveries_of_a_group_is_one(door: Door) -> None:
    """A second message with the same content finds the first one's reading."""
    told = stored(door.engine, [arrived(door, 1), arrived(door, 1, "msg-other")])
    statuses = [one.items[0]["status"] for one in told if isinstance(one, DeliveryAnswer)]
    assert statuses == ["accepted", "duplicate"]


def test_one_that_fails_does_not_fail_the_others(door: Door) -> None:
    """A delivery that the database refuses is told so, and those beside it are stored."""
    good = [arrived(door, number) for number in range(3)]
    stranger = Sender(door.organization_id, uuid4(), "generic", good[0].sender.settings, "msg-x")
    bad = Arrived(stranger, good[0].incoming, door.now)
    answers = stored(door.engine, [good[0], bad, *good[1:]])
    assert [isinstance(one, DeliveryAnswer) for one in answers] == [True, False, True, True]
    assert len(door.readings()) == 3


def test_too_much_that_waits_is_asked_to_come_again(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beyond the memory for waiting bodies a sender is told to come again, and nothing is lost."""
    waiting = [arrived(door, number) for number in range(4)]
    size = len(waiting[0].incoming.body)
    monkeypatch.setattr(delivery_writer, "MOST_WAITING_BYTES", 2 * size)
    answers = stored(door.engine, waiting)
    assert [isinstance(one, Busy) for one in answers] == [False, False, True, True]
    with reading(door.engine) as db:
        assert len(db.exec(select(Delivery)).all()) == 2


def test_a_door_that_changed_before_the_storing_is_opened_anew(door: Door) -> None:
    """A proof that was seen before the secret was changed does not get its delivery stored."""
    waiting = [arrived(door, 1)]
    rotated(door)
    (outcome,) = stored(door.engine, waiting)
    assert isinstance(outcome, DoorChangedError)
    assert door.readings() == []


def rotated(door: Door) -> str:
    """The new secret; the one before ended at once."""
    with transaction(door.engine) as db:
        command = RotateSecret(connection_id=door.connection.id, overlap_hours=0)
        secret = rotate_secret(db, door.actor, door.now, door.ring, command).secret
    assert secret is not None
    return secret


def test_a_kept_door_closes_with_its_secret_and_its_connection(
    app: FastAPI, door: Door, clock: Clock
) -> None:
    """What another process changes holds here at once: an ended secret, a retired connection."""

    def status(number: int, secret: str) -> int:
        body = body_of(weight(f"r-{number}", "2026-01-14T08:15:00-05:00"))
        headers = signed(secret, f"msg-{number}", clock.now(), body)
        address = f"/webhooks/generic/{door.token}"
        return client.post(address, content=body, headers=headers).status_code

    with TestClient(app) as client:
        assert status(1, door.secret) == 200
        new = rotated(door)
        assert [status(2, door.secret), status(3, new), status(4, door.secret)] == [401, 200, 401]
        with transaction(door.engine) as db:
            command = RetireConnection(connection_id=door.connection.id, reason="vendor changed")
            retire_connection(db, door.actor, door.now + timedelta(seconds=1), command)
        assert status(5, new) == 401
    assert len(door.readings()) == 2

"""Deliveries that arrive at the same moment: each fact once, whoever is first."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pytest
from intake_door import Door, body_of, weight
from sqlalchemy.engine import Engine
from sqlmodel import col, func, select

from rpm.access import Actor
from rpm.clock import Clock
from rpm.settings import Settings
from rpm.store import device_days
from rpm.store.engine import reading
from rpm.store.tables.monitoring import Delivery, Reading
from rpm.store.verify import verify_chain

AT_ONCE = 8
TIMES = 40


@pytest.fixture
def door(engine: Engine, settings: Settings, actor: Actor, clock: Clock) -> Door:
    """A connection, and a patient with a scale."""
    door = Door(engine, settings, actor, clock.now())
    door.enrolled_with_scale()
    return door


def _count(door: Door, table: type[Delivery] | type[Reading]) -> int:
    with reading(door.engine) as db:
        return db.exec(select(func.count(col(table.id)))).one()


def test_the_same_delivery_many_times_at_once_is_one(door: Door) -> None:
    """However many copies of a delivery race, one is stored and all get the same answer."""
    body = body_of(weight("r-1"), weight("r-2"))
    with ThreadPoolExecutor(AT_ONCE) as pool:
        answers = list(pool.map(lambda _: door.post("msg-1", body), range(TIMES)))
    assert {answer.delivery_id for answer in answers} == {answers[0].delivery_id}
    assert all(answer == answers[0] for answer in answers)
    assert (_count(door, Delivery), _count(door, Reading)) == (1, 2)


def test_the_same_readings_in_different_deliveries_at_once_are_one(door: Door) -> None:
    """Deliveries that share readings race to one reading each, and the days are right."""
    bodies = [
        body_of(*(weight(f"r-{number % 5}") for number in range(start, start + 3)))
        for start in range(TIMES)
    ]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        answers = list(
            pool.map(lambda sent: door.post(f"msg-{sent[0]}", sent[1]), enumerate(bodies))
        )
    told = [item["status"] for answer in answers for item in answer.items]
    assert (told.count("accepted"), told.count("duplicate")) == (5, TIMES * 3 - 5)
    assert _count(door, Reading) == 5
    assert door.days() == {(date(2026, 1, 14), ""): (5, 0)}
    with reading(door.engine) as db:
        assert device_days.differences(db, door.organization_id) == []
        assert verify_chain(db, door.organization_id) == []

"""Two months of a synthetic patient through the door: days, repeats, late uploads, typed values."""

from collections.abc import Sequence
from datetime import date
from random import Random

import pytest
from intake_door import Door
from sqlalchemy.engine import Engine

from devices.delivery import Incoming, Secret
from devices.simulator import (
    Habits,
    PatientPlan,
    SignedRequest,
    deliveries,
    readings,
    usual_series,
)
from rpm.access import Actor
from rpm.clock import Clock
from rpm.settings import Settings
from rpm.store import device_days
from rpm.store.engine import reading

FIRST, LAST = date(2025, 11, 3), date(2025, 12, 31)
PLAN = PatientPlan(
    "SYN-1",
    "America/Chicago",
    (usual_series("weight", "scale-1"),),
    Habits(adherence=0.8, repeat=0.3, late=0.3, manual=0.2, missed_run=0.05),
)


@pytest.fixture
def door(engine: Engine, settings: Settings, actor: Actor, clock: Clock) -> Door:
    """A connection, and a patient in Chicago with a scale."""
    door = Door(engine, settings, actor, clock.now())
    door.enrolled_with_scale(timezone="America/Chicago")
    return door


def _post_all(door: Door, requests: Sequence[SignedRequest]) -> None:
    for request in requests:
        door.now = request.sent_at
        door.take(Incoming(request.headers, request.body))


@pytest.mark.parametrize("shuffled", [False, True], ids=["in order", "shuffled"])
def test_every_day_with_an_automatic_reading_counts(door: Door, *, shuffled: bool) -> None:
    """Repeated, late or out of order: days with an automatic reading count, and no other."""
    sent = list(readings(PLAN, FIRST, LAST, seed=7))
    requests = list(deliveries(sent, Secret(door.secret)))
    if shuffled:
        Random(7).shuffle(requests)
    _post_all(door, requests)
    expected = {
        date.fromisoformat(str(item.reading["measured_at"])[:10])
        for item in sent
        if item.reading["entry_method"] == "device"
    }
    assert {day for day, word in door.days() if not word} == expected
    assert len(door.readings()) == len({str(item.reading["id"]) for item in sent})
    with reading(door.engine) as db:
        assert device_days.differences(db, door.organization_id) == []

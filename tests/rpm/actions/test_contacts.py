"""What was last heard of a device: readings, heartbeats, batteries, whatever its id is spelled."""

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from intake_door import Door, weight
from sqlalchemy.engine import Engine
from sqlmodel import col, select

from devices.delivery import Incoming
from rpm.access import Actor
from rpm.actions import refresh_contacts as module
from rpm.actions.refresh_contacts import refresh_contacts, refresh_step
from rpm.actions.replay_dead_letters import ReplayDeadLetters, replay_dead_letters
from rpm.clock import Clock
from rpm.jobs.work import refresh_all_contacts
from rpm.settings import Settings
from rpm.store.engine import reading, transaction
from rpm.store.scope import Scope
from rpm.store.tables.inventory import DeviceContact

IMEI = "013554001234567"


@pytest.fixture
def door(engine: Engine, settings: Settings, actor: Actor, clock: Clock) -> Door:
    """A connection of the generic vendor."""
    return Door(engine, settings, actor, clock.now())


@pytest.fixture
def bodytrace(engine: Engine, settings: Settings, actor: Actor, clock: Clock) -> Door:
    """A connection whose devices send heartbeats and name themselves by a shortened IMEI."""
    return Door(engine, settings, actor, clock.now(), vendor="bodytrace")


def contacts(door: Door) -> dict[str, DeviceContact]:
    """What is kept, by the id as sent."""
    refresh_contacts(door.engine, Scope.of(door.actor))
    with reading(door.engine) as db:
        mine = col(DeviceContact.organization_id) == door.organization_id
        return {row.vendor_device_id: row for row in db.exec(select(DeviceContact).where(mine))}


def say(door: Door, at: datetime, **values: Any) -> None:
    """A message of a scale in the words of BodyTrace, arriving at an instant."""
    door.now = at
    body = {"deviceId": IMEI[1:-1], "ts": int(at.timestamp() * 1000), "rssi": 91} | values
    proof = base64.b64encode(f"bodytrace:{door.secret}".encode()).decode()
    door.take(Incoming({"authorization": f"Basic {proof}"}, json.dumps(body).encode()))


def test_a_reading_is_a_sign_of_life_even_if_it_does_not_count(door: Door) -> None:
    """Whatever arrives from a device was heard; its measurement is the latest of them."""
    door.enrolled_with_scale()
    door.send(weight("r-1", "2026-01-14T08:15:00-05:00"))
    door.now += timedelta(hours=1)
    door.send(weight("r-2", "2026-01-10T08:15:00-05:00", entry_method="manual"))
    found = contacts(door)["scale-1"]
    assert (found.heard_at, found.heard_as) == (door.now, "reading")
    assert found.measured_at == datetime(2026, 1, 14, 13, 15, tzinfo=UTC)
    assert found.battery is None


def test_a_clock_that_runs_ahead_measured_nothing_in_the_future(door: Door) -> None:
    """A measurement dated after its arrival is as late as that."""
    door.enrolled_with_scale()
    door.send(weight("r-1", "2026-01-19T08:15:00-05:00"))
    assert contacts(door)["scale-1"].measured_at == door.now


def test_a_heartbeat_is_heard_and_tells_the_battery(bodytrace: Door) -> None:
    """A message without a reading counts as heard; the last battery stays known."""
    began = bodytrace.now
    say(bodytrace, began, batteryVoltage=5522, values={"weight": 69_800})
    say(bodytrace, began + timedelta(hours=8), batteryVoltage=5490, values={})
    say(bodytrace, began + timedelta(hours=16), values={})
    found = contacts(bodytrace)[IMEI[1:-1]]
    assert found.heard_at == began + timedelta(hours=16)
    assert found.measured_at == began
    assert (found.battery, found.battery_at) == ("5490 mV", began + timedelta(hours=8))


def test_the_order_of_reading_them_does_not_matter(
    bodytrace: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Read event by event or all at once, the same is kept; nothing new changes nothing."""
    began = bodytrace.now
    scope = Scope.of(bodytrace.actor)
    for hours in range(4):
        values = {"weight": 69_800} if hours % 2 else {}
        say(bodytrace, began + timedelta(hours=hours), batteryVoltage=5500 - hours, values=values)
    monkeypatch.setattr(module, "EVENTS_AT_ONCE", 1)
    behind, _ = refresh_step(bodytrace.engine, scope)
    assert behind
    slowly = contacts(bodytrace)[IMEI[1:-1]].model_dump()
    assert refresh_contacts(bodytrace.engine, scope) == 0
    assert (slowly["heard_at"], slowly["battery"]) == (began + timedelta(hours=3), "5497 mV")
    assert slowly["measured_at"] == began + timedelta(hours=3)


def test_a_device_is_found_under_every_spelling_of_its_imei(bodytrace: Door) -> None:
    """What was heard before a device is registered becomes its own when it is."""
    say(bodytrace, bodytrace.now, values={})
    assert contacts(bodytrace)[IMEI[1:-1]].device_id is None
    device_id = bodytrace.device(IMEI)
    assert contacts(bodytrace)[IMEI[1:-1]].device_id == device_id


def test_organizations_hear_only_their_own(door: Door, other_actor: Actor) -> None:
    """Refreshing another organization finds nothing."""
    door.enrolled_with_scale()
    door.send(weight("r-1"))
    assert refresh_contacts(door.engine, Scope.of(other_actor)) == 0


def test_a_dead_letter_that_is_read_later_is_heard_as_of_its_arrival(
    bodytrace: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A heartbeat whose body could not be read at first counts from when it came."""
    from devices.vendors.bodytrace import BodyTrace

    arrived = bodytrace.now
    with monkeypatch.context() as broken:
        broken.setattr(BodyTrace, "parse", lambda *_: 1 / 0)
        say(bodytrace, arrived, batteryVoltage=5522, values={})
    assert contacts(bodytrace) == {}
    later = arrived + timedelta(days=1)
    with transaction(bodytrace.engine) as db:
        command = ReplayDeadLetters(vendor="bodytrace")
        replay_dead_letters(db, bodytrace.actor, later, command)
    assert contacts(bodytrace)[IMEI[1:-1]].heard_at == arrived


def test_the_job_reads_for_every_practice(
    door: Door, settings: Settings, other_actor: Actor
) -> None:
    """The scheduled job tells of how many devices something came, and finds nothing twice."""
    door.enrolled_with_scale()
    door.send(weight("r-1"), weight("r-2", device_id="scale-2"))
    told = [refresh_all_contacts(door.engine, settings, door.now) for _ in range(2)]
    assert told == ["2 devices heard, 0 failed", "0 devices heard, 0 failed"]


def test_news_of_an_account_are_no_sign_of_a_device(
    engine: Engine, settings: Settings, actor: Actor, clock: Clock
) -> None:
    """A vendor that tells of a person's account has heard nothing from a device."""
    chosen = {"vendor": "validic", "scheme": {"kind": "query"}}
    door = Door(engine, settings, actor, clock.now(), **chosen)
    body = b'event: connection\ndata: {"user_id": "u-1"}\n\n'
    answer = door.take(Incoming({}, body, query=f"token={door.secret}"))
    assert [item["reason"] for item in answer.items] == ["account"]
    assert contacts(door) == {}

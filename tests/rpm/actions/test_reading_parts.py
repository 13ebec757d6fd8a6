"""Parts of a reading make one reading and one day; every spelling of an IMEI finds its device."""

from datetime import UTC, date, datetime
from itertools import permutations
from typing import Any

import pytest
from intake_door import Door, weight
from sqlalchemy.engine import Engine
from sqlmodel import select

from devices.kinds import KINDS
from devices.reading import Reading, component
from rpm.access import Actor
from rpm.actions.reading_batch import ItemResult, Source
from rpm.actions.take_readings import take_readings
from rpm.clock import Clock
from rpm.settings import Settings
from rpm.store.chain import recording
from rpm.store.device_days import holds
from rpm.store.engine import reading, transaction
from rpm.store.queries.people import organization_of
from rpm.store.scope import Scope
from rpm.store.tables.monitoring import Reading as ReadingRow
from rpm.store.tables.monitoring import ReadingConflict

DAY = date(2026, 1, 14)
IMEI = "013554001234567"
SPELLINGS = (IMEI, "01355400123456", "1355400123456", "13554001234567")


@pytest.fixture
def door(engine: Engine, settings: Settings, actor: Actor, clock: Clock) -> Door:
    """A connection of an organization that has no devices yet."""
    return Door(engine, settings, actor, clock.now())


def _part(kind: str, *flags: str, **values: str) -> Reading:
    units = {"systolic": "mm[Hg]", "diastolic": "mm[Hg]", "pulse": "/min"}
    return Reading(
        device_id="scale-1",
        kind=kind,
        components=tuple(
            component(KINDS[kind], name, value, units[name]) for name, value in values.items()
        ),
        measured_at=datetime(2026, 1, 14, 13, 15, tzinfo=UTC),
        vendor_time="2026-01-14T13:15:00Z",
        vendor_reading_id="scale-1/2026-01-14T13:15:00Z/1",
        entry_method="device",
        flags=flags,
        is_part=True,
    )


PRESSURE = _part("bp", systolic="128", diastolic="79")
PULSE = _part("heart_rate", pulse="66")
IRREGULAR = _part("ecg_flag", "irregular_heartbeat")
ORDERS = list(permutations([PRESSURE, PULSE, IRREGULAR]))


def _take(door: Door, *items: Reading) -> list[ItemResult]:
    """Each item in a recording of its own, as posts that come one by one."""
    results = []
    source = Source(vendor="generic", account="A-1")
    for item in items:
        with (
            transaction(door.engine) as db,
            recording(db, door.actor, door.now, "delivery.take") as record,
        ):
            organization = organization_of(db, Scope.of(door.actor))
            results += take_readings(db, record, organization, source, door.now, [item])
    return results


def _holding(door: Door) -> ReadingRow:
    with reading(door.engine) as db:
        return db.exec(select(ReadingRow).where(holds())).one()


@pytest.mark.parametrize("order", ORDERS)
def test_parts_in_any_order_are_one_reading_and_one_day(
    door: Door, order: tuple[Reading, ...]
) -> None:
    """Pressure, pulse and irregular-beat mark in posts of their own: one reading, one day."""
    door.enrolled_with_scale()
    first, second, third = _take(door, *order)
    assert [result.status for result in (second, third)] == ["corrected"] * 2
    assert first.reading_id is not None
    whole = _holding(door)
    assert (whole.measure, whole.version, whole.countable) == ("bp", 3, True)
    assert [part["value"] for part in whole.components] == ["128", "79", "66"]
    assert whole.flags == ["irregular_heartbeat"]
    assert door.days() == {(DAY, ""): (1, 0)}


def test_parts_sent_again_change_nothing(door: Door) -> None:
    """Every post again, in another order: no version more."""
    door.enrolled_with_scale()
    _take(door, PRESSURE, PULSE, IRREGULAR)
    again = _take(door, IRREGULAR, PRESSURE, PULSE, PULSE)
    assert [result.status for result in again] == ["duplicate"] * 4
    assert (len(door.readings()), _holding(door).version) == (3, 3)


def test_a_mark_alone_makes_no_day(door: Door) -> None:
    """An irregular-beat mark whose pressure never comes is kept and counts for nothing."""
    door.enrolled_with_scale()
    (result,) = _take(door, IRREGULAR)
    assert (result.status, result.reason) == ("accepted", "not_physiologic")
    assert door.days() == {(DAY, "not_physiologic"): (0, 1)}


def test_a_pulse_alone_makes_its_day(door: Door) -> None:
    """A pulse whose pressure is lost is still a reading of a device."""
    door.enrolled_with_scale()
    _take(door, PULSE)
    assert door.days() == {(DAY, ""): (1, 0)}


def test_parts_that_contradict_are_shown_beside_the_first(door: Door) -> None:
    """Another pressure under the same key is not mixed in: the first stands, both are kept."""
    door.enrolled_with_scale()
    results = _take(door, PRESSURE, PULSE, _part("bp", systolic="141", diastolic="79"))
    assert (results[2].status, results[2].reason) == ("quarantined", "conflict")
    assert [part["value"] for part in _holding(door).components] == ["128", "79", "66"]
    with reading(door.engine) as db:
        (kept,) = db.exec(select(ReadingConflict)).all()
    assert kept.content["components"][0]["value"] == "141"


def _of(device_id: str, reading_id: str = "r-1") -> Any:
    return weight(reading_id) | {"device_id": device_id}


@pytest.mark.parametrize("sent", SPELLINGS)
def test_a_device_is_found_by_every_spelling_of_its_imei(door: Door, sent: str) -> None:
    """Registered as printed on the box, sent without leading zeros or check digit."""
    patient_id = door.practice.patient()
    episode_id = door.practice.episode(patient_id)
    door.assign(door.device(IMEI), patient_id, episode_id, name=IMEI)
    assert door.statuses(_of(sent)) == ["accepted"]
    assert door.readings()[0].vendor_device_id == sent


@pytest.mark.parametrize("sent", SPELLINGS)
def test_what_waited_is_attached_under_another_spelling(door: Door, sent: str) -> None:
    """Readings that came before the device was registered follow, however they name it."""
    assert door.statuses(_of(sent)) == ["quarantined"]
    patient_id = door.practice.patient()
    episode_id = door.practice.episode(patient_id)
    door.assign(door.device(IMEI), patient_id, episode_id, name=IMEI)
    assert door.days() == {(DAY, ""): (1, 0)}


def test_two_devices_that_could_be_meant_are_none(door: Door) -> None:
    """Where two registered devices answer to a spelling, the reading waits for a person."""
    door.device("01355400123456")
    door.device(IMEI)
    (item,) = door.send(_of("1355400123456")).items
    assert (item["status"], item["reason"]) == ("quarantined", "unknown_device")
    assert door.send(_of(IMEI, "r-2")).items[0]["reason"] == "not_assigned"


def test_serial_numbers_are_not_taken_for_imeis(door: Door) -> None:
    """Fifteen digits with a wrong check digit are another device than their neighbor."""
    door.device("013554001234561")
    assert door.send(_of("013554001234562")).items[0]["reason"] == "unknown_device"

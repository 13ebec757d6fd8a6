"""Devices that fell silent: who is listed, since when, in which order; on both engines."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy.engine import Engine
from starlette.testclient import TestClient

from billing.days import day_number
from rpm.access import Actor
from rpm.jobs.work import list_silent_devices
from rpm.settings import Settings
from rpm.store.engine import transaction
from rpm.store.tables.monitoring import (
    AssociationEnd,
    Device,
    DeviceAssociation,
    DeviceDay,
    EpisodeEnd,
)
from tests.conftest import FixedClock
from tests.ledger_practice import Practice

URL = "/v1/devices/silent"
TODAY = date(2026, 1, 15)
CAME = datetime(2026, 1, 2, 15, tzinfo=UTC)


class Devices:
    """Enrolled patients with a device each."""

    def __init__(self, engine: Engine, actor: Actor, clock: FixedClock) -> None:
        self.practice = Practice(engine, actor, clock.now())
        self.engine = engine
        self.actor = actor

    def with_device(self, name: str, came: datetime = CAME) -> tuple[UUID, UUID]:
        """Episode and association of a new patient who got a device."""
        patient_id, episode_id = self.practice.enrolled()
        device = Device(
            id=self.practice.new_id(),
            vendor="generic",
            vendor_device_id=name,
            kind="scale",
            fda_listed=True,
            automatic=True,
        )
        association = DeviceAssociation(
            id=self.practice.new_id(),
            device_id=device.id,
            episode_id=episode_id,
            patient_id=patient_id,
            from_at=came,
        )
        self.practice.record(device, association)
        return episode_id, association.id

    def heard(self, episode_id: UUID, day: date, refused_reason: str = "") -> None:
        """A day with a reading, counting or not."""
        with transaction(self.engine) as session:
            session.add(
                DeviceDay(
                    organization_id=self.actor.organization_id,
                    episode_id=episode_id,
                    day=day_number(day),
                    kind="scale",
                    refused_reason=refused_reason,
                    qualifying_count=0 if refused_reason else 1,
                    refused_count=1 if refused_reason else 0,
                    first_received_day=day_number(day),
                )
            )


@pytest.fixture
def devices(engine: Engine, actor: Actor, clock: FixedClock) -> Devices:
    """The practice's devices."""
    return Devices(engine, actor, clock)


def listed(client: TestClient, headers: dict[str, str], **params: Any) -> list[dict[str, Any]]:
    """The items of the list."""
    answer = client.get(URL, headers=headers, params=params)
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


def test_silence_is_counted_from_the_last_reading(
    client: TestClient, admin: dict[str, str], devices: Devices
) -> None:
    """A reading ends silence even if it does not count; without any it began with the device."""
    never, _ = devices.with_device("a")
    refused, _ = devices.with_device("b")
    fresh, _ = devices.with_device("c")
    devices.heard(refused, date(2026, 1, 3))
    devices.heard(refused, date(2026, 1, 12), "manual_entry")
    devices.heard(fresh, date(2026, 1, 13))
    assert [
        (item["episode_id"], item["last_reading_day"], item["silent_since"], item["silent_days"])
        for item in listed(client, admin)
    ] == [
        (str(never), None, "2026-01-02", 13),
        (str(refused), "2026-01-12", "2026-01-12", 3),
    ]
    assert len(listed(client, admin, at_least_days=2)) == 3


def test_who_is_not_expected_to_send_is_not_listed(
    client: TestClient, admin: dict[str, str], devices: Devices
) -> None:
    """An ended episode, a device that came back and one that comes later are not silent."""
    ended, _ = devices.with_device("a")
    _, returned = devices.with_device("b")
    devices.with_device("c", came=CAME + timedelta(days=60))
    reopened, _ = devices.with_device("d")
    record = devices.practice.record
    record(EpisodeEnd(episode_id=ended, last_day=date(2026, 1, 10), end_reason="goals_met"))
    record(AssociationEnd(association_id=returned, to_at=CAME + timedelta(days=5), reason="back"))
    record(EpisodeEnd(episode_id=reopened, last_day=date(2026, 1, 10), end_reason="goals_met"))
    record(EpisodeEnd(episode_id=reopened, last_day=None, end_reason=""))
    assert [item["episode_id"] for item in listed(client, admin)] == [str(reopened)]


def test_pages_and_tenants(
    client: TestClient, admin: dict[str, str], stranger: dict[str, str], devices: Devices
) -> None:
    """The longest silence comes first, page by page, and nobody else's devices are seen."""
    made = [
        str(devices.with_device(str(number), came=CAME + timedelta(days=number))[0])
        for number in range(5)
    ]
    first = client.get(URL, headers=admin, params={"limit": 3}).json()
    more = {"limit": 3, "cursor": first["next_cursor"]}
    second = client.get(URL, headers=admin, params=more).json()
    found = [item["episode_id"] for item in first["items"] + second["items"]]
    assert (found, second["next_cursor"]) == (made, None)
    assert listed(client, stranger) == []


def test_the_job_counts_them(
    engine: Engine, settings: Settings, devices: Devices, clock: FixedClock
) -> None:
    """The scheduled job tells how many there are in all organizations."""
    devices.with_device("a")
    assert list_silent_devices(engine, settings, clock.now()) == "1 silent, 0 failed"

"""The inventory over the API: where each device is, what was heard of it, what is at risk."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from intake_door import Door, weight
from ledger_practice import days
from sqlalchemy.engine import Engine
from sqlmodel import select
from starlette.testclient import TestClient

from rpm.access import Actor
from rpm.actions.manage_connections import RetireConnection, retire_connection
from rpm.clock import Clock
from rpm.settings import Settings
from rpm.store.engine import reading, transaction
from rpm.store.tables.monitoring import Episode, EpisodeEnd

URL = "/v1/devices"
AT_RISK = "/v1/devices/at-risk"
JANUARY = datetime(2026, 1, 2, 15, tzinfo=UTC)
RETURNED = datetime(2026, 1, 10, 15, tzinfo=UTC)


class Shelf:
    """Devices of a practice by name, and what each of them sends."""

    def __init__(self, door: Door) -> None:
        self.door = door
        self.ids: dict[str, UUID] = {}
        self.held: dict[str, UUID] = {}

    def stock(self, name: str, **values: Any) -> str:
        """A device that is with nobody; its id."""
        self.ids[name] = self.door.device(name, **values)
        return str(self.ids[name])

    def give(self, name: str, from_at: datetime = JANUARY, **episode: Any) -> UUID:
        """A device that is with a new patient; the episode."""
        patient_id, episode_id = self.door.practice.enrolled(**episode)
        self.stock(name)
        self.held[name] = self.door.assign(
            self.ids[name], patient_id, episode_id, from_at, name=name
        )
        return episode_id

    def send(self, name: str, day: int, **parts: Any) -> None:
        """A reading in the morning of a day in January, which arrives at once."""
        now, self.door.now = self.door.now, datetime(2026, 1, day, 13, 16, tzinfo=UTC)
        at = f"2026-01-{day:02}T08:15:00-05:00"
        self.door.send(weight(f"{name}-{day}", at, device_id=name, **parts))
        self.door.now = now

    def take_back(self, name: str) -> None:
        """The device came back on January 10."""
        self.door.take_back(self.held[name], RETURNED, name=name)

    def end(self, episode_id: UUID, last_day: date) -> None:
        """The episode is over; the device stays with the patient."""
        row = EpisodeEnd(episode_id=episode_id, last_day=last_day, end_reason="goals_met")
        self.door.practice.record(row)


@pytest.fixture
def shelf(engine: Engine, settings: Settings, actor: Actor, clock: Clock) -> Shelf:
    """An empty shelf and a connection of the generic vendor."""
    return Shelf(Door(engine, settings, actor, clock.now()))


def listed(client: TestClient, headers: dict[str, str], url: str = URL, **params: Any) -> Any:
    """The items of a list."""
    answer = client.get(url, headers=headers, params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


def names(client: TestClient, headers: dict[str, str], **params: Any) -> list[str]:
    """The vendor's ids of the devices that are listed."""
    return [item["vendor_device_id"] for item in listed(client, headers, **params)]


def test_an_empty_shelf(client: TestClient, admin: dict[str, str], shelf: Shelf) -> None:
    """A practice without devices has empty lists."""
    assert listed(client, admin) == []
    assert listed(client, admin, AT_RISK) == []


def test_where_devices_are(client: TestClient, admin: dict[str, str], shelf: Shelf) -> None:
    """With a patient, with one whose episode is over, or with nobody; lists say which."""
    shelf.stock("spare")
    episode_id = shelf.give("used")
    shelf.end(shelf.give("left"), date(2026, 1, 9))
    shelf.give("back")
    shelf.take_back("back")
    shelf.end(shelf.give("last day"), date(2026, 1, 15))
    found = {item["vendor_device_id"]: item for item in listed(client, admin)}
    assert {name: item["status"] for name, item in found.items()} == {
        "spare": "in_stock",
        "used": "in_use",
        "left": "awaits_return",
        "back": "in_stock",
        "last day": "in_use",
    }
    assert found["used"]["episode_id"] == str(episode_id)
    assert found["used"]["since"] == "2026-01-02T15:00:00Z"
    assert found["back"]["episode_id"] is None
    assert names(client, admin, status="in_use") == ["used", "last day"]
    assert names(client, admin, status="awaits_return") == ["left"]
    assert names(client, admin, status="in_stock") == ["spare", "back"]
    assert names(client, admin, status="in_stock", kind="bp") == []
    assert names(client, admin, vendor="telli") == []


def test_what_was_heard_of_devices(client: TestClient, admin: dict[str, str], shelf: Shelf) -> None:
    """Last arrival and measurement of each, silence by the device itself, and the vendor's door."""
    for name in ("daily", "quiet", "never"):
        shelf.give(name)
    shelf.stock("other vendor's")
    shelf.send("daily", 3)
    shelf.send("daily", 15)
    shelf.send("quiet", 12, entry_method="manual")
    found = {item["vendor_device_id"]: item for item in listed(client, admin)}
    assert found["daily"]["heard_at"] == "2026-01-15T13:16:00Z"
    assert found["daily"]["measured_at"] == "2026-01-15T13:15:00Z"
    told = ("connection", "heard_as", "silent_since", "silent_days")
    assert {name: tuple(item[word] for word in told) for name, item in found.items()} == {
        "daily": ("heard", "reading", "2026-01-15", 0),
        "quiet": ("quiet", "reading", "2026-01-12", 3),
        "never": ("never_heard", None, "2026-01-02", 13),
        "other vendor's": ("never_heard", None, None, None),
    }
    assert names(client, admin, silent=True) == ["quiet", "never"]
    assert names(client, admin, silent=False) == ["daily", "other vendor's"]


def test_a_vendor_without_a_door_cannot_be_heard(
    client: TestClient, admin: dict[str, str], shelf: Shelf
) -> None:
    """Once its connection is retired, a device that never spoke has no way to."""
    shelf.give("never")
    door = shelf.door
    with transaction(door.engine) as db:
        command = RetireConnection(connection_id=door.connection.id, reason="moved")
        retire_connection(db, door.actor, door.now, command)
    assert [item["connection"] for item in listed(client, admin)] == ["no_connection"]


def test_devices_that_nobody_uses_and_that_still_send(
    client: TestClient, admin: dict[str, str], shelf: Shelf
) -> None:
    """In stock or with a former patient, and heard since, and lately: the vendor serves it."""
    shelf.stock("stocked")
    shelf.stock("stocked and still")
    for name in ("back", "back and still"):
        shelf.give(name)
        shelf.take_back(name)
    for name in ("left", "left and still"):
        shelf.end(shelf.give(name), date(2026, 1, 10))
    shelf.give("used")
    for name, day in (
        ("stocked", 12),
        ("back", 11),
        ("back and still", 9),
        ("left", 11),
        ("left and still", 10),
        ("used", 12),
    ):
        shelf.send(name, day)
    assert names(client, admin, idle=True) == ["stocked", "back", "left"]
    assert len(names(client, admin, idle=False)) == 4


def test_a_device_with_its_history(client: TestClient, admin: dict[str, str], shelf: Shelf) -> None:
    """One device: who had it, why it came back, and through which connection it would be heard."""
    shelf.give("scale-1")
    shelf.take_back("scale-1")
    shelf.send("scale-1", 5)
    found = client.get(f"{URL}/{shelf.ids['scale-1']}", headers=admin).json()
    (held,) = found["associations"]
    assert (held["to_at"], held["end_reason"]) == ("2026-01-10T15:00:00Z", "returned")
    (door,) = found["connections"]
    assert (door["name"], door["last_delivered_at"]) == ("Test gateway", "2026-01-05T13:16:00Z")
    assert (found["status"], found["idle"], found["heard_as"]) == ("in_stock", False, "reading")


def test_pages_and_strangers(
    client: TestClient, admin: dict[str, str], stranger: dict[str, str], shelf: Shelf
) -> None:
    """A filtered list goes on where the page before ended; nobody sees another's devices."""
    for number in range(5):
        shelf.give(f"used-{number}")
        shelf.stock(f"spare-{number}")
    seen: list[str] = []
    params: dict[str, Any] = {"status": "in_use", "limit": 2}
    while True:
        page = client.get(URL, headers=admin, params=params).json()
        seen += [item["vendor_device_id"] for item in page["items"]]
        if page["next_cursor"] is None:
            break
        params["cursor"] = page["next_cursor"]
    assert seen == [f"used-{number}" for number in range(5)]
    assert listed(client, stranger) == []
    foreign = client.get(f"{URL}/{shelf.ids['used-0']}", headers=stranger)
    assert foreign.status_code == 404


def test_a_device_is_found_by_what_is_printed_on_it(
    client: TestClient, admin: dict[str, str], shelf: Shelf
) -> None:
    """The whole IMEI finds what is registered without check digit; a serial number in any case."""
    shelf.stock("01355400123456", serial="SN-0042a")
    shelf.stock("scale-2")

    def find(identifier: str) -> list[tuple[str, str | None]]:
        answer = client.post(f"{URL}/search", headers=admin, json={"identifier": identifier})
        items = answer.json()["items"]
        return [(item["vendor_device_id"], item["imei"]) for item in items]

    known = [("01355400123456", "013554001234567")]
    for text in ("013554001234567", "1355400123456", "sn-0042A"):
        assert find(text) == known
    assert find("scale-2") == [("scale-2", None)]
    assert find("scale") == []


def test_a_swap_and_a_return_over_the_api(
    client: TestClient, admin: dict[str, str], shelf: Shelf
) -> None:
    """Both are asked for at the old device; what cannot be is a problem with a code."""
    episode_id = shelf.give("old")
    shelf.stock("new")
    old, new = shelf.ids["old"], shelf.ids["new"]
    at = "2026-01-12T16:00:00Z"
    body = {"new_device_id": str(new), "at": at, "reason": "cuff broke"}
    begun = client.post(f"{URL}/{old}/swap", headers=admin, json=body)
    assert begun.status_code == 201, begun.text
    assert (begun.json()["device_id"], begun.json()["from_at"]) == (str(new), at)
    assert begun.json()["episode_id"] == str(episode_id)
    assert client.post(f"{URL}/{old}/swap", headers=admin, json=body).status_code == 409
    back = {"at": "2026-01-13T16:00:00Z", "reason": "goals met"}
    ended = client.post(f"{URL}/{new}/return", headers=admin, json=back)
    assert (ended.status_code, ended.json()["to_at"]) == (201, back["at"])
    assert client.post(f"{URL}/{new}/return", headers=admin, json=back).status_code == 409
    assert names(client, admin, status="in_stock") == ["old", "new"]
    told = {"condition": "lost", "at": "2026-01-13T17:00:00Z", "reason": "left on a bus"}
    lost = client.post(f"{URL}/{new}/report", headers=admin, json=told)
    assert (lost.status_code, lost.json()["condition"]) == (201, "lost")
    assert client.post(f"{URL}/{new}/report", headers=admin, json=told).status_code == 409
    assert names(client, admin, status="in_stock") == ["old"]
    assert names(client, admin, status="lost") == ["new"]


def test_days_at_risk(
    client: TestClient, admin: dict[str, str], stranger: dict[str, str], shelf: Shelf
) -> None:
    """Running windows whose code is lost unless a reading comes soon, the nearest day first."""
    practice = shelf.door.practice
    fine, short, silent = (shelf.give(name) for name in ("fine", "short", "silent"))
    late_patient, late = practice.enrolled(opened_day=date(2025, 12, 20))
    first = date(2026, 1, 1)
    found = _patients(shelf)
    practice.readings(found[fine], fine, days(first, 15))
    practice.readings(found[short], short, [first, *days(date(2026, 1, 6), 7)])
    practice.readings(found[silent], silent, [date(2025, 12, 31)])
    practice.readings(late_patient, late, [date(2025, 12, 20)])
    rows = listed(client, admin, AT_RISK)
    assert [
        (row["episode_id"], row["due_code"], row["due_day"], row["days_left"], row["measured"])
        for row in rows
    ] == [
        (str(silent), "99454", "2026-01-15", 0, 1),
        (str(late), "99445", "2026-01-18", 3, 1),
    ]
    assert [[one["vendor_device_id"] for one in row["devices"]] for row in rows] == [["silent"], []]
    assert rows[0]["devices"][0]["silent_days"] == 13
    wider = listed(client, admin, AT_RISK, within_days=30)
    assert [row["episode_id"] for row in wider] == [str(one) for one in (silent, late, short, fine)]
    page = client.get(AT_RISK, headers=admin, params={"within_days": 30, "limit": 3}).json()
    rest = {"within_days": 30, "limit": 3, "cursor": page["next_cursor"]}
    assert listed(client, admin, AT_RISK, **rest) == wider[3:]
    assert listed(client, stranger, AT_RISK) == []
    practice.now += timedelta(hours=1)
    practice.readings(found[silent], silent, [date(2026, 1, 15)])
    assert listed(client, admin, AT_RISK)[0]["due_day"] == "2026-01-16"


def _patients(shelf: Shelf) -> dict[UUID, UUID]:
    """Whose each episode is."""
    with reading(shelf.door.engine) as db:
        return {row.id: row.patient_id for row in db.exec(select(Episode))}

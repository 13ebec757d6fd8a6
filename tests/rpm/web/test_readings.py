"""Readings, connections and dead letters over the API."""

from typing import Any
from uuid import UUID

import pytest
from intake_door import Door, weight
from sqlalchemy.engine import Engine
from starlette.testclient import TestClient

from rpm.access import Actor
from rpm.clock import Clock
from rpm.settings import Settings

NOBODY = UUID(int=1)


@pytest.fixture
def door(engine: Engine, settings: Settings, actor: Actor, clock: Clock) -> Door:
    """A connection, a patient with a scale, and a reading of each fate."""
    door = Door(engine, settings, actor, clock.now())
    door.enrolled_with_scale()
    door.send(
        weight("r-1"),
        weight("r-2", entry_method="manual"),
        weight("r-3", device_id="scale-9"),
        weight("r-4", value="900"),
        weight("r-5", unit="stone"),
    )
    door.send(weight("r-1", value="80"))
    door.post("msg-x", b"{")
    return door


def _ids(client: TestClient, headers: dict[str, str], **query: Any) -> list[str]:
    answer = client.get("/v1/readings", params=query, headers=headers)
    assert answer.status_code == 200, answer.text
    return [item["vendor_reading_id"] for item in answer.json()["items"]]


def test_readings_are_listed_and_filtered(
    client: TestClient, door: Door, admin: dict[str, str]
) -> None:
    """Filters by state, patient and local day narrow the list; a foreign id finds nothing."""
    first = door.readings()[0]
    assert _ids(client, admin) == ["r-1", "r-2", "r-3", "r-4"]
    assert _ids(client, admin, state="counted") == ["r-1"]
    assert _ids(client, admin, state="quarantined") == ["r-3", "r-4"]
    assert _ids(client, admin, state="refused") == ["r-2"]
    assert _ids(client, admin, patient_id=first.patient_id) == ["r-1", "r-2", "r-4"]
    assert _ids(client, admin, episode_id=first.episode_id, device_id=first.device_id) == [
        "r-1",
        "r-2",
        "r-4",
    ]
    assert _ids(client, admin, from_day="2026-01-15") == []
    assert _ids(client, admin, to_day="2026-01-14", from_day="2026-01-14")[0] == "r-1"
    assert _ids(client, admin, patient_id=NOBODY) == []


def test_pages_follow_each_other(client: TestClient, door: Door, admin: dict[str, str]) -> None:
    """Cursors lead through all readings, each once, and belong to one list."""
    seen: list[str] = []
    cursor: str | None = None
    while True:
        query = {"limit": 3} | ({"cursor": cursor} if cursor else {})
        page = client.get("/v1/readings", params=query, headers=admin).json()
        seen += [item["vendor_reading_id"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
        other = client.get("/v1/readings/rejected", params={"cursor": cursor}, headers=admin)
        assert other.status_code == 400
    assert seen == ["r-1", "r-2", "r-3", "r-4"]


def test_what_stands_out_beside_others_is_told_and_changes_no_day(
    engine: Engine,
    settings: Settings,
    client: TestClient,
    door: Door,
    admin: dict[str, str],
    clock: Clock,
) -> None:
    """A weighing that came through another connection too and a leap of weight are marked."""
    second = Door(engine, settings, door.actor, clock.now(), vendor="generic", name="Second")
    episode, days = door.readings()[0].episode_id, door.days()
    second.send(weight("other-1", "2026-01-14T08:15:20-05:00", value="159.84", unit="lb"))
    assert door.days().keys() == days.keys()
    door.send(weight("r-6", "2026-01-15T08:14:00-05:00", value="80.1"))
    listed = client.get("/v1/readings", params={"episode_id": episode}, headers=admin).json()
    by_name = {item["vendor_reading_id"]: item for item in listed["items"]}
    first = {"code": "possible_duplicate", "other_id": by_name["r-1"]["id"]}
    assert by_name["r-1"]["marks"] == []
    assert by_name["other-1"]["marks"] == [first]
    assert by_name["r-6"]["marks"][0]["code"] == "weight_change"
    assert by_name["r-6"]["countable"]
    because = {"reason": "one weighing"}
    for name in ("r-1", "r-2"):
        path = f"/v1/readings/{by_name[name]['id']}/exclusion"
        assert client.post(path, json=because, headers=admin).status_code == 201
    listed = client.get("/v1/readings", params={"episode_id": episode}, headers=admin).json()
    marked = {item["vendor_reading_id"]: item["marks"] for item in listed["items"]}
    assert marked["other-1"] == []


def test_rejected_items_and_conflicts_are_listed(
    client: TestClient, door: Door, admin: dict[str, str]
) -> None:
    """What could not be read and what came again otherwise can be looked at."""
    (rejected,) = client.get("/v1/readings/rejected", headers=admin).json()["items"]
    assert (rejected["reason"], rejected["vendor_reading_id"]) == ("unit", "r-5")
    (conflict,) = client.get("/v1/readings/conflicts", headers=admin).json()["items"]
    assert conflict["reading_id"] == str(door.readings()[0].id)
    assert conflict["content"]["components"][0]["original_value"] == "80"


def test_a_reading_is_excluded_and_restored(
    client: TestClient, door: Door, admin: dict[str, str]
) -> None:
    """The list shows an exclusion until it is lifted; the same request twice is a conflict."""
    path = f"/v1/readings/{door.readings()[0].id}/exclusion"
    because = {"reason": "taken by a visitor"}
    made = client.post(path, json=because, headers=admin)
    assert (made.status_code, made.json()["lifts_id"]) == (201, None)
    assert client.post(path, json=because, headers=admin).status_code == 409
    (shown,) = client.get("/v1/readings", params={"state": "excluded"}, headers=admin).json()[
        "items"
    ]
    assert (shown["excluded"], shown["countable"]) == (True, True)
    lifted = client.post(f"{path}/lift", json=because, headers=admin)
    assert (lifted.status_code, lifted.json()["lifts_id"]) == (201, made.json()["id"])
    assert _ids(client, admin, state="counted") == ["r-1"]


def test_a_quarantined_reading_is_released(
    client: TestClient, door: Door, admin: dict[str, str]
) -> None:
    """A released reading counts; one without a known device is a conflict."""
    _, _, unknown, implausible = door.readings()
    because = {"reason": "weighed with the wheelchair"}
    done = client.post(f"/v1/readings/{implausible.id}/release", json=because, headers=admin)
    assert (done.status_code, done.json()["countable"]) == (201, True)
    assert done.json()["supersedes_id"] == str(implausible.id)
    refused = client.post(f"/v1/readings/{unknown.id}/release", json=because, headers=admin)
    assert refused.status_code == 409


@pytest.mark.parametrize("act", ["exclusion", "exclusion/lift", "release"])
def test_decisions_are_checked(
    client: TestClient,
    door: Door,
    admin: dict[str, str],
    stranger: dict[str, str],
    headers_of: Any,
    act: str,
) -> None:
    """A foreign or unknown reading is 404 alike, a missing permission 403, a bad body 422."""
    reading_id = door.readings()[0].id
    because = {"reason": "because"}
    reader = headers_of(door.actor, "readings:read")
    foreign = client.post(f"/v1/readings/{reading_id}/{act}", json=because, headers=stranger)
    unknown = client.post(f"/v1/readings/{NOBODY}/{act}", json=because, headers=admin)
    assert (foreign.status_code, unknown.status_code) == (404, 404)
    assert foreign.json()["detail"] == unknown.json()["detail"]
    path = f"/v1/readings/{reading_id}/{act}"
    assert client.post(path, json=because, headers=reader).status_code == 403
    assert client.post(path, json=because).status_code == 401
    for wrong in ({}, {"reason": ""}, {"reason": "x", "other": 1}, {"reason": 5}, []):
        assert client.post(path, json=wrong, headers=admin).status_code == 422


def test_connections_are_made_and_closed(
    client: TestClient, door: Door, admin: dict[str, str], stranger: dict[str, str]
) -> None:
    """Address and secret stand in the first answer only; a retired door refuses."""
    command = {"vendor": "generic", "name": "Second gateway"}
    made = client.post("/v1/connections", json=command, headers=admin)
    assert made.status_code == 201
    told = made.json()
    assert told["path"].startswith("/webhooks/generic/")
    assert told["secret"].startswith("whsec_")
    listed = client.get("/v1/connections", headers=admin)
    assert [item["name"] for item in listed.json()["items"]] == ["Test gateway", "Second gateway"]
    assert told["secret"] not in listed.text
    assert client.get("/v1/connections", headers=stranger).json()["items"] == []
    path = f"/v1/connections/{told['connection']['id']}/retire"
    because = {"reason": "vendor changed"}
    assert client.post(path, json=because, headers=stranger).status_code == 404
    assert client.post(path, json=because, headers=admin).json()["retired_at"] is not None
    assert client.post(path, json=because, headers=admin).status_code == 409
    assert client.post(told["path"], content=b"{}").status_code == 401
    unknown = client.post("/v1/connections", json=command | {"vendor": "x"}, headers=admin)
    assert unknown.status_code == 422


def test_a_connection_shows_how_it_is_proved_and_when_it_delivered(
    client: TestClient, door: Door, admin: dict[str, str]
) -> None:
    """Scheme, settings and networks are shown as they hold; the last delivery, without a secret."""
    command = {
        "vendor": "mio",
        "name": "Cellular kits",
        "scheme": {"kind": "header", "name": "X-Our-Key"},
        "settings": {"device_id": "deviceId"},
        "networks": ["192.0.2.0/24"],
    }
    made = client.post("/v1/connections", json=command, headers=admin).json()
    first, second = client.get("/v1/connections", headers=admin).json()["items"]
    assert second == made["connection"]
    assert second["scheme"] == {
        "kind": "header",
        "name": "X-Our-Key",
        "username": "",
        "tolerance_seconds": 300,
    }
    assert (second["settings"], second["networks"]) == ({"device_id": "deviceId"}, ["192.0.2.0/24"])
    assert second["last_delivered_at"] is None
    assert first["last_delivered_at"] == f"{door.now:%Y-%m-%dT%H:%M:%SZ}"
    path = f"/v1/connections/{second['id']}/settings"
    change = {"settings": {"device_id": "imei"}, "networks": [], "reason": "as the vendor says"}
    changed = client.post(path, json=change, headers=admin).json()
    assert (changed["settings"], changed["networks"]) == ({"device_id": "imei"}, [])
    assert client.get("/v1/connections", headers=admin).json()["items"][1] == changed


def test_a_connection_is_made_once_for_a_key(
    client: TestClient, door: Door, admin: dict[str, str]
) -> None:
    """The same Idempotency-Key gives the same address and secret again, and one connection."""
    headers = admin | {"Idempotency-Key": "connection-2"}
    command = {"vendor": "generic", "name": "Second gateway"}
    answers = [client.post("/v1/connections", json=command, headers=headers) for _ in range(2)]
    assert answers[0].json() == answers[1].json()
    assert len(client.get("/v1/connections", headers=admin).json()["items"]) == 2


def test_dead_letters_are_listed_and_replayed(
    client: TestClient, door: Door, admin: dict[str, str], stranger: dict[str, str]
) -> None:
    """A dead letter shows its reason and size, not its body; a replay tells what came of it."""
    (letter,) = client.get("/v1/deliveries/dead-letters", headers=admin).json()["items"]
    assert (letter["body_bytes"], "body" in letter) == (1, False)
    command = {"delivery_ids": [letter["id"]]}
    foreign = client.post("/v1/deliveries/replay", json=command, headers=stranger)
    assert foreign.json() == {"replayed": [], "more": False}
    done = client.post("/v1/deliveries/replay", json=command, headers=admin)
    assert done.status_code == 200
    assert done.json()["replayed"] == [
        {"delivery_id": letter["id"], "state": "dead_letter", "problem": "not JSON", "items": 0}
    ]


def test_a_delivery_is_read_again(
    client: TestClient, door: Door, admin: dict[str, str], stranger: dict[str, str]
) -> None:
    """A replay answers like the delivery did, with what is known already as duplicates."""
    told = door.send(weight("r-replayed"))
    path = f"/v1/deliveries/{told.delivery_id}/replay"
    assert client.post(path, headers=stranger).status_code == 404
    done = client.post(path, headers=admin).json()
    assert (done["delivery_id"], done["state"], done["problem"]) == (
        str(told.delivery_id),
        "read",
        None,
    )
    assert [item["status"] for item in done["items"]] == ["duplicate"]

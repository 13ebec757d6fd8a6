"""The vendors' door over HTTP: who may come in, and that nothing authentic is an error."""

import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any, get_args

import pytest
from fastapi import FastAPI
from intake_door import Door, body_of, signed, weight
from sqlalchemy.engine import Engine
from sqlmodel import select
from starlette.testclient import TestClient

from devices.counting import REASONS
from devices.kinds import KINDS
from rpm.access import Actor
from rpm.actions.reading_batch import ItemStatus
from rpm.clock import Clock
from rpm.settings import Settings
from rpm.store.engine import reading, transaction
from rpm.store.tables.monitoring import Delivery
from rpm.web.app import create_app

LIMIT = 1_048_576


@pytest.fixture
def door(engine: Engine, settings: Settings, actor: Actor, clock: Clock) -> Door:
    """A connection, and a patient with a scale."""
    door = Door(engine, settings, actor, clock.now())
    door.enrolled_with_scale()
    return door


def _post(client: TestClient, door: Door, body: bytes, **parts: Any) -> Any:
    headers = signed(parts.get("secret", door.secret), "msg-1", door.now, body)
    token = parts.get("token", door.token)
    return client.post(
        f"/webhooks/{parts.get('vendor', 'generic')}/{token}",
        content=parts.get("sent", body),
        headers=headers | parts.get("headers", {}),
    )


def _deliveries(door: Door) -> list[Delivery]:
    with reading(door.engine) as db:
        return list(db.exec(select(Delivery)).all())


def test_a_signed_batch_is_answered_item_by_item(client: TestClient, door: Door) -> None:
    """A delivery through the real application is recorded before it is answered 200."""
    body = body_of(weight("r-1"), weight("r-2", unit="stone"))
    answer = _post(client, door, body)
    assert answer.status_code == 200
    told = answer.json()
    assert [item["status"] for item in told["items"]] == ["accepted", "quarantined"]
    assert [str(row.id) for row in door.readings()] == [told["items"][0]["reading_id"]]
    again = _post(client, door, body)
    assert (again.status_code, again.content) == (200, answer.content)
    assert len(_deliveries(door)) == 1


def test_a_content_type_is_not_needed(client: TestClient, door: Door) -> None:
    """The body is taken as bytes, whatever a sender says it is."""
    assert _post(client, door, body_of(weight("r-1")), headers={"content-type": ""}).is_success


@pytest.mark.parametrize(
    "wrong",
    [
        {"secret": "whsec_" + "A" * 44},
        {"token": "unknown"},
        {"token": "%00"},
        {"vendor": "unheard-of"},
        {"sent": b"{}"},
        {"headers": {"webhook-signature": "v1,"}},
        {"headers": {"webhook-signature": b"\xff\xfe"}},
        {"headers": {"webhook-timestamp": "9" * 30}},
        {"headers": {"webhook-id": ""}},
    ],
)
def test_what_is_not_authentic_is_refused_and_not_stored(
    client: TestClient, door: Door, wrong: dict[str, Any]
) -> None:
    """A wrong signature, address or header is 401 (or 400 for no address at all), never 500."""
    answer = _post(client, door, body_of(weight("r-1")), **wrong)
    assert answer.status_code in ({400} if wrong.get("token") == "%00" else {401})
    assert answer.headers["content-type"] == "application/problem+json"
    assert "72.5" not in answer.text
    assert _deliveries(door) == []


@pytest.mark.parametrize(
    ("proxies", "forwarded", "allowed"),
    [
        (0, None, False),
        (0, "192.0.2.9", False),
        (1, "192.0.2.9", True),
        (1, "192.0.2.9, 198.51.100.1", False),
        (2, "198.51.100.1, 192.0.2.9, 10.0.0.1", True),
        (2, "192.0.2.9", False),
        (1, None, False),
    ],
)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_source_networks_believe_our_own_proxies_only(
    engine: Engine,
    settings: Settings,
    actor: Actor,
    clock: Clock,
    proxies: int,
    forwarded: str | None,
    *,
    allowed: bool,
) -> None:
    """What the outermost of our proxies saw counts; what a sender writes before it never does."""
    door = Door(engine, settings, actor, clock.now(), networks=["192.0.2.0/24"])
    behind = settings.model_copy(update={"forwarding_proxies": proxies})
    headers = {} if forwarded is None else {"x-forwarded-for": forwarded}
    with TestClient(create_app(behind, clock)) as client:
        answer = _post(client, door, body_of(weight("r-1")), headers=headers)
    assert answer.status_code == (200 if allowed else 401)
    assert len(_deliveries(door)) == int(allowed)


def test_a_query_token_is_in_no_log(
    engine: Engine,
    settings: Settings,
    actor: Actor,
    clock: Clock,
    client: TestClient,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """A token in the query lets a delivery in, and neither it nor the address is logged."""
    door = Door(engine, settings, actor, clock.now(), scheme={"kind": "query"})
    for token, status in ((door.secret, 200), (door.secret[:-1], 401)):
        path = f"/webhooks/generic/{door.token}?token={token}"
        assert client.post(path, content=body_of(weight("r-1"))).status_code == status
    logged = "".join(capfd.readouterr())
    assert "/webhooks/{vendor}/{connection}" in logged
    assert door.secret[:-1] not in logged
    assert door.token not in logged


def test_an_unreadable_body_is_202(client: TestClient, door: Door) -> None:
    """An authentic body that cannot be read is stored, and sending it again changes nothing."""
    for _ in range(2):
        answer = _post(client, door, b'{"readings": [')
        assert (answer.status_code, answer.json()["state"]) == (202, "dead_letter")
    assert [row.state for row in _deliveries(door)] == ["dead_letter"]


def test_one_byte_too_many_is_413(client: TestClient, door: Door) -> None:
    """A body of exactly the limit is taken, one byte more is refused before it is parsed."""
    filler = body_of(weight("r-1"))
    whole = filler + b" " * (LIMIT - len(filler))
    assert _post(client, door, whole + b" ").status_code == 413
    assert _post(client, door, whole).status_code == 200


def test_a_door_answers_those_who_ask_first(client: TestClient, door: Door) -> None:
    """GET and HEAD are answered 200 with nothing, the same for every address."""
    for token in (door.token, "unknown"):
        for method in ("GET", "HEAD"):
            answer = client.request(method, f"/webhooks/generic/{token}")
            assert (answer.status_code, answer.content) == (200, b"")


def test_a_rotated_secret_is_accepted_during_the_overlap(
    client: TestClient, door: Door, admin: dict[str, str], clock: Any
) -> None:
    """Old and new secret are good at first, after the overlap only the new one."""
    path = f"/v1/connections/{door.connection.id}/rotate-secret"
    answer = client.post(path, json={"overlap_hours": 1}, headers=admin)
    assert answer.status_code == 201
    new = answer.json()["secret"]
    assert _post(client, door, body_of(weight("r-1"))).status_code == 200
    assert _post(client, door, body_of(weight("r-2")), secret=new).status_code == 200
    door.now = clock.advance(hours=1)
    assert _post(client, door, body_of(weight("r-3"))).status_code == 401
    assert _post(client, door, body_of(weight("r-3")), secret=new).status_code == 200


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_busy_database_is_503_and_the_retry_is_taken_once(
    monkeypatch: pytest.MonkeyPatch, app: FastAPI, door: Door
) -> None:
    """While another writer holds the database a sender is told to come again."""
    monkeypatch.setattr("rpm.store.engine.BUSY_TIMEOUT_MILLISECONDS", 50)
    body = body_of(weight("r-1"))
    with TestClient(app) as client:
        with transaction(door.engine):
            refused = _post(client, door, body)
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
        assert _post(client, door, body).status_code == 200
        assert _post(client, door, body).status_code == 200
    assert len(door.readings()) == 1


def test_hostile_bodies_never_fail(client: TestClient, door: Door) -> None:
    """Every signed body is answered 200 or 202, whatever is in it."""
    item = weight("r-1")
    bodies = [
        b"",
        b"\x00\xff\xfe",
        b"\x1f\x8b\x08\x00cut off",
        b"[" * 100_000,
        b'{"a":' * 100_000,
        json.dumps({"readings": [item] * 1001}).encode(),
        body_of(item | {"components": [{"code": "29463-7", "value": "1e999", "unit": "kg"}]}),
        body_of(item | {"measured_at": "9999-12-31T23:59:59-14:00"}),
        body_of(item | {"measured_at": "0001-01-01T00:00:00+14:00"}),
        body_of(item | {"id": "x" * 100_000}),
        body_of(item | {"device_id": "\u0000"}),
        b'{"readings": [{"id": "\\ud800"}]}',
        body_of(item | {"vendor_extra": {"deep": [1, 2, 3]}}),
        body_of(1, None, "text", [], {}),
        body_of(item | {"status": "corrected", "replaces": "r-1"}),
        body_of(item | {"kind": "toString"}),
        json.dumps(item).encode("utf-16"),
    ]
    for number, body in enumerate(bodies):
        headers = signed(door.secret, f"msg-{number}", door.now, body)
        answer = client.post(f"/webhooks/generic/{door.token}", content=body, headers=headers)
        assert answer.status_code in {200, 202}, number
    assert len(_deliveries(door)) == len(bodies)


def test_late_signatures_are_refused(client: TestClient, door: Door, clock: Any) -> None:
    """A delivery signed more than five minutes ago is not authentic."""
    body = body_of(weight("r-1"))
    clock.advance(minutes=5, seconds=1)
    assert _post(client, door, body).status_code == 401
    door.now = clock.instant - timedelta(minutes=4)
    assert _post(client, door, body).status_code == 200


def test_the_page_on_deliveries_is_true(client: TestClient, door: Door) -> None:
    """docs/deliveries.md names every kind, code, reason and status; its example is accepted."""
    page = (Path(__file__).parents[3] / "docs" / "deliveries.md").read_text(encoding="utf-8")
    words = set(re.findall(r"`([^`\n]+)`", page))
    assert KINDS.keys() <= words
    assert REASONS.keys() <= words
    vitals = [kind for kind in KINDS.values() if kind.physiologic]
    assert {quantity.code for kind in vitals for quantity in kind.quantities} <= words
    assert set(get_args(ItemStatus)) <= words
    example = page.split("webhook-signature: v1,BASE64")[1].split("```")[0].strip()
    answer = _post(client, door, example.encode())
    assert answer.status_code == 200
    assert [item["reason"] for item in answer.json()["items"]] == ["unknown_device"]


def test_a_notification_is_a_form_and_measurements_at_the_same_address_are_not_believed(
    client: TestClient, engine: Engine, settings: Settings, actor: Actor, clock: Clock
) -> None:
    """Withings asks with HEAD, posts a form and gets 200; a body as fetched waits for a person."""
    door = Door(engine, settings, actor, clock.now(), vendor="withings")
    address = f"/webhooks/withings/{door.token}"
    assert client.head(address).status_code == 200
    news = {"userid": "11223344", "appli": "4", "startdate": "1768482800", "enddate": "1768482901"}
    told = client.post(address, data=news)
    assert told.status_code == 200
    assert [(one["status"], one["reason"]) for one in told.json()["items"]] == [("ignored", "news")]
    assert client.post(address, content=b"").status_code == 200
    fetched = {"status": 0, "body": {"measuregrps": []}}
    assert client.post(address, json=fetched).status_code == 202
    assert client.post("/webhooks/withings/another", data=news).status_code == 401
    assert door.readings() == []

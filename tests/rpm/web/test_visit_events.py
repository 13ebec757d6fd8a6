"""The door for telehealth platforms: signed events alone, each kept once."""

import json
from datetime import timedelta
from typing import Any

import pytest
from conftest import FixedClock
from sqlalchemy.engine import Engine
from starlette.testclient import TestClient

from devices.delivery import Secret
from devices.signature import sign_standard_webhook
from rpm.access import Actor
from rpm.actions.visit_platforms import (
    AddVisitPlatform,
    NewPlatform,
    RetireVisitPlatform,
    add_visit_platform,
    retire_visit_platform,
)
from rpm.keys import load_keys
from rpm.settings import Settings
from rpm.store.engine import reading, transaction
from rpm.store.scope import Scope
from rpm.store.tables.proposals import InboundMessage, Proposal

EVENT = {
    "type": "visit.ended",
    "data": {
        "visit_id": "v1",
        "patient_record_number": "00042",
        "started_at": "2026-01-13T15:00:00Z",
        "ended_at": "2026-01-13T15:23:00Z",
    },
}
BODY = json.dumps(EVENT).encode()


@pytest.fixture
def platform(engine: Engine, actor: Actor, settings: Settings, clock: FixedClock) -> NewPlatform:
    """A platform of the test's practice."""
    ring = load_keys(settings).field_encryption
    with transaction(engine) as db:
        return add_visit_platform(db, actor, clock.now(), ring, AddVisitPlatform(name="Video"))


def rows(engine: Engine, actor: Actor, table: type[Any]) -> list[Any]:
    """All rows of a table."""
    with reading(engine) as db:
        return list(Scope.of(actor).all_of(db, table))


def test_a_signed_event_proposes_a_visit_once(
    client: TestClient, engine: Engine, actor: Actor, platform: NewPlatform, clock: FixedClock
) -> None:
    """200 and a proposal; sent again the same answer and nothing more; unreadable 202 and kept."""

    def send(body: bytes, at: Any = None) -> Any:
        proof = sign_standard_webhook(Secret(platform.secret), "m1", at or clock.now(), body)
        return client.post(platform.path, content=body, headers=proof)

    first, again = send(BODY), send(BODY)
    assert (first.status_code, first.json()["state"]) == (200, "read")
    assert again.json() == first.json()
    assert [one.kind for one in rows(engine, actor, Proposal)] == ["visit"]
    odd = send(b"\xffnot json")
    assert (odd.status_code, odd.json()["state"]) == (202, "quarantined")
    assert len(rows(engine, actor, InboundMessage)) == 2
    assert send(BODY, clock.now() - timedelta(hours=1)).status_code == 401


def test_what_is_not_authentic_is_refused(
    client: TestClient, engine: Engine, actor: Actor, platform: NewPlatform, clock: FixedClock
) -> None:
    """Without a signature, with another body's, at another address or a retired one: 401 alike."""
    proof = sign_standard_webhook(Secret(platform.secret), "m1", clock.now(), BODY)
    tries = [
        client.post(platform.path, content=BODY),
        client.post(platform.path, content=BODY + b" ", headers=proof),
        client.post("/visit-events/nobody", content=BODY, headers=proof),
    ]
    with transaction(engine) as db:
        command = RetireVisitPlatform(platform_id=platform.platform.id, reason="moved")
        retire_visit_platform(db, actor, clock.now(), command)
    tries.append(client.post(platform.path, content=BODY, headers=proof))
    assert [one.status_code for one in tries] == [401] * 4
    assert len({one.json()["detail"] for one in tries}) == 1
    assert rows(engine, actor, InboundMessage) == []

"""Idempotency keys: carried out once, answered alike, on both engines."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from fastapi import FastAPI
from sqlalchemy.engine import Engine
from sqlmodel import func, select
from starlette.testclient import TestClient

from rpm.access import Actor
from rpm.clock import Clock
from rpm.settings import Settings
from rpm.store.engine import reading
from rpm.store.tables.people import Payer
from rpm.store.tables.security import IdempotencyKey
from rpm.web.app import create_app
from tests.conftest import FixedClock
from tests.rpm.web.conftest import MakeHeaders
from tests.rpm.web.probe import add_probe

BODY = {"key": "MEDICARE_B", "name": "Medicare"}
OTHER = {"key": "COM_AETNA", "name": "Aetna"}


@pytest.fixture
def app(settings: Settings, clock: Clock) -> FastAPI:
    """The application with the probe's routes."""
    return add_probe(create_app(settings, clock))


def count(engine: Engine, table: type[Payer] | type[IdempotencyKey]) -> int:
    """Rows of a table."""
    with reading(engine) as session:
        return session.exec(select(func.count()).select_from(table)).one()


def keyed(headers: dict[str, str], key: str) -> dict[str, str]:
    """Headers with an idempotency key."""
    return {**headers, "Idempotency-Key": key}


def test_same_request_is_answered_alike(
    client: TestClient, admin: dict[str, str], engine: Engine
) -> None:
    """A repeated request changes nothing and gets the first answer with a mark."""
    first = client.post("/v1/probe/payers", json=BODY, headers=keyed(admin, "one"))
    again = client.post("/v1/probe/payers", json=BODY, headers=keyed(admin, "one"))
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.content == again.content
    assert "Idempotent-Replayed" not in first.headers
    assert again.headers["Idempotent-Replayed"] == "true"
    assert count(engine, Payer) == 1


def test_other_request_with_the_key_is_refused(
    client: TestClient, admin: dict[str, str], engine: Engine
) -> None:
    """The same key with another body is 422 and nothing is written."""
    client.post("/v1/probe/payers", json=BODY, headers=keyed(admin, "one"))
    other = client.post("/v1/probe/payers", json=OTHER, headers=keyed(admin, "one"))
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert count(engine, Payer) == 1


def test_a_refusal_is_not_kept(client: TestClient, admin: dict[str, str], engine: Engine) -> None:
    """A request that failed leaves neither change nor key and may be sent again."""
    refused = client.post("/v1/probe/payers/refused", json=BODY, headers=keyed(admin, "one"))
    assert refused.status_code == 409
    assert (count(engine, Payer), count(engine, IdempotencyKey)) == (0, 0)
    mended = client.post("/v1/probe/payers", json=BODY, headers=keyed(admin, "one"))
    assert mended.status_code == 201


def test_keys_of_two_organizations_do_not_meet(
    client: TestClient, admin: dict[str, str], stranger: dict[str, str], engine: Engine
) -> None:
    """Each organization has its own keys."""
    for headers in (admin, stranger):
        answer = client.post("/v1/probe/payers", json=BODY, headers=keyed(headers, "one"))
        assert answer.status_code == 201
        assert "Idempotent-Replayed" not in answer.headers
    assert count(engine, Payer) == 2


def test_a_malformed_key_is_refused(client: TestClient, admin: dict[str, str]) -> None:
    """A key with a space or of more than 255 characters is 400."""
    for key in ("two words", "x" * 256):
        answer = client.post("/v1/probe/payers", json=BODY, headers=keyed(admin, key))
        assert (answer.status_code, answer.json()["code"]) == (400, "bad_request")


def test_the_kept_answer_is_encrypted(
    client: TestClient, admin: dict[str, str], engine: Engine
) -> None:
    """The database does not show an answer: it may hold a secret that is told once."""
    answer = client.post("/v1/probe/payers", json=BODY, headers=keyed(admin, "one"))
    with reading(engine) as session:
        kept = session.exec(select(IdempotencyKey)).one()
    assert kept.status == 201
    assert answer.json()["id"] not in str(kept.response)


def test_at_once_is_carried_out_once(
    client: TestClient, admin: dict[str, str], engine: Engine
) -> None:
    """Eight requests with one key at the same time: one is carried out, all are answered alike."""

    def send(_: int) -> tuple[int, bytes]:
        answer = client.post("/v1/probe/payers", json=BODY, headers=keyed(admin, "one"))
        return answer.status_code, answer.content

    with ThreadPoolExecutor(8) as pool:
        answers = set(pool.map(send, range(8)))
    assert len(answers) == 1
    assert {status for status, _ in answers} == {201}
    assert count(engine, Payer) == 1


def test_keys_are_forgotten(client: TestClient, admin: dict[str, str], clock: FixedClock) -> None:
    """After the remembered hours a key may be used anew for another request."""
    client.post("/v1/probe/payers", json=BODY, headers=keyed(admin, "one"))
    clock.advance(hours=49)
    again = client.post("/v1/probe/payers", json=OTHER, headers=keyed(admin, "one"))
    assert again.status_code == 201


def test_a_kept_answer_needs_the_permission(
    client: TestClient, admin: dict[str, str], actor: Actor, headers_of: MakeHeaders
) -> None:
    """A kept answer is not shown to a token that may not make the request."""
    client.post("/v1/probe/payers", json=BODY, headers=keyed(admin, "one"))
    weak = headers_of(actor, "rules:read")
    answer = client.post("/v1/probe/payers", json=BODY, headers=keyed(weak, "one"))
    assert (answer.status_code, answer.json()["code"]) == (403, "not_allowed")

"""Problem answers: stable codes, the right status, and never a value that was sent."""

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from rpm.access import Actor
from rpm.clock import Clock
from rpm.errors import ServiceError
from rpm.settings import Settings
from rpm.web import problems
from rpm.web.app import create_app
from rpm.web.problems import KINDS, MEDIA_TYPE, TYPE_PREFIX
from tests.rpm.web.conftest import MakeHeaders
from tests.rpm.web.probe import add_probe

PLANTED = "Zebulon Planted"


@pytest.fixture
def app(settings: Settings, clock: Clock) -> FastAPI:
    """The application with the probe's routes."""
    return add_probe(create_app(settings, clock))


def every_error(base: type[ServiceError] = ServiceError) -> set[type[ServiceError]]:
    """A kind of error and all that derive from it."""
    return {base}.union(*(every_error(kind) for kind in base.__subclasses__()))


def test_every_error_has_its_status() -> None:
    """Each service error that exists has an HTTP status and a title."""
    assert {error.code for error in every_error()} <= set(KINDS)
    assert problems.BadRequest in every_error()


@pytest.mark.parametrize(
    ("name", "status", "code"),
    [
        ("busy", 503, "busy"),
        ("not-ready", 503, "not_ready"),
        ("conflict", 409, "conflict"),
        ("pool", 503, "busy"),
        ("unexpected", 500, "internal"),
    ],
)
def test_errors_become_problem_documents(
    client: TestClient, admin: dict[str, str], name: str, status: int, code: str
) -> None:
    """An error is answered as a problem document with its code, never with its own text."""
    answer = client.get(f"/v1/probe/failures/{name}", headers=admin)
    body = answer.json()
    assert (answer.status_code, body["status"], body["code"]) == (status, status, code)
    assert answer.headers["content-type"] == MEDIA_TYPE
    assert body["type"] == TYPE_PREFIX + code
    assert body["title"] == KINDS[code].title
    assert body["request_id"] == answer.headers["X-Request-Id"]
    assert PLANTED not in answer.text


def test_busy_tells_when_to_come_back(client: TestClient, admin: dict[str, str]) -> None:
    """A busy answer carries Retry-After in seconds."""
    assert client.get("/v1/probe/failures/busy", headers=admin).headers["Retry-After"] == "7"


@pytest.mark.parametrize(
    "body",
    [
        {"key": PLANTED, "name": "Medicare"},
        {"key": "MEDICARE_B", "name": ["x", PLANTED]},
        {"key": "MEDICARE_B", "name": "Medicare", PLANTED: 1},
        {"key": "MEDICARE_B", "name": {PLANTED: PLANTED}},
        {"key": "MEDICARE_B", "name": PLANTED * 50},
        [PLANTED],
        PLANTED,
    ],
)
def test_a_wrong_field_is_named_without_its_value(
    client: TestClient, admin: dict[str, str], body: object
) -> None:
    """What is wrong is told field by field, and nothing that was sent comes back."""
    answer = client.post("/v1/probe/payers", json=body, headers=admin)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
    assert answer.json()["errors"]
    assert "Planted" not in answer.text


def test_an_action_refuses_in_the_same_form(client: TestClient, admin: dict[str, str]) -> None:
    """A refusal by an action names the field and its finding code."""
    body = {"key": "NO_SUCH_PAYER", "name": "Nobody"}
    answer = client.post("/v1/probe/payers", json=body, headers=admin)
    assert answer.status_code == 422
    assert [(e["field"], e["code"]) for e in answer.json()["errors"]] == [("key", "E_NO_RULE")]


def test_addresses_are_checked_too(client: TestClient, admin: dict[str, str]) -> None:
    """A wrong part of an address or of a query is 422 without the value."""
    for url in (f"/v1/probe/days/{PLANTED}", f"/v1/probe/payers?limit={PLANTED}"):
        answer = client.get(url, headers=admin)
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
        assert "Planted" not in answer.text


def test_unknown_address_and_method(client: TestClient) -> None:
    """No route is 404 and a wrong method 405, both as problem documents."""
    assert client.get("/v1/nothing").json()["code"] == "not_found"
    answer = client.delete("/healthz")
    assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")
    assert answer.headers["Allow"] == "GET"
    assert client.delete("/v1/limits").headers["Allow"] == "GET, POST"


def test_what_the_database_refuses_is_a_conflict(client: TestClient, admin: dict[str, str]) -> None:
    """A constraint that only the database saw becomes 409, not a failure of the service."""
    answer = client.post("/v1/probe/statement", headers=admin)
    assert (answer.status_code, answer.json()["code"]) == (409, "conflict")


def test_no_token_a_wrong_one_and_too_little(
    client: TestClient, actor: Actor, headers_of: MakeHeaders
) -> None:
    """Without a good token 401 with a challenge, without the permission 403."""
    for headers in ({}, {"Authorization": "Bearer rl_wrong"}, {"Authorization": "Basic eDp5"}):
        answer = client.get("/v1/probe/payers", headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (401, "not_authentic")
        assert answer.headers["WWW-Authenticate"] == "Bearer"
    weak = headers_of(actor, "patients:read")
    answer = client.get("/v1/probe/payers", headers=weak)
    assert (answer.status_code, answer.json()["code"]) == (403, "not_allowed")


def test_not_every_one_of_many_errors_is_told(client: TestClient, admin: dict[str, str]) -> None:
    """A body that is wrong in 902 fields is answered with the first hundred and the number."""
    answer = client.post(
        "/v1/probe/payers", json={f"x{n}": 0 for n in range(900)}, headers=admin
    ).json()
    assert len(answer["errors"]) == 100
    assert answer["detail"] == "902 fields are wrong; the first 100 are told"

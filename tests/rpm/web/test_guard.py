"""The guard: size, time and form of requests, before anything is parsed."""

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from starlette.testclient import TestClient
from starlette.types import Message, Receive, Scope, Send

from rpm.clock import Clock
from rpm.settings import Settings
from rpm.web.app import create_app
from rpm.web.guard import BodyGuard
from rpm.web.problems import BadRequest
from rpm.web.strict_json import check_json
from tests.rpm.web.probe import add_probe

JSON = {"content-type": "application/json"}


@pytest.fixture
def app(settings: Settings, clock: Clock) -> FastAPI:
    """The application with the probe's routes."""
    return add_probe(create_app(settings, clock))


def test_announced_too_large(client: TestClient, settings: Settings) -> None:
    """A body that announces more than the limit is refused with 413 unread."""
    body = b"x" * (settings.body_limit_bytes + 1)
    answer = client.post("/v1/probe/payers", content=body, headers=JSON)
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


def test_too_large_without_announcement(client: TestClient, settings: Settings) -> None:
    """A body that turns out larger than the limit is refused with 413."""

    def parts() -> Iterator[bytes]:
        for _ in range(settings.body_limit_bytes // 65_536 + 1):
            yield b"x" * 65_536

    answer = client.post("/webhooks/generic/x", content=parts())
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


def test_a_body_of_exactly_the_limit_passes(
    client: TestClient, settings: Settings, admin: dict[str, str]
) -> None:
    """The limit itself is allowed: such a body is read, and refused for its content only."""
    body = json.dumps({"key": ""}).encode().ljust(settings.body_limit_bytes)
    answer = client.post("/v1/probe/payers", content=body, headers={**admin, **JSON})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")


async def _unreachable(_scope: Scope, _receive: Receive, _send: Send) -> None:
    pytest.fail("the application was reached")


def run_guard(messages: list[Message], timeout_seconds: float = 10) -> list[Message]:
    """What the guard sends for a request that comes in these messages and then stands still."""
    sent: list[Message] = []

    async def receive() -> Message:
        if not messages:
            await asyncio.Event().wait()
        return messages.pop(0)

    async def send(message: Message) -> None:
        sent.append(message)

    scope: dict[str, Any] = {
        "type": "http",
        "method": "POST",
        "path": "/v1/x",
        "raw_path": b"/v1/x",
        "query_string": b"",
        "headers": [],
        "state": {"request_id": "r"},
    }
    guard = BodyGuard(_unreachable, limit_bytes=1_000, timeout_seconds=timeout_seconds)
    asyncio.run(guard(scope, receive, send))
    return sent


def test_too_slow() -> None:
    """A body that is not whole in time is answered with 408 and the connection ends."""
    sent = run_guard([{"type": "http.request", "body": b"{", "more_body": True}], 0.05)
    assert sent[0]["status"] == 408
    assert (b"connection", b"close") in sent[0]["headers"]


def test_a_client_that_leaves_is_not_answered() -> None:
    """A request that ends half-way reaches nothing and gets no answer."""
    sent = run_guard(
        [
            {"type": "http.request", "body": b"{", "more_body": True},
            {"type": "http.disconnect"},
        ]
    )
    assert sent == []


HOSTILE = [
    b"{",
    b"\xff\xfe{}",
    b'{"a": NaN}',
    b'{"a": -Infinity}',
    b'{"a": 1e999}',
    b'{"a": 1, "a": 2}',
    b'{"a": 9007199254740993}',
    b'{"a": ' + b"9" * 5_000 + b"}",
    b'{"a": "\\u0000"}',
    b'{"a": "\\ud800"}',
    b'{"a\\u0007": 1}',
    b'{"a": "\x01"}',
    b"[" * 40 + b"]" * 40,
    b"[" * 100_000,
    json.dumps({f"k{n}": n for n in range(1_001)}).encode(),
    json.dumps([0] * 10_001).encode(),
    b"\xef\xbb\xbf{}",
    b"{} {}",
]


@pytest.mark.parametrize("body", HOSTILE)
def test_hostile_json_is_refused(client: TestClient, body: bytes) -> None:
    """JSON that readers understand differently, or no database keeps, is 400 without an echo."""
    answer = client.post("/v1/probe/payers", content=body, headers=JSON)
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_request")
    assert answer.json()["errors"] == []


@pytest.mark.parametrize("media_type", ["", "text/plain", "application/x-www-form-urlencoded"])
def test_another_media_type_is_refused(client: TestClient, media_type: str) -> None:
    """A body that does not say it is JSON is 415."""
    answer = client.post("/v1/probe/payers", content=b"{}", headers={"content-type": media_type})
    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")


@pytest.mark.parametrize("url", ["/v1/a%00b", "/v1/%ff", "/healthz?a=%07", "/v1/x?q=%ed%a0%80"])
def test_hostile_addresses_are_refused(client: TestClient, url: str) -> None:
    """Control characters and broken UTF-8 in an address are 400."""
    answer = client.get(url)
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_request")


@given(st.binary(max_size=200))
def test_any_bytes_are_json_or_refused(body: bytes) -> None:
    """Whatever the bytes are: they are accepted as JSON or refused, nothing else happens."""
    try:
        check_json(body)
    except BadRequest:
        return
    json.loads(body)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@examples(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    body=json_values
    | st.fixed_dictionaries({"key": json_values, "name": json_values, "edi_payer_id": json_values})
)
def test_any_json_is_answered(client: TestClient, admin: dict[str, str], body: object) -> None:
    """Whatever JSON is sent to a route: it is never a failure of the service."""
    answer = client.post("/v1/probe/payers", content=json.dumps(body), headers={**admin, **JSON})
    assert answer.status_code < 500

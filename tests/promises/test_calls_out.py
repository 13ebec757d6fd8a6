"""S18: the service calls nobody it is told to: few modules can call, and no field makes it.

A connection is counted where the interpreter makes it: a hook of the audit events of ``socket``.
"""

import ast
import copy
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from fastapi import FastAPI
from intake_door import signed, weight
from promised import Promised
from receiver import Receiver, receiving
from sqlalchemy.engine import Engine
from starlette.testclient import TestClient
from test_inputs import Write, resolved, writes
from test_weaknesses import CALLS_OUT, FILES, ROOT

from rpm.access import PERMISSIONS, Actor, new_token, system_actor, token_hash
from rpm.actions.manage_connections import CreateConnection, create_connection
from rpm.actions.manage_endpoints import AddEndpoint, TryEndpoint, add_endpoint, try_endpoint
from rpm.actions.send_events import Sender, Sent, send_due
from rpm.clock import Clock
from rpm.ids import uuid7
from rpm.jobs.schedule import JOBS, run_latest
from rpm.keys import load_keys
from rpm.settings import Settings
from rpm.store.engine import transaction
from rpm.store.tables.people import ApiToken
from rpm.web.app import create_app

MAY_CALL = ("rpm/outbound", "rpm/pull", "rpm/transport/sftp")
"""Modules that open connections: each to where its own check of addresses allows, or an agreement.

Agreements with clearinghouses are recorded on the command line only, by an operator.
"""
CALLS_ITSELF = {
    "rpm/demo/post.py": "the demo's own server, at an address that it took",
    "rpm/demo/server.py": "takes a free port of this machine",
    "rpm/commands/connection_trial.py": "the address that an operator writes on the command line",
}
OPENS = {"open_connection", "connect_tcp", "urlopen", "connect_ex", "create_datagram_endpoint"}
_EVENTS = frozenset({"socket.connect", "socket.sendto", "socket.sendmsg"})
_LOOKS_UP = frozenset({"socket.getaddrinfo", "socket.gethostbyname"})


class _Guard:
    """What the process called while it was watched. A hook cannot be taken off again."""

    def __init__(self) -> None:
        self.watching, self.seen = False, list[str]()
        sys.addaudithook(self._hook)

    def _hook(self, event: str, _arguments: tuple[Any, ...]) -> None:
        if self.watching and (event in _EVENTS or event in _LOOKS_UP):
            self.seen.append(event)

    @contextmanager
    def watched(self) -> Iterator[list[str]]:
        """The calls of the block."""
        self.seen, self.watching = [], True
        try:
            yield self.seen
        finally:
            self.watching = False


GUARD = _Guard()


def callers(tree: ast.AST) -> Iterator[str]:
    """What in a module could call somebody."""
    for node in ast.walk(tree):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [one.name for one in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [str(node.module), *(f"{node.module}.{one.name}" for one in node.names)]
        yield from (name for name in names if name in CALLS_OUT or name.split(".")[0] in CALLS_OUT)
        if isinstance(node, ast.Call):
            called = getattr(node.func, "attr", getattr(node.func, "id", ""))
            if called in OPENS:
                yield called


@pytest.mark.promise("S18")
def test_only_few_modules_can_call(promised: Promised) -> None:
    """No other module of the product imports a way to call somebody."""
    seen = 0
    for path in FILES:
        name = path.relative_to(ROOT).as_posix()
        if name.startswith(MAY_CALL) or name in CALLS_ITSELF:
            continue
        assert list(callers(ast.parse(path.read_text(encoding="utf-8")))) == [], name
        seen += 1
    assert all((ROOT / name).exists() for name in CALLS_ITSELF)
    promised.reached(
        f"{seen} modules beside rpm/outbound*, rpm/pull* and rpm/transport/sftp: 0 can call"
    )


def test_the_guard_sees_a_call() -> None:
    """A connection and the look-up of a name are both counted."""
    import socket

    with receiving() as receiver, GUARD.watched() as seen:
        host, port = receiver.host.split(":")
        socket.create_connection((host, int(port))).close()
    assert {"socket.connect", "socket.getaddrinfo"} <= set(seen)
    assert list(callers(ast.parse("from urllib.request import urlopen")))
    assert list(callers(ast.parse("asyncio.open_connection(host, port)")))


def addresses(receiver: Receiver) -> tuple[str, ...]:
    """The address in forms that a careless program would call."""
    port = receiver.host.split(":")[1]
    return (
        f"http://{receiver.host}/told",
        f"https://127.0.0.1:{port}/told",
        f"//127.1:{port}/told",
        f"file://{receiver.host}/etc/passwd",
        f"http://user@{receiver.host}/told",
    )


def texts(app: FastAPI, write: Write) -> list[str]:
    """The fields of a body that may hold a text, needed or not."""
    document = app.openapi()
    operation = document["paths"][write.path][write.method.lower()]
    schema = resolved(document, operation["requestBody"]["content"]["application/json"]["schema"])

    def takes_text(part: dict[str, Any]) -> bool:
        part = resolved(document, part)
        inner = [*part.get("anyOf", ()), *part.get("oneOf", ())]
        return part.get("type") == "string" or any(takes_text(one) for one in inner)

    return [name for name, part in schema.get("properties", {}).items() if takes_text(part)]


def told(app: FastAPI, receiver: Receiver) -> Iterator[tuple[Write, dict[str, Any]]]:
    """Every write with the address in each of its text fields, one form after another."""
    for write in writes(app):
        for name in texts(app, write):
            for address in addresses(receiver):
                yield write, copy.deepcopy(write.body) | {name: address}


@pytest.fixture
def application(settings: Settings, clock: Clock) -> FastAPI:
    """The application on the test's database."""
    return create_app(settings, clock)


@pytest.fixture
def headers(engine: Engine, actor: Actor, clock: Clock) -> dict[str, str]:
    """Headers of a token that may do everything."""
    token, now = new_token(), clock.now()
    row = ApiToken(
        organization_id=actor.organization_id,
        id=uuid7(now),
        user_id=actor.user_id,
        token_hash=token_hash(token),
        name="test",
        permissions=sorted(PERMISSIONS),
        created_at=now,
        expires_at=now.replace(year=2027),
    )
    with transaction(engine) as db:
        db.add(row)
    return {"Authorization": f"Bearer {token}"}


@pytest.mark.promise("S18")
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_no_field_makes_a_call(
    engine: Engine,
    settings: Settings,
    actor: Actor,
    clock: Clock,
    application: FastAPI,
    headers: dict[str, str],
    promised: Promised,
) -> None:
    """The address of a listening server in every text of every write, then every job: no call."""
    ring = load_keys(settings).field_encryption
    with transaction(engine) as db:
        command = CreateConnection(vendor="generic", name="door")
        door = create_connection(db, actor, clock.now(), ring, command)
    with receiving() as receiver, TestClient(application) as client:
        tries = list(told(application, receiver))
        every = max(1, len(tries) // promised.count(len(tries), 80))
        forms = addresses(receiver)
        with GUARD.watched() as seen:
            taken = 0
            for write, body in tries[::every]:
                answer = client.request(write.method, write.address(), json=body, headers=headers)
                assert answer.status_code < 500, write
                taken += answer.status_code < 300
            readings = delivered(client, str(door.path), str(door.secret), clock, forms)
            client.get("/v1/patients", headers={**headers, **dict.fromkeys(_TELLING, forms[0])})
        with GUARD.watched() as later:
            for job in JOBS:
                run_latest(engine, settings, job)
    assert taken > 0
    assert (seen, later, receiver.got) == ([], [], [])
    promised.reached(
        f"an address in {len(tries[::every]):,} writes ({taken} taken), {readings} deliveries"
        f" and {len(_TELLING)} headers, then {len(JOBS)} jobs: 0 outbound calls"
    )


_TELLING = ("referer", "origin", "x-forwarded-host", "forwarded", "callback", "x-original-url")


def delivered(
    client: TestClient, path: str, secret: str, clock: Clock, forms: tuple[str, ...]
) -> int:
    """Deliveries that hold the address in each text of a reading; how many were sent."""
    count = 0
    for form in forms:
        for name in ("id", "device_id", "kind", "measured_at", "entry_method", "patient_ref"):
            body = json.dumps({"readings": [{**weight(f"r-{count}"), name: form}]}).encode()
            proof = signed(secret, f"message-{count}", clock.now(), body)
            answer = client.post(f"{path}?callback={form}", content=body, headers=proof)
            assert answer.status_code < 500
            count += 1
    return count


@pytest.mark.promise("S18")
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_receiver_inside_is_not_called(
    engine: Engine, settings: Settings, actor: Actor, clock: Clock, promised: Promised
) -> None:
    """A name that may be added and leads to this machine is refused when it is sent."""
    ring = load_keys(settings).field_encryption
    service = system_actor(actor.organization_id, "test")
    now = clock.now()
    with receiving() as receiver:
        port = receiver.host.split(":")[1]
        url = f"https://localhost:{port}/told"
        with transaction(engine) as db:
            made = add_endpoint(db, actor, now, ring, AddEndpoint(name="in", url=url), [])
        with transaction(engine) as db:
            try_endpoint(db, actor, now, TryEndpoint(endpoint_id=made.endpoint.id))
        with GUARD.watched() as seen:
            assert send_due(engine, service, now, Sender(ring)) == Sent(failed=1)
    assert (set(seen), receiver.got) == ({"socket.getaddrinfo"}, [])
    promised.reached("a receiver whose name leads inside: looked up, 0 connections")

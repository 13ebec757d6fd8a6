"""S4: hostile bodies are refused or kept as dead letters, cheaply, and nothing of them counts."""

import json
import select
import socket
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from itertools import count
from random import Random
from typing import Any

import pytest
from harmful import LIMIT, harmful_bodies
from intake_door import Door
from promised import Promised
from sending import Parcel, lost_or_doubled, sent
from served import HOST, Answer, Service
from sqlalchemy.engine import Engine
from sqlmodel import col
from sqlmodel import select as chosen

from devices.delivery import Secret
from devices.proof import prove
from devices.vendor import VENDORS
from rpm.access import Actor
from rpm.actions.connection_settings import settings_of
from rpm.settings import Settings
from rpm.store.engine import reading
from rpm.store.tables.monitoring import Delivery, Reading

SEED = 20_261
SECONDS, TRIES = 1.0, 3
GROWTH_BYTES, KEPT_DIGITS = 50 * 1024**2, 40
LISTS = ("/v1/readings", "/v1/readings/rejected", "/v1/readings/conflicts")
DEAD_LETTERS = "/v1/deliveries/dead-letters"


def proved(service: Service, door: Door, body: bytes, **headers: str) -> Answer:
    """What a door answers to a body with a good proof."""
    scheme = settings_of(door.connection).scheme
    message_id = f"hostile-{time.monotonic_ns()}"
    proof = prove(scheme, Secret(door.secret), message_id, datetime.now(UTC), body)
    query = f"?{proof.query}" if proof.query else ""
    address = f"/webhooks/{door.connection.vendor}/{door.token}{query}"
    return service.ask("POST", address, body, proof.headers | headers)


def quickest(ask: Callable[[], Answer]) -> Answer:
    """The answer, asked for again where it took long: others work on this machine too."""
    answers = [ask()]
    while answers[-1].seconds > SECONDS and len(answers) < TRIES:
        answers.append(ask())
    assert len({answer.status for answer in answers}) == 1
    return min(answers, key=lambda answer: answer.seconds)


def unending(port: int, *, announced: bool) -> tuple[int, int]:
    """Status for a body of 100 MB, and how much of it was sent before the answer came."""
    size = 100 * 1024**2
    length = f"Content-Length: {size}" if announced else "Transfer-Encoding: chunked"
    with socket.create_connection((HOST, port), timeout=10) as one:
        one.sendall(f"POST /webhooks/generic/x HTTP/1.1\r\nHost: x\r\n{length}\r\n\r\n".encode())
        part = b"[" * 65_536
        passed = 0
        while not select.select([one], [], [], 0.02)[0] and passed < size:
            one.sendall(part if announced else b"10000\r\n" + part + b"\r\n")
            passed += len(part)
        return int(one.recv(65_536).split()[1]), passed


def pages(service: Service, token: dict[str, str], path: str) -> Iterator[Any]:
    """All items of a list."""
    cursor = ""
    while True:
        answer = service.ask("GET", f"{path}?limit=200{cursor}", None, token)
        assert answer.status == 200, path
        page = answer.json()
        yield from page["items"]
        if not page["next_cursor"]:
            return
        cursor = f"&cursor={page['next_cursor']}"


def poisoned(engine: Engine, door: Door) -> list[str]:
    """Readings of hostile deliveries that count, or hold a value that is none."""
    wrong = []
    with reading(engine) as db:
        rows = db.exec(
            chosen(Reading)
            .join(Delivery, col(Delivery.id) == col(Reading.delivery_id))
            .where(col(Delivery.message_id).startswith("hostile"))
        ).all()
    for row in rows:
        if row.countable:
            wrong.append(f"counts: {row.id}")
        for part in row.components:
            value = Decimal(part["value"])
            if not value.is_finite() or len(f"{value:f}") > KEPT_DIGITS:
                wrong.append(f"value: {row.id}")
    return wrong


@pytest.mark.promise("S4")
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_hostile_bodies_are_refused_cheaply(
    engine: Engine,
    actor: Actor,
    settings: Settings,
    door: Door,
    service: Service,
    token: dict[str, str],
    promised: Promised,
) -> None:
    """Each alone, then a normal delivery: no failure, no delay, no memory, nothing that counts."""
    every = harmful_bodies()
    names = Random(SEED).sample(list(every), promised.count(len(every), 60))
    bodies = {name: every[name] for name in names}
    numbers, began = count(), datetime.now(UTC)
    others = [
        Door(engine, settings, actor, began, vendor=name, name=name)
        for name in VENDORS
        if name != "generic"
    ]
    doors = [door, *others[: promised.count(len(others), 0)]]
    acknowledged = {}
    service.start()
    for _ in range(20):
        sent(service, door, Parcel.of(next(numbers), began))
    proved(service, door, b"[" + b" " * (LIMIT - 2) + b"]")
    memory, slowest = service.memory_bytes(), 0.0
    for name, body in bodies.items():
        headers = {"content-encoding": "gzip"} if "gzip" in name else {}
        api = token | {"content-type": "application/json"}
        answers = [quickest(partial(proved, service, one, body, **headers)) for one in doors]
        answers.append(quickest(partial(service.ask, "POST", "/v1/payers", body, api)))
        assert all(answer.status < 500 for answer in answers), name
        assert {answer.status for answer in answers[:-1]} <= {200, 202}, name
        assert answers[-1].status in {400, 413, 422}, name
        slowest = max(slowest, *(answer.seconds for answer in answers))
        assert slowest <= SECONDS, (name, [answer.seconds for answer in answers])
        number = next(numbers)
        normal = quickest(partial(sent, service, door, Parcel.of(number, began)))
        assert (normal.status, normal.seconds <= SECONDS) == (200, True), name
        acknowledged[number] = normal.json()
    assert proved(service, door, b"[" * (LIMIT + 1)).status == 413
    for announced in (True, False):
        status, passed = unending(service.port, announced=announced)
        assert status == 413
        assert passed <= 4 * LIMIT
    growth = service.memory_bytes() - memory
    assert growth <= GROWTH_BYTES
    for path in LISTS:
        json.dumps(list(pages(service, token, path)), allow_nan=False)
    dead = list(pages(service, token, DEAD_LETTERS))
    service.kill()
    assert len(dead) > len(bodies) / 3
    assert poisoned(engine, door) == []
    assert lost_or_doubled(engine, actor, acknowledged) == []
    promised.reached(
        f"{len(bodies)} bodies at {len(doors)} doors and the API: 0 status 5xx, the slowest"
        f" {slowest:.2f} s, memory {growth / 1024**2:+.0f} MB, 413 above 1 MiB, 0 poisoned rows"
    )

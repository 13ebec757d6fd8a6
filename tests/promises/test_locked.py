"""R5: a locked database slows writers down and fails nobody oddly."""

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial

import pytest
from intake_door import Door
from promised import Promised
from sending import Parcel, lost_or_doubled, sent
from served import Answer, Service
from sqlalchemy.engine import Engine, make_url

from rpm.access import Actor
from rpm.settings import Settings

SENDERS = 6
ANSWER_SECONDS, READ_SECONDS = 6.0, 2.0
READS = ("/v1/connections", "/v1/payers", "/v1/deliveries/dead-letters", "/readyz")


@contextmanager
def locked(settings: Settings) -> Iterator[None]:
    """Another process's writer holds the database meanwhile."""
    path = make_url(settings.database_url).database
    connection = sqlite3.connect(str(path), isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        connection.rollback()
        connection.close()


def until(stop: threading.Event, ask: Callable[[], Answer]) -> list[Answer]:
    """The answers to what is asked again and again until told to stop."""
    answers = []
    while not stop.is_set():
        answers.append(ask())
        time.sleep(0.05)
    return answers


@pytest.mark.promise("R5")
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_locked_database_slows_and_does_not_fail(
    engine: Engine,
    actor: Actor,
    settings: Settings,
    door: Door,
    service: Service,
    token: dict[str, str],
    promised: Promised,
) -> None:
    """Senders and users are told to come again in time, readers read on, nothing is lost."""
    seconds, began, stop = promised.count(10, 6), datetime.now(UTC), threading.Event()
    payer = b'{"key": "P-1", "name": "A payer"}'
    headers = token | {"content-type": "application/json"}
    parcels = [Parcel.of(number, began) for number in range(SENDERS)]
    service.start()
    with ThreadPoolExecutor(SENDERS + len(READS) + 1) as pool:
        with locked(settings):
            senders = [
                pool.submit(until, stop, partial(sent, service, door, one)) for one in parcels
            ]
            user = pool.submit(
                until, stop, partial(service.ask, "POST", "/v1/payers", payer, headers)
            )
            readers = [
                pool.submit(until, stop, partial(service.ask, "GET", path, None, token))
                for path in READS
            ]
            time.sleep(seconds)
            stop.set()
            writes = [answer for one in [*senders, user] for answer in one.result()]
            reads = [answer for one in readers for answer in one.result()]
        told = [sent(service, door, one) for one in parcels]
    assert {answer.status for answer in writes} == {503}
    assert all(int(answer.headers["retry-after"]) >= 1 for answer in writes)
    assert {answer.status for answer in reads} == {200}
    assert max(answer.seconds for answer in writes) <= ANSWER_SECONDS
    assert max(answer.seconds for answer in reads) <= READ_SECONDS
    assert {answer.status for answer in told} == {200}
    acknowledged = {one.number: answer.json() for one, answer in zip(parcels, told, strict=True)}
    assert lost_or_doubled(engine, actor, acknowledged) == []
    slowest = max(answer.seconds for answer in writes)
    promised.reached(
        f"locked {seconds} s: {len(writes)} writes all 503 with Retry-After, the slowest after"
        f" {slowest:.1f} s; {len(reads)} reads all 200; 0 status 500"
    )

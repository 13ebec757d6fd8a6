"""R7: clients that stall while they send do not slow the others, and are sent away in time."""

import selectors
import socket
import statistics
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from itertools import count

import pytest
from intake_door import Door
from promised import Promised
from sending import Parcel, sent
from served import HOST, Program, Service

from rpm.settings import Settings

HEAD = b"POST /webhooks/generic/nobody HTTP/1.1\r\nHost: x\r\n"
BEGUN = (HEAD + b"Content-Length: 900000\r\n\r\n{", HEAD + b"X-Long: ")
"""A body that is not whole, and a head."""
TICK_SECONDS, OPENED_AT_ONCE = 0.1, 20


class Stalled:
    """Clients that begin a body or a head and stand still, or go on by a byte at a time."""

    def __init__(self, port: int, clients: int) -> None:
        self.lasted: list[float] = []  # seconds until the server closed
        self.answers: set[bytes] = set()
        self.most = 0
        self._port, self._clients, self._opened = port, clients, count()
        self._stop = threading.Event()
        self._open: dict[socket.socket, float] = {}

    @contextmanager
    def meanwhile(self) -> Iterator[None]:
        """Keep so many clients stalled; one that is sent away comes again."""
        self._stop.clear()
        thread = threading.Thread(target=self._stall)
        thread.start()
        try:
            yield
        finally:
            self._stop.set()
            thread.join()

    def _stall(self) -> None:
        with selectors.DefaultSelector() as waiting:
            while not self._stop.wait(TICK_SECONDS):
                for _ in range(min(OPENED_AT_ONCE, self._clients - len(self._open))):
                    one = socket.create_connection((HOST, self._port))
                    one.sendall(BEGUN[next(self._opened) // 2 % 2])
                    self._open[one] = time.monotonic()
                    waiting.register(one, selectors.EVENT_READ)
                self.most = max(self.most, len(self._open))
                for key, _ in waiting.select(0):
                    assert isinstance(key.fileobj, socket.socket)
                    self._hear(waiting, key.fileobj)
                for number, one in enumerate(list(self._open)):
                    if number % 2:
                        self._drip(one)
            for one in self._open:
                one.close()
            self._open.clear()

    def _hear(self, waiting: selectors.BaseSelector, one: socket.socket) -> None:
        try:
            told = one.recv(65_536)
        except ConnectionError:
            told = b""
        if told:
            if told.startswith(b"HTTP/"):  # else the rest of what was heard before
                self.answers.add(told.split(b"\r\n")[0])
            return
        waiting.unregister(one)
        one.close()
        self.lasted.append(time.monotonic() - self._open.pop(one))

    def _drip(self, one: socket.socket) -> None:
        with suppress(ConnectionError):  # it is heard of at the next tick
            one.send(b" ")


def measured(
    service: Service, door: Door, numbers: Iterator[int], seconds: float, began: datetime
) -> list[float]:
    """How long each of the good deliveries of this time took, in seconds."""
    took, until = [], time.monotonic() + seconds
    while time.monotonic() < until:
        answer = sent(service, door, Parcel.of(next(numbers), began))
        assert answer.status == 200
        took.append(answer.seconds)
        time.sleep(0.02)
    return took


def p95(seconds: list[float]) -> float:
    """The 95th percentile."""
    return statistics.quantiles(seconds, n=20, method="inclusive")[-1]


@pytest.mark.alone
@pytest.mark.promise("R7")
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_stalled_clients_do_not_slow_the_others(
    settings: Settings, door: Door, program: Program, promised: Promised
) -> None:
    """Good deliveries take at most twice as long meanwhile; who stalls is answered 408 and left."""
    clients, rounds = promised.count(400, 100), promised.count(3, 2)
    timeout = promised.count(10, 1)
    limited = settings.model_copy(update={"body_timeout_seconds": float(timeout)})
    service, numbers, began = Service(program, limited), count(), datetime.now(UTC)
    idle, busy = [], []
    service.start()
    try:
        measured(service, door, numbers, 1, began)  # the first ones are slower
        stalled = Stalled(service.port, clients)
        with stalled.meanwhile():
            time.sleep(1.5 * timeout)  # some are sent away
        for _ in range(rounds):
            idle += measured(service, door, numbers, promised.count(4, 1), began)
            with stalled.meanwhile():
                time.sleep(clients / OPENED_AT_ONCE * TICK_SECONDS)
                busy += measured(service, door, numbers, promised.count(12, 1), began)
    finally:
        service.kill()
    assert stalled.most == clients
    assert stalled.answers == {b"HTTP/1.1 408 Request Timeout"}
    assert len(stalled.lasted) >= clients // 2
    assert max(stalled.lasted) <= 1.5 * timeout
    assert p95(busy) <= 2 * p95(idle)
    promised.reached(
        f"{clients} stalled bodies and heads: p95 of {len(busy)} good deliveries"
        f" {p95(busy) * 1000:.1f} ms, idle {p95(idle) * 1000:.1f} ms; {len(stalled.lasted)}"
        f" sent away within {max(stalled.lasted):.1f} s"
    )

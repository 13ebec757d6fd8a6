"""Load on a door: signed deliveries over kept connections, made before the clock runs.

Owns what is sent and the plain HTTP client, which is light so that the service is what is measured.
Runs in a process of its own.
"""

import asyncio
import base64
import hmac
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count

DEVICES = 20
DAYS = 40


@dataclass(frozen=True)
class Target:
    """Where deliveries of one sender go."""

    port: int
    path: str
    secret: str


@dataclass(frozen=True)
class Asked:
    """How much is sent: ``deliveries`` bodies of ``size`` readings over ``connections``."""

    deliveries: int
    size: int
    connections: int
    first: int  # number of the first reading; numbers are never used twice

    @property
    def readings(self) -> int:
        """All readings."""
        return self.deliveries * self.size


@dataclass(frozen=True)
class Load:
    """What came of it."""

    readings: int
    seconds: float
    slowest_ms: float  # the 99th of 100
    refused: int  # answers other than 200

    @property
    def rate(self) -> float:
        """Readings a second."""
        return self.readings / self.seconds


def reading(number: int, now: datetime) -> dict[str, object]:
    """A reading of one of the devices, minutes apart from all others of it."""
    at = now - timedelta(minutes=1 + (number // DEVICES) % (DAYS * 1440), seconds=number % 60)
    return {
        "id": f"r-{number}",
        "device_id": f"scale-{number % DEVICES}",
        "kind": "weight",
        "components": [{"code": "29463-7", "value": f"{60 + number % 400 / 10:.1f}", "unit": "kg"}],
        "measured_at": at.isoformat(timespec="seconds"),
        "entry_method": "device",
    }


def drive(targets: Sequence[Target], asked: Asked) -> Load:
    """Send everything, spread over the targets; to be called in a process of its own."""
    now = datetime.now(UTC)
    requests = [
        _request(targets[n % len(targets)], *signed_body(targets[n % len(targets)], asked, n, now))
        for n in range(asked.deliveries)
    ]
    return asyncio.run(_sent(targets, requests, asked))


def signed_body(
    target: Target, asked: Asked, number: int, now: datetime
) -> tuple[dict[str, str], bytes]:
    """Headers and body of one of the deliveries."""
    numbers = range(asked.first + number * asked.size, asked.first + (number + 1) * asked.size)
    readings = [reading(one, now) for one in numbers]
    body = json.dumps(readings[0] if asked.size == 1 else {"readings": readings}).encode()
    message_id, at = f"msg-{numbers[0]}", str(int(now.timestamp()))
    key = base64.b64decode(target.secret.removeprefix("whsec_"))
    digest = hmac.digest(key, f"{message_id}.{at}.".encode() + body, "sha256")
    headers = {
        "content-type": "application/json",
        "webhook-id": message_id,
        "webhook-timestamp": at,
        "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
    }
    return headers, body


def _request(target: Target, headers: dict[str, str], body: bytes) -> bytes:
    lines = [f"POST {target.path} HTTP/1.1", "host: 127.0.0.1", f"content-length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


async def _sent(targets: Sequence[Target], requests: Sequence[bytes], asked: Asked) -> Load:
    """Each connection sends to one target, the next request when the last one is answered."""
    waiting = [count(place, len(targets)) for place in range(len(targets))]
    took: list[float] = []
    statuses: list[int] = []

    async def connection(place: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", targets[place].port)
        for number in _left(waiting[place], len(requests)):
            began = time.perf_counter()
            writer.write(requests[number])
            statuses.append(await _answered(reader))
            took.append(time.perf_counter() - began)
        writer.close()

    began = time.perf_counter()
    await asyncio.gather(*(connection(n % len(targets)) for n in range(asked.connections)))
    seconds = time.perf_counter() - began
    slowest = sorted(took)[int(len(took) * 0.99)] if took else 0.0
    refused = sum(status != 200 for status in statuses)
    return Load(asked.readings, seconds, slowest * 1000, refused)


def _left(numbers: Iterator[int], end: int) -> Iterator[int]:
    """Shared by all connections to a target."""
    for number in numbers:
        if number >= end:
            return
        yield number


async def _answered(reader: asyncio.StreamReader) -> int:
    head = await reader.readuntil(b"\r\n\r\n")
    length = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
    await reader.readexactly(int(length))
    return int(head[9:12])

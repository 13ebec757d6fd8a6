"""A line that speaks as Validic's streams do: events, heartbeats, replays, refusals; a real server.

Owns the server and the way to it. What was sent along the stream is gone from it, whether it
arrived or not; a replay has everything since a day.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qsl

import httpx2

TOKEN, STREAM = "token-of-the-organization", "5f8d0d55b54764421b7156d1"


def record(number: int, day: str = "2026-01-14", **more: Any) -> dict[str, Any]:
    """A weight of one minute of a day."""
    return {
        "id": f"record-{number}",
        "type": "measurement",
        "start_time": f"{day}T13:{number % 60:02}:00Z",
        "utc_offset": -18000,
        "offset_origin": "source",
        "source": {"type": "smart_meter", "device": {"id": "scale-1"}},
        "metrics": [
            {"type": "weight", "origin": "device", "unit": "kg", "value": 70 + number / 10}
        ],
        "created_at": f"{day}T13:59:00Z",
    } | more


def event(name: str, data: Any = None) -> bytes:
    """An event as it goes along a line."""
    told = "" if data is None else json.dumps(data)
    return f"event: {name}\ndata: {told}\n\n".encode()


@dataclass
class Line:
    """What the vendor has to tell, and what it was asked."""

    waiting: list[bytes] = field(default_factory=list)
    since: list[tuple[str, bytes]] = field(default_factory=list)
    refusals: list[int] = field(default_factory=list)
    ends_after: int | None = None
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    def tell(self, told: dict[str, Any], *, lost: bool = False) -> None:
        """A record is processed: along the stream, unless nobody was there, and in replays."""
        self.since.append((told["created_at"][:10], event("data", told)))
        if not lost:
            self.waiting.append(event("data", told))

    def events(self, path: str, query: dict[str, str]) -> Iterator[bytes]:
        """What goes along a line that was opened, heartbeats at last."""
        if path == "/replay":
            yield from (told for day, told in self.since if day >= query["date"])
        while path != "/replay" and self.waiting:
            yield self.waiting.pop(0)
        while True:
            yield event("poke")


class _Dying(httpx2.SyncByteStream):
    """An answer in the middle of which the process dies, after so many bytes."""

    def __init__(self, inner: Any, after_bytes: int) -> None:
        self._inner, self._left = inner, after_bytes

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._inner:
            yield piece[: self._left]
            self._left -= len(piece)
            if self._left < 0:
                raise Killed

    def close(self) -> None:
        self._inner.close()


class Killed(BaseException):
    """The process dies here; nothing of the program may catch it."""


class _ToLine(httpx2.BaseTransport):
    """The way to the vendor's host leads to the server on this machine."""

    def __init__(self, port: int, dies_after: int | None) -> None:
        self._port, self._dies_after = port, dies_after
        self._inner = httpx2.HTTPTransport()

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        assert request.url.host == "streams.v2.validic.com"
        request.url = request.url.copy_with(scheme="http", host="127.0.0.1", port=self._port)
        answer = self._inner.handle_request(request)
        if self._dies_after is not None:
            answer.stream = _Dying(answer.stream, self._dies_after)
        return answer

    def close(self) -> None:
        self._inner.close()


def client_of(port: int, dies_after: int | None = None) -> httpx2.Client:
    """A client as the product makes it, whose every way leads to the line."""
    return httpx2.Client(transport=_ToLine(port, dies_after), timeout=10.0, trust_env=False)


@contextmanager
def served(line: Line) -> Iterator[int]:
    """The line behind a port of this machine."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            """Open a line, or refuse it."""
            path, _, text = self.path.partition("?")
            query = dict(parse_qsl(text))
            line.asked.append((path, query))
            status = 401 if query.get("token") != TOKEN else 200
            status = line.refusals.pop(0) if line.refusals else status
            self.send_response(status)
            self.send_header("content-type", "text/event-stream")
            self.end_headers()
            if status != 200:
                return
            with suppress(ConnectionError):
                for number, told in enumerate(line.events(path, query)):
                    if number == line.ends_after:
                        line.ends_after = None
                        return
                    self.wfile.write(told)

        def log_message(self, *_arguments: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()

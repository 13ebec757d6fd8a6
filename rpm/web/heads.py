"""Heads in time: a connection whose request does not begin, or whose head does not end, is closed.

Owns the deadline and the size of a request's head, which the server itself does not have; bodies
are the guard's (``rpm.web.guard``). A connection is given so long from its first moment, and from
the first byte of each further request, until the head is whole.
"""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

MOST_HEAD_BYTES = 64 * 1024
"""A head that is longer and not whole yet is refused."""
_TOO_SLOW, _TOO_LARGE = 408, 431


class HeadsInTime(HttpToolsProtocol):
    """The server's protocol with a deadline for heads; ``heads_in_time`` sets it."""

    head_seconds: float

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._deadline: asyncio.TimerHandle | None = None
        self._head_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as the base class has it
        """A connection was opened: its first request must come."""
        super().connection_made(transport)
        self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """It is over; nothing is waited for."""
        self._forget_head()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Bytes came: of the head that is awaited, of another one, or of a body."""
        if self._deadline is None and (self.cycle is None or self.cycle.response_complete):
            self._expect_head()
        super().data_received(data)
        if self._deadline is not None:
            self._head_bytes += len(data)
            if self._head_bytes > MOST_HEAD_BYTES:
                self._refuse(_TOO_LARGE)

    def on_headers_complete(self) -> None:
        """The head is whole: the rest is the application's."""
        self._forget_head()
        super().on_headers_complete()

    def _expect_head(self) -> None:
        self._head_bytes = 0
        self._deadline = self.loop.call_later(self.head_seconds, self._refuse, _TOO_SLOW)

    def _forget_head(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _refuse(self, status: int) -> None:
        """Close the connection; one that never said anything is told nothing."""
        self._forget_head()
        if self.transport.is_closing():
            return
        if self._head_bytes:
            told = STATUS_LINE[status] + b"content-length: 0\r\nconnection: close\r\n\r\n"
            self.transport.write(told)
        self.transport.close()


def heads_in_time(seconds: float) -> type[HeadsInTime]:
    """The protocol of a server whose clients have so many seconds to send a request's head."""
    return type("HeadsInTime", (HeadsInTime,), {"head_seconds": seconds})

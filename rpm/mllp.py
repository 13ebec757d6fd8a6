"""A listener for HL7 v2 messages over MLLP: each is stored, and then acknowledged.

Owns the framing, its limits, and the order: AA or AE only after the commit; where a message could
not be stored, the connection ends without an answer, and the sender sends it again. MLLP knows no
proof of the sender: it listens on this machine alone unless networks are named. Does not own what a
message proposes (``rpm.actions.take_message``).
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import structlog
from sqlalchemy.engine import Engine

from billing.claims.hl7v2.ack import ACCEPTED, ERROR, acknowledgment
from devices.authenticity import from_allowed_network
from rpm import logs
from rpm.access import Actor
from rpm.actions.take_message import take_message
from rpm.clock import Clock
from rpm.ids import uuid7
from rpm.store.engine import transaction
from rpm.store.queries.proposals import READ

START, END = b"\x0b", b"\x1c\r"
MOST_BYTES = 1024**2
IDLE_SECONDS = 300
MOST_CONNECTIONS = 20
_AT_ONCE = 65_536
_log = structlog.get_logger()


class NotFramedError(ValueError):
    """What was sent is no MLLP, or too much of it."""


@dataclass
class Listener:
    """Takes messages for one practice; ``networks`` (CIDR) may send, without any everybody may."""

    engine: Engine
    actor: Actor
    clock: Clock
    networks: Sequence[str] = ()
    _open: int = 0

    async def converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, message by message."""
        try:
            peer = writer.get_extra_info("peername")
            allowed = from_allowed_network(self.networks, peer[0] if peer else None)
            if allowed and self._open < MOST_CONNECTIONS:
                self._open += 1
                try:
                    async for content in _messages(reader):
                        writer.write(START + await self._answer(content) + END)
                        await writer.drain()
                finally:
                    self._open -= 1
            else:
                _log.warning("mllp_refused")
        except (NotFramedError, TimeoutError, OSError) as error:
            _log.warning("mllp_ended", **logs.about(error))
        except Exception as error:  # noqa: BLE001 - not stored: no answer, the sender comes again
            _log.error("mllp_not_stored", **logs.about(error))
        finally:
            writer.close()

    async def _answer(self, content: bytes) -> bytes:
        """The acknowledgment of a message that is on disk."""
        return await asyncio.to_thread(self._stored, content)

    def _stored(self, content: bytes) -> bytes:
        now = self.clock.now()
        with transaction(self.engine) as db:
            taken = take_message(db, self.actor, now, "adt-mllp", "", content)
            code = ACCEPTED if taken.message.state == READ else ERROR
        return acknowledgment(code, taken.message_id, uuid7(now).hex[:20], now)


async def _messages(reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
    """The contents of frames; ``NotFramedError`` for anything between them."""
    held = b""
    while True:
        async with asyncio.timeout(IDLE_SECONDS):
            more = await reader.read(_AT_ONCE)
        if not more:
            if held:
                raise NotFramedError("the connection ended within a message")
            return
        held += more
        while held:
            if not held.startswith(START):
                raise NotFramedError("a message does not begin with a start block")
            content, end, rest = held[1:].partition(END)
            if len(content) > MOST_BYTES:
                raise NotFramedError("a message is too large")
            if not end:
                break
            yield content
            held = rest


@asynccontextmanager
async def listening(listener: Listener, host: str, port: int) -> AsyncIterator[int]:
    """The listener at work; the port it listens on."""
    server = await asyncio.start_server(listener.converse, host, port)
    async with server:
        yield int(server.sockets[0].getsockname()[1])


async def listen(listener: Listener, host: str, port: int, ready: Callable[[int], None]) -> None:
    """Listen until cancelled; ``ready`` is told the port."""
    async with listening(listener, host, port) as at:
        ready(at)
        await asyncio.Event().wait()

"""The listener for HL7 v2: stored first, then acknowledged, whatever is sent."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import hl7
import pytest
from sqlalchemy.engine import Engine

from rpm import mllp
from rpm.access import Actor
from rpm.clock import Clock
from rpm.mllp import END, START, Listener, listening
from rpm.store.engine import reading
from rpm.store.scope import Scope
from rpm.store.tables.proposals import InboundMessage, Proposal

ADT = (
    b"MSH|^~\\&|EHR|F|RPM|F|20260101||ADT^A04^ADT_A01|17|P|2.5.1\rEVN|A04\r"
    b"PID|1||00042^^^F^MR||Doe^Ann||19500102|F\r"
)
Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[Any]]


def told(listener: Listener, talk: Talk) -> Any:
    """What a conversation with the running listener gives."""

    async def run() -> Any:
        async with listening(listener, "127.0.0.1", 0) as port:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            try:
                return await asyncio.wait_for(talk(reader, writer), 10)
            finally:
                writer.close()

    return asyncio.run(run())


async def answer(reader: asyncio.StreamReader) -> tuple[str, str]:
    """The code and the message id of an acknowledgment."""
    framed = await reader.readuntil(END)
    message = hl7.parse(framed.removeprefix(START).removesuffix(END).decode())
    return str(message.segment("MSA")[1]), str(message.segment("MSA")[2])


def rows(engine: Engine, actor: Actor, table: type[Any]) -> list[Any]:
    """All rows of a table."""
    with reading(engine) as db:
        return list(Scope.of(actor).all_of(db, table))


@pytest.fixture
def listener(engine: Engine, actor: Actor, clock: Clock) -> Listener:
    """A listener of the test's practice."""
    return Listener(engine, actor, clock)


def test_a_message_is_stored_and_acknowledged(
    listener: Listener, engine: Engine, actor: Actor
) -> None:
    """AA when read, and for a repeat; AE when kept but not read; in parts or joined frames too."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> list[Any]:
        frame = START + ADT + END
        writer.write(frame[:40])
        await writer.drain()
        await asyncio.sleep(0.02)
        writer.write(frame[40:] + frame + START + ADT.replace(b"A04", b"A01") + END)
        return [await answer(reader) for _ in range(3)]

    assert told(listener, talk) == [("AA", "17"), ("AA", "17"), ("AE", "17")]
    assert [row.state for row in rows(engine, actor, InboundMessage)] == ["read", "quarantined"]
    assert len(rows(engine, actor, Proposal)) == 1


@pytest.mark.parametrize(
    "sent", [b"GET / HTTP/1.1\r\n\r\n", START + b"x" * 2_000, START + ADT, b"\x1c\r"]
)
def test_what_is_no_frame_ends_the_connection(
    listener: Listener, engine: Engine, actor: Actor, monkeypatch: pytest.MonkeyPatch, sent: bytes
) -> None:
    """Other protocols, too much, half a message: nothing is stored and nothing answered."""
    monkeypatch.setattr(mllp, "MOST_BYTES", 1_000)

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        writer.write(sent)
        writer.write_eof()
        return await reader.read()

    assert told(listener, talk) == b""
    assert rows(engine, actor, InboundMessage) == []


def test_nothing_is_acknowledged_that_is_not_stored(
    listener: Listener, engine: Engine, actor: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the store fails the connection ends without an answer; sent again, it is taken."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        writer.write(START + ADT + END)
        return await reader.read(1_000)

    def full(*_: Any) -> None:
        raise OSError(28, "no space")

    with monkeypatch.context() as broken:
        broken.setattr(mllp, "transaction", full)
        assert told(listener, talk) == b""
    assert rows(engine, actor, InboundMessage) == []
    assert told(listener, talk).startswith(START + b"MSH|")
    assert len(rows(engine, actor, InboundMessage)) == 1


def test_strangers_are_not_listened_to(engine: Engine, actor: Actor, clock: Clock) -> None:
    """From a network that is not named nothing is taken."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        writer.write(START + ADT + END)
        return await reader.read()

    listener = Listener(engine, actor, clock, ("10.0.0.0/8",))
    with suppress(ConnectionResetError):
        assert told(listener, talk) == b""
    assert rows(engine, actor, InboundMessage) == []

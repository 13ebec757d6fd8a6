"""Heads in time, over raw sockets to a running server: late, endless, idle, and good ones."""

import socket
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest

from rpm.demo.server import HOST, serving, taken_address
from rpm.settings import Settings
from rpm.web.heads import MOST_HEAD_BYTES

DEADLINE_SECONDS = 0.6
GOOD = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def port(settings: Settings, engine: object) -> Iterator[int]:
    """The port of a server with a short deadline."""
    limited = settings.model_copy(update={"body_timeout_seconds": DEADLINE_SECONDS})
    address = taken_address(0)
    with serving(limited, address):
        yield address.getsockname()[1]


def connected(port: int) -> socket.socket:
    """An open connection."""
    return socket.create_connection((HOST, port), timeout=10)


def said_until_closed(one: socket.socket) -> tuple[bytes, float]:
    """Everything the server says until it closes, and how long that took, in seconds."""
    began, said = time.monotonic(), b""
    while piece := one.recv(65_536):
        said += piece
    return said, time.monotonic() - began


@pytest.mark.parametrize(
    "begun",
    [b"G", b"GET /healthz HTTP/1.1\r\nHost: x\r\n", b"\r\n\r\n"],
    ids=["a byte", "no end", "blank"],
)
def test_a_head_that_stands_still_is_closed(port: int, begun: bytes) -> None:
    """Within the deadline, and with a word about it."""
    with connected(port) as one:
        one.sendall(begun)
        said, seconds = said_until_closed(one)
    assert said.startswith(b"HTTP/1.1 408 ")
    assert DEADLINE_SECONDS * 0.9 <= seconds <= 5


def test_a_head_that_drips_has_no_longer(port: int) -> None:
    """Bytes that keep coming do not move the deadline."""
    began, closed_after = time.monotonic(), None
    with connected(port) as one, suppress(ConnectionError):
        one.sendall(b"GET /healthz HTTP/1.1\r\nX-Long: ")
        while time.monotonic() - began < 10:
            closed_after = time.monotonic() - began
            one.sendall(b"x")
            time.sleep(0.05)
    assert closed_after is not None
    assert closed_after < 5


def test_a_connection_that_says_nothing_is_closed_without_a_word(port: int) -> None:
    """As browsers open them in case."""
    with connected(port) as one:
        said, seconds = said_until_closed(one)
    assert (said, seconds < 5) == (b"", True)


def test_a_head_without_end_is_refused_at_once(port: int) -> None:
    """It takes no more memory than a head may."""
    with connected(port) as one:
        one.sendall(b"GET /healthz HTTP/1.1\r\nX-Long: " + b"x" * (MOST_HEAD_BYTES + 1))
        said, _ = said_until_closed(one)
    assert said.startswith(b"HTTP/1.1 431 ")


def test_the_next_request_of_a_connection_has_its_own_time(port: int) -> None:
    """Good requests one after another are answered, also slowly sent ones; then one that stalls."""
    with connected(port) as one:
        for _ in range(3):
            one.sendall(GOOD[:9])
            time.sleep(DEADLINE_SECONDS / 2)
            one.sendall(GOOD[9:])
            assert one.recv(65_536).startswith(b"HTTP/1.1 200 ")
        one.sendall(GOOD[:9])
        said, seconds = said_until_closed(one)
    assert said.startswith(b"HTTP/1.1 408 ")
    assert seconds <= 5


def test_a_body_after_its_head_is_the_guards(port: int) -> None:
    """A head in time is not answered for its body: that has as long again."""
    with connected(port) as one:
        one.sendall(
            b"POST /webhooks/generic/nobody HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n"
        )
        time.sleep(DEADLINE_SECONDS * 0.7)
        one.sendall(b"{}")
        assert one.recv(65_536).startswith(b"HTTP/1.1 401 ")

"""Outbound: one signed message to one receiver, over a connection of its own.

Owns the connection: to the address that was checked and no other, no proxy, no redirect followed,
a deadline for the whole of it, and an answer of which only the status is read. Does not own which
addresses are refused (``outbound_address``) nor what is sent and when (``rpm.actions``).
"""

import ssl
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import httpcore2  # safe: connects to addresses that ``outbound_address`` has checked

from rpm.outbound_address import AddressRefusedError, Receiver, resolved

DEADLINE_SECONDS = 15.0
"""From resolving the name to the status of the answer."""
Resolve = Callable[[Receiver], str]


@dataclass(frozen=True)
class Told:
    """What came of it: the status, or why there is none; the text names no address."""

    status: int | None
    problem: str = ""

    @property
    def is_taken(self) -> bool:
        """Whether the receiver took the message."""
        return self.status is not None and 200 <= self.status < 300


def tell(
    receiver: Receiver,
    headers: Mapping[str, str],
    body: bytes,
    *,
    deadline_seconds: float = DEADLINE_SECONDS,
    resolve: Resolve = resolved,
    ssl_context: ssl.SSLContext | None = None,
) -> Told:
    """Post the body and read the status; the answer's body is not read.

    Certificates are checked against the host's name. Never raises for what a receiver does.
    """
    until = time.monotonic() + deadline_seconds
    backend = _CheckedBackend(receiver, resolve, until)
    timeout = dict.fromkeys(("connect", "read", "write", "pool"), deadline_seconds)
    try:
        with (
            httpcore2.ConnectionPool(ssl_context, network_backend=backend, retries=0) as pool,
            pool.stream(
                "POST",
                receiver.url,
                headers=list(headers.items()),
                content=body,
                extensions={"timeout": timeout},
            ) as answer,
        ):
            return Told(answer.status)
    except AddressRefusedError as error:
        return Told(None, str(error))
    except (httpcore2.TimeoutException, TimeoutError):
        return Told(None, "no answer in time")
    except httpcore2.ProtocolError:
        return Told(None, "the answer is not HTTP")
    except (httpcore2.NetworkError, OSError) as error:
        return Told(None, f"the receiver cannot be reached: {type(error).__name__}")


def checked_backend(receiver: Receiver, until: float) -> httpcore2.NetworkBackend:
    """Connects to the receiver's checked address only, and to nothing after an instant."""
    return _CheckedBackend(receiver, resolved, until)


class _CheckedBackend(httpcore2.NetworkBackend):
    """Connects to the checked address of the one receiver, whatever else is asked for."""

    def __init__(self, receiver: Receiver, resolve: Resolve, until: float) -> None:
        self._receiver, self._resolve, self._until = receiver, resolve, until

    def connect_tcp(
        self,
        host: str,  # noqa: ARG002 - the receiver's own is used
        port: int,  # noqa: ARG002 - as above
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.NetworkStream:
        """A stream to the checked address that ends at the deadline."""
        address = self._resolve(self._receiver)
        stream = httpcore2.SyncBackend().connect_tcp(
            address,
            self._receiver.port,
            timeout=_rest(self._until, timeout),
            local_address=local_address,
            socket_options=socket_options,
        )
        return _EndingStream(stream, self._until)


class _EndingStream(httpcore2.NetworkStream):
    """A stream on which nothing takes longer than the deadline, drop by drop or not."""

    def __init__(self, stream: httpcore2.NetworkStream, until: float) -> None:
        self._stream, self._until = stream, until

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """As the stream, until the deadline."""
        return self._stream.read(max_bytes, _rest(self._until, timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """As the stream, until the deadline."""
        self._stream.write(buffer, _rest(self._until, timeout))

    def close(self) -> None:
        """Close it."""
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore2.NetworkStream:
        """As the stream, until the deadline."""
        rest = _rest(self._until, timeout)
        return _EndingStream(
            self._stream.start_tls(ssl_context, server_hostname, rest), self._until
        )

    def get_extra_info(self, info: str) -> Any:
        """As the stream."""
        return self._stream.get_extra_info(info)


def _rest(until: float, timeout: float | None) -> float:
    """Seconds that are left; ``TimeoutError`` when none are."""
    rest = until - time.monotonic()
    if rest <= 0:
        raise TimeoutError
    return rest if timeout is None else min(rest, timeout)

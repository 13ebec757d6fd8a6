"""SFTP to a clearinghouse: the host known by its key's fingerprint, every wait bounded.

Owns connecting (tried again with growing waits), proving who we are, and the calls. Does not own
the profile nor the secret. Only connecting is repeated: once a transfer has begun, a lost
connection leaves its outcome unknown, and that is said.
"""

import hmac
import io
import logging
import socket  # safe: goes only to the host of an agreement, and speaks once its key is known
import stat
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from rpm.transport.place import (
    MOST_BYTES,
    MOST_FILES,
    PART,
    NotReachedError,
    OutcomeUnknownError,
    RefusedError,
    RemoteFile,
    is_whole,
    outbound_name,
)

if TYPE_CHECKING:
    import paramiko  # safe: for the types only

CONNECT_SECONDS, CALL_SECONDS = 10.0, 30.0
WAITS_SECONDS = (1.0, 4.0)
"""Between tries to connect; three tries in all."""
_LONGEST_TRANSFER_SECONDS = 300.0
_CHUNK_BYTES = 32_768


@dataclass(frozen=True)
class SftpPlace:
    """Where a clearinghouse listens, and the fingerprint (SHA256:...) of its host key."""

    host: str
    port: int
    username: str
    fingerprint: str
    out_folder: str
    in_folder: str
    archive_folder: str = ""  # empty: files stay where they are


@dataclass(frozen=True)
class SftpSecret:
    """A private key in OpenSSH or PEM form, or a password."""

    private_key: str = field(default="", repr=False)
    password: str = field(default="", repr=False)


@contextmanager
def opened_sftp(
    place: SftpPlace, secret: SftpSecret, wait: Callable[[float], None] = time.sleep
) -> Iterator["Sftp"]:
    """The place, connected; errors as of ``place.Transport.send``, and then nothing was sent."""
    transport = _connected(place, secret, wait)
    try:
        yield Sftp(place, _session(transport))
    finally:
        transport.close()


class Sftp:
    """An open session."""

    def __init__(self, place: SftpPlace, client: "paramiko.SFTPClient") -> None:
        self._place, self._client = place, client

    def send(self, name: str, content: bytes) -> None:
        """Upload as ``NAME.part``, compare the size, rename: SFTP's rename replaces nothing."""
        target = _joined(self._place.out_folder, outbound_name(name))
        with _known_not_sent():
            if self._size(target) is not None:
                raise RefusedError("a file of this name is there already")
            draft = self._client.open(target + PART, "wb")
        try:
            with draft:
                draft.set_pipelined(True)
                self._write(draft, content)
            if self._size(target + PART) != len(content):
                raise OutcomeUnknownError("the clearinghouse holds another number of bytes")
            self._client.rename(target + PART, target)
        except _errors() as error:
            raise OutcomeUnknownError(f"lost during the transfer: {_words(error)}") from error

    def sent(self) -> Sequence[RemoteFile]:
        """The whole files of the folder that we send to."""
        return self._listed(self._place.out_folder)

    def waiting(self) -> Sequence[RemoteFile]:
        """The whole files of the folder that answers come in."""
        return self._listed(self._place.in_folder)

    def fetch(self, name: str) -> bytes:
        """A file of the folder that answers come in."""
        path = _joined(self._place.in_folder, _waiting_name(name))
        with _known_not_sent():
            if (self._size(path) or 0) > MOST_BYTES:
                raise RefusedError("the file is larger than what is fetched")
            with self._client.open(path, "rb") as file:
                file.prefetch()
                content = bytes(file.read(MOST_BYTES + 1))
        if len(content) > MOST_BYTES:
            raise RefusedError("the file is larger than what is fetched")
        return content

    def archive(self, name: str) -> None:
        """Move a file to the archive folder, if there is one, beside one of the same name."""
        if not self._place.archive_folder:
            return
        path = _joined(self._place.in_folder, _waiting_name(name))
        target, number = _joined(self._place.archive_folder, name), 1
        with _known_not_sent():
            while self._size(target) is not None:
                number += 1
                target = _joined(self._place.archive_folder, f"{name}.{number}")
            self._client.rename(path, target)

    def _write(self, draft: Any, content: bytes) -> None:
        until = time.monotonic() + _LONGEST_TRANSFER_SECONDS
        for start in range(0, len(content), _CHUNK_BYTES):
            if time.monotonic() > until:
                raise TimeoutError("too slow")
            draft.write(content[start : start + _CHUNK_BYTES])

    def _size(self, path: str) -> int | None:
        try:
            size: int | None = self._client.stat(path).st_size
        except FileNotFoundError:
            return None
        return size

    def _listed(self, folder: str) -> list[RemoteFile]:
        with _known_not_sent():
            found = [
                RemoteFile(one.filename, one.st_size or 0)
                for one in self._client.listdir_attr(folder)
                if stat.S_ISREG(one.st_mode or 0) and is_whole(one.filename)
            ]
        return sorted(found, key=lambda one: one.name)[:MOST_FILES]


def _connected(
    place: SftpPlace, secret: SftpSecret, wait: Callable[[float], None]
) -> "paramiko.Transport":
    for seconds in (*WAITS_SECONDS, None):
        try:
            return _signed_in(place, secret)
        except NotReachedError:
            if seconds is None:
                raise
            wait(seconds)
    raise AssertionError  # pragma: no cover - the last wait is None


def _signed_in(place: SftpPlace, secret: SftpSecret) -> "paramiko.Transport":
    paramiko = _library()

    # what goes wrong is told in our own words; its log would hold tracebacks
    logging.getLogger("paramiko").setLevel(logging.CRITICAL)
    key = _private_key(secret)
    try:
        way = socket.create_connection((place.host, place.port), CONNECT_SECONDS)
    except OSError as error:
        raise NotReachedError(f"no connection: {_words(error)}") from error
    transport = paramiko.Transport(way)
    try:
        transport.banner_timeout = transport.handshake_timeout = CONNECT_SECONDS
        transport.auth_timeout = transport.channel_timeout = CALL_SECONDS
        transport.start_client(timeout=CONNECT_SECONDS)
        _know_host(transport.get_remote_server_key().fingerprint, place.fingerprint)
        if key is not None:
            transport.auth_publickey(place.username, key)
        else:
            transport.auth_password(place.username, secret.password)
        return transport
    except paramiko.AuthenticationException as error:
        transport.close()
        raise RefusedError("the clearinghouse does not accept the sign-in") from error
    except RefusedError:
        transport.close()
        raise
    except _errors() as error:
        transport.close()
        raise NotReachedError(f"no connection: {_words(error)}") from error


def _know_host(shown: str, pinned: str) -> None:
    if not hmac.compare_digest(shown.encode(), pinned.encode()):
        raise RefusedError(
            f"the host shows the key {shown}, which is not the one on record: ask the"
            " clearinghouse before changing it"
        )


def _session(transport: "paramiko.Transport") -> "paramiko.SFTPClient":
    paramiko = _library()

    try:
        client = paramiko.SFTPClient.from_transport(transport)
        client.get_channel().settimeout(CALL_SECONDS)
    except _errors() as error:
        raise NotReachedError(f"no session: {_words(error)}") from error
    return client


def _private_key(secret: SftpSecret) -> "paramiko.PKey | None":
    paramiko = _library()

    if not secret.private_key:
        return None
    for kind in (paramiko.Ed25519Key, paramiko.ECDSAKey, paramiko.RSAKey):
        with suppress(paramiko.SSHException, ValueError):
            return kind.from_private_key(io.StringIO(secret.private_key))
    raise RefusedError("the private key cannot be read: one without a pass phrase is needed")


def key_problem(private_key: str) -> str | None:
    """Why a private key cannot be used; None when it can."""
    try:
        _private_key(SftpSecret(private_key=private_key))
    except RefusedError as error:
        return str(error)
    return None


@contextmanager
def _known_not_sent() -> Iterator[None]:
    """What goes wrong here sends nothing."""
    try:
        yield
    except FileNotFoundError as error:
        raise RefusedError("there is no such file or folder") from error
    except PermissionError as error:
        raise RefusedError("the clearinghouse does not allow it") from error
    except _errors() as error:
        raise NotReachedError(f"lost the connection: {_words(error)}") from error


def _library() -> Any:
    import paramiko  # safe: over the one connection that is made here; heavy, so only now

    return paramiko


def _errors() -> tuple[type[Exception], ...]:
    paramiko = _library()

    return (OSError, EOFError, paramiko.SSHException)


def _words(error: Exception) -> str:
    """What may be shown: never a text of the other side."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror if error.errno is not None else type(error).__name__
    return type(error).__name__


def _joined(folder: str, name: str) -> str:
    return f"{folder.rstrip('/')}/{name}" if folder else name


def _waiting_name(name: str) -> str:
    if not is_whole(name):
        raise RefusedError("there is no such file")
    return name

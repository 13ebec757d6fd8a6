"""The rehearsal's SFTP server: folders, a host key of its own, and a worker that answers.

Owns listening on 127.0.0.1, sign-in, and taking in a file once it has its whole name. Does not own
the answers (``answers``).
"""

import asyncio
import hmac
import queue
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncssh

HOST, USER = "127.0.0.1", "practice"
OUT, IN, ARCHIVE = "to-clearinghouse", "from-clearinghouse", "archive"
_PART = ".part"
_START_SECONDS = 30.0
Answering = Callable[[str, bytes], Mapping[str, bytes]]
"""From the name and content of an upload to answers by name."""
Moment = Callable[[str, Any], None]
"""Called before and after something is done (``open``, ``renamed``), with the connection."""


@dataclass(frozen=True)
class Listening:
    """A server at work."""

    port: int
    fingerprint: str
    root: Path
    user: str = USER
    password: str = field(default="", repr=False)
    _uploads: "queue.Queue[str | None]" = field(default_factory=queue.Queue, repr=False)

    def settle(self) -> None:
        """Wait until every upload so far was answered."""
        self._uploads.join()


class _Door(asyncssh.SSHServer):
    def __init__(self, password: str, visitors: "set[asyncssh.SSHServerConnection]") -> None:
        self._password, self._visitors = password, visitors

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._visitors.add(conn)

    def begin_auth(self, username: str) -> bool:  # noqa: ARG002 - signature of SSHServer
        return True

    def password_auth_supported(self) -> bool:
        return bool(self._password)

    def validate_password(self, username: str, password: str) -> bool:
        right = hmac.compare_digest(password.encode(), self._password.encode())
        return right and username == USER


class _Folders(asyncssh.SFTPServer):
    """Nothing outside the root is seen; a file that got its whole name is handed to the worker."""

    def __init__(self, channel: Any, root: Path, taken: Callable[[str], None], moment: Moment):
        super().__init__(channel, chroot=str(root).encode())
        self._taken, self._moment = taken, moment

    def open(self, path: bytes, pflags: int, attrs: asyncssh.SFTPAttrs) -> object:
        self._moment("open", self.connection)
        return super().open(path, pflags, attrs)

    def write(self, file_obj: object, offset: int, data: bytes) -> int:
        self._moment("write", self.connection)
        return super().write(file_obj, offset, data)  # type: ignore[return-value]  # sync in the base class

    def rename(self, oldpath: bytes, newpath: bytes) -> None:
        self._moment("rename", self.connection)
        super().rename(oldpath, newpath)
        self._moment("renamed", self.connection)
        folder, _, name = newpath.decode().rpartition("/")
        if folder.strip("/") == OUT and not name.endswith(_PART):
            self._taken(name)


@contextmanager
def listening(
    root: Path,
    answering: Answering,
    *,
    password: str = "",
    client_keys: Iterable[str] = (),
    host_key: str = "",
    moment: Moment = lambda _what, _connection: None,
) -> Iterator[Listening]:
    """The server with its three folders below ``root``, until the block ends.

    ``client_keys`` are public keys that may sign in; ``host_key`` a private one, else a new one.
    """
    for part in (OUT, IN, ARCHIVE):
        (root / part).mkdir(parents=True, exist_ok=True)
    key = (
        asyncssh.import_private_key(host_key)
        if host_key
        else asyncssh.generate_private_key("ssh-ed25519")
    )
    uploads: queue.Queue[str | None] = queue.Queue()
    worker = threading.Thread(target=_answer, args=(root, answering, uploads), name="rehearsal")
    worker.start()
    visitors: set[asyncssh.SSHServerConnection] = set()
    options: dict[str, Any] = {
        "server_host_keys": [key],
        "server_factory": lambda: _Door(password, visitors),
        "sftp_factory": lambda channel: _Folders(channel, root, uploads.put, moment),
        "authorized_client_keys": _authorized(client_keys),
        "allow_scp": False,
    }
    loop = _Loop(options, visitors)
    try:
        port = loop.start()
        yield Listening(port, key.get_fingerprint(), root, USER, password, uploads)
    finally:
        loop.stop()
        uploads.put(None)
        worker.join()


def _authorized(client_keys: Iterable[str]) -> asyncssh.SSHAuthorizedKeys | None:
    keys = "".join(f"{one.strip()}\n" for one in client_keys)
    return asyncssh.import_authorized_keys(keys) if keys else None


class _Loop:
    """asyncssh in a thread of its own."""

    def __init__(
        self, options: Mapping[str, Any], visitors: set[asyncssh.SSHServerConnection]
    ) -> None:
        self._options, self._visitors = options, visitors
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="rehearsal-sftp")

    def start(self) -> int:
        self._thread.start()
        asked = asyncio.run_coroutine_threadsafe(self._listen(), self._loop)
        self._server = asked.result(_START_SECONDS)
        return self._server.get_port()

    def stop(self) -> None:
        if hasattr(self, "_server"):
            asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(_START_SECONDS)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _listen(self) -> asyncssh.SSHAcceptor:
        return await asyncssh.listen(HOST, 0, **self._options)

    async def _close(self) -> None:
        self._server.close()
        await self._server.wait_closed()
        for visitor in self._visitors:
            visitor.abort()
            await visitor.wait_closed()


def _answer(root: Path, answering: Answering, uploads: "queue.Queue[str | None]") -> None:
    while (name := uploads.get()) is not None:
        try:
            content = (root / OUT / name).read_bytes()
            for answer, told in answering(name, content).items():
                draft = root / IN / f"{answer}{_PART}"
                draft.write_bytes(told)
                draft.rename(root / IN / answer)
        finally:
            uploads.task_done()
    uploads.task_done()

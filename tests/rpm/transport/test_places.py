"""Places that files go to: a drop folder, and SFTP to a real server in this process."""

import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import asyncssh
import pytest

from rpm.demo.loopback.server import ARCHIVE, IN, OUT, USER, Listening, listening
from rpm.transport.drop_folder import DropFolder
from rpm.transport.place import (
    NotReachedError,
    OutcomeUnknownError,
    RefusedError,
    RemoteFile,
    Transport,
)
from rpm.transport.sftp import SftpPlace, SftpSecret, opened_sftp

PASSWORD = "a-long-password-of-the-test"
SECRET = SftpSecret(password=PASSWORD)
CONTENT = b"ISA*" + bytes(range(256)) * 600


class Trouble:
    """Breaks the connection at one moment, once."""

    def __init__(self) -> None:
        self.at = ""

    def __call__(self, what: str, connection: Any) -> None:
        """Break it now, if now is the moment."""
        if what == self.at:
            self.at = ""
            connection.abort()


@pytest.fixture(scope="module")
def trouble() -> Trouble:
    """No trouble until it is set."""
    return Trouble()


@pytest.fixture(scope="module")
def client_key() -> asyncssh.SSHKey:
    """A key that may sign in."""
    return asyncssh.generate_private_key("ssh-ed25519")


@pytest.fixture(scope="module")
def server(
    tmp_path_factory: pytest.TempPathFactory, trouble: Trouble, client_key: asyncssh.SSHKey
) -> Iterator[Listening]:
    """A server that answers nothing."""
    public = client_key.export_public_key().decode()
    root = tmp_path_factory.mktemp("house")
    with listening(
        root, lambda _n, _c: {}, password=PASSWORD, client_keys=[public], moment=trouble
    ) as one:
        yield one


@pytest.fixture
def place(server: Listening) -> SftpPlace:
    """How a practice reaches it."""
    return SftpPlace(
        "127.0.0.1", server.port, USER, server.fingerprint, f"/{OUT}", f"/{IN}", f"/{ARCHIVE}"
    )


def no_wait(_seconds: float) -> None:
    """Tests do not wait between tries."""


@pytest.fixture(params=["folder", "sftp"])
def opened(
    request: pytest.FixtureRequest, tmp_path: Path, server: Listening, place: SftpPlace
) -> Iterator[tuple[Transport, dict[str, Path]]]:
    """Each kind of place, empty and open, and its folders."""
    with ExitStack() as stack:
        if request.param == "folder":
            names = {"out": "out", "in": "in", "archive": "done"}
            yield DropFolder(tmp_path), {key: tmp_path / name for key, name in names.items()}
            return
        folders = {
            "out": server.root / OUT,
            "in": server.root / IN,
            "archive": server.root / ARCHIVE,
        }
        for folder in folders.values():
            for file in folder.iterdir():
                file.unlink()
        yield stack.enter_context(opened_sftp(place, SECRET, no_wait)), folders


def test_a_sent_file_is_there_whole_under_its_name(
    opened: tuple[Transport, dict[str, Path]],
) -> None:
    """What is sent lies there byte for byte, is listed with its size, and leaves no draft."""
    transport, folders = opened
    transport.send("000000001.837", CONTENT)
    assert [file.name for file in folders["out"].iterdir()] == ["000000001.837"]
    assert (folders["out"] / "000000001.837").read_bytes() == CONTENT
    assert transport.sent() == [RemoteFile("000000001.837", len(CONTENT))]


def test_nothing_is_sent_over_another_file(opened: tuple[Transport, dict[str, Path]]) -> None:
    """A name that is taken is refused, and the file that has it stays as it is."""
    transport, folders = opened
    transport.send("a.837", b"first")
    with pytest.raises(RefusedError):
        transport.send("a.837", b"second")
    assert (folders["out"] / "a.837").read_bytes() == b"first"


@pytest.mark.parametrize("name", ["../a", "a/b", "", ".a", "a b", "a.part", "a\n", "é"])
def test_a_name_that_is_not_plain_is_not_sent(
    opened: tuple[Transport, dict[str, Path]], name: str
) -> None:
    """No name leads out of the folder or to a file that passes for a draft."""
    transport, folders = opened
    with pytest.raises(RefusedError):
        transport.send(name, b"x")
    assert not list(folders["out"].iterdir())


def test_whole_files_wait_are_fetched_and_put_away(
    opened: tuple[Transport, dict[str, Path]],
) -> None:
    """Drafts and folders are not listed; an archived file makes room and replaces no other."""
    transport, folders = opened
    for name in ("b.x12", "a b.x12", "c.x12.part", ".d"):
        (folders["in"] / name).write_bytes(name.encode())
    (folders["in"] / "folder").mkdir()
    try:
        assert [one.name for one in transport.waiting()] == ["a b.x12", "b.x12"]
        assert transport.fetch("b.x12") == b"b.x12"
        transport.archive("b.x12")
        (folders["in"] / "b.x12").write_bytes(b"second")
        transport.archive("b.x12")
        assert [one.name for one in transport.waiting()] == ["a b.x12"]
        kept = sorted(file.read_bytes() for file in folders["archive"].iterdir())
        assert kept == [b"b.x12", b"second"]
    finally:
        (folders["in"] / "folder").rmdir()


@pytest.mark.parametrize("name", ["../out/a", "a/../../b", "..", "none.x12"])
def test_no_name_fetches_from_elsewhere(
    opened: tuple[Transport, dict[str, Path]], name: str
) -> None:
    """A listed name is a name in one folder, whatever a clearinghouse says."""
    transport, _folders = opened
    with pytest.raises((RefusedError, NotReachedError)):
        transport.fetch(name)


def test_a_host_with_another_key_is_refused_and_gets_no_password(place: SftpPlace) -> None:
    """Who answers with an unknown host key is told apart before anything secret is said."""
    other = replace(place, fingerprint="SHA256:" + "A" * 43)
    with pytest.raises(RefusedError, match="not the one on record"), opened_sftp(other, SECRET):
        pass


def test_a_key_signs_in_where_it_is_known(
    place: SftpPlace, client_key: asyncssh.SSHKey, server: Listening
) -> None:
    """A private key does instead of a password; an unknown one is refused."""
    known = client_key.export_private_key().decode()
    with opened_sftp(place, SftpSecret(private_key=known)) as transport:
        assert transport.sent() == transport.sent()
    stranger = asyncssh.generate_private_key("ssh-ed25519").export_private_key().decode()
    wrong = [SftpSecret(private_key=stranger), SftpSecret(password="wrong")]
    for secret in [*wrong, SftpSecret(private_key="no key")]:
        with pytest.raises(RefusedError), opened_sftp(place, secret):
            pass


def test_connecting_is_tried_again_and_then_told(place: SftpPlace) -> None:
    """Where nobody listens three tries are made, with growing waits; nothing was sent."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        nobody = replace(place, port=free.getsockname()[1])
    waits: list[float] = []
    with pytest.raises(NotReachedError), opened_sftp(nobody, SECRET, waits.append):
        pass
    assert waits == sorted(waits)
    assert len(waits) == 2


def test_a_host_that_says_nothing_does_not_hold_us(
    place: SftpPlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A silent host costs a bounded wait for each try."""
    monkeypatch.setattr("rpm.transport.sftp.CONNECT_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        thread = threading.Thread(target=_accept, args=(silent,))
        thread.start()
        mute = replace(place, port=silent.getsockname()[1])
        with pytest.raises(NotReachedError), opened_sftp(mute, SECRET, no_wait):
            pass
        silent.close()
        thread.join()


def _accept(silent: socket.socket) -> None:
    with suppress(OSError), ExitStack() as held:
        silent.settimeout(5)
        for _ in range(3):
            held.enter_context(silent.accept()[0])


@pytest.mark.parametrize(
    ("moment", "error", "arrives"),
    [
        ("open", (NotReachedError,), False),
        ("write", (OutcomeUnknownError,), False),
        ("rename", (OutcomeUnknownError,), None),
        ("renamed", (OutcomeUnknownError,), True),
    ],
)
def test_a_connection_lost_on_the_way_says_what_is_known(
    server: Listening,
    place: SftpPlace,
    trouble: Trouble,
    moment: str,
    error: tuple[type[Exception], ...],
    arrives: bool | None,
) -> None:
    """Lost before the transfer: nothing was sent. Lost after it began: the outcome is not known."""
    name = f"lost-{moment}.837"
    with opened_sftp(place, SECRET, no_wait) as transport:
        trouble.at = moment
        with pytest.raises(error):
            transport.send(name, CONTENT)
    with opened_sftp(place, SECRET, no_wait) as transport:
        lies_there = RemoteFile(name, len(CONTENT)) in transport.sent()
    assert arrives is None or lies_there is arrives


def test_the_server_gives_nothing_outside_its_root(place: SftpPlace) -> None:
    """The rehearsal shows its own folders only."""
    outside = replace(place, in_folder="/../../../../etc")
    refused = pytest.raises((RefusedError, NotReachedError))
    with opened_sftp(outside, SECRET, no_wait) as transport, refused:
        transport.fetch("hostname")

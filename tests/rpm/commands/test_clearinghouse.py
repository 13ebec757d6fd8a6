"""``rpm-ledger clearinghouse`` and the exchange: from an agreement to answers that are posted."""

import re
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import asyncssh
import pytest
from claims_practice import IDENTITY
from ledger_practice import Practice
from sqlmodel import col

from rpm.actions.record_billing import SetPracticeBilling, set_practice_billing
from rpm.demo.loopback.house import House
from rpm.demo.loopback.server import listening
from rpm.jobs.answers import fetch_answers
from rpm.settings import Settings
from rpm.store.engine import reading, transaction
from rpm.store.scope import Scope
from rpm.store.tables.people import User

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
Run = Callable[..., str]


@pytest.fixture
def agreed(practice: Practice) -> tuple[str, ...]:
    """A practice that may send a test file; the words of an agreement but for where."""
    with transaction(practice.engine) as db:
        set_practice_billing(db, practice.actor, practice.now, SetPracticeBilling(**IDENTITY))
    return ("clearinghouse", "add", "house", "--profile", "loopback", "--sender-id", "LAKESIDE")


def test_an_agreement_is_tried_and_then_used_for_production(
    practice: Practice,
    agreed: tuple[str, ...],
    said: Run,
    settings: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With a key file: added, tested, its 999 fetched by the job, switched, listed, ended."""
    house = House(lambda: datetime(2026, 2, 2, 10, 0))  # noqa: DTZ001 - the rehearsal's time
    key = asyncssh.generate_private_key("ssh-ed25519")
    key.write_private_key(tmp_path / "key")
    public = key.export_public_key().decode()
    with listening(tmp_path / "house", house.answer, client_keys=[public]) as server:
        where = ("--port", str(server.port), "--fingerprint", server.fingerprint)
        told = said(*agreed, *where, "--key-file", str(tmp_path / "key"), "--reason", "start")
        assert "files are marked T" in told
        assert "not tried" in said("clearinghouse", "list")
        test = said("clearinghouse", "test", "house")
        assert ": sent" in test
        server.settle()
        assert fetch_answers(practice.engine, settings, practice.now) == (
            "1 fetched, 0 problems, 0 failed"
        )
        assert "0 new, 0 known, 0 posted" in said("claims", "fetch")
        assert "marked P" in said("clearinghouse", "usage", "house", "P", "--reason", "tested")
        assert "marked P, tried\n  last look: 2026-02-02" in said("clearinghouse", "list")
        sent = re.findall(r"test file (\S+)", test)[0]
        assert "was sent" in said("claims", "send", sent, code=2)
        assert "is known" in said("claims", "look", sent, code=2)
    monkeypatch.setattr("rpm.transport.sftp.WAITS_SECONDS", (0.0,))
    assert "no connection" in said("claims", "fetch", "house", code=1)
    assert said("clearinghouse", "retire", "house", "--reason", "end") == "retired\n"
    assert said("clearinghouse", "list") == "0 clearinghouses\n"


def test_a_file_that_may_have_arrived_is_looked_for_and_settled(
    practice: Practice,
    agreed: tuple[str, ...],
    said: Run,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Broken on the way: told with what to do; found missing, a named person lets it go again."""
    breaks = ["write"]

    def trouble(what: str, connection: asyncssh.SSHServerConnection) -> None:
        if what in breaks:
            breaks.clear()
            connection.abort()

    monkeypatch.setenv("HOUSE_PASSWORD", "a-long-password-of-the-test")
    with listening(
        tmp_path, lambda _n, _c: {}, password="a-long-password-of-the-test", moment=trouble
    ) as server:
        where = ("--port", str(server.port), "--fingerprint", server.fingerprint)
        said(*agreed, *where, "--password-from", "HOUSE_PASSWORD", "--reason", "start")
        told = said("clearinghouse", "test", "house", code=1)
        assert "unknown" in told
        file = re.findall(r"test file (\S+)", told)[0]
        settle = ("claims", "settle", file, "--by", who(practice), "--reason", "asked their desk")
        assert "nobody looked" in said(*settle, "--not-arrived", code=2)
        assert "not-found" in said("claims", "look", file, code=1)
        assert "given-up" in said(*settle, "--not-arrived")
        assert ": sent" in said("claims", "send", file)


def who(practice: Practice) -> str:
    """The address of the practice's administrator."""
    with reading(practice.engine) as db:
        (user,) = Scope.of(practice.actor).all_of(db, User, col(User.id) == practice.actor.user_id)
        return user.email


def test_what_is_refused(practice: Practice, said: Run) -> None:
    """No such profile, a missing value, a variable not set and an unknown key end with 2."""
    add = ("clearinghouse", "add", "house", "--reason", "start")
    assert "wrong option" in said(*add, "--profile", "none", code=2)
    assert "sender_id" in said(*add, code=2)
    assert "not set" in said(*add, "--password-from", "NO_SUCH_VARIABLE", code=2)
    assert "no such clearinghouse" in said("claims", "fetch", "house", code=2)
    assert said("claims", "fetch") == ""

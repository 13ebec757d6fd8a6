"""Users at the terminal: added, invited, reset, sent away."""

import re

import pytest
from ledger_practice import Practice
from sqlalchemy.engine import Engine

from rpm.actions.credentials import invited
from rpm.cli import run
from rpm.clock import SystemClock
from rpm.errors import NotFound
from rpm.keys import load_keys
from rpm.settings import Settings
from rpm.store.engine import reading

NORA = "nora@practice.example"


def told(capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> str:
    """What a command prints; it must end with the code."""
    capsys.readouterr()
    assert run(["users", *words]) == code
    return capsys.readouterr().out


def secret_of(text: str) -> str:
    """The text of the link that was printed."""
    found = re.search(r"^http://pages\.example/invitations/(\S+)$", text, re.MULTILINE)
    assert found is not None
    return found[1]


def test_a_user_is_added_invited_reset_and_sent_away(
    practice: Practice, settings: Settings, engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each link invites the user until the next one, a reset, or the end of the access."""
    keys, url = load_keys(settings), ["--url", "http://pages.example/"]

    def invites(secret: str) -> bool:
        with reading(engine) as db:
            try:
                return invited(db, keys, secret, SystemClock().now()).user.email == NORA
            except NotFound:
                return False

    role = ["--name", "Nora Nurse", "--role", "clinical_staff"]
    first = secret_of(told(capsys, "add", NORA, *role, *url))
    assert invites(first)
    second = secret_of(told(capsys, "invite", NORA, *url))
    assert (invites(first), invites(second)) == (False, True)
    assert f"{NORA}  Nora Nurse, clinical staff: invited" in told(capsys, "list")
    told(capsys, "reset", NORA, "--reason", "link seen by others")
    assert not invites(second)
    third = secret_of(told(capsys, "invite", NORA, *url))
    told(capsys, "disable", NORA, "--reason", "left")
    assert not invites(third)
    assert f"{NORA}  Nora Nurse, clinical staff: no access" in told(capsys, "list")
    told(capsys, "invite", NORA, code=2)
    told(capsys, "enable", NORA, "--reason", "came back")
    assert invites(secret_of(told(capsys, "invite", NORA, *url)))


def test_wrong_words_are_told(practice: Practice, capsys: pytest.CaptureFixture[str]) -> None:
    """An unknown role, a known address and an unknown user end with 2."""
    role = ["--name", "Nora Nurse", "--role"]
    told(capsys, "add", NORA, *role, "nurse", code=2)
    told(capsys, "add", NORA, *role, "biller")
    told(capsys, "add", NORA, *role, "biller", code=2)
    told(capsys, "invite", "nobody@practice.example", code=2)

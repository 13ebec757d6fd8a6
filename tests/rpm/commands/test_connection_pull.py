"""``rpm-ledger connections authorize|withdraw|pull``, against a cloud on this machine.

Only the way of the client is changed: it leads to the cloud instead of the vendor.
"""

import io
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import httpx2
import pytest
from ledger_practice import Practice
from sqlmodel import select
from withings_cloud import CLIENT, Cloud, client_of, served

from rpm.store.engine import reading
from rpm.store.tables.monitoring import Reading
from rpm.store.tables.security import AuditEvent

Run = Callable[..., str]
USER = "11223344"


@pytest.fixture
def cloud(practice: Practice, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    """A cloud that the client of the command reaches."""
    cloud = Cloud(practice.now)
    with served(cloud) as port:

        @contextmanager
        def to_cloud() -> Iterator[httpx2.Client]:
            with client_of(port) as client:
                yield client

        monkeypatch.setattr("rpm.pull.outgoing_client", to_cloud)
        yield cloud


@pytest.fixture
def connection(practice: Practice, said: Run) -> str:
    """A connection of Withings; its id."""
    told = said("connections", "add", "--vendor", "withings", "--name", "Scales")
    assert "the address is the only secret" in told
    return told.split("connection: ")[1].split()[0]


def _type(monkeypatch: pytest.MonkeyPatch, credentials: Any) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(json.dumps(credentials)))


def test_an_account_is_authorized_fetched_and_listed(
    practice: Practice, cloud: Cloud, connection: str, said: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From credentials on standard input to a reading; the list tells the last fetch."""
    _type(monkeypatch, CLIENT)
    assert "the application is kept" in said("connections", "authorize", connection)
    monkeypatch.setenv("TOKENS", json.dumps(cloud.account(USER)))
    words = ("connections", "authorize", connection, "--account", USER, "--variable", "TOKENS")
    assert "fetched soon" in said(*words)
    assert f"account {USER}: last fetched never" in said("connections", "list")
    cloud.weigh(USER, 1, practice.now - timedelta(hours=1))
    told = said("connections", "pull", connection)
    assert f"{USER}: 1 recorded in 3 requests" in told
    assert f"account {USER}: last fetched 2026-02-02 15:00" in said("connections", "list")
    with reading(practice.engine) as db:
        assert [row.vendor_reading_id for row in db.exec(select(Reading))] == ["1/weight"]
        subjects = json.dumps([row.subject for row in db.exec(select(AuditEvent))])
    for secret in (*CLIENT.values(), "refresh-0-11223344"):
        assert secret not in subjects + told


def test_a_problem_is_told_and_is_code_1(
    cloud: Cloud, connection: str, said: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tokens that the vendor refuses stop the account; withdrawn it is asked no more."""
    _type(monkeypatch, CLIENT)
    said("connections", "authorize", connection)
    _type(monkeypatch, {"refresh_token": "of-nobody"})
    said("connections", "authorize", connection, "--account", USER)
    told = said("connections", "pull", connection, code=1)
    assert "the vendor refuses the tokens" in told
    assert "(stopped)" in said("connections", "list")
    assert "asked no more" in said("connections", "withdraw", connection, "--account", USER)
    asked = len(cloud.asked)
    said("connections", "pull", connection, code=2)
    said("connections", "pull", connection, "--account", USER, code=1)
    assert len(cloud.asked) == asked


@pytest.mark.parametrize(
    "sent",
    [[], "text", {}, {"client_id": "a"}, {**CLIENT, "more": "b"}, {**CLIENT, "client_id": 1}],
)
def test_wrong_credentials_are_refused_and_not_shown(
    connection: str, said: Run, monkeypatch: pytest.MonkeyPatch, sent: Any
) -> None:
    """What is not a JSON object of the texts that are needed is code 2."""
    _type(monkeypatch, sent)
    told = said("connections", "authorize", connection, code=2)
    assert CLIENT["client_secret"] not in told
    words = ("connections", "authorize", connection, "--variable", "NOT_SET")
    assert "no such environment variable" in said(*words, code=2)


def test_only_sources_that_are_asked_have_accounts(
    practice: Practice, said: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A vendor that sends by itself is refused credentials."""
    told = said("connections", "add", "--vendor", "telli", "--name", "Kits")
    _type(monkeypatch, CLIENT)
    connection = told.split("connection: ")[1].split()[0]
    assert "sends by itself" in said("connections", "authorize", connection, code=2)
    assert practice.now

"""``rpm-ledger connections``: secrets shown once, settings with their notes, and trying one out."""

import re
from collections.abc import Callable
from pathlib import Path

import httpx2
import pytest
from ledger_practice import Practice
from sqlmodel import select

from rpm.access import token_hash
from rpm.actions.try_connection import example_of
from rpm.store.engine import reading
from rpm.store.tables.monitoring import Connection, Delivery, Reading
from rpm.store.tables.security import AuditEvent

Run = Callable[..., str]
ID = re.compile(r"connection: (\S+)")
ADDRESS = re.compile(r"^/webhooks/\S+$", re.MULTILINE)


def _id(told: str) -> str:
    found = ID.search(told)
    assert found is not None
    return found[1]


def _address(told: str) -> str:
    found = ADDRESS.search(told)
    assert found is not None
    return found[0]


def _secret(told: str) -> str:
    lines = told.splitlines()
    return next(lines[at + 1] for at, line in enumerate(lines) if "secret (shown once)" in line)


def test_address_and_secret_are_shown_once(practice: Practice, said: Run) -> None:
    """The database has the hash of the address; the list shows neither address nor secret."""
    told = said("connections", "add", "--vendor", "telli", "--name", "Kits")
    token = _address(told).rsplit("/", 1)[1]
    with reading(practice.engine) as db:
        (row,) = db.exec(select(Connection)).all()
    assert (str(row.id), row.token_hash) == (_id(told), token_hash(token))
    assert "for the header x-api-key" in told
    listed = said("connections", "list")
    assert "telli: Kits; last delivered never" in listed
    assert token not in listed
    assert _secret(told) not in listed


def test_open_questions_are_shown_with_their_notes(practice: Practice, said: Run) -> None:
    """A setting that the vendor leaves open stands with its value, its choices and its note."""
    told = said("connections", "add", "--vendor", "telli", "--name", "Kits")
    assert "glucose_unit=unconfirmed (of unconfirmed, mg/dL, mmol/L)" in told
    assert "Ask the vendor and set it." in told
    change = ("connections", "change", _id(told), "--reason", "they said so")
    assert "glucose_unit=mmol/L" in said(*change, "--set", "glucose_unit=mmol/L")
    assert "only from: 192.0.2.0/24" in said(*change, "--network", "192.0.2.0/24")
    assert "only from" not in said(*change, "--any-network")
    assert "glucose_unit=mmol/L" in said("connections", "list")


@pytest.mark.parametrize(
    "options",
    [
        ("--vendor", "unheard-of"),
        ("--vendor", "telli", "--scheme", "terra"),
        ("--vendor", "telli", "--set", "glucose_unit"),
        ("--vendor", "telli", "--set", "glucose_unit=stone"),
        ("--vendor", "telli", "--network", "office"),
        ("--vendor", "telli", "--secret-file", "no-such-file"),
    ],
)
def test_wrong_options_are_refused(practice: Practice, said: Run, options: tuple[str, ...]) -> None:
    """What does not fit is refused, and no connection is made."""
    said("connections", "add", "--name", "Kits", *options, code=2)
    with reading(practice.engine) as db:
        assert db.exec(select(Connection)).all() == []


def test_a_senders_own_secret_comes_from_a_file(
    practice: Practice, said: Run, tmp_path: Path
) -> None:
    """A vendor's own key is read from a file, is not shown, and proves its deliveries."""
    key = tmp_path / "key"
    key.write_text("the-vendors-own-key\n", encoding="utf-8")
    told = said(
        *("connections", "add", "--vendor", "mio", "--name", "Kits", "--secret-in", "X-Key"),
        *("--secret-file", str(key)),
    )
    assert "secret: the sender's own for the header X-Key" in told
    assert "the-vendors-own-key" not in told
    assert "read (nothing was recorded)" in said("connections", "test", _id(told))


def test_a_rotated_secret_is_shown_once(practice: Practice, said: Run) -> None:
    """Rotation shows the new secret; an address that is the only secret cannot be rotated."""
    told = said("connections", "add", "--vendor", "generic", "--name", "Hub")
    turned = said("connections", "rotate", _id(told), "--overlap-hours", "2")
    assert _secret(turned).startswith("whsec_")
    assert _secret(turned) != _secret(told)
    assert "accepted for 2 hours" in turned
    told = said("connections", "add", "--vendor", "tenovi", "--name", "Hub", "--scheme", "path")
    assert "the address is the only secret" in told
    said("connections", "rotate", _id(told), code=2)


def test_a_trial_says_what_would_come(practice: Practice, said: Run, tmp_path: Path) -> None:
    """The example is told item by item and not recorded; a body that cannot be read ends with 1."""
    told = said("connections", "add", "--vendor", "telli", "--name", "Kits")
    tried = said("connections", "test", _id(told))
    assert "read (nothing was recorded)\n  item quarantined: unknown_device" in tried
    broken = tmp_path / "body"
    broken.write_bytes(b"{")
    said("connections", "test", _id(told), "--body", str(broken), code=1)
    with reading(practice.engine) as db:
        assert db.exec(select(Delivery)).all() == []


@pytest.mark.parametrize("scheme", ["standard-webhooks", "header", "basic", "query"])
def test_an_example_goes_through_the_running_service(
    practice: Practice, said: Run, served: str, scheme: str
) -> None:
    """Posted to the address it is recorded, and the list then tells when it delivered."""
    told = said("connections", "add", "--vendor", "generic", "--name", "Hub", "--scheme", scheme)
    tried = said("connections", "test", _id(told), "--to", served + _address(told))
    assert tried.endswith("read\n  r-1001 quarantined: unknown_device\n")
    assert _secret(told) not in tried  # the service's log line is there too
    assert "last delivered 2026-02-02 15:00" in said("connections", "list")
    elsewhere = said(
        "connections", "test", _id(told), "--to", f"{served}/webhooks/generic/x", code=1
    )
    assert elsewhere.endswith("refused: 401\n")


def test_a_service_that_does_not_answer_is_told(practice: Practice, said: Run) -> None:
    """An address where nobody listens ends with 2 and does not echo it."""
    told = said("connections", "add", "--vendor", "generic", "--name", "Hub")
    address = "http://127.0.0.1:9" + _address(told)
    answer = said("connections", "test", _id(told), "--to", address, code=2)
    assert "cannot be reached" in answer
    assert _address(told) not in answer


def test_a_retired_connection_is_refused_like_an_unknown_one(
    practice: Practice, said: Run, served: str
) -> None:
    """Its address answers 401 from then on; the list tells since when, and what came stays."""
    told = said("connections", "add", "--vendor", "generic", "--name", "Hub", "--scheme", "header")
    address, headers = served + _address(told), {"x-api-key": _secret(told)}
    body = example_of("generic")
    assert httpx2.post(address, content=body, headers=headers).status_code == 200
    retired = said("connections", "retire", _id(told), "--reason", "vendor changed")
    assert "generic: Hub is retired since 2026-02-02 15:00 UTC" in retired
    refused = httpx2.post(address, content=body, headers=headers)
    unknown = httpx2.post(f"{served}/webhooks/generic/x", content=body, headers=headers)
    assert refused.status_code == unknown.status_code == 401
    answers = [{**one.json(), "request_id": ""} for one in (refused, unknown)]
    assert answers[0] == answers[1]
    assert "last delivered 2026-02-02 15:00, retired 2026-02-02" in said("connections", "list")
    said("connections", "retire", _id(told), "--reason", "again", code=2)
    with reading(practice.engine) as db:
        assert len(db.exec(select(Delivery)).all()) == 1
        event = db.exec(select(AuditEvent).where(AuditEvent.action == "connection.retire")).one()
    assert event.reason == "vendor changed"


def test_stored_deliveries_are_replayed(practice: Practice, said: Run, served: str) -> None:
    """A replay tells each delivery's items and records nothing twice; a dead letter ends with 1."""
    told = said("connections", "add", "--vendor", "generic", "--name", "Hub", "--scheme", "header")
    address, headers = served + _address(told), {"x-api-key": _secret(told)}
    ids = [
        httpx2.post(address, content=body, headers=headers).json()["delivery_id"]
        for body in (example_of("generic"), b"{")
    ]
    assert f"{ids[0]}  read: 1 duplicate" in said("replay", ids[0])
    both = said("replay", *ids, code=1)
    assert f"{ids[0]}  read: 1 duplicate" in both
    assert f"{ids[1]}  dead_letter, cannot be read: not JSON" in both
    said("replay", str(practice.new_id()), code=2)
    with reading(practice.engine) as db:
        assert len(db.exec(select(Reading)).all()) == 1

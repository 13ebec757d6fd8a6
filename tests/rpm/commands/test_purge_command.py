"""``rpm-ledger purge``: it counts, refuses what nobody approved, and removes what two did."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from ledger_practice import Practice

from rpm.access import PERMISSIONS, Actor
from rpm.actions.order_purge import ApprovePurge, OrderPurge, approve_purge, order_purge
from rpm.settings import Settings
from rpm.store.engine import reading, transaction
from rpm.store.scope import Scope
from rpm.store.tables.monitoring import Connection, Delivery
from rpm.store.tables.people import User

Run = Callable[..., str]
LONG_AGO = datetime(2001, 5, 1, 12, tzinfo=UTC)


@pytest.fixture
def old(practice: Practice) -> Practice:
    """A practice that keeps payloads for twenty years, and has one that is older."""
    door = practice.new_id()
    practice.record(
        Connection(
            id=door,
            vendor="generic",
            name="Gateway",
            token_hash="0" * 64,
            secret_encrypted=b"",
            settings={},
            created_at=practice.now,
        )
    )
    practice.record(
        Delivery(
            connection_id=door,
            vendor="generic",
            fingerprint="1",
            received_at=LONG_AGO,
            headers={},
            body=b"{}",
            state="read",
            results=[],
        )
    )
    practice.setting("retention_years", "20")
    return practice


def second_person(practice: Practice) -> Actor:
    """Another administrator."""
    user_id, of = practice.new_id(), practice.actor.organization_id
    practice.record(
        User(
            id=user_id,
            name="Bo Admin",
            email="bo@example.org",
            role="practice_admin",
            created_at=practice.now,
        )
    )
    return Actor(of, user_id, None, "practice_admin", PERMISSIONS, "Bo Admin")


def payloads(practice: Practice) -> list[bytes]:
    """What is left of each delivery."""
    with reading(practice.engine) as db:
        return [row.body for row in Scope.of(practice.actor).all_of(db, Delivery)]


def test_without_an_order_it_only_counts(said: Run, old: Practice) -> None:
    """The last line says that nothing was removed, and nothing was."""
    told = said("purge")
    assert "1 payloads may go, 0 are held; nothing was removed" in told
    assert payloads(old) == [b"{}"]


def test_an_order_needs_approval_then_the_record_verifies(
    said: Run, old: Practice, owner_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """2 before the approval and for no id; then it removes, and `verify` finds nothing."""
    monkeypatch.setenv("RPMLEDGER_DATABASE_URL", owner_settings.database_url)
    with transaction(old.engine) as db:
        order = order_purge(db, old.actor, old.now, OrderPurge(reason="twenty years"))
    said("purge", "--order", "the first", code=2)
    said("purge", "--order", str(order.id), code=2)
    assert payloads(old) == [b"{}"]
    other = second_person(old)
    with transaction(old.engine) as db:
        approve_purge(db, other, old.now, ApprovePurge(order_id=order.id))
    assert "1 payloads removed; the record verifies" in said("purge", "--order", str(order.id))
    assert payloads(old) == [b""]
    said("verify")


def test_a_practice_without_retention_is_refused(said: Run, practice: Practice) -> None:
    """Nothing is old while nobody said how old is old."""
    said("purge", code=2)

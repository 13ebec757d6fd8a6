"""A purge needs two persons, a retention, and a record that verifies; what it leaves is watched."""

from datetime import UTC, date, datetime

import pytest
from conftest import service_settings
from ledger_practice import Practice
from sqlalchemy import text
from sqlalchemy.engine import Engine
from sqlalchemy.exc import DBAPIError

from rpm.access import PERMISSIONS, Actor, system_actor
from rpm.actions.legal_holds import LiftHold, PlaceHold, lift_hold, place_hold
from rpm.actions.order_purge import ApprovePurge, OrderPurge, approve_purge, dry_run, order_purge
from rpm.actions.replay_delivery import ReplayDelivery, replay_delivery
from rpm.actions.run_purge import run_purge
from rpm.errors import Conflict, NotAllowed, NotReady
from rpm.store.append_only import keep_schema, missing_guards, without_update_guard
from rpm.store.engine import make_engine, reading, transaction, within
from rpm.store.scope import Scope
from rpm.store.tables.monitoring import Connection, Delivery
from rpm.store.tables.people import User
from rpm.store.tables.retention import PurgeOrder, Tombstone
from rpm.store.verify import verify_chain

TODAY = datetime(2026, 2, 2, 15, tzinfo=UTC)
LONG_AGO = datetime(2019, 5, 1, 12, tzinfo=UTC)


@pytest.fixture
def practice(engine: Engine, actor: Actor) -> Practice:
    """One old delivery that was read, one old dead letter, and a retention of five years."""
    practice = Practice(engine, actor, TODAY)
    door = practice.new_id()
    practice.record(
        Connection(
            id=door,
            vendor="generic",
            name="Gateway",
            token_hash="0" * 64,
            secret_encrypted=b"",
            settings={},
            created_at=TODAY,
        )
    )
    for state in ("read", "dead_letter"):
        practice.record(
            Delivery(
                id=practice.new_id(),
                connection_id=door,
                vendor="generic",
                fingerprint=state,
                received_at=LONG_AGO,
                headers={"webhook-id": "1"},
                body=b"{}",
                state=state,
                results=[],
            )
        )
    practice.setting("retention_years", "5")
    return practice


@pytest.fixture
def other(practice: Practice) -> Actor:
    """A second administrator."""
    user_id = practice.new_id()
    practice.record(
        User(
            id=user_id,
            name="Bo Admin",
            email="bo@example.org",
            role="practice_admin",
            created_at=TODAY,
        )
    )
    held = PERMISSIONS
    return Actor(practice.actor.organization_id, user_id, None, "practice_admin", held, "Bo Admin")


def ordered(practice: Practice) -> PurgeOrder:
    """An order of the first administrator."""
    with transaction(practice.engine) as db:
        return order_purge(db, practice.actor, TODAY, OrderPurge(reason="five years are over"))


def approved(practice: Practice, other: Actor) -> PurgeOrder:
    """An order with the other's approval."""
    order = ordered(practice)
    with transaction(practice.engine) as db:
        approve_purge(db, other, TODAY, ApprovePurge(order_id=order.id))
    return order


def run(practice: Practice, order: PurgeOrder) -> int:
    """The purge, as the command runs it."""
    with transaction(practice.engine) as db:
        actor = system_actor(practice.actor.organization_id, "purge")
        return run_purge(db, actor, TODAY, order.id)


def chain_findings(practice: Practice) -> list[str]:
    """Codes of what does not fit."""
    with reading(practice.engine) as db:
        return [one.code for one in verify_chain(db, practice.actor.organization_id)]


def test_a_dry_run_counts_and_changes_nothing(practice: Practice) -> None:
    """One may go, the dead letter waits for a fix; the day is today five years ago."""
    with reading(practice.engine) as db:
        found = dry_run(db, practice.actor, TODAY)
        assert Scope.of(practice.actor).all_of(db, Tombstone) == []
    assert (found.before_day, len(found.found.free), found.found.held) == (date(2021, 2, 2), 1, 0)


def test_what_goes_is_the_payload_and_a_tombstone_stays(practice: Practice, other: Actor) -> None:
    """The row keeps everything else; guards stand again; the chain verifies; it runs once."""
    order = approved(practice, other)
    assert run(practice, order) == 1
    with reading(practice.engine) as db:
        rows = {row.state: row for row in Scope.of(practice.actor).all_of(db, Delivery)}
        (stone,) = Scope.of(practice.actor).all_of(db, Tombstone)
        assert missing_guards(db.connection()) == set()
    assert (rows["read"].body, rows["read"].headers) == (b"", {})
    assert rows["read"].received_at == LONG_AGO
    assert rows["dead_letter"].body == b"{}"
    assert stone.row_id == rows["read"].id
    assert chain_findings(practice) == []
    with pytest.raises(Conflict):
        run(practice, order)


def test_one_person_is_not_enough(practice: Practice, other: Actor) -> None:
    """Who ordered cannot approve, nothing runs before an approval, and no program decides."""
    order = ordered(practice)
    program = system_actor(practice.actor.organization_id, "job")
    with pytest.raises(Conflict):
        run(practice, order)
    for actor in (practice.actor, program):
        with pytest.raises(NotAllowed), transaction(practice.engine) as db:
            approve_purge(db, actor, TODAY, ApprovePurge(order_id=order.id))
    with pytest.raises(NotAllowed), transaction(practice.engine) as db:
        order_purge(db, program, TODAY, OrderPurge(reason="by itself"))
    with transaction(practice.engine) as db:
        approve_purge(db, other, TODAY, ApprovePurge(order_id=order.id))
    with pytest.raises(Conflict), transaction(practice.engine) as db:
        approve_purge(db, other, TODAY, ApprovePurge(order_id=order.id))


def test_a_retention_that_was_switched_off_or_made_longer_holds_at_once(
    practice: Practice, other: Actor
) -> None:
    """The order was given under another one: nothing goes that is kept by the one in force."""
    order = approved(practice, other)
    practice.setting("retention_years", "off")
    with pytest.raises(Conflict):
        run(practice, order)
    practice.setting("retention_years", "50")
    assert run(practice, order) == 0


def test_a_record_that_does_not_verify_is_left_alone(practice: Practice, other: Actor) -> None:
    """A row that somebody changed stops the purge, and nothing is removed."""
    order = approved(practice, other)
    with practice.engine.begin() as owner, without_update_guard(owner, "delivery"):
        owner.execute(text("UPDATE delivery SET vendor = 'mio' WHERE state = 'dead_letter'"))
    with pytest.raises(Conflict, match="does not verify"):
        run(practice, order)
    with reading(practice.engine) as db:
        assert all(row.body for row in Scope.of(practice.actor).all_of(db, Delivery))


@pytest.mark.parametrize("change", ["body = 'x'", "vendor = 'mio'", "problem = 'none'"])
def test_what_is_left_is_watched(practice: Practice, other: Actor, change: str) -> None:
    """A purged row that is changed afterwards shows as changed, whatever is changed in it."""
    run(practice, approved(practice, other))
    with practice.engine.begin() as owner, without_update_guard(owner, "delivery"):
        owner.execute(text(f"UPDATE delivery SET {change} WHERE state = 'read'"))
    assert chain_findings(practice) == ["E_CHAIN_ROW_CHANGED"]


def test_a_payload_that_went_without_a_tombstone_shows(practice: Practice) -> None:
    """Emptying a row by hand is no purge."""
    with practice.engine.begin() as owner, without_update_guard(owner, "delivery"):
        owner.execute(text("UPDATE delivery SET body = '' WHERE state = 'read'"))
    assert chain_findings(practice) == ["E_CHAIN_ROW_CHANGED"]


def test_a_purged_delivery_is_not_read_again(practice: Practice, other: Actor) -> None:
    """A replay tells that the payload is gone instead of finding it unreadable."""
    run(practice, approved(practice, other))
    with reading(practice.engine) as db:
        (stone,) = Scope.of(practice.actor).all_of(db, Tombstone)
    with pytest.raises(Conflict, match="purge"), transaction(practice.engine) as db:
        replay_delivery(db, practice.actor, TODAY, ReplayDelivery(delivery_id=stone.row_id))


def test_the_service_itself_may_remove_nothing(
    practice: Practice, other: Actor, database_url: str
) -> None:
    """Its role on PostgreSQL and its connections on SQLite may not take the guard off."""
    order = approved(practice, other)
    engine = make_engine(service_settings(database_url))
    keep_schema(engine)
    own = within(engine, practice.actor.organization_id)
    try:
        with pytest.raises((NotReady, DBAPIError)), transaction(own) as db:
            run_purge(db, practice.actor, TODAY, order.id)
    finally:
        engine.dispose()
    with reading(practice.engine) as db:
        assert Scope.of(practice.actor).all_of(db, Tombstone) == []
    assert chain_findings(practice) == []


def test_a_hold_is_lifted_once_and_with_a_reason(practice: Practice, other: Actor) -> None:
    """A second lifting, and lifting what lifts, are refused."""
    with transaction(practice.engine) as db:
        hold = place_hold(db, other, TODAY, PlaceHold(reason="a claim"))
    with transaction(practice.engine) as db:
        lifted = lift_hold(db, other, TODAY, LiftHold(hold_id=hold.id, reason="settled"))
    for row in (hold, lifted):
        with pytest.raises(Conflict), transaction(practice.engine) as db:
            lift_hold(db, other, TODAY, LiftHold(hold_id=row.id, reason="again"))


def test_nothing_old_is_no_order(practice: Practice) -> None:
    """With a longer retention there is nothing to decide."""
    practice.setting("retention_years", "50")
    with pytest.raises(Conflict):
        ordered(practice)

"""A purge removes what is old and not held, as two persons decided, and the record verifies."""

import random
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

import pytest
from ledger_practice import Practice
from promised import Promised
from sqlalchemy.engine import Engine

from rpm.access import PERMISSIONS, Actor
from rpm.actions.close_month import CloseMonth, close_month
from rpm.actions.legal_holds import LiftHold, PlaceHold, lift_hold, place_hold
from rpm.actions.order_purge import ApprovePurge, OrderPurge, approve_purge, order_purge
from rpm.actions.run_purge import run_purge
from rpm.actions.verify import verify_record
from rpm.store.engine import reading, transaction
from rpm.store.scope import Scope
from rpm.store.tables.monitoring import Connection, Delivery, Reading
from rpm.store.tables.people import User
from rpm.store.tables.retention import LegalHold, Tombstone

TODAY = datetime(2026, 2, 2, 15, tzinfo=UTC)
CUTOFF = datetime(2025, 2, 2, 5, tzinfo=UTC)  # midnight in New York, a year ago
MOST_PATIENTS, DELIVERIES = 5, 40


@dataclass
class Old:
    """A delivery as the test made it: when it came, and the patients that it is about."""

    id: UUID
    received_at: datetime
    patients: list[UUID | None]


def person(practice: Practice, name: str) -> Actor:
    """Another administrator of the practice."""
    user_id = practice.new_id()
    practice.record(
        User(
            id=user_id,
            name=name,
            email=f"{user_id.hex}@example.org",
            role="practice_admin",
            created_at=practice.now,
        )
    )
    organization_id = practice.actor.organization_id
    return Actor(organization_id, user_id, None, "practice_admin", PERMISSIONS, name)


def connection(practice: Practice) -> UUID:
    """A door."""
    row_id = practice.new_id()
    practice.record(
        Connection(
            id=row_id,
            vendor="generic",
            name="Gateway",
            token_hash=row_id.hex,
            secret_encrypted=b"",
            settings={},
            created_at=practice.now,
        )
    )
    return row_id


def delivered(
    practice: Practice, door: UUID, seed: random.Random, episodes: dict[UUID, UUID]
) -> list[Old]:
    """Deliveries around the cutoff, each with readings of one or two patients or of nobody."""
    made, rows = [], []
    for place in range(DELIVERIES):
        received_at = CUTOFF + timedelta(
            seconds=seed.choice([-1, 0, seed.randint(-(10**8), 10**7)])
        )
        patients: list[UUID | None] = [*seed.sample(list(episodes), seed.choice([1, 1, 2]))]
        if seed.random() < 0.2:
            patients = [None]
        row_id = practice.new_id()
        made.append(Old(row_id, received_at, patients))
        rows.append(delivery(row_id, door, place, received_at, len(patients)))
        rows += [read_of(practice, row_id, episodes, one, received_at) for one in patients]
    practice.record(*rows)
    return made


def delivery(row_id: UUID, door: UUID, place: int, received_at: datetime, items: int) -> Delivery:
    """A body that was read."""
    return Delivery(
        id=row_id,
        connection_id=door,
        vendor="generic",
        fingerprint=sha256(row_id.bytes).hexdigest(),
        received_at=received_at,
        headers={"webhook-id": f"message {place}"},
        body=f"secret of {place}".encode(),
        state="read",
        results=[{"item": item} for item in range(items)],
    )


def read_of(
    practice: Practice,
    delivery_id: UUID,
    episodes: dict[UUID, UUID],
    patient_id: UUID | None,
    received_at: datetime,
) -> Reading:
    """A reading out of a delivery, of a patient or of a device that is nobody's."""
    values: dict[str, Any] = {"delivery_id": delivery_id, "received_at": received_at}
    some = next(iter(episodes))
    row = practice.reading(
        patient_id or some, episodes[patient_id or some], date(2026, 1, 9), **values
    )
    if patient_id is None:
        row.patient_id = row.episode_id = None
        row.countable = False
    return row


def expected(deliveries: list[Old], held: set[UUID], *, everything: bool) -> set[UUID]:
    """What may go, said in the plainest way."""
    return {
        one.id
        for one in deliveries
        if one.received_at < CUTOFF
        and not everything
        and not (held and any(patient is None or patient in held for patient in one.patients))
    }


def bodies(practice: Practice) -> dict[UUID, bytes]:
    """The payload of each delivery."""
    with reading(practice.engine) as db:
        return {row.id: row.body for row in Scope.of(practice.actor).all_of(db, Delivery)}


@pytest.mark.promise("R21")
def test_a_purge_obeys_retention_and_hold(engine: Engine, actor: Actor, promised: Promised) -> None:
    """With and without holds on patients: what is young or held keeps its payload."""
    rounds, removed, kept = promised.count(40, 3), 0, 0
    for number in range(rounds):
        seed = random.Random(number)
        practice = Practice.opened(engine, TODAY)
        episodes = dict(practice.enrolled() for _ in range(seed.randint(2, MOST_PATIENTS)))
        deliveries = delivered(practice, connection(practice), seed, episodes)
        practice.setting("retention_years", "1")
        held = set(seed.sample(list(episodes), seed.choice([0, 1, 2])))
        one, other = person(practice, "One"), person(practice, "Other")
        with transaction(engine) as db:
            for patient_id in held:
                place_hold(db, one, TODAY, PlaceHold(patient_id=patient_id, reason="a claim"))
        with transaction(engine) as db:
            close_month(db, practice.actor, TODAY, CloseMonth(month="2026-01"))
        before, going = bodies(practice), expected(deliveries, held, everything=False)
        if not going:
            continue
        with transaction(engine) as db:
            order = order_purge(db, one, TODAY, OrderPurge(reason="a year is over"))
            assert order.deliveries == len(going)
        with transaction(engine) as db:
            approve_purge(db, other, TODAY, ApprovePurge(order_id=order.id))
        with transaction(engine) as db:
            assert run_purge(db, practice.actor, TODAY, order.id) == len(going)
        after = bodies(practice)
        assert {row_id for row_id, body in after.items() if not body} == going
        assert all(after[row_id] == body for row_id, body in before.items() if row_id not in going)
        with reading(engine) as db:
            assert verify_record(db, practice.actor) == []
            stones = Scope.of(practice.actor).all_of(db, Tombstone)
        assert {stone.row_id for stone in stones} == going
        removed, kept = removed + len(going), kept + len(before) - len(going)
    assert removed
    promised.reached(
        f"{rounds} practices, {removed} payloads removed, {kept} young or held kept:"
        " 0 held or young rows removed; each ledger verifies"
    )


@pytest.mark.promise("R21")
def test_a_hold_on_everything_keeps_everything_until_it_is_lifted(
    engine: Engine, actor: Actor, promised: Promised
) -> None:
    """Placed between approval and run it still counts; after it is lifted the order may run."""
    practice = Practice(engine, actor, TODAY)
    episodes = dict(practice.enrolled() for _ in range(2))
    deliveries = delivered(practice, connection(practice), random.Random(1), episodes)
    practice.setting("retention_years", "1")
    one, other = person(practice, "One"), person(practice, "Other")
    with transaction(engine) as db:
        order = order_purge(db, one, TODAY, OrderPurge(reason="a year is over"))
    with transaction(engine) as db:
        approve_purge(db, other, TODAY, ApprovePurge(order_id=order.id))
    with transaction(engine) as db:
        hold: LegalHold = place_hold(db, one, TODAY, PlaceHold(reason="a subpoena"))
    with transaction(engine) as db:
        assert run_purge(db, actor, TODAY, order.id) == 0
    assert all(bodies(practice).values())
    with transaction(engine) as db:
        lift_hold(db, other, TODAY, LiftHold(hold_id=hold.id, reason="settled"))
    with transaction(engine) as db:
        removed = run_purge(db, actor, TODAY, order.id)
    assert removed == len(expected(deliveries, set(), everything=False)) > 0
    promised.reached("a hold placed after the approval kept everything until it was lifted")

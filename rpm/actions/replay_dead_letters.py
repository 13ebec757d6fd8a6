"""Replay dead letters: bodies that could not be read are read again, after a fix or an update.

Owns which ones. Does not own reading one again (``replay_delivery``). What a replay brings counts
from its own audit event on; what is already booked stays as it is.
"""

from dataclasses import dataclass
from datetime import datetime

from pydantic import Field
from sqlmodel import Session

from rpm.access import Actor, require
from rpm.actions.command import Command, Id, Instant
from rpm.actions.replay_delivery import Replayed, read_again
from rpm.store.chain import recording
from rpm.store.queries.connections import DeliveryFilter, dead_letters
from rpm.store.queries.people import hold_organization, organization_of
from rpm.store.scope import Scope

MOST_AT_ONCE = 100


class ReplayDeadLetters(Command):
    """Which dead letters to read again: some by id, or all that meet the other conditions."""

    delivery_ids: list[Id] | None = Field(default=None, min_length=1, max_length=MOST_AT_ONCE)
    vendor: str | None = Field(default=None, max_length=64, examples=["generic"])
    received_from: Instant | None = None
    received_before: Instant | None = None


@dataclass(frozen=True)
class ReplayOutcome:
    """What came of a request; ``more``: others that meet its conditions still wait."""

    replayed: tuple[Replayed, ...]
    more: bool


def replay_dead_letters(
    db: Session, actor: Actor, now: datetime, command: ReplayDeadLetters
) -> ReplayOutcome:
    """Read at most 100 dead letters again, the oldest first.

    Readings keep the instant at which their delivery arrived. One that still cannot be read stays
    a dead letter, with the new reason. Ids that are not dead letters here are passed over.
    """
    require(actor, "readings:write")
    scope = Scope.of(actor)
    hold_organization(db, scope)
    chosen = DeliveryFilter(
        vendor=command.vendor,
        received_from=command.received_from,
        received_before=command.received_before,
        ids=command.delivery_ids,
    )
    found = dead_letters(db, scope, chosen, after=None, limit=MOST_AT_ONCE + 1)
    if not found:
        return ReplayOutcome((), more=False)
    organization = organization_of(db, scope)
    with recording(db, actor, now, "delivery.replay") as record:
        replayed = [read_again(db, record, organization, letter) for letter in found[:MOST_AT_ONCE]]
        record.subject["delivery_ids"] = [str(done.delivery_id) for done in replayed]
    return ReplayOutcome(tuple(replayed), more=len(found) > MOST_AT_ONCE)

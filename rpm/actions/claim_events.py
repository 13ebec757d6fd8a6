"""Events that the practice itself gives a claim, and the claim as it stands.

Owns their keys and numbers, and which content of a claim counts. Does not own when an event may be
given (``billing.claims.lifecycle.may``) nor the events that answers bring.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlmodel import Session

from billing.claims.claim import Claim
from billing.claims.claim_json import json_to_claim
from billing.claims.lifecycle import Kind, Standing, Step, may
from rpm.access import Actor
from rpm.errors import NotAllowed, NotFound
from rpm.store.chain import Record
from rpm.store.queries.claims import claims_of, standings_of, versions_of
from rpm.store.scope import Scope
from rpm.store.tables.claims import ClaimEventRecord, ClaimRecord, ClaimVersion


@dataclass(frozen=True)
class CurrentClaim:
    """A claim with its latest version and where it stands; ``attempt`` is the next to be sent."""

    row: ClaimRecord
    version: ClaimVersion | None
    standing: Standing

    @property
    def claim(self) -> Claim:
        """The claim as it would leave."""
        return json_to_claim((self.version or self.row).content)

    @property
    def attempt(self) -> int:
        """The attempt that the content is for."""
        return self.version.attempt if self.version else 1

    @property
    def charge_cents(self) -> int:
        """The charge of the content."""
        return (self.version or self.row).charge_cents

    @property
    def frequency(self) -> str:
        """The frequency that the content leaves with."""
        return self.version.frequency if self.version else "1"

    def may(self, step: Step) -> bool:
        """Whether a step may follow now."""
        return may(self.standing.status, step)


def current_claims(
    db: Session, scope: Scope, claim_ids: Collection[UUID]
) -> dict[UUID, CurrentClaim]:
    """Some claims as they stand; ``NotFound`` when one of them is not here."""
    rows = claims_of(db, scope, claim_ids)
    if len(rows) < len(set(claim_ids)):
        raise NotFound("there is no such claim")
    versions, standings = versions_of(db, scope, claim_ids), standings_of(db, scope, claim_ids)
    return {key: CurrentClaim(row, versions.get(key), standings[key]) for key, row in rows.items()}


def current_claim(db: Session, scope: Scope, claim_id: UUID) -> CurrentClaim:
    """One claim as it stands; ``NotFound`` when it is not here."""
    return current_claims(db, scope, [claim_id])[claim_id]


def person_of(actor: Actor) -> UUID:
    """The user who acts; ``NotAllowed`` for a program that acts for nobody."""
    if actor.user_id is None:
        raise NotAllowed("a named person decides on claims")
    return actor.user_id


def own_event(
    record: Record,
    actor: Actor,
    claim_id: UUID,
    kind: Kind,
    attempt: int,
    on_day: date,
    **more: Any,
) -> ClaimEventRecord:
    """Record an event of the practice's own; the audit event's number orders it."""
    return record.add(
        ClaimEventRecord(
            claim_id=claim_id,
            key=f"{kind}-{attempt}-{record.number}",
            kind=kind,
            attempt=attempt,
            number=record.number,
            on_day=on_day,
            user_id=actor.user_id,
            **more,
        )
    )

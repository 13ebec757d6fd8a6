"""Let claims go, or hold them: a person decides, and two above an amount of the practice's.

Owns both decisions. Does not own what is wrong with a claim (``rpm.actions.claim_check``) nor
writing files (``rpm.actions.write_claim_file``). A claim with an error is not released.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field
from sqlmodel import Session, col

from billing.claims.lifecycle import Kind, Status, Step
from billing.finding import Finding
from rpm.access import Actor, require
from rpm.actions.claim_check import claim_findings, errors_of, practice_codes
from rpm.actions.claim_events import CurrentClaim, current_claims, own_event, person_of
from rpm.actions.command import Command, Id, Reason
from rpm.actions.practice_day import practice_today
from rpm.actions.set_practice_setting import CLAIMS_TWO_PERSONS, OFF, SETTINGS
from rpm.store.chain import recording
from rpm.store.queries.people import hold_organization, practice_settings
from rpm.store.scope import Scope
from rpm.store.tables.claims import ClaimEventRecord

MOST_CLAIMS = 2_000
NOT_NOW = "E_CLAIM_STEP"
"""The claim stands where this step may not follow."""
SAME_PERSON = "E_SECOND_PERSON"
"""The claim waits for another person than the one who asks."""

ClaimIds = Annotated[list[Id], Field(min_length=1, max_length=MOST_CLAIMS)]


class ReleaseClaims(Command):
    """These claims may leave."""

    claim_ids: ClaimIds


class HoldClaims(Command):
    """These claims stay, for a reason."""

    claim_ids: ClaimIds
    reason: Reason


@dataclass(frozen=True)
class Refused:
    """A claim that stays where it stands, and why."""

    claim_id: UUID
    findings: tuple[Finding, ...]


@dataclass
class Decided:
    """What became of the claims that were asked for."""

    done: list[UUID] = field(default_factory=list)
    waiting: list[UUID] = field(default_factory=list)  # for a second person
    refused: list[Refused] = field(default_factory=list)


def two_persons_above(db: Session, scope: Scope) -> int | None:
    """The cents above which two persons decide; None for never."""
    row = practice_settings(db, scope).get(CLAIMS_TWO_PERSONS)
    value = SETTINGS[CLAIMS_TWO_PERSONS].default if row is None else row.value
    return None if value == OFF else int(value) * 100


def release_claims(db: Session, actor: Actor, now: datetime, command: ReleaseClaims) -> Decided:
    """Release what may leave. The others are told with what stops them, and stay.

    ``NotAllowed`` unless a named person acts, ``NotFound`` for a claim that is not here.
    """
    require(actor, "claims:release")
    person_of(actor)
    scope = Scope.of(actor)
    hold_organization(db, scope)
    claims = current_claims(db, scope, command.claim_ids)
    today, lists = practice_today(db, scope, now), practice_codes(db, scope)
    limit, approved = two_persons_above(db, scope), _approvals(db, scope, list(claims))
    decided = Decided()
    steps: list[tuple[CurrentClaim, Kind]] = []
    for key, current in claims.items():
        second = approved.get((key, current.attempt))
        if found := _stops(current, actor, second):
            decided.refused.append(Refused(key, found))
            continue
        if found := errors_of(claim_findings(current.claim, today, lists)):
            decided.refused.append(Refused(key, found))
        elif limit is not None and current.charge_cents > limit and second is None:
            decided.waiting.append(key)
            steps.append((current, Kind.APPROVED))
        else:
            decided.done.append(key)
            steps.append((current, Kind.RELEASED))
    if steps:
        subject = {"claims": len(steps)}
        with recording(db, actor, now, "claims.release", subject) as record:
            for current, kind in steps:
                frequency = current.frequency
                own_event(
                    *(record, actor, current.row.id, kind, current.attempt, today),
                    frequency=frequency,
                )
    return decided


def _stops(current: CurrentClaim, actor: Actor, approved_by: UUID | None) -> tuple[Finding, ...]:
    status = current.standing.status
    if not current.may(Step.RELEASE):
        message = f"A claim that is {status} is not released."
        return (Finding(NOT_NOW, "claim", message),)
    if status is Status.APPROVED and approved_by == actor.user_id:
        message = "It is above the amount that two persons release: somebody else releases it."
        return (Finding(SAME_PERSON, "claim", message),)
    return ()


def _approvals(
    db: Session, scope: Scope, claim_ids: Sequence[UUID]
) -> dict[tuple[UUID, int], UUID | None]:
    """Who agreed first, by claim and attempt; a later hold takes it away."""
    found: dict[tuple[UUID, int], UUID | None] = {}
    rows = scope.all_of(
        db,
        ClaimEventRecord,
        col(ClaimEventRecord.claim_id).in_(claim_ids),
        col(ClaimEventRecord.kind).in_((Kind.APPROVED, Kind.HELD)),
    )
    for row in sorted(rows, key=lambda one: one.number):
        if row.kind == Kind.APPROVED:
            found[row.claim_id, row.attempt] = row.user_id
        else:
            found.pop((row.claim_id, row.attempt), None)
    return found


def hold_claims(db: Session, actor: Actor, now: datetime, command: HoldClaims) -> Decided:
    """Hold what did not leave yet; errors as ``release_claims``."""
    require(actor, "claims:release")
    person_of(actor)
    scope = Scope.of(actor)
    hold_organization(db, scope)
    today = practice_today(db, scope, now)
    decided = Decided()
    held = []
    for key, current in current_claims(db, scope, command.claim_ids).items():
        if current.may(Step.HOLD):
            decided.done.append(key)
            held.append(current)
        else:
            message = f"A claim that is {current.standing.status} is not held."
            finding = Finding(NOT_NOW, "claim", message)
            decided.refused.append(Refused(key, (finding,)))
    if held:
        subject = {"claims": len(held)}
        with recording(db, actor, now, "claims.hold", subject, command.reason) as record:
            for current in held:
                own_event(
                    *(record, actor, current.row.id, Kind.HELD, current.attempt, today),
                    reason=command.reason,
                )
    return decided

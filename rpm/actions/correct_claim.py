"""Correct a claim and let it go again: a replacement of what a payer judged, or a claim anew.

Owns which values a person may change and the new version. Does not own when a correction may follow
(``billing.claims.lifecycle``), corrections that the ledger asks for, nor sending. The patient
control number stays; a replacement (frequency 7) and a void (8) carry the payer's number of the
claim (REF*F8). A correction with an error is refused and nothing is kept.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any

from pydantic import Field
from sqlmodel import Session

from billing.claims.claim import ORIGINAL, REPLACEMENT, VOID, Claim, ServiceLine
from billing.claims.claim_json import claim_to_json
from billing.claims.lifecycle import Kind, Step
from rpm.access import Actor, require
from rpm.actions.claim_check import claim_findings, errors_of, practice_codes
from rpm.actions.claim_events import CurrentClaim, current_claim, own_event, person_of
from rpm.actions.command import Command, DiagnosisCode, Id, ProcedureCode, Reason, Text
from rpm.actions.practice_day import practice_today
from rpm.errors import Conflict, InvalidRequest
from rpm.store.chain import recording
from rpm.store.queries.denials import answers_of
from rpm.store.queries.people import hold_organization
from rpm.store.scope import Scope
from rpm.store.tables.claims import ClaimVersion

Place = Annotated[str, Field(pattern=r"^\d{2}$", examples=["10"])]
Modifier = Annotated[str, Field(pattern=r"^[A-Z0-9]{2}$", examples=["95"])]
Identifier = Annotated[str, Field(min_length=1, max_length=50)]


class CorrectLine(Command):
    """A line by its place; what is left out stays."""

    line: Annotated[int, Field(ge=1, le=50, description="Counted from 1.")]
    procedure: ProcedureCode | None = None
    modifiers: Annotated[list[Modifier], Field(max_length=4)] | None = None
    place: Place | None = None
    units: Annotated[int, Field(ge=1, le=999)] | None = None
    charge_cents: Annotated[int, Field(ge=0, le=99_999_999)] | None = None


class CorrectClaim(Command):
    """What is changed of a claim; what is left out stays. Diagnoses stand without their point."""

    claim_id: Id
    reason: Reason = Field(examples=["the patient was at home: place 10"])
    void: bool = Field(default=False, description="Takes the claim back and changes nothing else.")
    place: Place | None = None
    member_id: Identifier | None = None
    prior_authorization: Identifier | None = None
    note: Text | None = None
    diagnoses: Annotated[list[DiagnosisCode], Field(min_length=1, max_length=12)] | None = None
    lines: list[CorrectLine] = Field(default=[], max_length=50)


def correct_claim(db: Session, actor: Actor, now: datetime, command: CorrectClaim) -> ClaimVersion:
    """The new version, assembled and waiting for its release.

    ``Conflict`` where no correction may follow, or nothing is changed; ``InvalidRequest`` with all
    findings where the claim would be wrong, or its payer's number is not known.
    """
    require(actor, "claims:write")
    person_of(actor)
    scope = Scope.of(actor)
    hold_organization(db, scope)
    current = current_claim(db, scope, command.claim_id)
    step = Step.VOID if command.void else Step.CORRECT
    if not current.may(step):
        raise Conflict(f"a claim that is {current.standing.status} cannot be corrected")
    number = payer_number(db, scope, current)
    frequency = _frequency(command, number)
    if command.void and frequency != VOID:
        raise Conflict("no payer has a number for this claim: there is nothing to take back")
    changed = corrected(current.claim, command)
    if changed == current.claim and not command.void:
        raise Conflict("nothing of the claim is changed")
    claim = replace(changed, frequency=frequency, payer_claim_number=number)
    today = practice_today(db, scope, now)
    errors = errors_of(claim_findings(claim, today, practice_codes(db, scope)))
    if errors:
        raise InvalidRequest("the corrected claim would be rejected", list(errors))
    attempt = max(current.standing.attempt, current.attempt) + 1
    subject = {"claim_id": command.claim_id, "attempt": attempt}
    with recording(db, actor, now, "claim.correct", subject, command.reason) as record:
        version = record.add(
            ClaimVersion(
                claim_id=command.claim_id,
                attempt=attempt,
                frequency=claim.frequency,
                charge_cents=claim.charge_cents,
                content=claim_to_json(claim),
                reason=command.reason,
                corrected_by=actor.user_id,
            )
        )
        told = (record, actor, command.claim_id, Kind.ASSEMBLED, attempt, today)
        own_event(*told, frequency=claim.frequency, reason=command.reason)
    return version


def corrected(claim: Claim, command: CorrectClaim) -> Claim:
    """The claim with the changes of a command; ``InvalidRequest`` for a line it does not have."""
    lines = list(claim.lines)
    for change in command.lines:
        if change.line > len(lines):
            raise Conflict("the claim has no such line")
        lines[change.line - 1] = _line(lines[change.line - 1], change)
    coverage = claim.coverage
    if command.member_id is not None:
        coverage = replace(coverage, member_id=command.member_id)
    given: dict[str, Any] = {
        "place": command.place,
        "prior_authorization": command.prior_authorization,
        "note": command.note,
        "diagnoses": None if command.diagnoses is None else tuple(command.diagnoses),
    }
    return replace(claim, coverage=coverage, lines=tuple(lines), **_told(given))


def _line(line: ServiceLine, change: CorrectLine) -> ServiceLine:
    modifiers: Sequence[str] | None = change.modifiers
    given: dict[str, Any] = {
        "procedure": change.procedure,
        "modifiers": None if modifiers is None else tuple(modifiers),
        "place": change.place,
        "units": change.units,
        "charge_cents": change.charge_cents,
    }
    return replace(line, **_told(given))


def _told(given: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in given.items() if value is not None}


def payer_number(db: Session, scope: Scope, current: CurrentClaim) -> str:
    """The payer's own number of the claim, from its newest answer that names one."""
    answers = answers_of(db, scope, [current.row.id]).get(current.row.id, [])
    named = [one for one in answers if one.payer_claim_number]
    return max(named, key=lambda one: one.order).payer_claim_number if named else ""


def _frequency(command: CorrectClaim, payer_number: str) -> str:
    """A payer that judged a claim gets a replacement; where none did, the claim is a first one."""
    if not payer_number:
        return ORIGINAL
    return VOID if command.void else REPLACEMENT

"""Corrections that the record asks for: lines on claims that were taken back or changed since.

Owns which claims these are and what a person may make of each: rebuilt or withdrawn before it left,
replaced (7) or voided (8) after a payer judged it. Does not own corrections that a person thinks of
(``rpm.actions.correct_claim``). Nothing is corrected by itself; what cannot be corrected yet is
told with what it waits for.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from uuid import UUID

from sqlmodel import Session

from billing.claims.assemble import Service
from billing.claims.charges import ChargeSchedule
from billing.claims.claim import (
    MOST_POINTERS,
    ORIGINAL,
    REPLACEMENT,
    VOID,
    Claim,
    ServiceLine,
)
from billing.claims.claim_json import claim_to_json
from billing.claims.lifecycle import Kind, Status, Step
from rpm.access import Actor, require
from rpm.actions.claim_check import claim_findings, errors_of, practice_codes
from rpm.actions.claim_events import CurrentClaim, current_claims, own_event, person_of
from rpm.actions.claim_services import Source, replacing_services
from rpm.actions.command import Command, Id, Reason
from rpm.actions.compute_close import next_month
from rpm.actions.correct_claim import payer_number
from rpm.actions.practice_day import practice_today
from rpm.errors import Conflict, InvalidRequest
from rpm.store.chain import Record, recording
from rpm.store.queries.billing import charge_schedule
from rpm.store.queries.claimed import (
    closed_months,
    closes_of_month,
    reversed_lines,
    visit_lines_on_claims,
)
from rpm.store.queries.claims import lines_of_claims
from rpm.store.queries.people import hold_organization
from rpm.store.queries.visits import accepted_visits
from rpm.store.scope import Scope
from rpm.store.tables.claims import ClaimLineRecord, ClaimVersion

_ALL = 2**31 - 1
_MOST_MONTHS = 120
_OVER = frozenset((Status.VOIDED, Status.WITHDRAWN, Status.WRITTEN_OFF))


class Correction(StrEnum):
    """What is proposed for a claim."""

    REBUILD = "rebuild"  # it did not leave, or was rejected: made anew with what stands
    WITHDRAW = "withdraw"  # nothing of it stands, and no payer judged it
    REPLACE = "replace"  # frequency 7
    VOID = "void"  # frequency 8
    WAIT = "wait"  # for an answer, or for its file to be discarded


@dataclass(frozen=True)
class Proposal:
    """A claim whose lines changed: those that are gone, and those that take their place."""

    current: CurrentClaim
    gone: tuple[ClaimLineRecord, ...]
    added: tuple[tuple[Service, Source], ...]
    correction: Correction
    payer_claim_number: str = ""


@dataclass
class _Changed:
    gone: list[ClaimLineRecord] = field(default_factory=list)
    added: list[tuple[Service, Source]] = field(default_factory=list)


class AcceptCorrection(Command):
    """A person wants the proposed correction of a claim."""

    claim_id: Id
    reason: Reason


def proposals(db: Session, scope: Scope) -> list[Proposal]:
    """Claims that no longer say what the record says, in the order they were made."""
    changed = _changed(db, scope)
    current = current_claims(db, scope, list(changed))
    found = []
    for key in sorted(changed):
        told, one = changed[key], current[key]
        if one.standing.status in _OVER or _is_void(one):
            continue
        standing = {line.control_number for line in one.claim.lines}
        gone = tuple(row for row in told.gone if _number(one.claim, row.line_number) in standing)
        if gone or told.added:
            found.append(_proposal(db, scope, one, gone, tuple(told.added)))
    return found


def _is_void(current: CurrentClaim) -> bool:
    return current.frequency == VOID


def _changed(db: Session, scope: Scope) -> dict[UUID, _Changed]:
    found: dict[UUID, _Changed] = {}
    for row in [*reversed_lines(db, scope), *_visit_lines(db, scope)]:
        found.setdefault(row.claim_id, _Changed()).gone.append(row)
    if not found:
        return {}
    for first_day in closed_months(db, scope, _MOST_MONTHS):
        closes = closes_of_month(db, scope, first_day)
        last_day = next_month(first_day) - timedelta(days=1)
        billable, claims = replacing_services(db, scope, closes, (first_day, last_day))
        for service in billable.services:
            told = found.setdefault(claims[service.id], _Changed())
            told.added.append((service, billable.sources[service.id]))
    return found


def _visit_lines(db: Session, scope: Scope) -> list[ClaimLineRecord]:
    """Lines of visits whose decision no longer counts."""
    rows = visit_lines_on_claims(db, scope)
    if not rows:
        return []
    days = [visit.service_day for _, visit in rows]
    standing = accepted_visits(db, scope, min(days), max(days), _ALL)
    decisions = {str(decision.id) for _, decision in standing}
    return [row for row, _ in rows if row.service_id.partition(":")[0] not in decisions]


def _proposal(
    db: Session,
    scope: Scope,
    current: CurrentClaim,
    gone: tuple[ClaimLineRecord, ...],
    added: tuple[tuple[Service, Source], ...],
) -> Proposal:
    empty = len(gone) == len(current.claim.lines) and not added
    number = current.claim.payer_claim_number or payer_number(db, scope, current)
    return Proposal(current, gone, added, _correction(current, number, empty=empty), number)


def _correction(current: CurrentClaim, number: str, *, empty: bool) -> Correction:
    judged = bool(number)
    if judged and empty:
        possible = current.may(Step.VOID) or current.may(Step.WITHDRAW)
        return Correction.VOID if possible else Correction.WAIT
    if empty:
        return Correction.WITHDRAW if current.may(Step.WITHDRAW) else Correction.WAIT
    if not current.may(Step.CORRECT):
        return Correction.WAIT
    return Correction.REPLACE if judged else Correction.REBUILD


def accept_correction(
    db: Session, actor: Actor, now: datetime, command: AcceptCorrection
) -> Proposal:
    """Make the proposed correction; a new version waits for its release.

    ``NotAllowed`` unless a person acts, ``Conflict`` when nothing is proposed or it must wait,
    ``InvalidRequest`` with what is wrong with the corrected claim.
    """
    require(actor, "claims:write")
    person_of(actor)
    scope = Scope.of(actor)
    hold_organization(db, scope)
    found = [one for one in proposals(db, scope) if one.current.row.id == command.claim_id]
    if not found:
        raise Conflict("the record asks for no correction of this claim")
    (proposal,) = found
    if proposal.correction is Correction.WAIT:
        raise Conflict("the claim is on its way: its correction waits for an answer")
    today = practice_today(db, scope, now)
    attempt = max(proposal.current.standing.attempt, proposal.current.attempt) + 1
    subject = {"claim_id": command.claim_id, "attempt": attempt}
    rows = lines_of_claims(db, scope, [command.claim_id]).get(command.claim_id, [])
    first_number = max((row.line_number for row in rows), default=0) + 1
    claim = _corrected(proposal, charge_schedule(db, scope), first_number)
    _refuse_wrong(db, scope, proposal, claim, today)
    with recording(db, actor, now, "claim.correct", subject, command.reason) as record:
        told = (record, actor, command.claim_id)
        if proposal.correction is Correction.WITHDRAW:
            own_event(*told, Kind.WITHDRAWN, attempt, today, reason=command.reason)
            return proposal
        _add_version(record, actor, command, claim, attempt)
        _add_lines(record, proposal, claim, attempt, first_number)
        own_event(
            *(*told, Kind.ASSEMBLED, attempt, today),
            frequency=claim.frequency,
            reason=command.reason,
        )
    return proposal


def _corrected(proposal: Proposal, charges: ChargeSchedule, first_number: int) -> Claim:
    """The claim as it would leave: a void says what was said before, others what stands."""
    claim, number = proposal.current.claim, proposal.payer_claim_number
    if proposal.correction is Correction.VOID:
        return replace(claim, frequency=VOID, payer_claim_number=number)
    gone = {_number(claim, row.line_number) for row in proposal.gone}
    lines = [line for line in claim.lines if line.control_number not in gone]
    diagnoses = claim.diagnoses
    for place, (service, _) in enumerate(proposal.added, start=first_number):
        line, diagnoses = _line(claim, service, charges, place, diagnoses)
        lines.append(line)
    judged = proposal.correction is Correction.REPLACE
    return replace(
        claim,
        lines=tuple(lines),
        diagnoses=diagnoses,
        frequency=REPLACEMENT if judged else ORIGINAL,
        payer_claim_number=number if judged else "",
    )


def _line(
    claim: Claim,
    service: Service,
    charges: ChargeSchedule,
    number: int,
    diagnoses: tuple[str, ...],
) -> tuple[ServiceLine, tuple[str, ...]]:
    codes = tuple(code.replace(".", "") for code in service.diagnoses)[:MOST_POINTERS]
    known = (*diagnoses, *(code for code in dict.fromkeys(codes) if code not in diagnoses))
    cents = charges.cents(service.procedure, service.modifiers, service.units, service.from_day)
    if cents is None:
        raise Conflict("the schedule has no charge for a line that takes the place of another")
    line = ServiceLine(
        procedure=service.procedure,
        charge_cents=cents,
        units=service.units,
        from_day=service.from_day,
        to_day=service.to_day,
        pointers=tuple(known.index(code) + 1 for code in codes),
        control_number=_number(claim, number),
        modifiers=service.modifiers,
        place="" if service.place == claim.place else service.place,
    )
    return line, known


def _number(claim: Claim, line_number: int) -> str:
    return f"{claim.control_number}L{line_number:02d}"


def _refuse_wrong(db: Session, scope: Scope, proposal: Proposal, claim: Claim, today: date) -> None:
    if proposal.correction is Correction.WITHDRAW:
        return
    if errors := errors_of(claim_findings(claim, today, practice_codes(db, scope))):
        raise InvalidRequest("the corrected claim would be rejected", list(errors))


def _add_version(
    record: Record, actor: Actor, command: AcceptCorrection, claim: Claim, attempt: int
) -> None:
    record.add(
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


def _add_lines(
    record: Record, proposal: Proposal, claim: Claim, attempt: int, first_number: int
) -> None:
    if proposal.correction is Correction.VOID:
        return
    charge: Mapping[str, int] = {one.control_number: one.charge_cents for one in claim.lines}
    added: Sequence[tuple[Service, Source]] = proposal.added
    for place, (service, source) in enumerate(added, start=first_number):
        record.add(
            ClaimLineRecord(
                claim_id=proposal.current.row.id,
                line_number=place,
                attempt=attempt,
                service_id=service.id,
                procedure=service.procedure,
                charge_cents=charge[_number(claim, place)],
                posting_id=source.posting_id,
                visit_id=source.visit_id,
            )
        )

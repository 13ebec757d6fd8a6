"""A person accepts or dismisses what another system proposed.

Owns that nothing is recorded without a person, each proposal is answered once, and what a patient's
record already says is never overwritten. Does not own the acts that an accepted proposal leads to.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field
from sqlmodel import Session

from billing.claims.inbound.proposed import COVERAGE, PATIENT, VISIT
from billing.finding import Finding
from rpm.access import Actor, require
from rpm.actions.command import Command, Day, Id, Name, OneOf, Reason, refuse
from rpm.actions.record_billing import (
    City,
    Phone,
    PostalCode,
    RecordPatientAddress,
    State,
    Street,
    record_patient_address,
)
from rpm.actions.record_coverage import RecordCoverage, record_coverage
from rpm.actions.record_visit import RecordVisit, record_visit
from rpm.actions.register_patient import SEXES, RegisterPatient, register_patient
from rpm.actions.visit_facts import VisitFacts
from rpm.errors import Conflict, InvalidRequest, NotFound
from rpm.store.chain import recording
from rpm.store.queries.billing import addresses_of
from rpm.store.queries.people import hold_organization, patient_with_record_number
from rpm.store.queries.proposals import answer_of
from rpm.store.scope import Scope
from rpm.store.tables.people import Patient
from rpm.store.tables.proposals import Proposal, ProposalAnswer

_IDENTITY = ("family_name", "given_name", "birth_date", "sex")
_ADDRESS = ("street", "street_more", "city", "state", "postal_code", "phone")


class DismissProposal(Command):
    """Nothing is recorded of it."""

    proposal_id: Id
    reason: Reason = Field(examples=["not a patient of ours"])


class AcceptPatient(Command):
    """The patient as a person saw and perhaps corrected them; the address is left out or whole."""

    proposal_id: Id
    family_name: Name
    given_name: Name
    birth_date: Day
    sex: Annotated[str, OneOf(SEXES)]
    street: Street | None = None
    street_more: Street | None = None
    city: City | None = None
    state: State | None = None
    postal_code: PostalCode | None = None
    phone: Phone | None = None


class AcceptCoverage(Command):
    """The coverage with the practice's payer that the person chose."""

    proposal_id: Id
    payer_id: Id
    member_id: Name
    from_day: Day
    to_day: Day | None = None


class AcceptVisit(Command):
    """The visit with the facts that the platform does not know."""

    proposal_id: Id
    practitioner_id: Id | None = None
    facts: VisitFacts


def dismiss_proposal(
    db: Session, actor: Actor, now: datetime, command: DismissProposal
) -> ProposalAnswer:
    """The answer. ``Conflict`` when somebody answered before."""
    require(actor, "patients:write")
    proposal = _open(db, Scope.of(actor), command.proposal_id)
    return _answer(db, actor, now, proposal, {}, accepted=False, reason=command.reason)


def accept_patient(
    db: Session, actor: Actor, now: datetime, command: AcceptPatient
) -> ProposalAnswer:
    """The patient is registered, or an address of a registered one recorded.

    ``InvalidRequest`` where the record has another name, birth date or sex: that is for a person to
    settle with the other system, not for a message.
    """
    require(actor, "patients:write")
    scope = Scope.of(actor)
    proposal = _open(db, scope, command.proposal_id, PATIENT)
    told = command.model_dump(exclude={"proposal_id"})
    address = {name: told[name] for name in _ADDRESS if told[name] is not None}
    missing = [name for name in ("street", "city", "state", "postal_code") if not told[name]]
    if address and missing:
        raise refuse(missing[0], "E_MISSING", "an address is left out, or whole")
    known = patient_with_record_number(db, scope, proposal.record_number)
    made: dict[str, Any] = {}
    if known is None:
        identity = {name: told[name] for name in _IDENTITY}
        known = register_patient(
            db, actor, now, RegisterPatient(record_number=proposal.record_number, **identity)
        )
        made["patient_id"] = known.id.hex
    else:
        _refuse_other_person(known, told)
    if address and not _lives_there(db, scope, known.id, address):
        recorded = record_patient_address(
            db, actor, now, RecordPatientAddress(patient_id=known.id, **address)
        )
        made["address_id"] = recorded.id.hex
    return _answer(db, actor, now, proposal, made, accepted=True, patient_id=known.id)


def accept_coverage(
    db: Session, actor: Actor, now: datetime, command: AcceptCoverage
) -> ProposalAnswer:
    """The coverage is recorded; ``Conflict`` where another one holds on one of its days."""
    require(actor, "patients:write")
    proposal, patient = _of_patient(db, Scope.of(actor), command.proposal_id, COVERAGE)
    content = command.model_dump(exclude={"proposal_id"})
    coverage = record_coverage(db, actor, now, RecordCoverage(patient_id=patient.id, **content))
    made = {"coverage_id": coverage.id.hex}
    return _answer(db, actor, now, proposal, made, accepted=True, patient_id=patient.id)


def accept_visit(db: Session, actor: Actor, now: datetime, command: AcceptVisit) -> ProposalAnswer:
    """The visit is recorded, undecided as every other."""
    require(actor, "services:write")
    proposal, patient = _of_patient(db, Scope.of(actor), command.proposal_id, VISIT)
    visit = record_visit(
        db,
        actor,
        now,
        RecordVisit(
            patient_id=patient.id, practitioner_id=command.practitioner_id, facts=command.facts
        ),
    )
    made = {"visit_id": visit.id.hex}
    return _answer(db, actor, now, proposal, made, accepted=True, patient_id=patient.id)


def _open(db: Session, scope: Scope, proposal_id: UUID, kind: str | None = None) -> Proposal:
    """A proposal of a kind that nobody answered; held until the commit."""
    proposal = scope.get(db, Proposal, proposal_id)
    if kind is not None and proposal.kind != kind:
        raise NotFound("there is no such proposal of this kind")
    hold_organization(db, scope)
    if answer_of(db, scope, proposal_id) is not None:
        raise Conflict("somebody has answered this proposal already")
    return proposal


def _of_patient(
    db: Session, scope: Scope, proposal_id: UUID, kind: str
) -> tuple[Proposal, Patient]:
    proposal = _open(db, scope, proposal_id, kind)
    patient = patient_with_record_number(db, scope, proposal.record_number)
    if patient is None:
        raise Conflict("no patient has this record number yet; accept the patient first")
    return proposal, patient


def _refuse_other_person(known: Patient, told: Mapping[str, Any]) -> None:
    differing = [name for name in _IDENTITY if getattr(known, name) != told[name]]
    if differing:
        message = "The record says otherwise, and is not changed by a message."
        findings = [Finding("E_RECORD_DIFFERS", name, message) for name in differing]
        raise InvalidRequest("the record of this patient says otherwise", findings)


def _lives_there(db: Session, scope: Scope, patient_id: UUID, address: Mapping[str, Any]) -> bool:
    recorded = addresses_of(db, scope, [patient_id]).get(patient_id)
    return recorded is not None and all(
        (getattr(recorded, name) or "") == (address.get(name) or "") for name in _ADDRESS
    )


def _answer(
    db: Session,
    actor: Actor,
    now: datetime,
    proposal: Proposal,
    made: dict[str, Any],
    *,
    accepted: bool,
    reason: str | None = None,
    patient_id: UUID | None = None,
) -> ProposalAnswer:
    subject: dict[str, Any] = {"proposal_id": proposal.id}
    if patient_id is not None:
        subject["patient_id"] = patient_id
    action = "proposal.accept" if accepted else "proposal.dismiss"
    with recording(db, actor, now, action, subject, reason) as record:
        return record.add(
            ProposalAnswer(
                proposal_id=proposal.id,
                accepted=accepted,
                answered_by=actor.user_id,
                reason=reason,
                made=made,
            )
        )

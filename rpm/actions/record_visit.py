"""Record a documented visit, correct it, or withdraw it.

Owns what is kept of it: the facts as told, in the columns of case files. Does not own how it is
coded (``coded_visits``) nor what a person decides (``decide_visit``).
"""

from datetime import datetime
from typing import Any

from pydantic import Field
from sqlmodel import Session

from rpm.access import Actor, require
from rpm.actions.command import Command, Id, Reason
from rpm.actions.practice_day import practice_today, refuse_future
from rpm.actions.visit_facts import VisitFacts, encounter_of, lines_of
from rpm.actions.visit_services import take_services_back
from rpm.errors import Conflict
from rpm.store.chain import recording
from rpm.store.queries.people import hold_organization
from rpm.store.queries.visits import decisions_of, visit_correction
from rpm.store.scope import Scope
from rpm.store.tables.coding import Visit
from rpm.store.tables.people import Patient, Practitioner


class RecordVisit(Command):
    """A visit of a patient, as it was documented."""

    patient_id: Id
    practitioner_id: Id | None = None
    facts: VisitFacts


class CorrectVisit(Command):
    """A visit was recorded with wrong facts, or in error: then without new facts."""

    visit_id: Id
    practitioner_id: Id | None = None
    facts: VisitFacts | None = Field(default=None, description="Left out: the visit is withdrawn.")
    reason: Reason = Field(examples=["the patient was at work"])


def record_visit(db: Session, actor: Actor, now: datetime, command: RecordVisit) -> Visit:
    """The visit. ``InvalidRequest`` for facts outside the format, or a day that has not come."""
    require(actor, "services:write")
    scope = Scope.of(actor)
    scope.get(db, Patient, command.patient_id)
    if command.practitioner_id is not None:
        scope.get(db, Practitioner, command.practitioner_id)
    kept = _kept(db, scope, now, command.facts)
    subject = {"patient_id": command.patient_id}
    with recording(db, actor, now, "visit.record", subject) as record:
        visit = record.add(
            Visit(
                patient_id=command.patient_id,
                practitioner_id=command.practitioner_id,
                recorded_by=actor.user_id,
                **kept,
            )
        )
        record.subject["visit_id"] = visit.id
    return visit


def _kept(db: Session, scope: Scope, now: datetime, facts: VisitFacts) -> dict[str, Any]:
    row = facts.row()
    submitted = row.pop("submitted", None)
    encounter_of(row)
    lines_of(submitted)
    refuse_future("facts.dos", facts.dos, practice_today(db, scope, now))
    return {
        "service_day": facts.dos,
        "payer": facts.payer,
        "facts": row,
        "submitted": submitted,
    }


def correct_visit(db: Session, actor: Actor, now: datetime, command: CorrectVisit) -> Visit:
    """The row that replaces the visit, undecided. What the visit gave the ledger is taken back.

    ``Conflict`` when the visit was replaced already, or was withdrawn.
    """
    require(actor, "services:write")
    scope = Scope.of(actor)
    old = scope.get(db, Visit, command.visit_id)
    if command.practitioner_id is not None:
        scope.get(db, Practitioner, command.practitioner_id)
    hold_organization(db, scope)
    if old.withdrawn:
        raise Conflict("the visit was withdrawn; record it anew")
    if visit_correction(db, scope, old.id) is not None:
        raise Conflict("the visit is corrected already; correct the row that replaces it")
    if command.facts is None:
        kept: dict[str, Any] = {
            "service_day": old.service_day,
            "payer": old.payer,
            "facts": old.facts,
            "submitted": old.submitted,
            "withdrawn": True,
        }
    else:
        kept = _kept(db, scope, now, command.facts)
    decision = decisions_of(db, scope, [old.id]).get(old.id)
    subject = {"patient_id": old.patient_id, "visit_id": old.id}
    with recording(db, actor, now, "visit.correct", subject, command.reason) as record:
        take_services_back(db, scope, record, decision, command.reason)
        return record.add(
            Visit(
                patient_id=old.patient_id,
                practitioner_id=command.practitioner_id or old.practitioner_id,
                recorded_by=actor.user_id,
                replaces_id=old.id,
                reason=command.reason,
                **kept,
            )
        )

"""Record a service beside the derived ones: our own or another practice's. And take it back.

Owns what is kept of it. Does not own what it excludes (the rule pages): codes such as 99473 and
99474 are recorded here and never derived.
"""

from datetime import datetime

from pydantic import Field
from sqlmodel import Session

from rpm.access import Actor, require
from rpm.actions.command import Command, Day, Id, ProcedureCode, Reason, Text, refuse
from rpm.actions.practice_day import practice_today, refuse_future
from rpm.errors import Conflict
from rpm.store.chain import recording
from rpm.store.queries.people import hold_organization
from rpm.store.queries.services import service_reversal
from rpm.store.scope import Scope
from rpm.store.tables.ledger import OtherService
from rpm.store.tables.people import Patient, Practitioner, User


class RecordService(Command):
    """A service on a day; of our own also who rendered it, where that is known."""

    patient_id: Id
    code: ProcedureCode = Field(examples=["99213"])
    service_day: Day = Field(examples=["2026-01-13"])
    own: bool = Field(description="By this practice; false: by another.")
    practitioner_id: Id | None = None
    actor_user_id: Id | None = None
    note: Text | None = None


class ReverseService(Command):
    """A service was recorded in error."""

    service_id: Id
    reason: Reason = Field(examples=["visit was canceled"])


def record_service(
    db: Session, actor: Actor, now: datetime, command: RecordService
) -> OtherService:
    """The service. ``InvalidRequest`` for a day that has not come yet, or our people on another
    practice's service.
    """
    require(actor, "services:write")
    scope = Scope.of(actor)
    scope.get(db, Patient, command.patient_id)
    if command.practitioner_id is not None:
        scope.get(db, Practitioner, command.practitioner_id)
    if command.actor_user_id is not None:
        scope.get(db, User, command.actor_user_id)
    if not command.own and (command.practitioner_id or command.actor_user_id):
        raise refuse("own", "E_NOT_TOGETHER", "another practice's service names none of ours")
    refuse_future("service_day", command.service_day, practice_today(db, scope, now))
    subject = {"patient_id": command.patient_id}
    with recording(db, actor, now, "service.record", subject) as record:
        service = record.add(OtherService(**command.model_dump()))
        record.subject["service_id"] = service.id
    return service


def reverse_service(
    db: Session, actor: Actor, now: datetime, command: ReverseService
) -> OtherService:
    """The row that takes the service back. ``Conflict`` when that was done, or for such a row."""
    require(actor, "services:write")
    scope = Scope.of(actor)
    service = scope.get(db, OtherService, command.service_id)
    hold_organization(db, scope)
    if service.reverses_id is not None:
        raise Conflict("a reversal is not taken back; record the service anew")
    if service_reversal(db, scope, service.id) is not None:
        raise Conflict("the service is taken back already")
    reversal = OtherService(
        patient_id=service.patient_id,
        code=service.code,
        service_day=service.service_day,
        own=service.own,
        practitioner_id=service.practitioner_id,
        actor_user_id=service.actor_user_id,
        reverses_id=service.id,
        reason=command.reason,
    )
    subject = {"patient_id": service.patient_id, "service_id": service.id}
    with recording(db, actor, now, "service.reverse", subject, command.reason) as record:
        return record.add(reversal)

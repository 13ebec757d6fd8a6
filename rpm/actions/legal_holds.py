"""Legal holds: place one on a patient or on the whole practice, and lift it.

Owns both. Does not own what a hold keeps (``rpm.store.purgeable``).
"""

from datetime import datetime

from sqlmodel import Session, col

from rpm.access import Actor, require
from rpm.actions.command import Command, Id, Reason
from rpm.errors import Conflict
from rpm.store.chain import recording
from rpm.store.queries.people import hold_organization
from rpm.store.scope import Scope
from rpm.store.tables.people import Patient
from rpm.store.tables.retention import LegalHold


class PlaceHold(Command):
    """Nothing of a patient may be removed; without a patient, nothing at all."""

    patient_id: Id | None = None
    reason: Reason


class LiftHold(Command):
    """A hold is over."""

    hold_id: Id
    reason: Reason


def place_hold(db: Session, actor: Actor, now: datetime, command: PlaceHold) -> LegalHold:
    """The hold, from now on; ``NotFound`` for a patient who is not here."""
    require(actor, "records:purge")
    scope = Scope.of(actor)
    hold_organization(db, scope)
    if command.patient_id is not None:
        scope.get(db, Patient, command.patient_id)
    subject = {"patient_id": command.patient_id}
    with recording(db, actor, now, "hold.place", subject, command.reason) as record:
        hold = record.add(LegalHold(patient_id=command.patient_id, reason=command.reason))
        record.subject["hold_id"] = hold.id
    return hold


def lift_hold(db: Session, actor: Actor, now: datetime, command: LiftHold) -> LegalHold:
    """The row that lifts the hold; ``Conflict`` when it is lifted already or lifts one itself."""
    require(actor, "records:purge")
    scope = Scope.of(actor)
    hold_organization(db, scope)
    hold = scope.get(db, LegalHold, command.hold_id)
    if hold.lifts_id is not None or scope.all_of(db, LegalHold, col(LegalHold.lifts_id) == hold.id):
        raise Conflict("the hold is lifted already")
    subject = {"patient_id": hold.patient_id, "hold_id": hold.id}
    with recording(db, actor, now, "hold.lift", subject, command.reason) as record:
        return record.add(
            LegalHold(patient_id=hold.patient_id, reason=command.reason, lifts_id=hold.id)
        )

"""Report a device lost, broken, or working again; a lost or broken one leaves its patient.

Owns what is known of a device's condition and that only a working one is given out. Does not own
associations (``associate_device``). The report recorded last counts.
"""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field
from sqlmodel import Session

from rpm.access import Actor, require
from rpm.actions.associate_device import reattach, refuse_ahead
from rpm.actions.command import Command, Id, Instant, OneOf, Reason, refuse
from rpm.errors import Conflict
from rpm.store.chain import recording
from rpm.store.queries.device_state import CONDITIONS, WORKING
from rpm.store.queries.episodes import associations
from rpm.store.queries.inventory import condition_of
from rpm.store.queries.people import hold_organization, organization_of
from rpm.store.scope import Scope
from rpm.store.tables.monitoring import (
    AssociationEnd,
    Device,
    DeviceAssociation,
    DeviceCondition,
)

Condition = Annotated[str, OneOf(CONDITIONS)]


class ReportDevice(Command):
    """A device was lost, broke, or was found or repaired."""

    device_id: Id
    condition: Condition = Field(examples=["lost"])
    at: Instant = Field(
        description="Since when. A patient who had a lost or broken device has it no more from"
        " this instant on.",
        examples=["2026-01-12T16:00:00Z"],
    )
    reason: Reason = Field(examples=["left on a bus"])


def report_device(
    db: Session, actor: Actor, now: datetime, command: ReportDevice
) -> DeviceCondition:
    """The report. Readings of a lost or broken device from then on are nobody's until it is given.

    ``Conflict`` when the device is known to be so; ``InvalidRequest`` when the instant lies ahead
    or before the device came to its patient.
    """
    require(actor, "episodes:write")
    scope = Scope.of(actor)
    device = scope.get(db, Device, command.device_id)
    refuse_ahead("at", command.at, now)
    hold_organization(db, scope)
    if condition_of(db, scope, device.id) == command.condition:
        raise Conflict("the device is known to be so")
    held = _held(db, scope, device.id) if command.condition != WORKING else None
    if held is not None and command.at < held.from_at:
        raise refuse("at", "E_ENDS_BEFORE_START", "the association began later")
    subject = {"device_id": device.id, "condition": command.condition}
    if held is not None:
        subject |= {"association_id": held.id, "patient_id": held.patient_id}
    with recording(db, actor, now, "device.report", subject, command.reason) as record:
        report = record.add(DeviceCondition(**command.model_dump()))
        if held is not None:
            record.add(
                AssociationEnd(association_id=held.id, to_at=command.at, reason=command.reason)
            )
            reattach(db, record, organization_of(db, scope), device, now)
    return report


def _held(db: Session, scope: Scope, device_id: UUID) -> DeviceAssociation | None:
    running = (one for one in associations(db, scope, device_id=device_id) if one.to_at is None)
    return next((one.association for one in running), None)

"""Associate a device with a patient's episode, and take it back.

Owns the rule that a device is with one episode at a time. Readings follow the association that held
when they were measured; which of them change hands is ``take_readings.attach_readings``.
"""

from datetime import datetime
from uuid import UUID

from pydantic import Field
from sqlmodel import Session

from rpm.access import Actor, require
from rpm.actions.command import Command, Id, Instant, Reason, refuse
from rpm.actions.take_readings import attach_readings
from rpm.clock import local_day
from rpm.errors import Conflict
from rpm.store.chain import Record, recording
from rpm.store.queries.device_state import WORKING
from rpm.store.queries.episodes import associations, episode_state
from rpm.store.queries.inventory import condition_of
from rpm.store.queries.people import hold_organization, organization_of
from rpm.store.scope import Scope
from rpm.store.tables.monitoring import AssociationEnd, Device, DeviceAssociation
from rpm.store.tables.people import Organization


class AssociateDevice(Command):
    """A device goes to the patient of an episode."""

    device_id: Id
    episode_id: Id
    from_at: Instant = Field(examples=["2025-11-05T15:30:00Z"])


class EndAssociation(Command):
    """A device came back, broke or was lost."""

    association_id: Id
    to_at: Instant = Field(
        description="The first instant that no longer belongs to it.",
        examples=["2026-01-12T16:00:00Z"],
    )
    reason: Reason = Field(examples=["device returned"])


def associate_device(
    db: Session, actor: Actor, now: datetime, command: AssociateDevice
) -> DeviceAssociation:
    """The association; readings that waited for it are attached.

    ``Conflict`` while the device is with an episode at or after ``from_at``, or is reported lost or
    broken; ``InvalidRequest``
    when ``from_at`` has not come yet or lies after the end of the episode.
    """
    require(actor, "episodes:write")
    scope = Scope.of(actor)
    organization = organization_of(db, scope)
    device = scope.get(db, Device, command.device_id)
    refuse_ahead("from_at", command.from_at, now)
    hold_organization(db, scope)
    refuse_unusable(db, scope, device.id)
    state = episode_state(db, scope, command.episode_id)
    day = local_day(command.from_at, organization.timezone)
    if state.last_day is not None and day > state.last_day:
        raise refuse("from_at", "E_AFTER_END", "the episode had ended before this instant")
    refuse_overlap(db, scope, device.id, command.from_at, None)
    patient_id = state.episode.patient_id
    subject = {"patient_id": patient_id, "episode_id": state.episode.id, "device_id": device.id}
    with recording(db, actor, now, "device.associate", subject) as record:
        association = record.add(DeviceAssociation(patient_id=patient_id, **command.model_dump()))
        record.subject["association_id"] = association.id
        reattach(db, record, organization, device, now)
    return association


def end_association(
    db: Session, actor: Actor, now: datetime, command: EndAssociation
) -> AssociationEnd:
    """The end that counts from now on; readings measured after it no longer belong to the patient.

    ``InvalidRequest`` when it lies before the beginning or ahead; ``Conflict`` when a corrected
    end would reach into another association of the device.
    """
    require(actor, "episodes:write")
    scope = Scope.of(actor)
    association = scope.get(db, DeviceAssociation, command.association_id)
    device = scope.get(db, Device, association.device_id)
    refuse_ahead("to_at", command.to_at, now)
    if command.to_at < association.from_at:
        raise refuse("to_at", "E_ENDS_BEFORE_START", "the association began later")
    hold_organization(db, scope)
    refuse_overlap(db, scope, device.id, association.from_at, command.to_at, association.id)
    subject = {
        "patient_id": association.patient_id,
        "device_id": device.id,
        "association_id": association.id,
    }
    with recording(db, actor, now, "device.return", subject, command.reason) as record:
        end = record.add(AssociationEnd(**command.model_dump()))
        reattach(db, record, organization_of(db, scope), device, now)
    return end


def refuse_ahead(field: str, instant: datetime, now: datetime) -> None:
    """``InvalidRequest`` for an instant that has not come yet."""
    if instant > now:
        raise refuse(field, "E_IN_FUTURE", "this instant has not come yet")


def refuse_unusable(db: Session, scope: Scope, device_id: UUID) -> None:
    """``Conflict`` for a device that is reported lost or broken."""
    known = condition_of(db, scope, device_id)
    if known != WORKING:
        raise Conflict(f"the device is reported {known}; report it working first")


def refuse_overlap(
    db: Session,
    scope: Scope,
    device_id: UUID,
    from_at: datetime,
    to_at: datetime | None,
    besides: UUID | None = None,
) -> None:
    """``Conflict`` when the device is with an episode in that time, but for one association."""
    for state in associations(db, scope, device_id=device_id):
        over_before = state.to_at is not None and state.to_at <= from_at
        begins_later = to_at is not None and state.association.from_at >= to_at
        if state.association.id != besides and not (over_before or begins_later):
            raise Conflict("the device is with an episode at that time; take it back first")


def reattach(
    db: Session, record: Record, organization: Organization, device: Device, now: datetime
) -> None:
    """Give the device's readings to whoever had it, inside the recording that changed that."""
    attach_readings(
        db,
        record,
        organization,
        vendor=device.vendor,
        vendor_device_id=device.vendor_device_id,
        now=now,
    )

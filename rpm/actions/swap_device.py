"""Swap a patient's device for another one, and take a device back, by the device's own id.

Owns that a swap is one action: the old association ends at the instant at which the new one begins,
so no reading falls between them and none belongs to both. Does not own the rule that a device is
with one episode at a time (``associate_device``).
"""

from datetime import datetime
from uuid import UUID

from pydantic import Field
from sqlmodel import Session

from rpm.access import Actor, require
from rpm.actions.associate_device import (
    EndAssociation,
    end_association,
    reattach,
    refuse_ahead,
    refuse_overlap,
    refuse_unusable,
)
from rpm.actions.command import Command, Id, Instant, Reason, refuse
from rpm.actions.report_device import Condition
from rpm.clock import local_day
from rpm.errors import Conflict
from rpm.store.chain import recording
from rpm.store.queries.device_state import WORKING
from rpm.store.queries.episodes import associations, episode_state
from rpm.store.queries.people import hold_organization, organization_of
from rpm.store.scope import Scope
from rpm.store.tables.monitoring import (
    AssociationEnd,
    Device,
    DeviceAssociation,
    DeviceCondition,
)


class SwapDevice(Command):
    """A patient's device is replaced by another of its kind."""

    device_id: Id = Field(description="The device that the patient has.")
    new_device_id: Id = Field(description="The device that takes its place.")
    at: Instant = Field(
        description="First instant of the new device and the first no longer of the old one.",
        examples=["2026-01-12T16:00:00Z"],
    )
    reason: Reason = Field(examples=["cuff broke"])
    old_condition: Condition = Field(
        default=WORKING, description="What is known of the old device from then on."
    )


class ReturnDevice(Command):
    """A device came back and is in stock again."""

    device_id: Id
    at: Instant = Field(
        description="The first instant at which it was no longer with the patient.",
        examples=["2026-01-12T16:00:00Z"],
    )
    reason: Reason = Field(examples=["goals met"])


def swap_device(db: Session, actor: Actor, now: datetime, command: SwapDevice) -> DeviceAssociation:
    """The association of the new device; readings of both go to whoever had them.

    ``Conflict`` when the old device is with nobody or the new one with somebody at or after the
    instant or reported lost or broken; ``InvalidRequest`` when the instant lies ahead, before the
    old device came or after the end of the episode, or when the new device is the old one or of
    another kind.
    """
    require(actor, "episodes:write")
    scope = Scope.of(actor)
    old = scope.get(db, Device, command.device_id)
    new = scope.get(db, Device, command.new_device_id)
    refuse_ahead("at", command.at, now)
    if new.id == old.id:
        raise refuse("new_device_id", "E_SAME_DEVICE", "a device cannot replace itself")
    if new.kind != old.kind:
        raise refuse("new_device_id", "E_OTHER_KIND", "the devices are not of one kind")
    hold_organization(db, scope)
    organization = organization_of(db, scope)
    held = running_association(db, scope, old.id)
    if command.at < held.from_at:
        raise refuse("at", "E_ENDS_BEFORE_START", "the association began later")
    last_day = episode_state(db, scope, held.episode_id).last_day
    if last_day is not None and local_day(command.at, organization.timezone) > last_day:
        raise refuse("at", "E_AFTER_END", "the episode had ended before this instant")
    refuse_overlap(db, scope, new.id, command.at, None)
    refuse_unusable(db, scope, new.id)
    subject = {
        "patient_id": held.patient_id,
        "episode_id": held.episode_id,
        "device_id": old.id,
        "new_device_id": new.id,
    }
    with recording(db, actor, now, "device.swap", subject, command.reason) as record:
        record.add(AssociationEnd(association_id=held.id, to_at=command.at, reason=command.reason))
        begun = record.add(
            DeviceAssociation(
                device_id=new.id,
                episode_id=held.episode_id,
                patient_id=held.patient_id,
                from_at=command.at,
            )
        )
        record.subject["association_id"] = begun.id
        if command.old_condition != WORKING:
            record.add(
                DeviceCondition(
                    device_id=old.id,
                    condition=command.old_condition,
                    at=command.at,
                    reason=command.reason,
                )
            )
        for device in (old, new):
            reattach(db, record, organization, device, now)
    return begun


def return_device(
    db: Session, actor: Actor, now: datetime, command: ReturnDevice
) -> AssociationEnd:
    """The end of the association that the device has; ``Conflict`` when it is with nobody.

    Otherwise as ``end_association``, which also corrects an end that was recorded wrongly.
    """
    require(actor, "episodes:write")
    scope = Scope.of(actor)
    device = scope.get(db, Device, command.device_id)
    hold_organization(db, scope)
    held = running_association(db, scope, device.id)
    if command.at < held.from_at:
        raise refuse("at", "E_ENDS_BEFORE_START", "the association began later")
    refuse_ahead("at", command.at, now)
    ended = EndAssociation(association_id=held.id, to_at=command.at, reason=command.reason)
    return end_association(db, actor, now, ended)


def running_association(db: Session, scope: Scope, device_id: UUID) -> DeviceAssociation:
    """The association of a device that has no end; ``Conflict`` when there is none."""
    for state in associations(db, scope, device_id=device_id):
        if state.to_at is None:
            return state.association
    raise Conflict("the device is with nobody")

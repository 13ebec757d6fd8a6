"""Assignments: which device was with which patient, and when.

Owns the look-up of devices by their sender's id with all their associations. Does not own what a
reading is judged to be (``rpm.actions.judge_reading``).
"""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlmodel import Session, col, select

from devices.counting import Association, DeviceFacts
from devices.device_ids import same_device_ids
from rpm.store.tables.monitoring import AssociationEnd, Device, DeviceAssociation
from rpm.store.tables.people import Patient


@dataclass(frozen=True)
class Assignment:
    """A device with a patient in an episode, from one instant to another (exclusive)."""

    association_id: UUID
    episode_id: UUID
    patient_id: UUID
    patient_zone: str
    period: Association

    def covers(self, instant: datetime) -> bool:
        """Whether the device was with the patient at this instant."""
        ended = self.period.to_at is not None and instant >= self.period.to_at
        return self.period.from_at <= instant and not ended


@dataclass(frozen=True)
class KnownDevice:
    """A registered device; ``assignments`` stand in order of their beginning."""

    device_id: UUID
    facts: DeviceFacts
    assignments: tuple[Assignment, ...]

    def at(self, instant: datetime | None) -> Assignment | None:
        """The assignment that covers an instant; the later one should two of them do."""
        if instant is None:
            return None
        return next((a for a in reversed(self.assignments) if a.covers(instant)), None)

    def nearest(self, instant: datetime | None) -> Assignment | None:
        """The assignment that tells why none covers: the last one before, else the first."""
        if not self.assignments:
            return None
        begun = [a for a in self.assignments if instant and a.period.from_at <= instant]
        return begun[-1] if begun else self.assignments[0]


def known_devices(
    db: Session, organization_id: UUID, vendor: str, vendor_device_ids: Collection[str]
) -> Mapping[str, KnownDevice]:
    """Devices of a vendor by the sender's id, with their assignments; three statements.

    A device registered under another spelling of its IMEI is found too, provided that only one is.
    """
    spellings = {sent: same_device_ids(sent) for sent in vendor_device_ids}
    devices = db.exec(
        select(Device).where(
            col(Device.organization_id) == organization_id,
            col(Device.vendor) == vendor,
            col(Device.vendor_device_id).in_(sorted(set().union(*spellings.values()))),
        )
    ).all()
    assignments = _assignments(db, organization_id, [device.id for device in devices])
    known = {
        device.vendor_device_id: KnownDevice(
            device.id,
            DeviceFacts(device.fda_listed, device.automatic),
            tuple(sorted(assignments[device.id], key=lambda a: a.period.from_at)),
        )
        for device in devices
    }
    found = {sent: _registered_as(sent, texts & known.keys()) for sent, texts in spellings.items()}
    return {sent: known[name] for sent, name in found.items() if name is not None}


def _registered_as(sent: str, registered: Collection[str]) -> str | None:
    """The id as sent if it is registered itself, else the one other spelling that is."""
    if sent in registered:
        return sent
    return next(iter(registered)) if len(registered) == 1 else None


def _assignments(
    db: Session, organization_id: UUID, device_ids: Collection[UUID]
) -> Mapping[UUID, list[Assignment]]:
    rows = db.exec(
        select(DeviceAssociation, Patient.timezone)
        .join(
            Patient,
            (col(Patient.organization_id) == col(DeviceAssociation.organization_id))
            & (col(Patient.id) == col(DeviceAssociation.patient_id)),
        )
        .where(
            col(DeviceAssociation.organization_id) == organization_id,
            col(DeviceAssociation.device_id).in_(device_ids),
        )
    ).all()
    ends = _ends(db, organization_id, [association.id for association, _ in rows])
    found: defaultdict[UUID, list[Assignment]] = defaultdict(list)
    for association, zone in rows:
        found[association.device_id].append(
            Assignment(
                association.id,
                association.episode_id,
                association.patient_id,
                zone,
                Association(association.from_at, ends.get(association.id)),
            )
        )
    return found


def _ends(
    db: Session, organization_id: UUID, association_ids: Collection[UUID]
) -> Mapping[UUID, datetime]:
    """Ends by association; the latest recorded counts."""
    rows = db.exec(
        select(AssociationEnd)
        .where(
            col(AssociationEnd.organization_id) == organization_id,
            col(AssociationEnd.association_id).in_(association_ids),
        )
        .order_by(col(AssociationEnd.audit_number), col(AssociationEnd.id))
    ).all()
    return {end.association_id: end.to_at for end in rows}

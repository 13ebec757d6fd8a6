"""Assignments: which device was with which patient, and when.

Owns the look-up of devices by their sender's id with all their associations. Does not own what a
reading is judged to be (``rpm.actions.judge_reading``).
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import Select, bindparam, select
from sqlmodel import Session

from devices.counting import Association, DeviceFacts
from devices.device_ids import same_device_ids
from rpm.store.tables.base import METADATA
from rpm.store.tables.monitoring import AssociationEnd, Device, DeviceAssociation
from rpm.store.tables.people import Patient

_DEVICE = METADATA.tables[str(Device.__tablename__)]
_ASSOCIATION = METADATA.tables[str(DeviceAssociation.__tablename__)]
_PATIENT = METADATA.tables[str(Patient.__tablename__)]
_END = METADATA.tables[str(AssociationEnd.__tablename__)]


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
    """Devices of a vendor by the sender's id, with their assignments; one statement.

    A device registered under another spelling of its IMEI is found too, provided that only one is.
    """
    spellings = {sent: same_device_ids(sent) for sent in vendor_device_ids}
    asked = {
        "of_organization": organization_id,
        "of_vendor": vendor,
        "of_devices": sorted(set().union(*spellings.values())),
    }
    found = _by_device(db.connection().execute(_with_assignments(), asked)) if spellings else {}
    names = {sent: _registered_as(sent, texts & found.keys()) for sent, texts in spellings.items()}
    return {sent: found[name] for sent, name in names.items() if name is not None}


def _registered_as(sent: str, registered: Collection[str]) -> str | None:
    """The id as sent if it is registered itself, else the one other spelling that is."""
    if sent in registered:
        return sent
    return next(iter(registered)) if len(registered) == 1 else None


@cache
def _with_assignments() -> Select[Any]:
    """A row for each device, assignment and end; made once, since every delivery asks it.

    Of several ends the latest recorded comes last.
    """
    return (
        select(
            _DEVICE.c.vendor_device_id,
            _DEVICE.c.id,
            _DEVICE.c.fda_listed,
            _DEVICE.c.automatic,
            _ASSOCIATION.c.id,
            _ASSOCIATION.c.episode_id,
            _ASSOCIATION.c.patient_id,
            _PATIENT.c.timezone,
            _ASSOCIATION.c.from_at,
            _END.c.to_at,
        )
        .select_from(
            _DEVICE.outerjoin(
                _ASSOCIATION,
                (_ASSOCIATION.c.organization_id == _DEVICE.c.organization_id)
                & (_ASSOCIATION.c.device_id == _DEVICE.c.id),
            )
            .outerjoin(
                _PATIENT,
                (_PATIENT.c.organization_id == _ASSOCIATION.c.organization_id)
                & (_PATIENT.c.id == _ASSOCIATION.c.patient_id),
            )
            .outerjoin(
                _END,
                (_END.c.organization_id == _ASSOCIATION.c.organization_id)
                & (_END.c.association_id == _ASSOCIATION.c.id),
            )
        )
        .where(
            _DEVICE.c.organization_id == bindparam("of_organization"),
            _DEVICE.c.vendor == bindparam("of_vendor"),
            _DEVICE.c.vendor_device_id.in_(bindparam("of_devices", expanding=True)),
        )
        .order_by(_END.c.audit_number, _END.c.id)
    )


def _by_device(rows: Iterable[Any]) -> dict[str, KnownDevice]:
    devices: dict[str, tuple[UUID, DeviceFacts]] = {}
    assignments: defaultdict[str, dict[UUID, Assignment]] = defaultdict(dict)
    for name, device_id, fda_listed, automatic, *assigned in rows:
        devices[name] = device_id, DeviceFacts(fda_listed, automatic)
        association_id, episode_id, patient_id, zone, from_at, to_at = assigned
        if association_id is not None:
            assignments[name][association_id] = Assignment(
                association_id, episode_id, patient_id, zone, Association(from_at, to_at)
            )
    return {
        name: KnownDevice(*device, tuple(sorted(assignments[name].values(), key=_beginning)))
        for name, device in devices.items()
    }


def _beginning(assignment: Assignment) -> datetime:
    return assignment.period.from_at

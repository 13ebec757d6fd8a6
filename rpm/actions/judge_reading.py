"""Judging: what a reading is on the day it is recorded, from the device's assignments.

Owns the columns that say whose a reading is, its local day and whether it counts, and the way back
from a stored row to a reading. Does not own the rules (``devices.counting``, ``devices.local_day``)
nor identity and versions (``rpm.actions.reading_batch``).
"""

from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal, cast

from devices.counting import QUARANTINED, countable, refused_word
from devices.identity import content_hash, identity_key, replaced_key
from devices.kinds import ledger_kind
from devices.local_day import LocalDay, local_day
from devices.reading import Component, Reading
from rpm.actions.reading_version import AnyVersion, ReadingVersion, copy_of
from rpm.clock import local_day as local_day_in
from rpm.ids import uuid7
from rpm.store.queries.assignments import Assignment, KnownDevice

RELEASED = "released"
"""The flag of a reading that a named person let count."""
_STORED_STATUS = {"final": "final", "corrected": "corrected", "deleted": "void"}
_READ_STATUS: dict[str, Literal["final", "corrected", "deleted"]] = {
    "final": "final",
    "corrected": "corrected",
    "void": "deleted",
}
_STATED_ORIGINS = frozenset({"device", "vendor"})


@dataclass(frozen=True)
class Arrival:
    """When a reading's day first reached us, and that instant's day in the practice's zone."""

    received_at: datetime
    received_day: date
    practice_zone: str

    @classmethod
    def at(cls, received_at: datetime, practice_zone: str) -> "Arrival":
        """An arrival now; ``received_at`` is aware."""
        return cls(received_at, local_day_in(received_at, practice_zone), practice_zone)

    def of(self, row: AnyVersion) -> "Arrival":
        """The arrival that a stored reading had."""
        return replace(self, received_at=row.received_at, received_day=row.received_day)


@dataclass(frozen=True)
class Identity:
    """What makes a reading one for ever, what it says, and which other one it replaces."""

    vendor: str
    key: str
    content_hash: str
    replaces_key: str | None

    @classmethod
    def of(cls, reading: Reading, vendor: str, account: str) -> "Identity":
        """``account`` keeps ids of different senders of a vendor apart.

        A reading that says it replaces itself is a correction and replaces no other one.
        """
        key = identity_key(reading, adapter=vendor, account=account)
        replaced = replaced_key(reading, adapter=vendor, account=account)
        return cls(vendor, key, content_hash(reading), replaced if replaced != key else None)


def new_row(
    reading: Reading, identity: Identity, device: KnownDevice | None, arrival: Arrival
) -> ReadingVersion:
    """A first version of a reading, judged; its source is the caller's to fill."""
    row = ReadingVersion(
        id=uuid7(arrival.received_at),
        vendor=identity.vendor,
        identity_key=identity.key,
        content_hash=identity.content_hash,
        replaces_key=identity.replaces_key,
        vendor_reading_id=reading.vendor_reading_id,
        vendor_device_id=reading.device_id,
        patient_ref=reading.patient_ref,
        kind=ledger_kind(reading.kind),
        measure=reading.kind,
        components=[component_json(part) for part in reading.components],
        measured_at=reading.measured_at,
        vendor_time=reading.vendor_time,
        time_quality=reading.time_quality,
        entry_method=reading.entry_method,
        status=_STORED_STATUS[reading.status],
        received_at=arrival.received_at,
        received_day=arrival.received_day,
        flags=list(reading.flags),
    )
    assignment = device.at(reading.measured_at) if device else None
    judge(row, reading, device, arrival, _local_day(reading, assignment, arrival))
    return row


def next_version(row: AnyVersion, now: datetime) -> ReadingVersion:
    """A copy of a stored row under the same identity that supersedes it; to be judged."""
    later = copy_of(row, uuid7(now))
    later.version = row.version + 1
    later.supersedes_id = row.id
    return later


def judge(
    row: ReadingVersion,
    reading: Reading,
    device: KnownDevice | None,
    arrival: Arrival,
    local: LocalDay | None,
) -> None:
    """Fill in whose the reading is, its day, and whether it counts.

    ``local`` is None for a reading without an instant. A reading belongs to the patient who had
    the device when it was measured, not when it arrived.
    """
    assignment = device.at(reading.measured_at) if device else None
    telling = assignment or (device.nearest(reading.measured_at) if device else None)
    verdict = countable(
        reading,
        association=telling.period if telling else None,
        device=device.facts if device else None,
        received_at=arrival.received_at,
        zone=local.zone if local else arrival.practice_zone,
    )
    row.device_id = device.device_id if device else None
    row.association_id = assignment.association_id if assignment else None
    row.episode_id = assignment.episode_id if assignment else None
    row.patient_id = assignment.patient_id if assignment else None
    row.local_day, row.zone, row.zone_origin = local or (None, None, None)
    row.countable = verdict.countable
    row.reason_code = verdict.reason
    row.refused_reason = refused_word(verdict.reason)
    row.flags = sorted({*reading.flags, *verdict.flags})


def judge_again(row: AnyVersion, device: KnownDevice, arrival: Arrival) -> ReadingVersion | None:
    """The next version of a stored reading as its device is assigned now; None if nothing changed.

    The local day changes only with the patient: one who moves does not rewrite history.
    """
    assignment = device.at(row.measured_at)
    if row.device_id is not None and _same(row, assignment):
        return None
    reading = as_reading(row)
    if assignment is None or row.patient_id == assignment.patient_id:
        local = _kept_day(row)
    else:
        local = _local_day(reading, assignment, arrival)
    later = next_version(row, arrival.received_at)
    judge(later, reading, device, arrival.of(row), local)
    unchanged = (later.device_id, later.association_id, later.reason_code) == (
        row.device_id,
        row.association_id,
        row.reason_code,
    )
    return None if unchanged else later


def as_reading(row: AnyVersion) -> Reading:
    """A stored row as the reading it was judged from."""
    stated = row.zone_origin in _STATED_ORIGINS
    return Reading(
        device_id=row.vendor_device_id,
        kind=row.measure,
        components=tuple(_component(part) for part in row.components),
        measured_at=row.measured_at,
        vendor_time=row.vendor_time,
        vendor_reading_id=row.vendor_reading_id,
        patient_ref=row.patient_ref,
        offset_minutes=_minutes(row.zone) if stated and row.zone else None,
        offset_origin=cast("Any", row.zone_origin) if stated else "unknown",
        time_quality=cast("Any", row.time_quality),
        entry_method=cast("Any", row.entry_method),
        status=_READ_STATUS[row.status],
        flags=tuple(flag for flag in row.flags if flag != RELEASED),
    )


def is_quarantined(row: AnyVersion) -> bool:
    """Whether the reading waits for a person: it may count once someone has looked at it."""
    return row.reason_code in QUARANTINED


def _same(row: AnyVersion, assignment: Assignment | None) -> bool:
    held = assignment.association_id if assignment else None
    return held is not None and row.association_id == held


def _local_day(
    reading: Reading, assignment: Assignment | None, arrival: Arrival
) -> LocalDay | None:
    if reading.measured_at is None:
        return None
    return local_day(
        reading.measured_at,
        offset_minutes=reading.offset_minutes,
        offset_origin=reading.offset_origin,
        patient_zone=assignment.patient_zone if assignment else None,
        practice_zone=arrival.practice_zone,
    )


def _kept_day(row: AnyVersion) -> LocalDay | None:
    if row.local_day is None or row.zone is None or row.zone_origin is None:
        return None
    return LocalDay(row.local_day, row.zone, row.zone_origin)


def _minutes(zone: str) -> int:
    """``-05:00`` as -300."""
    hours, minutes = zone[1:].split(":")
    size = int(hours) * 60 + int(minutes)
    return -size if zone[0] == "-" else size


def component_json(part: Component) -> dict[str, str]:
    """A component as stored: numbers as text, so that nothing is rounded."""
    return {
        "loinc": part.loinc,
        "value": format(part.value.normalize(), "f"),
        "ucum": part.ucum,
        "comparator": part.comparator,
        "original_value": part.original_value,
        "original_unit": part.original_unit,
    }


def _component(part: dict[str, Any]) -> Component:
    return Component(
        part["loinc"],
        Decimal(part["value"]),
        part["ucum"],
        part["original_value"],
        part["original_unit"],
        part["comparator"],
    )

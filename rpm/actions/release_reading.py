"""Release a reading from quarantine: a named person says that it counts.

Owns which readings may be released and the version that counts. Does not own why they waited
(``devices.counting``). A reading of an unknown or unassigned device is not released: register or
assign the device, and it is attached by itself.
"""

from datetime import datetime

from pydantic import Field
from sqlmodel import Session

from devices.counting import refused_word
from devices.local_day import LocalDay, local_date_in
from rpm.access import Actor, require
from rpm.actions.command import Command, Id, Instant, Reason, refuse
from rpm.actions.judge_reading import RELEASED, is_quarantined, next_version
from rpm.actions.reading_batch import days_of
from rpm.errors import Conflict
from rpm.store import device_days
from rpm.store.chain import recording
from rpm.store.queries.assignments import Assignment, known_devices
from rpm.store.queries.people import hold_organization
from rpm.store.queries.readings import current_version
from rpm.store.scope import Scope
from rpm.store.tables.monitoring import Reading

_TIME_SUSPECT = "time_suspect"
_OUT_OF_RANGE = "out_of_range"


class ReleaseReading(Command):
    """A reading that waits, and why it counts after all."""

    reading_id: Id
    reason: Reason = Field(examples=["called the patient: measured that morning"])
    measured_at: Instant | None = Field(
        default=None,
        description="When it was measured. Needed where the device's clock is not to be trusted,"
        " refused otherwise.",
    )


def release_reading(db: Session, actor: Actor, now: datetime, command: ReleaseReading) -> Reading:
    """The version that counts; one with an implausible value and a suspect time is released twice.

    ``Conflict`` when the reading does not wait or nobody had the device then; ``InvalidRequest``
    for a time that is missing, not asked for or still to come.
    """
    require(actor, "readings:write")
    scope = Scope.of(actor)
    hold_organization(db, scope)
    waiting = current_version(db, scope, command.reading_id)
    if not is_quarantined(waiting):
        raise Conflict("the reading does not wait for a person")
    _check_time(waiting, command, now)
    released = next_version(waiting, now).as_row()
    if command.measured_at is not None:
        released.measured_at, released.time_quality = command.measured_at, "estimated"
    assignment = _assignment(db, scope, released)
    released.association_id = assignment.association_id
    released.episode_id, released.patient_id = assignment.episode_id, assignment.patient_id
    if command.measured_at is not None:
        _set_day(released, assignment)
    _let_count(waiting, released)
    subject = {"reading_id": waiting.id, "episode_id": released.episode_id}
    with recording(db, actor, now, "reading.release", subject, command.reason) as record:
        record.add(released)
        record.flush()
        device_days.refresh(db, scope.organization_id, set(days_of(waiting, released)))
    return released


def _let_count(waiting: Reading, released: Reading) -> None:
    if waiting.reason_code == _TIME_SUSPECT and "implausible" in waiting.flags:
        reason = _OUT_OF_RANGE
    else:
        reason = ""
        released.flags = sorted({*waiting.flags, RELEASED})
    released.countable, released.reason_code = not reason, reason
    released.refused_reason = refused_word(reason)


def _check_time(waiting: Reading, command: ReleaseReading, now: datetime) -> None:
    needed = waiting.reason_code == _TIME_SUSPECT
    if needed and command.measured_at is None:
        raise refuse("measured_at", "missing", "say when it was measured: its time is suspect")
    if not needed and command.measured_at is not None:
        raise refuse("measured_at", "not_needed", "the time of this reading is not in doubt")
    if command.measured_at is not None and command.measured_at > now:
        raise refuse("measured_at", "future", "this time is still to come")


def _assignment(db: Session, scope: Scope, reading: Reading) -> Assignment:
    name = reading.vendor_device_id
    device = known_devices(db, scope.organization_id, reading.vendor, [name]).get(name)
    found = device.at(reading.measured_at) if device else None
    if found is None:
        raise Conflict("nobody had the device then: assign it, and the reading is attached")
    return found


def _set_day(reading: Reading, assignment: Assignment) -> None:
    """The day in the patient's zone: a person's word carries no offset of the device."""
    assert reading.measured_at is not None  # noqa: S101 - set by the caller
    zone = assignment.patient_zone
    local = LocalDay(local_date_in(reading.measured_at, zone), zone, "patient")
    reading.local_day, reading.zone, reading.zone_origin = local

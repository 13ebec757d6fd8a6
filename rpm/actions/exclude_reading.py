"""Exclude a reading from the count, and lift an exclusion.

Owns the act and its reason. Does not own quarantine (``devices.counting``) nor letting a reading
count that waits there (``release_reading``). The reading itself stays as it is.
"""

from datetime import datetime

from pydantic import Field
from sqlmodel import Session

from rpm.access import Actor, require
from rpm.actions.command import Command, Id, Reason
from rpm.actions.reading_batch import days_of
from rpm.errors import Conflict
from rpm.store import device_days
from rpm.store.chain import recording
from rpm.store.queries.people import hold_organization
from rpm.store.queries.readings import current_version, standing_exclusion
from rpm.store.scope import Scope
from rpm.store.tables.monitoring import Reading, ReadingExclusion


class ExcludeReading(Command):
    """A reading that shall not count, whatever version of it is named."""

    reading_id: Id
    reason: Reason = Field(examples=["taken by a visitor"])


class LiftExclusion(Command):
    """The exclusion of a reading is taken back."""

    reading_id: Id
    reason: Reason = Field(examples=["it was the patient after all"])


def exclude_reading(
    db: Session, actor: Actor, now: datetime, command: ExcludeReading
) -> ReadingExclusion:
    """The exclusion; it holds for corrected versions too. ``Conflict`` when one stands already."""
    scope, reading, standing = _found(db, actor, command)
    if standing is not None:
        raise Conflict("the reading is excluded already")
    exclusion = ReadingExclusion(reading_id=reading.id, reason=command.reason)
    return _record(db, scope, now, "reading.exclude", reading, exclusion)


def lift_exclusion(
    db: Session, actor: Actor, now: datetime, command: LiftExclusion
) -> ReadingExclusion:
    """The row that lifts the standing exclusion; ``Conflict`` when there is none."""
    scope, reading, standing = _found(db, actor, command)
    if standing is None:
        raise Conflict("the reading is not excluded")
    lift = ReadingExclusion(
        reading_id=standing.reading_id, reason=command.reason, lifts_id=standing.id
    )
    return _record(db, scope, now, "reading.lift_exclusion", reading, lift)


def _found(
    db: Session, actor: Actor, command: ExcludeReading | LiftExclusion
) -> tuple[Scope, Reading, ReadingExclusion | None]:
    require(actor, "readings:write")
    scope = Scope.of(actor)
    hold_organization(db, scope)
    reading = current_version(db, scope, command.reading_id)
    return scope, reading, standing_exclusion(db, scope, reading.identity_key)


def _record(
    db: Session,
    scope: Scope,
    now: datetime,
    action: str,
    reading: Reading,
    row: ReadingExclusion,
) -> ReadingExclusion:
    subject = {"reading_id": reading.id, "episode_id": reading.episode_id}
    with recording(db, scope.actor, now, action, subject, row.reason) as record:
        record.add(row)
        record.flush()
        device_days.refresh(db, scope.organization_id, set(days_of(reading)))
    return row

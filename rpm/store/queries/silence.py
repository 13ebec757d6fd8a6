"""Silence: episodes whose device is with the patient and from which nothing is heard.

Owns the work list. Writes nothing. A reading that does not count is a sign of life all the same.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Select, exists, func, select
from sqlmodel import Session, col

from billing.days import day_date, day_number
from rpm.clock import local_day
from rpm.store.scope import Scope
from rpm.store.tables.monitoring import (
    AssociationEnd,
    DeviceAssociation,
    DeviceDay,
    EpisodeEnd,
)
from rpm.store.tables.people import Organization

_NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Silent:
    """An episode without readings: since which day, and the device that should be sending."""

    episode_id: UUID
    patient_id: UUID
    device_id: UUID
    last_reading_day: date | None  # None: never since the episode began
    silent_since: date  # the last reading's day, or the day the device came to the patient
    silent_days: int

    @property
    def key(self) -> tuple[date, UUID, UUID]:
        """The place in the list: longest silence first."""
        return (self.silent_since, self.episode_id, self.device_id)


def silent_episodes(db: Session, scope: Scope, now: datetime, at_least_days: int) -> list[Silent]:
    """Open episodes with a device and no reading for this many days; longest silence first."""
    organization = db.get_one(Organization, scope.organization_id)
    today = local_day(now, organization.timezone)
    limit = today - timedelta(days=at_least_days)
    returned = _latest(db, scope, col(AssociationEnd.association_id), col(AssociationEnd.to_at))
    ended = _latest(db, scope, col(EpisodeEnd.episode_id), col(EpisodeEnd.last_day))
    found = []
    for row in db.connection().execute(_quiet_associations(scope, limit)):
        over = returned.get(row.id, _NEVER) <= now or ended.get(row.episode_id, today) < today
        if over or row.from_at > now:
            continue
        last = day_date(row.last_day) if row.last_day is not None else None
        since = max(local_day(row.from_at, organization.timezone), last or date.min)
        if since <= limit:
            days = (today - since).days
            found.append(Silent(row.episode_id, row.patient_id, row.device_id, last, since, days))
    return sorted(found, key=lambda silent: silent.key)


def _quiet_associations(scope: Scope, limit: date) -> Select[Any]:
    """Associations begun about ``limit`` or before, of episodes without a reading after it."""
    heard = exists().where(
        col(DeviceDay.organization_id) == scope.organization_id,
        col(DeviceDay.episode_id) == col(DeviceAssociation.episode_id),
        col(DeviceDay.day) > day_number(limit),
    )
    # wherever the practice is, its day ends before this instant
    begun_before = datetime.combine(limit + timedelta(days=2), time(), UTC)
    last_day = (
        select(func.max(col(DeviceDay.day)))
        .where(
            col(DeviceDay.organization_id) == scope.organization_id,
            col(DeviceDay.episode_id) == col(DeviceAssociation.episode_id),
        )
        .scalar_subquery()
    )
    return select(
        col(DeviceAssociation.id),
        col(DeviceAssociation.episode_id),
        col(DeviceAssociation.patient_id),
        col(DeviceAssociation.device_id),
        col(DeviceAssociation.from_at),
        last_day.label("last_day"),
    ).where(
        col(DeviceAssociation.organization_id) == scope.organization_id,
        col(DeviceAssociation.from_at) < begun_before,
        ~heard,
    )


def _latest(db: Session, scope: Scope, about: Any, value: Any) -> dict[UUID, Any]:
    """What was recorded last about each, where it is not that nothing ended.

    All of them at once: asked for one by one, an engine may walk the whole record for each.
    """
    table = about.class_
    rows = db.execute(
        select(about, value)
        .where(col(table.organization_id) == scope.organization_id)
        .order_by(col(table.audit_number), col(table.id))
    )
    latest: dict[UUID, Any] = {row[0]: row[1] for row in rows}
    return {key: last for key, last in latest.items() if last is not None}

"""At risk: running windows whose code is lost unless a reading comes by a day that is near.

Owns the list and the devices shown with it. The day is that of the ledger's progress, as readiness
keeps it; nothing is computed here. Does not own bringing readiness up to date.
"""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select, tuple_
from sqlmodel import Session, col

from rpm.clock import local_day
from rpm.store.queries.device_state import InventoryDevice, InventoryFilter
from rpm.store.queries.inventory import inventory_of
from rpm.store.queries.people import organization_of
from rpm.store.scope import Scope
from rpm.store.tables.ledger import ReadinessRow
from rpm.store.tables.people import Patient

WITHIN_DAYS = 7
_SHOWN = ("family_name", "given_name", "record_number")


@dataclass(frozen=True)
class AtRisk:
    """A running window with the day by which a reading must come, and the devices to send it."""

    row: ReadinessRow
    family_name: str
    given_name: str
    record_number: str
    due_day: date
    days_left: int  # 0: today is the last day
    devices: tuple[InventoryDevice, ...]

    @property
    def key(self) -> tuple[Any, ...]:
        """The place in the list: the nearest day first."""
        return (self.due_day, self.row.patient_id, self.row.position)


def at_risk_page(
    db: Session,
    scope: Scope,
    now: datetime,
    within_days: int,
    *,
    after: tuple[Any, ...] | None = None,
    limit: int = 200,
) -> list[AtRisk]:
    """Windows due within so many days (0: today); ``after`` is the key of the last one seen."""
    today = local_day(now, organization_of(db, scope).timezone)
    order = (
        col(ReadinessRow.due_day),
        col(ReadinessRow.patient_id),
        col(ReadinessRow.position),
    )
    statement = (
        select(ReadinessRow, *(col(getattr(Patient, name)) for name in _SHOWN))
        .join(
            Patient,
            (col(Patient.organization_id) == col(ReadinessRow.organization_id))
            & (col(Patient.id) == col(ReadinessRow.patient_id)),
        )
        .where(
            col(ReadinessRow.organization_id) == scope.organization_id,
            col(ReadinessRow.due_day) <= today + timedelta(days=within_days),
            *scope.of_sites(col(ReadinessRow.patient_id)),
        )
        .order_by(*order)
        .limit(limit)
    )
    if after is not None:
        statement = statement.where(tuple_(*order) > tuple_(*after))
    rows = db.execute(statement).all()
    devices = _devices(db, scope, now, {row.episode_id for row, *_ in rows})
    return [
        AtRisk(
            row,
            family_name,
            given_name,
            record_number,
            row.due_day,
            (row.due_day - today).days,
            tuple(devices[row.episode_id]),
        )
        for row, family_name, given_name, record_number in rows
    ]


def next_due(
    db: Session, scope: Scope, episode_ids: Collection[UUID]
) -> dict[UUID, tuple[date, str]]:
    """For each episode that has one, the nearest day by which a reading must come, and the code."""
    rows = db.execute(
        select(col(ReadinessRow.episode_id), col(ReadinessRow.due_day), col(ReadinessRow.due_code))
        .where(
            col(ReadinessRow.organization_id) == scope.organization_id,
            col(ReadinessRow.episode_id).in_(episode_ids),
            col(ReadinessRow.due_day).is_not(None),
        )
        .order_by(col(ReadinessRow.due_day).desc())
    )
    return {row.episode_id: (row.due_day, row.due_code) for row in rows}


def _devices(
    db: Session, scope: Scope, now: datetime, episode_ids: set[UUID]
) -> dict[UUID, list[InventoryDevice]]:
    """The devices that each episode has now."""
    found: defaultdict[UUID, list[InventoryDevice]] = defaultdict(list)
    for device in inventory_of(db, scope, now, InventoryFilter(episode_ids=episode_ids)):
        if device.held is not None:
            found[device.held.episode_id].append(device)
    return found

"""Inventory: every device with where it is and what was last heard of it.

Owns the list. Reads what is kept of contacts as it stands; does not own bringing that up to date
(``rpm.actions.refresh_contacts``) nor what the words mean (``device_state``).
"""

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, select
from sqlmodel import Session, col

from devices.device_ids import same_device_ids
from rpm.store.queries.device_state import (
    CONDITIONS,
    WORKING,
    InventoryDevice,
    InventoryFilter,
    Today,
)
from rpm.store.queries.episodes import association_states
from rpm.store.queries.people import organization_of
from rpm.store.queries.rows import latest_by, page_of
from rpm.store.scope import Scope
from rpm.store.tables.inventory import DeviceContact
from rpm.store.tables.monitoring import (
    AssociationEnd,
    Connection,
    Device,
    DeviceAssociation,
    DeviceCondition,
    EpisodeEnd,
)

_ROWS_AT_ONCE = 500
_MARGIN, _GROWTH = 16, 4
"""How many more are looked at than are asked for, and how that grows while too few fit."""


def inventory_page(
    db: Session,
    scope: Scope,
    now: datetime,
    chosen: InventoryFilter,
    *,
    after: UUID | None = None,
    limit: int = 200,
) -> list[InventoryDevice]:
    """Devices in the order they were registered; ``after`` is the id of the last one seen."""
    today = _today(db, scope, now, chosen)
    found: list[InventoryDevice] = []
    at_once = min(limit + _MARGIN, _ROWS_AT_ONCE)
    for device in _from(db, scope, today, chosen, after, at_once, _MARGIN * _GROWTH):
        if device.fits(chosen):
            found.append(device)
            if len(found) == limit:
                break
    return found


def inventory_of(
    db: Session, scope: Scope, now: datetime, chosen: InventoryFilter
) -> list[InventoryDevice]:
    """All devices that are asked for."""
    today = _today(db, scope, now, chosen)
    rows = _from(db, scope, today, chosen, None, _ROWS_AT_ONCE, _ROWS_AT_ONCE)
    return [device for device in rows if device.fits(chosen)]


def condition_of(db: Session, scope: Scope, device_id: UUID) -> str:
    """What is known of a device's condition: one of CONDITIONS."""
    reports = latest_by(db, scope, DeviceCondition, "device_id", [device_id])
    return reports[device_id].condition if reports else WORKING


def _today(db: Session, scope: Scope, now: datetime, chosen: InventoryFilter) -> Today:
    vendors = db.execute(
        select(col(Connection.vendor))
        .where(
            col(Connection.organization_id) == scope.organization_id,
            col(Connection.retired_at).is_(None),
        )
        .distinct()
    ).scalars()
    zone = organization_of(db, scope).timezone
    return Today(now, zone, frozenset(vendors), chosen.silent_days)


def _from(
    db: Session,
    scope: Scope,
    today: Today,
    chosen: InventoryFilter,
    after: UUID | None,
    at_once: int,
    next_at_once: int,
) -> Iterator[InventoryDevice]:
    """Devices that may fit, some at a time: what the database cannot tell is left to ``fits``.

    Describing a device costs more than finding it, so few are found beyond those that are needed.
    """
    conditions = [*_named(scope, chosen), *_narrowed(scope, today, chosen)]
    while True:
        devices = page_of(db, scope, Device, *conditions, after=after, limit=at_once)
        yield from _described(db, scope, today, devices)
        if len(devices) < at_once:
            return
        after, at_once = devices[-1].id, next_at_once
        next_at_once = min(next_at_once * _GROWTH, _ROWS_AT_ONCE)


def _described(
    db: Session, scope: Scope, today: Today, devices: Sequence[Device]
) -> Iterator[InventoryDevice]:
    """Devices with where they are and what was last heard of them."""
    ids = [device.id for device in devices]
    given = scope.all_of(db, DeviceAssociation, col(DeviceAssociation.device_id).in_(ids))
    held: dict[UUID, DeviceAssociation] = {}
    returned: dict[UUID, datetime] = {}
    for state in association_states(db, scope, given):
        device_id = state.association.device_id
        if state.covers(today.now):
            held[device_id] = state.association
        if state.to_at is not None:
            returned[device_id] = max(state.to_at, returned.get(device_id, state.to_at))
    contacts = _contacts(db, scope, ids)
    conditions = latest_by(db, scope, DeviceCondition, "device_id", ids)
    ends = latest_by(db, scope, EpisodeEnd, "episode_id", {one.episode_id for one in held.values()})
    for device in devices:
        mine = held.get(device.id)
        end = ends.get(mine.episode_id) if mine else None
        yield InventoryDevice(
            device,
            mine,
            end.last_day if end else None,
            returned.get(device.id),
            contacts.get(device.id),
            today,
            conditions.get(device.id),
        )


def _contacts(db: Session, scope: Scope, device_ids: Collection[UUID]) -> dict[UUID, DeviceContact]:
    """The contact of each device; of several spellings of its id, the one heard last."""
    rows = db.execute(
        select(DeviceContact).where(
            col(DeviceContact.organization_id) == scope.organization_id,
            col(DeviceContact.device_id).in_(device_ids),
        )
    ).scalars()
    ordered = sorted(rows, key=lambda row: (row.heard_at, row.vendor_device_id))
    return {row.device_id: row for row in ordered if row.device_id is not None}


def _named(scope: Scope, chosen: InventoryFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if chosen.vendor is not None:
        conditions.append(col(Device.vendor) == chosen.vendor)
    if chosen.kind is not None:
        conditions.append(col(Device.kind) == chosen.kind)
    if chosen.identifier is not None:
        serial = func.lower(col(Device.serial)) == chosen.identifier.lower()
        spelled = col(Device.vendor_device_id).in_(sorted(same_device_ids(chosen.identifier)))
        conditions.append(spelled | serial)
    if chosen.ids is not None:
        conditions.append(col(Device.id).in_(chosen.ids))
    if chosen.episode_ids is not None:
        with_them = select(col(DeviceAssociation.device_id)).where(
            col(DeviceAssociation.organization_id) == scope.organization_id,
            col(DeviceAssociation.episode_id).in_(chosen.episode_ids),
        )
        conditions.append(col(Device.id).in_(with_them))
    return conditions


def _narrowed(scope: Scope, today: Today, chosen: InventoryFilter) -> list[ColumnElement[bool]]:
    """What the database can tell of the devices that fit without asking for each one anew."""
    conditions: list[ColumnElement[bool]] = []
    if chosen.status in CONDITIONS:
        reported = select(col(DeviceCondition.device_id)).where(
            col(DeviceCondition.organization_id) == scope.organization_id,
            col(DeviceCondition.condition) == chosen.status,
        )
        conditions.append(col(Device.id).in_(reported))
    if chosen.idle or chosen.status in {"awaits_return", "in_stock", *CONDITIONS}:
        conditions.append(col(Device.id).not_in(_surely_in_use(scope, today)))
    if chosen.silent or chosen.status in {"awaits_return", "in_use"}:
        conditions.append(col(Device.id).in_(_perhaps_held(scope, today)))
    if chosen.silent:
        conditions.append(
            col(Device.id).not_in(
                _heard(scope, col(DeviceContact.measured_at) >= today.silent_before)
            )
        )
    if chosen.idle:
        conditions.append(
            col(Device.id).in_(_heard(scope, col(DeviceContact.heard_at) >= today.idle_after))
        )
    return conditions


def _surely_in_use(scope: Scope, today: Today) -> Select[Any]:
    """Devices given out and never taken back, to episodes of which no end was ever recorded."""
    taken_back = select(col(AssociationEnd.association_id)).where(
        col(AssociationEnd.organization_id) == scope.organization_id
    )
    ended = select(col(EpisodeEnd.episode_id)).where(
        col(EpisodeEnd.organization_id) == scope.organization_id
    )
    return select(col(DeviceAssociation.device_id)).where(
        col(DeviceAssociation.organization_id) == scope.organization_id,
        col(DeviceAssociation.from_at) <= today.now,
        col(DeviceAssociation.id).not_in(taken_back),
        col(DeviceAssociation.episode_id).not_in(ended),
    )


def _perhaps_held(scope: Scope, today: Today) -> Select[Any]:
    """Devices given out, but for those that every end that was ever recorded took back by now."""
    taken_back = (
        select(col(AssociationEnd.association_id))
        .where(col(AssociationEnd.organization_id) == scope.organization_id)
        .group_by(col(AssociationEnd.association_id))
        .having(func.max(col(AssociationEnd.to_at)) <= today.now)
    )
    return select(col(DeviceAssociation.device_id)).where(
        col(DeviceAssociation.organization_id) == scope.organization_id,
        col(DeviceAssociation.id).not_in(taken_back),
    )


def _heard(scope: Scope, condition: ColumnElement[bool]) -> Select[Any]:
    """Devices of which something was heard that meets a condition."""
    return select(col(DeviceContact.device_id)).where(
        col(DeviceContact.organization_id) == scope.organization_id,
        col(DeviceContact.device_id).is_not(None),
        condition,
    )

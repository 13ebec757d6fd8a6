"""Inventory: every device with where it is and what was last heard of it.

Owns the list and what its words mean: status, connection, silent, idle. Reads what is kept of
contacts as it stands; does not own bringing that up to date (``rpm.actions.refresh_contacts``).
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Select, func, select
from sqlmodel import Session, col

from devices.device_ids import same_device_ids
from rpm.clock import local_day
from rpm.store.queries.held import last_end, latest_of, running_on
from rpm.store.queries.people import organization_of
from rpm.store.scope import Scope
from rpm.store.tables.inventory import DeviceContact
from rpm.store.tables.monitoring import Connection, Device, DeviceAssociation, EpisodeEnd

STATUSES = ("in_use", "awaits_return", "in_stock")
"""With a patient; with a patient whose episode is over; with nobody."""
CONNECTIONS = ("heard", "quiet", "never_heard", "no_connection")
"""Something came lately; not lately; never; the vendor has no door through which it could."""
SILENT_DAYS = 3
IDLE_DAYS = 30
"""A device that nobody uses and that said something within these days still sends."""
BY_FILE = "file"
CONTACT_COLUMNS = ("heard_at", "heard_as", "measured_at", "battery", "battery_at")
_ROWS_AT_ONCE = 500


@dataclass(frozen=True)
class InventoryFilter:
    """Which devices; None asks nothing. ``silent_days`` is what counts as silent."""

    status: str | None = None  # STATUSES
    silent: bool | None = None
    idle: bool | None = None
    vendor: str | None = None
    kind: str | None = None
    identifier: str | None = None  # the vendor's id, an IMEI in any spelling, or the serial
    ids: Collection[UUID] | None = None
    episode_ids: Collection[UUID] | None = None
    silent_days: int = SILENT_DAYS


@dataclass(frozen=True)
class _Today:
    """Now, and the practice's day of it."""

    now: datetime
    zone: str
    connected: frozenset[str]  # vendors with a connection that is not retired
    silent_days: int

    @property
    def day(self) -> date:
        return local_day(self.now, self.zone)

    def begins(self, day: date) -> datetime:
        """The first instant of a day of the practice."""
        return datetime.combine(day, time(), ZoneInfo(self.zone)).astimezone(UTC)

    @property
    def silent_before(self) -> datetime:
        """What was measured before this instant is as long ago as silence takes."""
        return self.begins(self.day - timedelta(days=self.silent_days - 1))

    @property
    def idle_after(self) -> datetime:
        return self.now - timedelta(days=IDLE_DAYS)


@dataclass(frozen=True)
class InventoryDevice:
    """A device: the association that holds now, if any, and what was last heard."""

    device: Device
    held: DeviceAssociation | None
    last_day: date | None  # of the episode it is with; None: open, or with nobody
    returned_at: datetime | None  # the last time it came back
    contact: DeviceContact | None
    today: _Today

    @cached_property
    def status(self) -> str:
        """One of STATUSES."""
        if self.held is None:
            return "in_stock"
        over = self.last_day is not None and self.last_day < self.today.day
        return "awaits_return" if over else "in_use"

    @property
    def connection(self) -> str:
        """One of CONNECTIONS."""
        if self.contact is not None:
            return "heard" if self.contact.heard_at >= self.today.silent_before else "quiet"
        return "never_heard" if self.device.vendor in self.today.connected else "no_connection"

    @cached_property
    def silent_since(self) -> date | None:
        """Day of the last reading, or the day the device came, where it is in use; else None."""
        if self.held is None or self.status != "in_use":
            return None
        measured_at = self.contact.measured_at if self.contact else None
        since = max(self.held.from_at, measured_at or self.held.from_at)
        return local_day(since, self.today.zone)

    @property
    def silent_days(self) -> int | None:
        """Days without a reading of this device; None where it is not in use."""
        return None if self.silent_since is None else (self.today.day - self.silent_since).days

    @property
    def is_silent(self) -> bool:
        """In use, and without a reading for as many days as were asked for."""
        return self.silent_days is not None and self.silent_days >= self.today.silent_days

    @property
    def is_idle(self) -> bool:
        """Not in use, and yet it said something since, and lately: the vendor still serves it."""
        if self.status == "in_use" or self.contact is None or self.contact.heard_as == BY_FILE:
            return False
        released = self.returned_at
        if self.held is not None and self.last_day is not None:
            released = self.today.begins(self.last_day + timedelta(days=1))
        heard_at = self.contact.heard_at
        return heard_at >= self.today.idle_after and (released is None or heard_at >= released)

    def fits(self, chosen: InventoryFilter) -> bool:
        """Whether it is asked for."""
        asked = (
            (chosen.status, self.status),
            (chosen.silent, self.is_silent),
            (chosen.idle, self.is_idle),
        )
        return all(wanted is None or wanted == found for wanted, found in asked)


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
    for device in _from(db, scope, today, chosen, after, min(limit, _ROWS_AT_ONCE)):
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
    rows = _from(db, scope, today, chosen, None, _ROWS_AT_ONCE)
    return [device for device in rows if device.fits(chosen)]


def _today(db: Session, scope: Scope, now: datetime, chosen: InventoryFilter) -> _Today:
    vendors = db.execute(
        select(col(Connection.vendor))
        .where(
            col(Connection.organization_id) == scope.organization_id,
            col(Connection.retired_at).is_(None),
        )
        .distinct()
    ).scalars()
    zone = organization_of(db, scope).timezone
    return _Today(now, zone, frozenset(vendors), chosen.silent_days)


def _from(
    db: Session,
    scope: Scope,
    today: _Today,
    chosen: InventoryFilter,
    after: UUID | None,
    at_once: int,
) -> Iterator[InventoryDevice]:
    """Devices that may fit, page by page: what the database cannot tell is left to ``fits``."""
    statement = _statement(scope, today, chosen)
    while True:
        part = statement.limit(at_once)
        if after is not None:
            part = part.where(col(Device.id) > after)
        rows: Sequence[Any] = db.execute(part).all()
        for device, held, last_day, returned_at, contact in rows:
            yield InventoryDevice(device, held, last_day, returned_at, contact, today)
        if len(rows) < at_once:
            return
        after, at_once = rows[-1][0].id, _ROWS_AT_ONCE


def _statement(scope: Scope, today: _Today, chosen: InventoryFilter) -> Select[Any]:
    ended_on = latest_of(
        EpisodeEnd, EpisodeEnd.last_day, EpisodeEnd.episode_id, DeviceAssociation.episode_id
    )
    return (
        select(Device, DeviceAssociation, ended_on, last_end(), DeviceContact)
        .select_from(Device)
        .outerjoin(
            DeviceAssociation,
            (col(DeviceAssociation.organization_id) == col(Device.organization_id))
            & (col(DeviceAssociation.device_id) == col(Device.id))
            & running_on(today.now),
        )
        .outerjoin(DeviceContact, _last_contact())
        .where(
            col(Device.organization_id) == scope.organization_id,
            *_named(chosen),
            *_narrowed(today, chosen, ended_on),
        )
        .order_by(col(Device.id))
    )


def _last_contact() -> ColumnElement[bool]:
    """The contact of a device; of several spellings of its id, the one heard last."""
    other = DeviceContact.metadata.tables[str(DeviceContact.__tablename__)].alias("other_contact")
    last = (
        select(other.c.vendor_device_id)
        .where(
            other.c.organization_id == col(Device.organization_id),
            other.c.device_id == col(Device.id),
        )
        .order_by(other.c.heard_at.desc(), other.c.vendor_device_id)
        .limit(1)
        .correlate_except(other)
        .scalar_subquery()
    )
    return (
        (col(DeviceContact.organization_id) == col(Device.organization_id))
        & (col(DeviceContact.vendor) == col(Device.vendor))
        & (col(DeviceContact.vendor_device_id) == last)
    )


def _named(chosen: InventoryFilter) -> list[ColumnElement[bool]]:
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
        conditions.append(col(DeviceAssociation.episode_id).in_(chosen.episode_ids))
    return conditions


def _narrowed(
    today: _Today, chosen: InventoryFilter, ended_on: ColumnElement[Any]
) -> list[ColumnElement[bool]]:
    """What a device that fits must be, and what the database can tell cheaply."""
    with_somebody = col(DeviceAssociation.id).is_not(None)
    conditions: list[ColumnElement[bool]] = []
    if chosen.status is not None:
        conditions.append(~with_somebody if chosen.status == "in_stock" else with_somebody)
    if chosen.status == "in_use" or chosen.silent:
        conditions.append(ended_on.is_(None) | (ended_on >= today.day))
    if chosen.silent:
        came = func.coalesce(col(DeviceContact.measured_at), col(DeviceAssociation.from_at))
        conditions += [with_somebody, came < today.silent_before]
    if chosen.idle:
        conditions.append(col(DeviceContact.heard_at) >= today.idle_after)
        conditions.append(~with_somebody | (ended_on < today.day))
    return conditions

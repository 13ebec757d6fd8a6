"""Device state: where a device is and what was last heard of it, and what the words for it mean.

Owns status, connection, silent and idle, and what a list may be asked for. Does not own the rows
(``rpm.store.queries.inventory``).
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from uuid import UUID
from zoneinfo import ZoneInfo

from rpm.clock import local_day
from rpm.store.tables.inventory import DeviceContact
from rpm.store.tables.monitoring import Device, DeviceAssociation, DeviceCondition

WORKING = "working"
CONDITIONS = (WORKING, "lost", "broken")
"""What is known of a device's condition; one that nobody reported works."""
STATUSES = ("in_use", "awaits_return", "in_stock", "lost", "broken")
"""With a patient; with a patient whose episode is over; with nobody; not to be given to anybody."""
CONNECTIONS = ("heard", "quiet", "never_heard", "no_connection")
"""Something came lately; not lately; never; the vendor has no door through which it could."""
SILENT_DAYS = 3
IDLE_DAYS = 30
"""A device that nobody uses and that said something within these days still sends."""
BY_FILE = "file"
CONTACT_COLUMNS = ("heard_at", "heard_as", "measured_at", "battery", "battery_at")


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
class Today:
    """Now, and the practice's day of it."""

    now: datetime
    zone: str
    connected: frozenset[str]  # vendors with a connection that is not retired
    silent_days: int

    @property
    def day(self) -> date:
        """The practice's today."""
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
        """Who said something since this instant still sends."""
        return self.now - timedelta(days=IDLE_DAYS)


@dataclass(frozen=True)
class InventoryDevice:
    """A device: the association that holds now, if any, and what was last heard."""

    device: Device
    held: DeviceAssociation | None
    last_day: date | None  # of the episode it is with; None: open, or with nobody
    returned_at: datetime | None  # the last time it came back
    contact: DeviceContact | None
    today: Today
    condition: DeviceCondition | None = None  # as reported last; None: never

    @cached_property
    def status(self) -> str:
        """One of STATUSES."""
        if self.held is None:
            known = self.condition.condition if self.condition else WORKING
            return "in_stock" if known == WORKING else known
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

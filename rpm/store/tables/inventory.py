"""Inventory: what was last heard of each device, as its vendor's deliveries tell.

Owns two projections, rebuilt from deliveries and readings at will. Does not own devices and whose
they are (``monitoring``) nor how they are kept up to date (``rpm.actions.refresh_contacts``).
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index
from sqlmodel import Field

from rpm.store.tables.base import Row, UtcDateTime, refers


class DeviceContact(Row, table=True):
    """What was last heard of a device, by the id that its sender uses; registered or not."""

    __table_args__ = (
        refers("device_id", "device"),
        Index(None, "organization_id", "device_id"),
        Index(None, "organization_id", "heard_at"),
    )

    organization_id: UUID = Field(primary_key=True, foreign_key="organization.id")
    vendor: str = Field(primary_key=True)
    vendor_device_id: str = Field(primary_key=True)  # as sent
    device_id: UUID | None = None  # None: not registered
    heard_at: datetime = Field(sa_type=UtcDateTime)  # arrival of the last thing it said
    heard_as: str  # reading, or devices.delivery.Notice.kind
    measured_at: datetime | None = Field(default=None, sa_type=UtcDateTime)  # its last reading
    battery: str | None = None  # as sent, with the vendor's unit where there is one
    battery_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class DeviceContactMark(Row, table=True):
    """Up to which audit number an organization's contacts are read."""

    organization_id: UUID = Field(primary_key=True, foreign_key="organization.id")
    computed_through: int

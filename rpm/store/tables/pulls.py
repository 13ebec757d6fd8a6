"""Pulls: accounts at vendors that are asked for their readings.

Owns the table. Does not own what is asked (``devices.pull``) nor by whom (``rpm.pull``).
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import UniqueConstraint
from sqlmodel import Field

from rpm.store.tables.base import JsonValue, TenantRow, UtcDateTime, refers


class PullAccount(TenantRow, table=True):
    """An account that a connection's readings are fetched from; mutable, and holds no fact.

    The row with an empty subject is the practice's own application at the vendor.
    """

    __table_args__ = (
        UniqueConstraint("organization_id", "connection_id", "subject"),
        refers("connection_id", "connection"),
    )

    connection_id: UUID
    subject: str  # the vendor's word for the account
    credentials_encrypted: bytes  # rpm.fields over JSON: texts by name
    cursor: dict[str, Any] = Field(sa_type=JsonValue)  # devices.pull; of the application: pings
    created_at: datetime = Field(sa_type=UtcDateTime)
    asked_at: datetime | None = Field(default=None, sa_type=UtcDateTime)  # None: nothing to do
    asked_since: datetime | None = Field(default=None, sa_type=UtcDateTime)
    pulled_at: datetime | None = Field(default=None, sa_type=UtcDateTime)  # last whole run
    retry_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    failures: int = 0  # in a row
    problem: str | None = None
    stopped: bool = False  # until a person gives new credentials
    holder: UUID | None = None  # who is at work
    held_until: datetime | None = Field(default=None, sa_type=UtcDateTime)

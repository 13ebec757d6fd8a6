"""Outbound: whom a practice wants told, what there is to tell, and how far each telling is.

Owns their tables. Does not own sending (``rpm.actions.send_events``). An event holds ids only.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index
from sqlmodel import Field

from rpm.store.tables.base import Fact, JsonValue, Row, TenantRow, UtcDateTime, fact_table, refers


class Endpoint(TenantRow, table=True):
    """A receiver of events; mutable in its secrets and its end."""

    name: str
    url: str
    types: list[str] = Field(sa_type=JsonValue)  # empty: all
    secret_encrypted: bytes  # as of Connection
    created_at: datetime = Field(sa_type=UtcDateTime)
    retired_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class OutboundEvent(Fact, table=True):
    """Something that happened, recorded with it; its id is the message's id for ever."""

    __table_args__ = fact_table()

    type: str  # rpm.actions.announce.TYPES
    subject: dict[str, Any] = Field(sa_type=JsonValue)  # ids only


class OutboundDelivery(Row, table=True):
    """One event for one receiver: waiting, sent or given up; mutable in how far it is."""

    __table_args__ = (
        refers("event_id", "outbound_event"),
        refers("endpoint_id", "endpoint"),
        Index(None, "organization_id", "state", "next_at"),
    )

    organization_id: UUID = Field(primary_key=True, foreign_key="organization.id")
    event_id: UUID = Field(primary_key=True)
    endpoint_id: UUID = Field(primary_key=True)
    state: str  # waiting, sent, dead
    attempts: int = 0
    next_at: datetime = Field(sa_type=UtcDateTime)
    held_until: datetime | None = Field(default=None, sa_type=UtcDateTime)  # a sender is at it
    last_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    last_status: int | None = None
    last_problem: str = ""

"""Work that is not a fact yet: running timers, and typed entries that wait for a second person.

Owns both tables. Does not own what a timer says (``rpm.timing``) nor the entry that either becomes
(``rpm.store.tables.ledger``).
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field

from rpm.store.tables.base import JsonValue, TenantRow, UtcDateTime, refers


class Timer(TenantRow, table=True):
    """The one timer of a person; mutable, and removed when it becomes an entry or is discarded."""

    __table_args__ = (
        UniqueConstraint("organization_id", "user_id"),
        refers("user_id", "user_account"),
        refers("patient_id", "patient"),
        refers("episode_id", "episode"),
    )

    user_id: UUID
    patient_id: UUID
    episode_id: UUID
    work: str  # billing.ledger.facts.WORK
    started_at: datetime = Field(sa_type=UtcDateTime)
    spans: list[list[str]] = Field(sa_type=JsonValue)  # ended intervals: begin and end, ISO
    since: datetime | None = Field(default=None, sa_type=UtcDateTime)  # None: it does not run
    active_at: datetime = Field(sa_type=UtcDateTime)
    beat_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    idle_seconds: int | None = None  # the practice's setting when it started
    pause: str | None = None  # rpm.timing.PAUSES


class ProposedEntry(TenantRow, table=True):
    """A long typed entry; mutable in its decision, and no fact before somebody else approves."""

    __table_args__ = (
        refers("proposed_by", "user_account"),
        refers("patient_id", "patient"),
        refers("decided_by", "user_account"),
        Index(None, "organization_id", "state", "id"),
    )

    proposed_by: UUID
    patient_id: UUID
    content: dict[str, Any] = Field(sa_type=JsonValue)  # the entry as it would be logged
    state: str  # waiting, approved, refused
    proposed_at: datetime = Field(sa_type=UtcDateTime)
    decided_by: UUID | None = None
    decided_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    decision_reason: str | None = None

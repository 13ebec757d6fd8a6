"""What watches over the rest: audit events, idempotency keys, job runs, imports, demo clock.

Owns their tables. Does not own the chain's arithmetic (``rpm.audit``).
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field

from rpm.store.tables.base import Fact, JsonValue, Row, UtcDateTime, fact_table


class AuditEvent(Row, table=True):
    """One action: who, what, on which ids, and the digest of the fact rows it wrote."""

    __table_args__ = (
        UniqueConstraint("organization_id", "id"),
        Index(None, "organization_id", "recorded_at"),
        {"info": {"append_only": True}},
    )

    organization_id: UUID = Field(primary_key=True, foreign_key="organization.id")
    number: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    id: UUID
    recorded_at: datetime = Field(sa_type=UtcDateTime)
    actor: dict[str, Any] = Field(sa_type=JsonValue)  # user_id, token_id, name, role
    action: str
    subject: dict[str, Any] = Field(sa_type=JsonValue)  # ids only
    reason: str | None = None
    fact_counts: dict[str, Any] = Field(sa_type=JsonValue)  # rows by table
    fact_digest: str  # SHA-256 over the digests of all rows
    row_digests: bytes  # 8 bytes a row in order of table and id: which row does not fit
    previous_hmac: str
    hmac: str
    key_id: str


class OrganizationHead(Row, table=True):
    """The end of an organization's chain: its row is the organization's lock."""

    organization_id: UUID = Field(primary_key=True, foreign_key="organization.id")
    last_number: int
    last_hmac: str


class IdempotencyKey(Row, table=True):
    """A request that was answered: the same key with other content is a conflict."""

    organization_id: UUID = Field(primary_key=True, foreign_key="organization.id")
    key: str = Field(primary_key=True)
    request_hash: str
    status: int
    response: Any = Field(default=None, sa_type=JsonValue, nullable=True)
    created_at: datetime = Field(sa_type=UtcDateTime)


class JobRun(Row, table=True):
    """A run of a scheduled job, claimed by its key before anything is done."""

    job: str = Field(primary_key=True)
    slot: str = Field(primary_key=True)  # planned time, ISO UTC
    claimed_at: datetime = Field(sa_type=UtcDateTime)
    finished_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    result: str | None = None


class ImportRun(Fact, table=True):
    """A file that was read: its digest, the profile used, and how many rows went where."""

    __table_args__ = fact_table()

    kind: str
    profile: str
    file_digest: str
    counts: dict[str, Any] = Field(sa_type=JsonValue)


class DemoClock(Row, table=True):
    """The clock of a demo database: one row there, none anywhere else."""

    id: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    instant: datetime = Field(sa_type=UtcDateTime)

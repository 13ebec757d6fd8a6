"""Transport: clearinghouses that a practice has an agreement with, and every sending of a file.

Owns their tables. Does not own the files (``ClaimFile``, ``ReceivedFile``) nor how they travel
(``rpm.transport``).
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field

from rpm.store.tables.base import Fact, JsonValue, TenantRow, UtcDateTime, fact_table, refers


class Clearinghouse(Fact, table=True):
    """An agreement with a clearinghouse; the latest of a key counts."""

    __table_args__ = fact_table(Index(None, "organization_id", "key"))

    key: str
    profile: dict[str, Any] = Field(sa_type=JsonValue)  # rpm.transport.profile; no secret
    reason: str


class ClearinghouseState(TenantRow, table=True):
    """What changes about a clearinghouse: its secret, who is at work, the last look; mutable."""

    __table_args__ = (UniqueConstraint("organization_id", "key"),)

    key: str
    secret_encrypted: bytes  # rpm.fields over JSON: private_key, password; or nothing
    holder: UUID | None = None  # who is at work
    held_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    looked_at: datetime | None = Field(default=None, sa_type=UtcDateTime)  # last whole run
    problem: str | None = None
    failures: int = 0  # in a row


class FileSending(Fact, table=True):
    """A step of sending a file: begun, and what came of it. A person's later look is a step too."""

    __table_args__ = fact_table(
        UniqueConstraint("organization_id", "file_id", "number", "step"),
        refers("file_id", "claim_file"),
        refers("user_id", "user_account"),
        Index(None, "organization_id", "clearinghouse_key", "step"),
    )

    file_id: UUID
    number: int  # of the sending of this file, from 1
    step: str  # billing.claims.sending.Step
    clearinghouse_key: str
    name: str  # at the clearinghouse
    size_bytes: int
    place_digest: str  # rpm.transport.profile.Profile.place_digest
    problem: str | None = None
    user_id: UUID | None = None
    reason: str | None = None

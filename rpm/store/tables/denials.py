"""Work on denials: who has a claim, notes, appeals with what was sent, and requests to write off.

Owns their tables. Does not own what is denied or owed (``billing.claims.denial``, from remittances)
nor where a claim stands: an appeal, its answer and a write-off are claim events too.
"""

from datetime import date
from uuid import UUID

from sqlalchemy import BigInteger, Index, UniqueConstraint
from sqlmodel import Field

from rpm.store.tables.base import Fact, fact_table, refers


class Assignment(Fact, table=True):
    """Who works on a claim; the latest counts, and None gives it back."""

    __table_args__ = fact_table(
        refers("claim_id", "claim_record"),
        refers("user_id", "user_account"),
        refers("assigned_by", "user_account"),
        Index(None, "organization_id", "claim_id"),
    )

    claim_id: UUID
    user_id: UUID | None = None
    assigned_by: UUID | None = None


class WorkNote(Fact, table=True):
    """What a person found or did about a claim, and when to look again."""

    __table_args__ = fact_table(
        refers("claim_id", "claim_record"),
        refers("user_id", "user_account"),
        Index(None, "organization_id", "claim_id"),
    )

    claim_id: UUID
    user_id: UUID | None = None
    note: str
    follow_up_on: date | None = None


class Appeal(Fact, table=True):
    """An appeal as it was made: the letter, and every byte of the packet."""

    __table_args__ = fact_table(
        UniqueConstraint("organization_id", "claim_id", "level"),
        refers("claim_id", "claim_record"),
        refers("user_id", "user_account"),
    )

    claim_id: UUID
    attempt: int
    level: int  # from 1
    reason: str  # a group of billing.claims.denial
    letter: str
    packet: bytes
    packet_sha256: str
    sent_on: date
    answer_due_on: date | None = None  # None: not recorded
    user_id: UUID | None = None


class AppealAnswer(Fact, table=True):
    """What the payer said to an appeal; the money comes with a remittance."""

    __table_args__ = fact_table(
        UniqueConstraint("organization_id", "appeal_id"),
        refers("appeal_id", "appeal"),
        refers("user_id", "user_account"),
    )

    appeal_id: UUID
    outcome: str  # billing.claims.appeal.OUTCOMES
    on_day: date
    note: str = ""
    user_id: UUID | None = None


class WriteOffRequest(Fact, table=True):
    """A person wants a claim written off whose amount asks for a second person."""

    __table_args__ = fact_table(
        refers("claim_id", "claim_record"),
        refers("requested_by", "user_account"),
        Index(None, "organization_id", "claim_id"),
    )

    claim_id: UUID
    attempt: int
    cents: int = Field(sa_type=BigInteger)
    reason: str
    requested_by: UUID


class WriteOffDecision(Fact, table=True):
    """What the second person said."""

    __table_args__ = fact_table(
        UniqueConstraint("organization_id", "request_id"),
        refers("request_id", "write_off_request"),
        refers("decided_by", "user_account"),
    )

    request_id: UUID
    decided_by: UUID
    approved: bool
    note: str = ""

"""Retention: what must stay, what may go, who said so, and what stands in the place of what went.

Owns their tables. Does not own what may go (``rpm.store.purgeable``) nor its removal
(``rpm.actions.run_purge``).
"""

from datetime import date
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint

from rpm.store.tables.base import Fact, fact_table, refers


class LegalHold(Fact, table=True):
    """Nothing of a patient, or of the practice, may be removed; or such a hold lifted."""

    __table_args__ = fact_table(
        UniqueConstraint("organization_id", "lifts_id"),
        refers("patient_id", "patient"),
        refers("lifts_id", "legal_hold"),
        Index(None, "organization_id", "patient_id"),
    )

    patient_id: UUID | None = None  # None: everything of the practice
    reason: str
    lifts_id: UUID | None = None


class PurgeOrder(Fact, table=True):
    """One person wants payloads of deliveries that arrived before a day removed."""

    __table_args__ = fact_table()

    before_day: date  # the practice's day
    deliveries: int  # that may go, when it was ordered
    held: int  # that are old enough and must stay
    ordered_by: UUID
    reason: str


class PurgeApproval(Fact, table=True):
    """Another person agrees with an order."""

    __table_args__ = fact_table(
        UniqueConstraint("organization_id", "order_id"), refers("order_id", "purge_order")
    )

    order_id: UUID
    approved_by: UUID


class Tombstone(Fact, table=True):
    """A row whose payload was removed: its digest as the chain covers it, and as it stands now."""

    __table_args__ = fact_table(
        UniqueConstraint("organization_id", "table_name", "row_id"),
        refers("order_id", "purge_order"),
    )

    order_id: UUID
    table_name: str
    row_id: UUID
    row_digest: str  # SHA-256, hex, of the row as it was recorded
    left_digest: str  # of the row without its payload

"""Sites: where the practice's people work and to which patients belong.

Owns their tables. Does not own what somebody of a site may see (``rpm.store.scope``).
"""

from uuid import UUID

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field

from rpm.store.tables.base import Fact, JsonValue, fact_table, refers


class Site(Fact, table=True):
    """An office of the practice."""

    __table_args__ = fact_table(UniqueConstraint("organization_id", "name"))

    name: str
    place: str | None = None  # street and city, for people


class PatientSite(Fact, table=True):
    """A patient belongs to a site from now on, or to none; the latest counts."""

    __table_args__ = fact_table(
        refers("patient_id", "patient"),
        refers("site_id", "site"),
        Index(None, "organization_id", "patient_id"),
    )

    patient_id: UUID
    site_id: UUID | None = None


class UserSites(Fact, table=True):
    """A user sees the patients of these sites only from now on, of all if none; latest counts."""

    __table_args__ = fact_table(
        refers("user_id", "user_account"), Index(None, "organization_id", "user_id")
    )

    user_id: UUID
    site_ids: list[str] = Field(sa_type=JsonValue)  # hex
    reason: str

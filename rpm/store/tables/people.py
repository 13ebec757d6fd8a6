"""Who: the organization, the people who work there, patients and who pays for them.

Owns their tables. Does not own roles and permissions (``rpm.access``).
"""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field

from rpm.store.tables.base import Fact, JsonValue, Row, TenantRow, UtcDateTime, fact_table, refers


class Organization(Row, table=True):
    """The practice, our tenant; the only fact whose own id is the organization's."""

    __table_args__ = ({"info": {"append_only": True}},)

    id: UUID = Field(primary_key=True)
    name: str
    timezone: str  # IANA name; its days are the practice's local days
    npi: str
    tax_id: str | None = None
    created_at: datetime = Field(sa_type=UtcDateTime)
    audit_number: int = Field(default=None, nullable=False)


class PracticeSetting(Fact, table=True):
    """A choice of the practice, such as ``profile`` or ``count_cgm_days``; the latest counts."""

    __table_args__ = fact_table()

    key: str
    value: Any = Field(sa_type=JsonValue)
    reason: str


class Practitioner(Fact, table=True):
    """A person who may order or bill, by NPI."""

    __table_args__ = fact_table(UniqueConstraint("organization_id", "npi"))

    name: str
    npi: str
    taxonomy: str | None = None
    credential: str


class User(TenantRow, table=True):
    """A person with access; mutable, every change has its audit event."""

    __tablename__ = "user_account"
    __table_args__ = (
        UniqueConstraint("organization_id", "email"),
        refers("practitioner_id", "practitioner"),
    )

    name: str
    email: str
    role: str  # rpm.access.ROLE_PERMISSIONS
    practitioner_id: UUID | None = None
    active: bool = True
    created_at: datetime = Field(sa_type=UtcDateTime)


class ApiToken(TenantRow, table=True):
    """A bearer token, kept only as its hash; mutable in last use and revocation."""

    __table_args__ = (UniqueConstraint("token_hash"), refers("user_id", "user_account"))

    user_id: UUID
    token_hash: str  # SHA-256, hex
    name: str
    permissions: list[str] = Field(sa_type=JsonValue)
    created_at: datetime = Field(sa_type=UtcDateTime)
    expires_at: datetime = Field(sa_type=UtcDateTime)
    last_used_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    revoked_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class Patient(Fact, table=True):
    """A patient of the practice, under the practice's own record number."""

    __table_args__ = fact_table(UniqueConstraint("organization_id", "record_number"))

    record_number: str
    family_name: str
    given_name: str
    birth_date: date
    sex: str
    timezone: str  # IANA name; a reading without a zone of its own is dated by it


class Payer(Fact, table=True):
    """Who pays; ``key`` is the payer key of the rule book, such as ``MEDICARE_B``."""

    __table_args__ = fact_table(UniqueConstraint("organization_id", "key"))

    key: str
    name: str
    edi_payer_id: str | None = None


class Coverage(Fact, table=True):
    """A patient with a payer, under a member id, from a day on."""

    __table_args__ = fact_table(
        refers("patient_id", "patient"),
        refers("payer_id", "payer"),
        Index(None, "organization_id", "patient_id"),
    )

    patient_id: UUID
    payer_id: UUID
    member_id: str
    from_day: date
    to_day: date | None = None  # inclusive


class CoverageEnd(Fact, table=True):
    """The last day of a coverage, when it became known later; the latest counts."""

    __table_args__ = fact_table(
        refers("coverage_id", "coverage"), Index(None, "organization_id", "coverage_id")
    )

    coverage_id: UUID
    last_day: date
    reason: str

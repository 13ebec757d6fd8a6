"""Claims: what they need of the practice, payers and patients, the claims, and what befell them.

Owns their tables. Does not own how services become claims (``billing.claims.assemble``), where a
claim stands (``billing.claims.lifecycle`` folds its events; the status is never stored), nor the
answers of payers (``rpm.store.tables.answers``). Money is whole cents.
"""

from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field

from rpm.store.tables.base import Fact, JsonValue, Row, fact_table, refers


class PracticeBilling(Fact, table=True):
    """How the practice stands on its claims; the latest counts."""

    __table_args__ = fact_table()

    name: str
    street: str
    street_more: str = ""
    city: str
    state: str
    postal_code: str  # 9 digits, no hyphen
    tax_id: str
    tax_id_kind: str  # EI or SY
    taxonomy: str = ""
    contact_name: str
    contact_phone: str  # digits
    submitter_id: str
    reason: str


class PatientAddress(Fact, table=True):
    """Where a patient lives, for claims and statements; the latest counts."""

    __table_args__ = fact_table(
        refers("patient_id", "patient"), Index(None, "organization_id", "patient_id")
    )

    patient_id: UUID
    street: str
    street_more: str = ""
    city: str
    state: str
    postal_code: str
    phone: str = ""


class PractitionerName(Fact, table=True):
    """A practitioner's name by its parts; the latest counts."""

    __table_args__ = fact_table(
        refers("practitioner_id", "practitioner"),
        Index(None, "organization_id", "practitioner_id"),
    )

    practitioner_id: UUID
    last: str
    first: str
    middle: str = ""
    suffix: str = ""


class PayerBilling(Fact, table=True):
    """How a payer is billed; the latest counts."""

    __table_args__ = fact_table(
        refers("payer_id", "payer"), Index(None, "organization_id", "payer_id")
    )

    payer_id: UUID
    edi_payer_id: str
    filing_code: str  # SBR09
    street: str = ""
    street_more: str = ""
    city: str = ""
    state: str = ""
    postal_code: str = ""
    day_range: bool = False  # supply periods as a range of days
    timely_filing_days: int | None = None  # None: not recorded
    appeal_days: int | None = None
    clearinghouse_key: str = ""  # empty: the practice's only one


class CoverageDetail(Fact, table=True):
    """What a claim tells of a coverage beyond payer and member id; the latest counts."""

    __table_args__ = fact_table(
        refers("coverage_id", "coverage"), Index(None, "organization_id", "coverage_id")
    )

    coverage_id: UUID
    rank: str  # P, S, T
    group_number: str = ""
    group_name: str = ""
    relationship: str = "18"  # of the patient to the subscriber (SBR02, PAT01)
    # last, first, middle, suffix, birth_date, sex, street ..; None: the patient is the subscriber
    subscriber: dict[str, Any] | None = Field(default=None, sa_type=JsonValue)


class PracticeCharge(Fact, table=True):
    """What the practice asks for one unit; of equal code, modifier and first day the latest."""

    __table_args__ = fact_table(Index(None, "organization_id", "procedure"))

    procedure: str
    modifier: str = ""
    cents: int
    from_day: date
    to_day: date | None = None
    reason: str


class ClaimRecord(Fact, table=True):
    """A claim as it was assembled: its first attempt. Corrections are ``ClaimVersion``."""

    __table_args__ = fact_table(
        UniqueConstraint("organization_id", "control_number"),
        refers("patient_id", "patient"),
        refers("payer_id", "payer"),
        refers("close_id", "close"),
        Index(None, "organization_id", "patient_id"),
        Index(None, "organization_id", "close_id"),
        Index(None, "organization_id", "from_day"),
    )

    patient_id: UUID
    payer_id: UUID
    close_id: UUID | None = None
    control_number: str  # CLM01; comes back with every answer
    rendering_npi: str
    from_day: date
    to_day: date
    charge_cents: int
    content: dict[str, Any] = Field(sa_type=JsonValue)  # billing.claims.claim_json


class ClaimLineRecord(Fact, table=True):
    """A service on a claim: no service is on two."""

    __table_args__ = fact_table(
        UniqueConstraint("organization_id", "service_id"),
        UniqueConstraint("organization_id", "claim_id", "line_number"),
        refers("claim_id", "claim_record"),
        refers("posting_id", "posting"),
        refers("visit_id", "visit"),
        Index(None, "organization_id", "posting_id"),
        Index(None, "organization_id", "visit_id"),
    )

    claim_id: UUID
    line_number: int  # of the line control number, from 1; a corrected claim adds, never reuses
    attempt: int = 1  # that brought the line
    service_id: str  # a posting's id, or a visit decision's with the line's place
    procedure: str
    charge_cents: int
    posting_id: UUID | None = None
    visit_id: UUID | None = None


class ClaimVersion(Fact, table=True):
    """A further attempt of a claim, prepared by a person: rebuilt, replacement or void."""

    __table_args__ = fact_table(
        UniqueConstraint("organization_id", "claim_id", "attempt"),
        refers("claim_id", "claim_record"),
        refers("corrected_by", "user_account"),
    )

    claim_id: UUID
    attempt: int  # from 2
    frequency: str  # 1, 7, 8
    charge_cents: int
    content: dict[str, Any] = Field(sa_type=JsonValue)
    reason: str
    corrected_by: UUID | None = None


class ClaimFile(Fact, table=True):
    """A file of claims as it leaves, every byte; kept once it passed all checks."""

    __table_args__ = fact_table(
        UniqueConstraint("organization_id", "kind", "interchange_number"),
    )

    kind: str  # 837P, 270, CSV
    interchange_number: int | None = None
    name: str
    sha256: str
    content: bytes
    clearinghouse_key: str
    usage: str = ""  # T or P, as the envelope says
    claim_count: int
    charge_cents: int


class ClaimEventRecord(Fact, table=True):
    """Something that befell a claim; its status is folded from these."""

    __tablename__ = "claim_event"
    __table_args__ = fact_table(
        UniqueConstraint("organization_id", "claim_id", "key"),
        refers("claim_id", "claim_record"),
        refers("user_id", "user_account"),
        refers("file_id", "claim_file"),
        Index(None, "organization_id", "file_id"),
    )

    claim_id: UUID
    key: str  # the same for a repeat of the same answer, and for nothing else
    kind: str  # billing.claims.lifecycle.Kind
    attempt: int = 1
    number: int = 0  # orders what the practice itself did
    frequency: str = "1"
    paid_cents: int = 0
    patient_cents: int = 0
    on_day: date | None = None
    user_id: UUID | None = None
    reason: str | None = None
    file_id: UUID | None = None
    detail: dict[str, Any] = Field(default_factory=dict, sa_type=JsonValue)


class NumberSequence(Row, table=True):
    """The last number given out under a name; mutable, taken inside the recording transaction."""

    organization_id: UUID = Field(primary_key=True, foreign_key="organization.id")
    name: str = Field(primary_key=True)
    last_number: int

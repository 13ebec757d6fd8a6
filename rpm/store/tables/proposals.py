"""Interchange: what came from other systems and what it proposes, and what was given to them.

Owns their tables. Does not own reading a message (``rpm.interchange``) nor the change that an
accepted proposal makes (``rpm.actions.answer_proposal``). Nothing here changes a patient's record.
"""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field

from rpm.store.tables.base import Fact, JsonValue, TenantRow, UtcDateTime, fact_table, refers


class VisitPlatform(TenantRow, table=True):
    """A telehealth platform's door to one organization; mutable in its secrets and its end."""

    __table_args__ = (UniqueConstraint("token_hash"),)

    name: str
    token_hash: str  # SHA-256 of the address token, hex
    secret_encrypted: bytes  # as of Connection
    created_at: datetime = Field(sa_type=UtcDateTime)
    retired_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class InboundMessage(Fact, table=True):
    """A message of another system, every byte; what cannot be read is kept all the same."""

    __table_args__ = fact_table(
        UniqueConstraint("organization_id", "sha256"),
        refers("platform_id", "visit_platform"),
    )

    source: str  # adt-file, adt-mllp, fhir, visit-event
    name: str = ""  # of the file, or the sender's id of the message
    platform_id: UUID | None = None
    sha256: str  # of the content
    content: bytes
    state: str  # read, quarantined
    findings: list[Any] = Field(sa_type=JsonValue)  # code, place, words; never a value


class Proposal(Fact, table=True):
    """What a message proposes to record: a patient, a coverage, or that a visit took place."""

    __table_args__ = fact_table(
        UniqueConstraint("organization_id", "message_id", "ordinal"),
        refers("message_id", "inbound_message"),
        Index(None, "organization_id", "record_number"),
    )

    message_id: UUID
    ordinal: int  # counts a message's proposals
    kind: str  # patient, coverage, visit
    record_number: str  # the practice's own id of the patient, as sent
    content: dict[str, Any] = Field(sa_type=JsonValue)  # as sent, by our names; what is not: absent


class ProposalAnswer(Fact, table=True):
    """A person accepted or dismissed a proposal, once."""

    __table_args__ = fact_table(
        UniqueConstraint("organization_id", "proposal_id"),
        refers("proposal_id", "proposal"),
        refers("answered_by", "user_account"),
    )

    proposal_id: UUID
    accepted: bool
    answered_by: UUID | None = None
    reason: str | None = None
    made: dict[str, Any] = Field(sa_type=JsonValue)  # ids of what was recorded by it


class FhirExport(Fact, table=True):
    """A bulk export that was asked for: its answer is what was known at its audit number."""

    __table_args__ = fact_table(refers("requested_by", "user_account"))

    types: list[str] = Field(sa_type=JsonValue)
    since: datetime | None = Field(default=None, sa_type=UtcDateTime)
    request: str  # the address asked, without host
    requested_by: UUID | None = None


class FhirExportEnd(Fact, table=True):
    """The one who asked does not need the export any more."""

    __table_args__ = fact_table(
        UniqueConstraint("organization_id", "export_id"), refers("export_id", "fhir_export")
    )

    export_id: UUID


class EligibilityInquiry(Fact, table=True):
    """A payer was asked about a patient (270), under a trace number that comes back."""

    __table_args__ = fact_table(
        UniqueConstraint("organization_id", "trace_number"),
        refers("patient_id", "patient"),
        refers("coverage_id", "coverage"),
        refers("file_id", "claim_file"),
        Index(None, "organization_id", "patient_id"),
    )

    patient_id: UUID
    coverage_id: UUID
    trace_number: str  # TRN02
    service_day: date
    file_id: UUID


class EligibilityAnswer(Fact, table=True):
    """What a 271 said of a patient, as far as it said it; what was not told is None."""

    __table_args__ = fact_table(
        UniqueConstraint("organization_id", "message_id", "ordinal"),
        refers("message_id", "inbound_message"),
        refers("inquiry_id", "eligibility_inquiry"),
        refers("patient_id", "patient"),
        refers("check_id", "eligibility_check"),
        Index(None, "organization_id", "patient_id"),
    )

    message_id: UUID
    ordinal: int
    inquiry_id: UUID | None = None
    patient_id: UUID | None = None  # None: nobody's here; kept and listed
    check_id: UUID | None = None  # None: the payer is none whose telehealth rules are known
    standing: str  # active, inactive, unknown, refused
    plan_name: str | None = None
    copay_cents: int | None = None
    coinsurance_percent: str | None = None
    deductible_left_cents: int | None = None
    covers_telehealth: bool | None = None
    covers_monitoring: bool | None = None
    checked_on: date
    detail: dict[str, Any] = Field(sa_type=JsonValue)  # benefits by code, reasons of a refusal

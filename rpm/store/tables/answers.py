"""Answers of clearinghouses and payers: files as they came, remittances, patients' payments.

Owns their tables. Does not own what a file says (``billing.claims.x12``), which claim an answer is
about (``rpm.actions.post_answers``), nor where a claim stands. Money is whole cents.
"""

from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Index, UniqueConstraint
from sqlmodel import Field

from rpm.store.tables.base import Fact, JsonValue, fact_table, refers


class ReceivedFile(Fact, table=True):
    """A file as it came, every byte, stored before anything was read from it; once by content."""

    __table_args__ = fact_table(
        UniqueConstraint("organization_id", "sha256"),
        refers("received_by", "user_account"),
        Index(None, "organization_id", "interchange_sender", "interchange_number"),
    )

    name: str  # as its sender called it; never a path
    source: str  # upload, command, or the key of a clearinghouse
    sha256: str
    size_bytes: int
    kind: str  # billing.claims.x12.kind.KINDS, by content
    interchange_sender: str = ""
    interchange_number: str = ""
    content: bytes
    received_by: UUID | None = None


class ReceivedFileOutcome(Fact, table=True):
    """What became of a received file; the latest counts."""

    __table_args__ = fact_table(
        refers("file_id", "received_file"), Index(None, "organization_id", "file_id")
    )

    file_id: UUID
    state: str  # posted, quarantined, needs-look
    findings: list[Any] = Field(sa_type=JsonValue)  # code, where, message of each
    counts: dict[str, Any] = Field(sa_type=JsonValue)  # what was posted and what was known already


class Remittance(Fact, table=True):
    """A payment as one transaction set of an 835 tells it.

    A second telling of the same payment, such as the whole file after a cut one, is another row
    that replaces the first; claims it repeats are not stored again.
    """

    __table_args__ = fact_table(
        UniqueConstraint("organization_id", "file_id", "ordinal"),
        UniqueConstraint("organization_id", "replaces_id"),
        refers("file_id", "received_file"),
        refers("replaces_id", "remittance"),
        Index(None, "organization_id", "payment_key"),
        Index(None, "organization_id", "payment_day"),
    )

    file_id: UUID
    ordinal: int  # of the set in its file, from 1
    payment_key: str  # the same for every telling of one payment
    replaces_id: UUID | None = None
    payer_name: str
    payer_id_text: str
    payee_npi: str = ""
    trace_number: str
    payment_day: date | None = None  # None: not told, or not a day
    method: str  # BPR04
    paid_cents: int = Field(sa_type=BigInteger)  # BPR02, negative where the payer takes back
    claims_cents: int = Field(sa_type=BigInteger)  # sum of what its claims were paid
    provider_adjustments: list[Any] = Field(sa_type=JsonValue)  # npi, reason, reference, cents
    adjusted_cents: int = Field(sa_type=BigInteger)  # what provider adjustments take off
    difference_cents: int = Field(sa_type=BigInteger)  # paid - claims + adjusted; 0: explained
    claim_count: int
    findings: list[Any] = Field(sa_type=JsonValue)


class RemittanceClaim(Fact, table=True):
    """What a payer did with a claim; one that no claim was found for is kept and listed."""

    __table_args__ = fact_table(
        UniqueConstraint("organization_id", "key"),
        refers("remittance_id", "remittance"),
        refers("claim_id", "claim_record"),
        Index(None, "organization_id", "remittance_id", "ordinal"),
        Index(None, "organization_id", "claim_id"),
    )

    remittance_id: UUID
    ordinal: int
    key: str  # the same for a repeat of the same answer, and for nothing else
    claim_id: UUID | None = None
    attempt: int | None = None
    control_number: str
    status_code: str  # CLP02
    is_reversal: bool
    charge_cents: int = Field(sa_type=BigInteger)
    paid_cents: int = Field(sa_type=BigInteger)
    patient_cents: int = Field(sa_type=BigInteger)  # negative in a reversal
    payer_claim_number: str
    told: dict[str, Any] = Field(sa_type=JsonValue)  # frequency, patient's name and id, first day
    adjustments: list[Any] = Field(sa_type=JsonValue)  # of the claim: group, reason, cents
    lines: list[Any] = Field(sa_type=JsonValue)
    remarks: list[Any] = Field(sa_type=JsonValue)


class RemittanceMatch(Fact, table=True):
    """A person found the claim that money was for."""

    __table_args__ = fact_table(
        UniqueConstraint("organization_id", "remittance_claim_id"),
        refers("remittance_claim_id", "remittance_claim"),
        refers("claim_id", "claim_record"),
        refers("user_id", "user_account"),
        Index(None, "organization_id", "claim_id"),
    )

    remittance_claim_id: UUID
    claim_id: UUID
    attempt: int
    user_id: UUID | None = None
    reason: str


class PatientPayment(Fact, table=True):
    """Money from a patient, or back to one; a wrong entry is reversed by another row."""

    __table_args__ = fact_table(
        UniqueConstraint("organization_id", "reverses_id"),
        refers("patient_id", "patient"),
        refers("claim_id", "claim_record"),
        refers("received_by", "user_account"),
        refers("reverses_id", "patient_payment"),
        Index(None, "organization_id", "patient_id"),
        Index(None, "organization_id", "claim_id"),
    )

    patient_id: UUID
    claim_id: UUID | None = None
    cents: int  # negative: a refund, or the reversal of a payment
    on_day: date
    method: str
    note: str | None = None
    received_by: UUID | None = None
    reverses_id: UUID | None = None


class OverpaymentFound(Fact, table=True):
    """A person identified an overpayment, or settled it; the latest of a claim counts."""

    __table_args__ = fact_table(
        refers("claim_id", "claim_record"),
        refers("user_id", "user_account"),
        Index(None, "organization_id", "claim_id"),
    )

    claim_id: UUID
    identified_on: date
    settled_on: date | None = None
    cents: int
    reason: str
    user_id: UUID | None = None

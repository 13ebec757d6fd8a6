"""Visits and what was decided about them; licenses, compacts, eligibility and authorizations.

Owns their tables. Does not own how a visit is coded (``billing.coding``).
"""

from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field

from rpm.store.tables.base import Fact, JsonValue, fact_table, refers


class Visit(Fact, table=True):
    """A documented visit; a correction is another row that replaces it."""

    __table_args__ = fact_table(
        UniqueConstraint("organization_id", "replaces_id"),
        refers("patient_id", "patient"),
        refers("practitioner_id", "practitioner"),
        refers("recorded_by", "user_account"),
        refers("replaces_id", "visit"),
        Index(None, "organization_id", "patient_id", "service_day"),
    )

    patient_id: UUID
    practitioner_id: UUID | None = None
    recorded_by: UUID | None = None
    service_day: date
    payer: str  # billing.coding.encounter.PAYERS
    facts: dict[str, Any] = Field(sa_type=JsonValue)  # columns of billing.coding.encounter_text
    submitted: str | None = None  # lines a person wrote, to be judged; None: to be proposed
    replaces_id: UUID | None = None
    withdrawn: bool = False  # the visit was recorded in error
    reason: str | None = None  # of a correction


class VisitDecision(Fact, table=True):
    """What a person chose for a visit: what was proposed, what goes out, and what was overruled."""

    __table_args__ = fact_table(
        refers("visit_id", "visit"),
        refers("patient_id", "patient"),
        refers("decided_by", "user_account"),
        Index(None, "organization_id", "visit_id"),
    )

    visit_id: UUID
    patient_id: UUID
    decided_by: UUID
    known_day: date  # whose rules judged
    service_day: date
    accepted: bool  # False: held
    proposed: str  # lines as coding gave them
    chosen: str  # lines as they leave
    status: str  # billing.coding.coded.STATUSES, of the chosen lines
    findings: list[Any] = Field(sa_type=JsonValue)  # edit, weight and line of each
    overruled: list[Any] = Field(sa_type=JsonValue)  # edit and reason of each
    service_ids: list[Any] = Field(sa_type=JsonValue)  # what it recorded for the ledger, as hex
    reason: str | None = None


class PractitionerAuthority(Fact, table=True):
    """A license or privilege of a practitioner; a correction or a renewal is another row."""

    __table_args__ = fact_table(
        UniqueConstraint("organization_id", "replaces_id"),
        refers("practitioner_id", "practitioner"),
        refers("replaces_id", "practitioner_authority"),
        Index(None, "organization_id", "practitioner_id"),
    )

    practitioner_id: UUID
    kind: str  # billing.coding.authority.KINDS
    jurisdiction: str | None = None  # state it authorizes
    compact: str | None = None
    home_state: str | None = None
    identifier: str | None = None
    active: bool
    valid_from: date | None = None
    valid_to: date | None = None
    verified_on: date
    replaces_id: UUID | None = None


class CompactMember(Fact, table=True):
    """A state's part in a compact, as its commission's list says; the latest row counts."""

    __table_args__ = fact_table(Index(None, "organization_id", "compact", "jurisdiction"))

    compact: str
    jurisdiction: str
    operative_from: date | None = None
    withdrawn_on: date | None = None
    verified_on: date
    source: str


class EligibilityCheck(Fact, table=True):
    """What a payer said of a patient, and for which days; the latest check of a day counts."""

    __table_args__ = fact_table(
        refers("patient_id", "patient"), Index(None, "organization_id", "patient_id")
    )

    patient_id: UUID
    payer: str  # billing.coding.encounter.PAYERS
    standing: str  # active, ma_plan, other_payer, terminated, unknown
    checked_on: date
    valid_from: date
    valid_to: date | None = None
    covers_telehealth: bool | None = None  # None: not told
    covers_audio_only: bool | None = None
    covers_monitoring: bool | None = None
    note: str | None = None


class ServiceAuthorization(Fact, table=True):
    """A payer's authorization, or that it asks for one that is not there."""

    __table_args__ = fact_table(
        UniqueConstraint("organization_id", "replaces_id"),
        refers("patient_id", "patient"),
        refers("replaces_id", "service_authorization"),
        Index(None, "organization_id", "patient_id"),
    )

    patient_id: UUID
    payer: str
    standing: str  # not_required, on_file, missing
    number: str | None = None
    codes: list[Any] = Field(sa_type=JsonValue)  # empty: any
    units_left: int | None = None
    valid_from: date
    valid_to: date | None = None
    replaces_id: UUID | None = None

"""What is billed: minutes, other services, rule pages of the practice, closes, postings, exports.

Owns their tables, and those of the readiness projection. Does not own how postings follow from
facts (``billing.ledger``) nor how readiness is refreshed (``rpm.store.readiness``).
"""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint
from sqlmodel import Field

from rpm.store.tables.base import Fact, JsonValue, Row, UtcDateTime, fact_table, refers


class InteractionEntry(Fact, table=True):
    """Logged work of one person on one local day; a reversal carries negative seconds."""

    __table_args__ = fact_table(
        UniqueConstraint("organization_id", "client_id"),
        UniqueConstraint("organization_id", "reverses_id"),
        refers("patient_id", "patient"),
        refers("episode_id", "episode"),
        refers("actor_user_id", "user_account"),
        refers("reverses_id", "interaction_entry"),
        Index(None, "organization_id", "patient_id", "local_day"),
        Index(
            "ix_interaction_entry_person_day",
            "organization_id",
            "actor_user_id",
            "local_day",
            # what a look-up of overlaps asks for: it then need not read the entries
            "start_second",
            "duration_seconds",
            "patient_id",
        ),
        Index(None, "organization_id", "replaces_id"),
    )

    client_id: UUID  # made by the browser or the API client
    patient_id: UUID
    episode_id: UUID | None = None
    actor_user_id: UUID | None = None
    actor_name: str
    role: str  # billing.ledger.facts.ROLES
    work: str  # billing.ledger.facts.WORK
    mode: str  # billing.ledger.facts.MODES
    local_day: date  # the practice's day, fixed when recorded
    start_second: int | None = None  # seconds after local midnight
    duration_seconds: int
    zone: str  # IANA name that gave the day
    started_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    activity: str
    note: str | None = None
    origin: str  # timer, typed, imported, reversal
    reverses_id: UUID | None = None
    reason: str | None = None
    replaces_id: UUID | None = None  # a reversed entry whose place this one takes


class OtherService(Fact, table=True):
    """A service that excludes or competes: our own or another practice's."""

    __table_args__ = fact_table(
        UniqueConstraint("organization_id", "reverses_id"),
        refers("patient_id", "patient"),
        refers("practitioner_id", "practitioner"),
        refers("actor_user_id", "user_account"),
        refers("reverses_id", "other_service"),
        Index(None, "organization_id", "patient_id", "service_day"),
    )

    patient_id: UUID
    code: str
    service_day: date
    own: bool  # ours; False: another practice's
    practitioner_id: UUID | None = None
    actor_user_id: UUID | None = None
    note: str | None = None
    reverses_id: UUID | None = None
    reason: str | None = None


class RulePage(Fact, table=True):
    """A rule page of the practice, as the TOML text it gave; a correction is another row."""

    __table_args__ = fact_table()

    page_id: str
    toml: str
    digest: str


class CmsTable(Fact, table=True):
    """A table loaded from a file of CMS: what is kept of it; a later file is another row."""

    __table_args__ = fact_table(UniqueConstraint("organization_id", "kind", "edition", "sha256"))

    kind: str  # ptp, mue, add-on, rvu, gpci
    edition: str  # 2026Q4, or 2026 for the factors of a year
    from_day: date
    to_day: date | None = None
    file_name: str
    sha256: str  # of the file
    content: dict[str, Any] = Field(sa_type=JsonValue)  # rows of codes that the product knows


class Close(Fact, table=True):
    """A month closed: what was known, under which rules and product version, and the totals."""

    __table_args__ = fact_table(UniqueConstraint("organization_id", "month_start_day", "ordinal"))

    month_start_day: date
    ordinal: int  # 1 for the first close of the month
    as_of: date
    known_day: date  # processing date by which rule pages were chosen
    known_audit_number: int  # highest audit number the close saw
    product_version: str
    rule_digests: dict[str, Any] = Field(sa_type=JsonValue)
    totals: dict[str, Any] = Field(sa_type=JsonValue)
    outcome_digest: str
    chain_anchor: dict[str, Any] = Field(sa_type=JsonValue)  # number and hmac of the chain's head


class CloseClaim(Row, table=True):
    """The right to make one close; its key lets only one of several have it."""

    organization_id: UUID = Field(primary_key=True, foreign_key="organization.id")
    month_start_day: date = Field(primary_key=True)
    ordinal: int = Field(primary_key=True)
    claimed_at: datetime = Field(sa_type=UtcDateTime)


class CloseRow(Fact, table=True):
    """A run of rows of a close's outcome: events, findings or periods (``rpm.store.close_rows``).

    The first release kept each row by itself: its content is the row.
    """

    __table_args__ = fact_table(
        UniqueConstraint("organization_id", "close_id", "ordinal"), refers("close_id", "close")
    )

    close_id: UUID
    ordinal: int
    content: dict[str, Any] = Field(sa_type=JsonValue)


class Posting(Fact, table=True):
    """A recorded billable event (+1) or the reversal of one (-1)."""

    __table_args__ = fact_table(
        UniqueConstraint("organization_id", "key", "ordinal", "sign"),
        CheckConstraint("sign IN (1, -1)", name="sign"),
        refers("close_id", "close"),
        refers("patient_id", "patient"),
        refers("episode_id", "episode"),
        Index(None, "organization_id", "patient_id"),
        Index(None, "organization_id", "close_id"),
    )

    close_id: UUID
    key: str  # subject, code and period start
    ordinal: int  # counts issues of the key
    sign: int
    patient_id: UUID
    episode_id: UUID | None = None
    code: str
    units: int
    service_day: date
    period_start_day: date
    period_end_day: date
    payer_key: str
    rule_page_id: str
    amount_cents: int | None = None  # for all units; None: not known, never zero
    amount_status: str
    reason: str | None = None
    evidence_digest: str


class Export(Fact, table=True):
    """A month-end file set that was written: its manifest and the digest of each file."""

    __table_args__ = fact_table(refers("close_id", "close"))

    close_id: UUID
    manifest: dict[str, Any] = Field(sa_type=JsonValue)
    file_digests: dict[str, Any] = Field(sa_type=JsonValue)


class ReadinessRow(Row, table=True):
    """How far a patient is with one ladder in the running period; a projection of ``evaluate``."""

    __table_args__ = (
        refers("patient_id", "patient"),
        refers("episode_id", "episode"),
        Index(None, "organization_id", "still_needed", "patient_id", "position"),
        Index(None, "organization_id", "end_day", "patient_id", "position"),
        Index(None, "organization_id", "due_day", "patient_id", "position"),
    )

    organization_id: UUID = Field(primary_key=True, foreign_key="organization.id")
    patient_id: UUID = Field(primary_key=True)
    position: int = Field(primary_key=True)  # counts a patient's rows
    episode_id: UUID
    ladder: str
    role: str = ""  # of the ladder: supply, management, review
    state: str  # rpm.store.readiness.STATES
    payer_key: str  # empty without coverage
    start_day: date | None = None  # None: the window begins with the first reading
    end_day: date | None = None
    measured: int  # days or seconds, as the ladder counts
    earned_code: str  # what that would earn today; empty when nothing
    further_code: str = ""  # of units earned beyond that; empty for none
    further_units: int = 0
    next_code: str  # what more would earn; empty at the top
    next_at_least: int
    still_needed: int  # days or seconds
    reachable: bool
    at_top: bool = False  # the highest band is reached: more only adds units
    needs_live: bool  # the month has no live contact yet
    findings: list[str] = Field(sa_type=JsonValue)  # codes that hold the patient's lines
    due_code: str = ""  # the highest code whose days can still be had; empty when none
    due_day: date | None = None  # without a reading on it that code is lost


class ReadinessMark(Row, table=True):
    """Up to which audit number, and for which day, an organization's readiness is computed."""

    organization_id: UUID = Field(primary_key=True, foreign_key="organization.id")
    computed_through: int
    as_of: date

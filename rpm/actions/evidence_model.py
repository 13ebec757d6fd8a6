"""Evidence packs: the shape of the document, as its published schema describes it.

Owns the fields. Does not own filling them (``rpm.actions.evidence_pack``) nor checking them
(``billing.evidence``). Ids are 32 hexadecimal digits, instants in facts are UTC, as stored.
"""

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from billing.evidence.pack import FORMAT

SCHEMA_ID = "urn:rpm-ledger:evidence:1"
Hex32 = Annotated[str, Field(pattern="^[0-9a-f]{32}$")]
Hex64 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid")


class PackOrganization(_Part):
    """The practice."""

    id: Hex32
    name: str
    npi: str
    timezone: str = Field(description="IANA name; its days are the days of the time log.")


class PackAnchor(_Part):
    """The audit chain at one of its events."""

    number: int
    hmac: Hex64


class PackChain(_Part):
    """The audit chain at the closes of the postings, and when the pack was made."""

    at_closes: dict[Hex32, PackAnchor] = Field(description="By id of the close, right after it.")
    at_pack: PackAnchor


class PackTotals(_Part):
    """What a close adds up to; reversals count against issues."""

    issued: int
    reversed: int
    units: int
    amount_cents: int
    amounts_unknown: int


class PackClose(_Part):
    """The close that a pack is of."""

    id: Hex32
    month_start_day: date
    ordinal: int
    as_of: date
    known_day: date
    known_audit_number: int
    totals: PackTotals


class PackFact(_Part):
    """A recorded fact as stored, with the digest that the audit chain covers."""

    table: str = Field(examples=["reading"])
    row_digest: Hex64 = Field(description="SHA-256 over the whole row.")
    withheld: list[str] = Field(
        description="Columns left out of `stored`: more than an auditor needs. The digest of such a"
        " row can only be compared with the ledger."
    )
    stored: dict[str, str | int] = Field(description="Columns that are not empty, by name.")


class PackSource(_Part):
    """Where a rule was read."""

    id: str
    title: str
    where: str = Field(description="Address or place.")
    checked_on: date | None


class PackRules(_Part):
    """A rule page in full, with the sources it names."""

    id: str = Field(examples=["medicare-b-2026"])
    digest: Hex64 = Field(description="SHA-256 over `content`.")
    content: dict[str, Any]
    sources: list[PackSource]


class PackProfile(_Part):
    """How the practice reads what the field disagrees about."""

    anchor: str
    supply_service_day: str
    em_day_exclusion: bool
    mue_cap: bool
    status: str
    source_ids: list[str]


class PackLine(_Part):
    """A code of a band; `every` gives one unit for each full so many beyond the band's least."""

    code: str
    every: int | None


class PackRule(_Part):
    """The band that gives the line."""

    page_id: str
    page_digest: Hex64
    ladder: str
    at_least: int
    at_most: int | None
    lines: list[PackLine]
    status: str
    note: str
    checked_on: date
    source_ids: list[str]


class PackPeriod(_Part):
    """The window or month, and where the window stands in its episode."""

    kind: str = Field(examples=["device-supply-30"])
    start_day: date
    end_day: date
    state: str = Field(description="open, closed or ended, on the day of computing.")
    number: int | None = Field(description="Of the window in its episode, from 0.")
    first_counted_day: date | None
    first_service_day: date | None = Field(description="Last counted day of the first window.")
    shifted: bool = Field(description="The first window was moved behind an earlier episode's.")
    threshold_days: int | None = Field(description="Days that date the line, by profile.")


class PackMeasured(_Part):
    """What the period comes to."""

    measure: str = Field(examples=["device_days"])
    amount: int
    live_seconds: int


class PackReading(_Part):
    """A reading of the window, by its fact."""

    id: Hex32
    day: date
    counts: bool
    reason: str = Field(description="Why not; empty where it counts.")


class PackDayLeftOut(_Part):
    """A day with readings that does not count."""

    day: date
    reasons: list[str]


class PackDays(_Part):
    """The days of the window."""

    counted: list[date]
    left_out: list[PackDayLeftOut]


class PackEntry(_Part):
    """An entry of the patient in the period, by its fact."""

    id: Hex32
    episode_id: Hex32 | None
    shared: bool = Field(description="Overlaps the same person's work on another patient.")
    parts: list[list[int]] = Field(
        description="Start second (-1: only a length is known) and seconds of what is this"
        " patient's."
    )
    counts: bool
    reason: str = Field(description="Why not; empty where it counts.")


class PackGate(_Part):
    """What holds of the episode."""

    gate: str
    from_day: date
    to_day: date | None


class PackCoverage(_Part):
    """Who pays for the patient."""

    payer_key: str
    from_day: date
    to_day: date | None


class PackPrice(_Part):
    """The schedule's figure for one unit: printed, or value units times the factor."""

    unit_cents: int
    rvu: str | None = Field(description="Relative value units of the place; null: printed.")
    factor: str | None = Field(description="Dollars for one.", examples=["32.3465"])
    facility: bool
    from_day: date
    to_day: date
    status: str
    note: str
    source_ids: list[str] = Field(description="Sources, or files that the practice loaded.")


class PackEvent(_Part):
    """A billable event with all that gives it."""

    key: str
    code: str = Field(examples=["99454"])
    label: str
    units: int
    service_day: date
    amount_cents: int | None = Field(description="For all units; null: not known.")
    amount_status: str
    patient_id: Hex32
    episode_id: Hex32
    payer_key: str
    as_of: date
    known_day: date
    known_audit_number: int | None = Field(description="Null: all facts of the pack.")
    profile: str
    period: PackPeriod
    measured: PackMeasured
    days: PackDays
    readings: list[PackReading]
    entries: list[PackEntry]
    gates: list[PackGate]
    needs_missing: list[str] = Field(description="Always empty in a good pack.")
    coverages: list[PackCoverage]
    rule: PackRule
    also_counts: list[str] = Field(description="Refusal words whose readings count here.")
    em_codes: list[str] = Field(description="Visits whose day takes practitioner's minutes away.")
    price: PackPrice | None
    findings: list[str] = Field(description="Told with the event; not recomputed.")
    evidence_digest: Hex64 = Field(description="As the posting keeps it.")


class PackPosting(_Part):
    """A posting, by its fact."""

    id: Hex32
    event: int | None = Field(description="Place in `events`; null: no longer given.")
    reverses: Hex32 | None


class EvidencePack(_Part):
    """Everything an auditor needs to recompute one event, one posting, or a close."""

    model_config = ConfigDict(extra="forbid", title=FORMAT)

    format: Literal["rpm-ledger evidence 1"]
    kind: Literal["event", "posting", "close"]
    made_at: datetime
    product_version: str
    organization: PackOrganization
    chain: PackChain
    close: PackClose | None
    events: list[PackEvent]
    postings: list[PackPosting]
    rules: list[PackRules]
    profiles: dict[str, PackProfile]
    people: dict[Hex32, Hex32] = Field(description="Practitioner of a user, where one is known.")
    words: dict[str, list[str]] = Field(description="Words by their positions in digests.")
    facts: list[PackFact]
    digests: dict[str, Hex64] = Field(description="SHA-256 of each part, by its path.")
    digest: Hex64 = Field(description="SHA-256 over the whole pack but this.")


def pack_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of a pack."""
    found = EvidencePack.model_json_schema(mode="serialization")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": SCHEMA_ID, **found}

"""Explanation: the shape in which an event's evidence is told, to people and to machines.

Owns the fields and the digest over the facts. Does not own finding them
(``rpm.actions.explain_event``).
"""

import hashlib
from datetime import date, datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, Field

from rpm.audit import canonical_json


class ReadingEvidence(BaseModel):
    """A reading that made a day count."""

    id: UUID
    kind: str = Field(examples=["bp"])
    local_day: date
    zone: str | None = Field(description="Zone that gave the local day.")
    measured_at: datetime | None
    received_at: datetime
    components: list[dict[str, Any]] = Field(description="Values with their LOINC code and unit.")
    content_hash: str


class EntryEvidence(BaseModel):
    """Logged work that counts."""

    id: UUID
    local_day: date
    start_second: int | None = Field(description="Seconds after local midnight.")
    duration_seconds: int
    shared: bool = Field(description="Parts of it were yielded to another patient's entry.")
    actor_name: str
    role: str
    work: str
    live: bool = Field(description="Real-time two-way talk (R-TIME-05).")
    activity: str


class ConsentEvidence(BaseModel):
    """A consent of the episode."""

    id: UUID
    consent_day: date
    mode: str
    taken_by: str
    cost_share_told: bool


class OrderEvidence(BaseModel):
    """The order of the episode."""

    episode_id: UUID
    order_day: date | None
    ordering_npi: str | None
    device_kind: str | None
    diagnosis_codes: list[str]


class GateEvidence(BaseModel):
    """What held of the episode on the service day."""

    gate: str = Field(examples=["established"])
    from_day: date
    to_day: date | None


class CoverageEvidence(BaseModel):
    """Who pays on the service day."""

    payer_key: str
    from_day: date
    to_day: date | None


class SourceEvidence(BaseModel):
    """Where a rule was read."""

    id: str
    title: str
    where: str
    checked_on: date


class RuleEvidence(BaseModel):
    """The band of the rule page that gives the line."""

    page_id: str
    page_digest: str
    ladder: str
    at_least: int = Field(description="Days or seconds that the band needs.")
    at_most: int | None
    lines: list[str] = Field(description="Codes of the band; `x per n` for each n beyond.")
    status: str = Field(examples=["SETTLED"])
    note: str
    sources: list[SourceEvidence]


class FactsOfEvent(BaseModel):
    """The facts behind an event: what ``digest`` covers."""

    readings: list[ReadingEvidence]
    entries: list[EntryEvidence]
    consents: list[ConsentEvidence]
    order: OrderEvidence
    gates: list[GateEvidence]
    coverage: list[CoverageEvidence]
    rule: RuleEvidence

    @property
    def digest(self) -> str:
        """SHA-256, hex, over the canonical JSON of all of them."""
        return hashlib.sha256(canonical_json(self.model_dump(mode="json")).encode()).hexdigest()


class Explanation(BaseModel):
    """One billable event and everything it rests on."""

    key: str
    patient_id: UUID
    code: str = Field(examples=["99454"])
    label: str = Field(description="Short label of our own.", examples=["Device supply, long"])
    units: int
    service_day: date
    period_start_day: date
    period_end_day: date
    measure: str = Field(description="device_days, seconds or practitioner_seconds.")
    amount: int = Field(description="Of the measure.", examples=[18])
    counted_days: list[date]
    facts: FactsOfEvent
    findings: list[str] = Field(description="Codes of findings on the same period.")
    as_of: date
    known_day: date = Field(description="Rule pages known on this day judged.")
    known_audit_number: int | None = Field(description="Null: all facts known now.")
    digest: str = Field(description="SHA-256 over the canonical JSON of `facts`.")
    evidence_digest: str = Field(description="As a posting of this event keeps it.")

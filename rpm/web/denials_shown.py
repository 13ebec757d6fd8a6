"""How denials look in answers: work, reasons, notes, appeals, root causes.

Owns the shapes. Does not own the addresses (``rpm.web.routes.denials``).
"""

from datetime import date
from typing import Any
from uuid import UUID

from pydantic import BaseModel, Field

from billing.claims.denial import Reason, RootCause
from rpm.actions.denial_queue import WorkItem
from rpm.web.shown import ShownFact


class ReasonOut(BaseModel):
    """Why a payer refused, with its group of reasons and what usually helps."""

    group: str = Field(examples=["bundled"])
    title: str
    advice: str
    step: str = Field(description="`correct`, `appeal`, `other-payer`, `ask` or `none`.")
    trust: str = Field(description="`A` or `B`; `U`: the placing of the code is not verified.")
    adjustment: str = Field(examples=["CO-97"])
    remarks: list[str]
    procedures: list[str]
    cents: int


class DeniedOut(BaseModel):
    """A claim as work."""

    claim_id: UUID
    control_number: str
    patient_id: UUID
    payer_id: UUID
    work: str = Field(
        description="`denied`, `partly-denied`, `underpaid`, `rejected`, `reversed`, `appealed`."
    )
    group: str = Field(description="Group of the reason that weighs most.")
    reasons: list[ReasonOut]
    at_stake_cents: int
    from_day: date
    answered_on: date | None
    payer_claim_number: str
    filing_deadline: date | None = Field(description="null: the payer's days are not recorded.")
    appeal_deadline: date | None = Field(description="null: the payer's days are not recorded.")
    answer_due_on: date | None = Field(description="Of the appeal that waits.")
    assigned_to: UUID | None
    follow_up_on: date | None
    write_off_waits: bool = Field(description="For a second person.")
    appeal_outcome: str = Field(description="Of the last appeal, until a later answer; or empty.")


class NoteOut(ShownFact):
    """What somebody found or did."""

    claim_id: UUID
    user_id: UUID | None
    note: str
    follow_up_on: date | None


class AssignmentOut(ShownFact):
    """Whose a claim is."""

    claim_id: UUID
    user_id: UUID | None


class AppealOut(ShownFact):
    """An appeal; its packet is a document of its own."""

    claim_id: UUID
    attempt: int
    level: int
    reason: str
    letter: str
    packet_sha256: str
    sent_on: date
    answer_due_on: date | None


class AppealAnswerOut(ShownFact):
    """What the payer said."""

    appeal_id: UUID
    outcome: str
    on_day: date
    note: str


class VersionOut(ShownFact):
    """A corrected claim that waits for its release."""

    claim_id: UUID
    attempt: int
    frequency: str = Field(description="`1`, `7` or `8`.")
    charge_cents: int
    reason: str
    content: dict[str, Any]


class PanelOut(BaseModel):
    """One claim with all that was done about it; `denied` is null where nothing is to be done."""

    denied: DeniedOut | None
    edits: list[str] = Field(description="Edits that look for it, by id.")
    findings: list[str] = Field(description="Findings of the ledger that look for it.")
    notes: list[NoteOut]
    appeals: list[AppealOut]
    appeal_answers: list[AppealAnswerOut]


class PartOut(BaseModel):
    """A part of a packet; `missing` says why it is not in it."""

    title: str
    missing: str


class DraftOut(BaseModel):
    """A letter to be read and changed; lines marked [CHECK] say what no record proves."""

    letter: str
    level: int
    parts: list[PartOut]


class WrittenOffOut(BaseModel):
    """Written off, or the request that waits for a second person."""

    written_off: bool
    request_id: UUID | None


class DecisionOut(ShownFact):
    """What the second person said."""

    request_id: UUID
    approved: bool
    note: str


class CauseOut(BaseModel):
    """A reason over many claims, and what in the product looks for it."""

    group: str
    title: str
    adjustment: str
    claims: int
    cents: int
    edits: list[str]
    findings: list[str]
    checks: list[str]
    nothing_stops_it: bool


def shown_denied(item: WorkItem) -> DeniedOut:
    """An item of the queue as answers carry it."""
    return DeniedOut(
        claim_id=item.claim.id,
        control_number=item.claim.control_number,
        patient_id=item.claim.patient_id,
        payer_id=item.claim.payer_id,
        work=item.denied.work,
        group=item.denied.group_key,
        reasons=[_reason(one) for one in item.denied.reasons],
        at_stake_cents=item.denied.at_stake_cents,
        from_day=item.claim.from_day,
        answered_on=item.denied.answered_on,
        payer_claim_number=item.denied.payer_claim_number,
        filing_deadline=item.deadlines.filing,
        appeal_deadline=item.deadlines.appeal,
        answer_due_on=item.answer_due_on,
        assigned_to=item.assigned_to,
        follow_up_on=item.follow_up_on,
        write_off_waits=item.write_off_waits,
        appeal_outcome=item.appeal_outcome,
    )


def _reason(reason: Reason) -> ReasonOut:
    return ReasonOut(
        group=reason.group.key,
        title=reason.group.title,
        advice=reason.group.advice,
        step=reason.group.step,
        trust=reason.trust,
        adjustment=reason.adjustment,
        remarks=list(reason.remarks),
        procedures=list(reason.procedures),
        cents=reason.cents,
    )


def shown_cause(cause: RootCause) -> CauseOut:
    """A root cause as answers carry it."""
    return CauseOut(
        group=cause.group.key,
        title=cause.group.title,
        adjustment=cause.adjustment,
        claims=cause.claims,
        cents=cause.cents,
        edits=[edit.id for edit in cause.edits],
        findings=list(cause.findings),
        checks=list(cause.checks),
        nothing_stops_it=cause.nothing_stops_it,
    )

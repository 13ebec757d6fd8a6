"""What follows for a patient: periods, progress, events, findings, explanations, what-if.

Owns the addresses. Does not own the calculation (``billing.ledger``): every answer is computed when
asked and nothing is stored.
"""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel, Field
from sqlmodel import Session

from rpm.access import Actor
from rpm.actions.command import Month, ProcedureCode
from rpm.actions.explain_event import explain_event, explain_posting
from rpm.actions.explanation import Explanation
from rpm.actions.seen_from import seen_on
from rpm.actions.what_if import what_if
from rpm.actions.what_if_command import WhatIf
from rpm.actions.why import AskWhy, why_month
from rpm.actions.why_answer import MonthWhy
from rpm.errors import NotFound
from rpm.store.event_keys import named_event
from rpm.store.outcomes import (
    Evaluated,
    EventLine,
    FindingLine,
    PeriodLine,
    ProgressLine,
    evaluated,
)
from rpm.store.scope import Scope
from rpm.store.tables.people import Patient
from rpm.web.deps import PROBLEMS, Now, ReadDb, area_router, permit

router = area_router("Ledger")

Reader = Annotated[Actor, permit("ledger:read")]
AsOf = Annotated[
    date | None,
    Query(
        description="A period is over when its last day is before this day; default: today, or"
        " `known_at`.",
        examples=["2026-02-01"],
    ),
]
KnownAt = Annotated[
    date | None,
    Query(
        description="As known at the end of this day of the practice: facts recorded by then, rule"
        " pages known by then. Default: everything known now.",
        examples=["2026-02-03"],
    ),
]


class PeriodsOut(BaseModel):
    """The periods of a patient as of a day."""

    as_of: date
    known_day: date = Field(description="Facts and rule pages known on this day.")
    items: list[PeriodLine] = Field(description="Windows, then months.")


class ProgressOut(BaseModel):
    """How far a patient's running periods are on a day."""

    as_of: date
    known_day: date = Field(description="Facts and rule pages known on this day.")
    items: list[ProgressLine] = Field(description="One for each running ladder.")


class EventsOut(BaseModel):
    """What may be billed for a patient as of a day."""

    as_of: date
    known_day: date = Field(description="Facts and rule pages known on this day.")
    items: list[EventLine] = Field(description="By service day and code.")


class FindingsOut(BaseModel):
    """What stops lines of a patient, goes with them, or informs."""

    as_of: date
    known_day: date = Field(description="Facts and rule pages known on this day.")
    items: list[FindingLine] = Field(description="By period and code.")


class WhatIfOut(BaseModel):
    """The bill as it is and as it would be; nothing was stored."""

    as_of: date
    bill: list[EventLine] = Field(description="Events that the recorded facts give.")
    what_if: list[EventLine] = Field(description="Events that the changed facts would give.")
    findings: list[FindingLine] = Field(description="Findings on the changed facts.")
    progress: list[ProgressLine] = Field(description="Progress with the changed facts.")


def _seen(
    db: Session,
    actor: Actor,
    now: datetime,
    patient_id: UUID,
    as_of: date | None,
    known_at: date | None,
) -> Evaluated:
    scope = Scope.of(actor)
    scope.get(db, Patient, patient_id)
    seen = seen_on(db, scope, now, known_at, as_of)
    return evaluated(
        db,
        scope.organization_id,
        as_of=seen.as_of,
        known=seen.known_day,
        patients=[patient_id],
        until_audit_number=seen.until_audit_number,
    )


@router.get(
    "/patients/{patient_id}/periods",
    summary="List a patient's periods",
    description="Device-supply windows and calendar months with their measures and state.",
    operation_id="list_periods",
    response_model=PeriodsOut,
    responses=PROBLEMS,
)
def periods(
    db: ReadDb,
    now: Now,
    actor: Reader,
    patient_id: UUID,
    as_of: AsOf = None,
    known_at: KnownAt = None,
) -> PeriodsOut:
    """The periods."""
    found = _seen(db, actor, now, patient_id, as_of, known_at)
    return PeriodsOut(as_of=found.as_of, known_day=found.known, items=found.periods())


@router.get(
    "/patients/{patient_id}/progress",
    summary="Show a patient's progress",
    description="What the running window and month have, what more would earn and whether that can"
    " still be reached.",
    operation_id="show_progress",
    response_model=ProgressOut,
    responses=PROBLEMS,
)
def progress(
    db: ReadDb,
    now: Now,
    actor: Reader,
    patient_id: UUID,
    as_of: AsOf = None,
    known_at: KnownAt = None,
) -> ProgressOut:
    """The progress."""
    found = _seen(db, actor, now, patient_id, as_of, known_at)
    return ProgressOut(as_of=found.as_of, known_day=found.known, items=found.progress())


@router.get(
    "/patients/{patient_id}/events",
    summary="List a patient's billable events",
    description="What the facts and rules known today give. What was posted: `GET /v1/postings`.",
    operation_id="list_events",
    response_model=EventsOut,
    responses=PROBLEMS,
)
def events(
    db: ReadDb,
    now: Now,
    actor: Reader,
    patient_id: UUID,
    as_of: AsOf = None,
    known_at: KnownAt = None,
) -> EventsOut:
    """The events."""
    found = _seen(db, actor, now, patient_id, as_of, known_at)
    return EventsOut(as_of=found.as_of, known_day=found.known, items=found.events())


@router.get(
    "/patients/{patient_id}/findings",
    summary="List a patient's findings",
    description="`E_` stops a line, `W_` goes with what leaves or tells what was left out, `I_`"
    " informs.",
    operation_id="list_findings",
    response_model=FindingsOut,
    responses=PROBLEMS,
)
def findings(
    db: ReadDb,
    now: Now,
    actor: Reader,
    patient_id: UUID,
    as_of: AsOf = None,
    known_at: KnownAt = None,
) -> FindingsOut:
    """The findings."""
    found = _seen(db, actor, now, patient_id, as_of, known_at)
    return FindingsOut(as_of=found.as_of, known_day=found.known, items=found.findings())


@router.get(
    "/patients/{patient_id}/why",
    summary="Tell why a month bills what it does",
    description="Each ladder of the windows that touch the month and of the month itself: measure,"
    " bands, what leaves or what stops it, and what one more day or minute would change. With"
    " `code` also the answer for that code.",
    operation_id="tell_why",
    response_model=MonthWhy,
    responses=PROBLEMS,
)
def tell_why(
    db: ReadDb,
    now: Now,
    actor: Reader,
    patient_id: UUID,
    month: Month,
    code: ProcedureCode | None = None,
    as_of: AsOf = None,
    known_at: KnownAt = None,
) -> MonthWhy:
    """The month."""
    seen = seen_on(db, Scope.of(actor), now, known_at, as_of)
    return why_month(db, actor, patient_id, AskWhy(month=month, code=code), seen)


@router.get(
    "/events/{key}/explanation",
    summary="Explain a billable event",
    description="The readings, entries, papers and the rule behind an event as known now, with a"
    " digest over them. `key` is an event's `key`.",
    operation_id="explain_event",
    response_model=Explanation,
    responses=PROBLEMS,
)
def explanation(
    db: ReadDb, now: Now, actor: Reader, key: str, known_at: KnownAt = None
) -> Explanation:
    """The explanation."""
    scope = Scope.of(actor)
    try:
        named = named_event(key)
    except ValueError as error:
        raise NotFound("there is no such event") from error
    return explain_event(db, scope, named, seen_on(db, scope, now, known_at))


@router.get(
    "/postings/{posting_id}/explanation",
    summary="Explain a posting",
    description="The same for a posted event, as the close that issued it saw it.",
    operation_id="explain_posting",
    response_model=Explanation,
    responses=PROBLEMS,
)
def posting_explanation(db: ReadDb, actor: Reader, posting_id: UUID) -> Explanation:
    """The explanation."""
    return explain_posting(db, Scope.of(actor), posting_id)


@router.post(
    "/what-if",
    summary="Ask what would be billed with other facts",
    description="Facts are added or left out for this question only. With no change the answer is"
    " the bill.",
    operation_id="what_if",
    response_model=WhatIfOut,
    responses=PROBLEMS,
)
def ask_what_if(db: ReadDb, now: Now, actor: Reader, command: WhatIf) -> WhatIfOut:
    """Both bills."""
    compared = what_if(db, actor, now, command)
    return WhatIfOut(
        as_of=compared.bill.as_of,
        bill=compared.bill.events(),
        what_if=compared.what_if.events(),
        findings=compared.what_if.findings(),
        progress=compared.what_if.progress(),
    )

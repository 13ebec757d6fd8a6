"""Visits: the list with its filters, one visit with its coding, and the decision about it.

Owns these screens. Does not own the acts (``rpm.actions.decide_visit``) nor the form of a visit
(``rpm.web.pages.visit_form``).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query, Request
from fastapi.responses import Response
from sqlmodel import Session

from rpm.access import Actor
from rpm.actions.decide_visit import DecideVisit, coded, decide_visit
from rpm.actions.practice_day import practice_today
from rpm.errors import Conflict, InvalidRequest
from rpm.store.queries.people import names_of_patients
from rpm.store.queries.visits import (
    decisions_of,
    monitoring_seconds_on,
    visit_correction,
    visits_page,
)
from rpm.store.scope import Scope
from rpm.store.tables.coding import Visit, VisitDecision
from rpm.store.tables.people import Patient, Practitioner, User
from rpm.web.coding_shown import ShownCoding, shown_coding
from rpm.web.pages.form_values import FormValues
from rpm.web.pages.paging import page_of_list
from rpm.web.pages.shell import (
    Now,
    PageDb,
    PageReadDb,
    form_errors,
    page_permit,
    page_router,
    read_form,
    render,
    see_other,
)
from rpm.web.pages.visit_form import WORDS
from rpm.web.pages.visit_words import CHOICES, PAYER_WORDS

router = page_router()

Reader = Annotated[Actor, page_permit("ledger:read")]
Decider = Annotated[Actor, page_permit("services:write")]
_ROWS = 25
_OVERRULE = "overrule_"


@dataclass(frozen=True)
class Listed:
    """A visit of the list, coded as of today."""

    visit: Visit
    patient: str
    coding: ShownCoding
    decision: VisitDecision | None


@router.get("/visits")
def visits(
    request: Request,
    db: PageReadDb,
    now: Now,
    actor: Reader,
    payer: Annotated[str, Query(max_length=20)] = "",
    from_day: Annotated[str, Query(max_length=10)] = "",
    to_day: Annotated[str, Query(max_length=10)] = "",
    cursor: Annotated[str, Query(max_length=2_000)] = "",
) -> Response:
    """Visits that stand, with how they are coded and what was decided."""
    scope = Scope.of(actor)
    asked = {"payer": payer, "from_day": from_day, "to_day": to_day}
    paging = page_of_list(request, actor, "visits", asked, cursor or None, _ROWS)
    rows = visits_page(
        db,
        scope,
        payer=payer if payer in PAYER_WORDS else None,
        from_day=_day(from_day),
        to_day=_day(to_day),
        standing=True,
        after=None if paging.after is None else UUID(str(paging.after[0])),
        limit=paging.fetch,
    )
    page: Any = paging.page(rows, lambda row: (row.id,))
    return render(
        request,
        "visits.html.j2",
        rows=_listed(db, scope, now, page.items),
        next_cursor=page.next_cursor,
        is_first=not cursor,
        asked=asked,
        payers=PAYER_WORDS,
        choices=(("", "all payers"), *CHOICES["payer"]),
        **WORDS,
    )


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _listed(db: Session, scope: Scope, now: datetime, rows: Sequence[Visit]) -> list[Listed]:
    names = names_of_patients(db, scope, sorted({row.patient_id for row in rows}))
    decisions = decisions_of(db, scope, [row.id for row in rows])
    today = practice_today(db, scope, now)
    return [
        Listed(
            row,
            names[row.patient_id],
            shown_coding(coded(db, scope, row, today), today),
            decisions.get(row.id),
        )
        for row in rows
    ]


@router.get("/visits/{visit_id}")
def visit(request: Request, db: PageReadDb, now: Now, actor: Reader, visit_id: UUID) -> Response:
    """One visit: its facts, its coding, and the decision."""
    return _page(request, db, now, Scope.of(actor), visit_id, {}, {})


@router.post("/visits/{visit_id}/decision")
def decide(
    request: Request,
    db: PageDb,
    now: Now,
    actor: Decider,
    visit_id: UUID,
    values: FormValues,
) -> Response:
    """Keep what the person chose."""
    overruled = [
        {"edit": name.removeprefix(_OVERRULE), "reason": text.strip()}
        for name, text in values.items()
        if name.startswith(_OVERRULE) and text.strip()
    ]
    content = {
        "visit_id": visit_id,
        "accepted": values.get("decision") == "accept",
        "chosen": values.get("chosen", "").strip(),
        "overruled": overruled,
        "reason": values.get("reason", "").strip(),
    }
    command, errors = read_form(DecideVisit, content)
    if command is not None:
        try:
            decision = decide_visit(db, actor, now, command)
        except InvalidRequest as error:
            errors = form_errors(error)
        except Conflict as error:
            errors = {"": error.message}
        else:
            told = "The visit is accepted." if decision.accepted else "The visit is held."
            return see_other(request, f"/visits/{visit_id}", told)
    return _page(request, db, now, Scope.of(actor), visit_id, values, errors)


def _page(
    request: Request,
    db: Session,
    now: datetime,
    scope: Scope,
    visit_id: UUID,
    values: Mapping[str, str],
    errors: Mapping[str, str],
) -> Response:
    row = scope.get(db, Visit, visit_id)
    today = practice_today(db, scope, now)
    coding = shown_coding(coded(db, scope, row, today), today)
    decision = decisions_of(db, scope, [row.id]).get(row.id)
    person = (
        None if row.practitioner_id is None else scope.get(db, Practitioner, row.practitioner_id)
    )
    return render(
        request,
        "visit.html.j2",
        422 if errors else 200,
        visit=row,
        patient=scope.get(db, Patient, row.patient_id),
        practitioner=person,
        correction=visit_correction(db, scope, row.id),
        coding=coding,
        missing={},
        decision=decision,
        decided_by=None if decision is None else scope.get(db, User, decision.decided_by).name,
        errors=dict(errors),
        values={"chosen": values.get("chosen", ""), "reason": values.get("reason", "")},
        reasons={name: text for name, text in values.items() if name.startswith(_OVERRULE)},
        to_overrule=_to_overrule(coding),
        monitoring_seconds=_monitoring(db, scope, row),
        payers=PAYER_WORDS,
        choices={name: dict(pairs) for name, pairs in CHOICES.items()},
        overrule=_OVERRULE,
        **WORDS,
    )


def _monitoring(db: Session, scope: Scope, row: Visit) -> int:
    """Seconds of monitoring that the visit's practitioner logged on its day."""
    if row.practitioner_id is None:
        return 0
    return monitoring_seconds_on(db, scope, row.patient_id, row.practitioner_id, row.service_day)


def _to_overrule(coding: ShownCoding) -> list[Any]:
    """Each ERROR that fired, once."""
    found = {one.edit: one for one in coding.edits if one.severity == "ERROR"}
    return list(found.values())

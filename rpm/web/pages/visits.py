"""A visit with its coding, and the decision about it.

Owns this screen. Does not own the acts (``rpm.actions.decide_visit``), the form of a visit
(``rpm.web.pages.visit_form``) nor the list (``rpm.web.pages.visit_list``).
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Request
from fastapi.responses import Response
from sqlmodel import Session

from rpm.access import Actor
from rpm.actions.decide_visit import DecideVisit, coded, decide_visit
from rpm.actions.practice_day import practice_today
from rpm.errors import Conflict, InvalidRequest
from rpm.store.queries.eligibility import latest_answers
from rpm.store.queries.visits import (
    decisions_of,
    monitoring_seconds_on,
    visit_correction,
)
from rpm.store.scope import Scope
from rpm.store.tables.coding import Visit
from rpm.store.tables.people import Patient, Practitioner, User
from rpm.web.coding_shown import ShownCoding, shown_coding
from rpm.web.pages.form_values import FormValues
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
Decider = Annotated[Actor, page_permit("visits:decide")]
_OVERRULE = "overrule_"


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
        eligibility=latest_answers(db, scope, [row.patient_id]).get(row.patient_id),
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

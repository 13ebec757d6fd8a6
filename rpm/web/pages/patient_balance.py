"""A patient's account: what payers left over, what was paid, what is owed, and the statement.

Owns these screens. Does not own the sums (``billing.claims.balance``), the acts
(``rpm.actions.patient_money``) nor the look of a statement (``rpm.documents.statement``).
"""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Form, Request
from fastapi.responses import Response
from sqlmodel import Session

from billing.money import text_to_cents
from rpm.access import Actor
from rpm.actions.patient_money import (
    METHODS,
    RecordPayment,
    ReversePayment,
    patient_account,
    record_payment,
    reverse_payment,
)
from rpm.actions.patient_statement import patient_statement
from rpm.actions.practice_day import practice_today
from rpm.documents.statement import statement_pdf
from rpm.errors import InvalidRequest
from rpm.store.engine import reading
from rpm.store.scope import Scope
from rpm.store.tables.people import Patient
from rpm.web.pages.opened import chart_opened
from rpm.web.pages.shell import (
    Now,
    PageDb,
    form_errors,
    page_permit,
    page_router,
    read_form,
    render,
    see_other,
)
from rpm.web.running import engine_of

router = page_router()

Reader = Annotated[Actor, page_permit("claims:read")]
Poster = Annotated[Actor, page_permit("remittances:post")]
Words = dict[str, str]


@router.get("/patients/{patient_id}/balance")
def balance(request: Request, now: Now, actor: Reader, patient_id: UUID) -> Response:
    """The account, and the form for a payment."""
    patient = chart_opened(request, actor, now, patient_id)
    with reading(engine_of(request, actor)) as db:
        return _page(request, db, now, actor, patient, {}, {})


def _page(
    request: Request,
    db: Session,
    now: Any,
    actor: Actor,
    patient: Patient,
    values: Words,
    errors: Words,
) -> Response:
    scope = Scope.of(actor)
    account = patient_account(db, scope, patient.id)
    today = practice_today(db, scope, now)
    usual = {
        "dollars": "",
        "on_day": today.isoformat(),
        "method": "card",
        "claim_id": "",
        "note": "",
    }
    claims = sorted(account.rows.values(), key=lambda row: (row.from_day, row.control_number))
    taken_back = {row.reverses_id for row in account.payments}
    return render(
        request,
        "patient_balance.html.j2",
        422 if errors else 200,
        patient=patient,
        account=account,
        claims=claims,
        taken_back=taken_back,
        choices=[("", "no claim in particular")]
        + [(str(row.id), f"{row.control_number}, {row.from_day}") for row in claims],
        methods=[(one, one) for one in METHODS],
        values=usual | values,
        errors=errors,
    )


@router.post("/patients/{patient_id}/payments")
def pay(
    request: Request,
    db: PageDb,
    now: Now,
    actor: Poster,
    patient_id: UUID,
    dollars: Annotated[str, Form(max_length=20)] = "",
    on_day: Annotated[str, Form(max_length=10)] = "",
    method: Annotated[str, Form(max_length=20)] = "",
    claim_id: Annotated[str, Form(max_length=36)] = "",
    note: Annotated[str, Form(max_length=200)] = "",
) -> Response:
    """Record a payment, or a refund with a minus."""
    values = {
        "dollars": dollars,
        "on_day": on_day,
        "method": method,
        "claim_id": claim_id,
        "note": note,
    }
    cents = _cents(dollars)
    told = {**values, "patient_id": str(patient_id), "cents": cents}
    del told["dollars"]
    command, errors = read_form(RecordPayment, told)
    if cents is None:
        errors = {"dollars": "an amount such as 25 or 25.50", **errors}
        errors.pop("cents", None)
    if command is not None and not errors:
        try:
            record_payment(db, actor, now, command)
        except InvalidRequest as error:
            errors = form_errors(error)
        else:
            return see_other(request, f"/patients/{patient_id}/balance", "It is recorded.")
    patient = Scope.of(actor).get(db, Patient, patient_id)
    if "cents" in errors:
        errors["dollars"] = errors.pop("cents")
    return _page(request, db, now, actor, patient, values, errors)


def _cents(dollars: str) -> int | None:
    try:
        return text_to_cents(dollars.strip().removeprefix("$").replace(",", ""))
    except ValueError:
        return None


@router.post("/patients/{patient_id}/payments/{payment_id}/reverse")
def take_back(
    request: Request,
    db: PageDb,
    now: Now,
    actor: Poster,
    patient_id: UUID,
    payment_id: UUID,
) -> Response:
    """A payment was recorded in error."""
    command = ReversePayment(payment_id=payment_id, reason="recorded in error")
    reverse_payment(db, actor, now, command)
    return see_other(request, f"/patients/{patient_id}/balance", "The payment is taken back.")


@router.get("/patients/{patient_id}/statement.pdf")
def statement(request: Request, now: Now, actor: Reader, patient_id: UUID) -> Response:
    """The statement to send to the patient."""
    chart_opened(request, actor, now, patient_id)
    with reading(engine_of(request, actor)) as db:
        told = patient_statement(db, Scope.of(actor), patient_id, now)
    content = statement_pdf(told, now)
    headers = {
        "Content-Disposition": 'inline; filename="statement.pdf"',
        "Cache-Control": "no-store",
    }
    return Response(content, media_type="application/pdf", headers=headers)

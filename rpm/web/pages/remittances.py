"""Payments of payers: the equation of each, its claims in words, and money that finds no claim.

Owns these screens. Does not own matching and settling (``rpm.actions``) nor the words of codes
(``billing.claims.answer_codes``).
"""

from dataclasses import dataclass
from typing import Annotated, Any
from uuid import UUID

from fastapi import Form, Query, Request
from fastapi.responses import Response
from sqlmodel import Session

from billing.claims.answer_codes import adjustment_told, told, words
from billing.claims.remittance import Adjusted, LinePaid
from billing.claims.remittance_json import (
    json_to_adjustments,
    json_to_lines,
    json_to_provider_adjustments,
)
from rpm.access import Actor
from rpm.actions.match_answer import MatchAnswer, match_answer
from rpm.actions.overpayments import (
    OpenOverpayment,
    SettleOverpayment,
    open_overpayments,
    overpayment_days,
    settle_overpayment,
)
from rpm.actions.practice_day import practice_today
from rpm.errors import InvalidRequest, NotFound
from rpm.store.queries import answers as queries
from rpm.store.queries.people import names_of_patients
from rpm.store.scope import Scope
from rpm.store.tables.answers import Remittance, RemittanceClaim
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
from rpm.web.routes.readings import after_id

router = page_router()

PAYMENTS, UNMATCHED, OVERPAID = "/claims/remittances", "/claims/unmatched", "/claims/overpayments"
Reader = Annotated[Actor, page_permit("claims:read")]
Poster = Annotated[Actor, page_permit("remittances:post")]
Cursor = Annotated[str, Query(max_length=2_000)]
METHOD_WORDS = {
    "ACH": "electronic transfer",
    "CHK": "check",
    "NON": "no payment",
    "FWT": "wire",
    "BOP": "as agreed",
}
_CLAIMS_OF_A_PAGE = 50


@dataclass(frozen=True)
class Shown:
    """What a payer did with a claim, for reading."""

    row: RemittanceClaim
    claim_id: UUID | None
    lines: tuple[LinePaid, ...]
    adjustments: tuple[Adjusted, ...]

    @property
    def status_words(self) -> str:
        """What CLP02 means."""
        return words("claim_status", self.row.status_code) or f"status {self.row.status_code}"


@router.get(PAYMENTS)
def payments(request: Request, db: PageReadDb, actor: Reader, cursor: Cursor = "") -> Response:
    """Payments, the latest first."""
    paging = page_of_list(request, actor, "remittances", {}, cursor or None)
    rows = queries.remittances_page(db, Scope.of(actor), after=after_id(paging), limit=paging.fetch)
    page = paging.page(rows, lambda row: (row.id,))
    return render(request, "remittances.html.j2", page=page, methods=METHOD_WORDS)


@router.get(f"{PAYMENTS}/{{remittance_id}}")
def payment(
    request: Request,
    db: PageReadDb,
    actor: Reader,
    remittance_id: UUID,
    after: Annotated[int, Query(ge=0, le=10_000_000)] = 0,
) -> Response:
    """One payment: its equation, provider adjustments, and its claims by pages."""
    scope = Scope.of(actor)
    row = scope.get(db, Remittance, remittance_id)
    rows = queries.answers_in(db, scope, row, after=after, limit=_CLAIMS_OF_A_PAGE + 1)
    claims = rows[:_CLAIMS_OF_A_PAGE]
    return render(
        request,
        "remittance.html.j2",
        payment=row,
        method=METHOD_WORDS.get(row.method, row.method or "not told"),
        provider_adjustments=json_to_provider_adjustments(row.provider_adjustments),
        claims=_shown(db, scope, claims),
        next_after=claims[-1].ordinal if len(rows) > len(claims) else None,
        adjustment_told=adjustment_told,
        code_told=told,
    )


def _shown(db: Session, scope: Scope, rows: Any) -> list[Shown]:
    matches = queries.matches_of(db, scope, [row.id for row in rows if row.claim_id is None])
    found = []
    for row in rows:
        match = matches.get(row.id)
        claim_id = row.claim_id or (match.claim_id if match else None)
        lines, adjustments = json_to_lines(row.lines), json_to_adjustments(row.adjustments)
        found.append(Shown(row, claim_id, lines, adjustments))
    return found


@router.get(UNMATCHED)
def unmatched(request: Request, db: PageReadDb, actor: Reader, cursor: Cursor = "") -> Response:
    """Answers that name no claim of ours."""
    scope = Scope.of(actor)
    paging = page_of_list(request, actor, "unmatched", {}, cursor or None)
    rows = queries.unmatched(db, scope, after=after_id(paging), limit=paging.fetch)
    return render(
        request,
        "unmatched.html.j2",
        page=paging.page(rows, lambda row: (row.id,)),
        total=queries.unmatched_sum(db, scope),
        status_words=lambda code: words("claim_status", code),
    )


@router.get(f"{UNMATCHED}/{{answer_id}}")
def unmatched_one(request: Request, db: PageReadDb, actor: Poster, answer_id: UUID) -> Response:
    """One of them, and the form to name its claim."""
    return _match_form(request, db, actor, answer_id, {}, {})


def _match_form(
    request: Request,
    db: Session,
    actor: Actor,
    answer_id: UUID,
    values: dict[str, str],
    errors: dict[str, str],
) -> Response:
    scope = Scope.of(actor)
    row = scope.get(db, RemittanceClaim, answer_id)
    (shown,) = _shown(db, scope, [row])
    return render(
        request,
        "unmatched_one.html.j2",
        422 if errors else 200,
        one=shown,
        values={"control_number": "", "reason": ""} | values,
        errors=errors,
    )


@router.post(f"{UNMATCHED}/{{answer_id}}")
def match(
    request: Request,
    db: PageDb,
    now: Now,
    actor: Poster,
    answer_id: UUID,
    control_number: Annotated[str, Form(max_length=50)] = "",
    reason: Annotated[str, Form(max_length=200)] = "",
) -> Response:
    """A person names the claim."""
    values = {"control_number": control_number.strip(), "reason": reason}
    command, errors = read_form(MatchAnswer, {"remittance_claim_id": str(answer_id)} | values)
    if command is not None:
        try:
            match_answer(db, actor, now, command)
        except InvalidRequest as error:
            errors = form_errors(error)
        else:
            return see_other(request, UNMATCHED, told="The money is posted to the claim.")
    return _match_form(request, db, actor, answer_id, values, errors)


@router.get(OVERPAID)
def overpaid(request: Request, db: PageReadDb, now: Now, actor: Reader) -> Response:
    """Payments that were taken back for good and that nobody settled yet."""
    scope = Scope.of(actor)
    items = open_overpayments(db, scope)
    return render(
        request,
        "overpayments.html.j2",
        items=items,
        names=names_of_patients(db, scope, {one.claim.patient_id for one in items}),
        days=overpayment_days(db, scope),
        today=practice_today(db, scope, now),
    )


@router.get(f"{OVERPAID}/{{claim_id}}")
def overpaid_one(
    request: Request, db: PageReadDb, now: Now, actor: Poster, claim_id: UUID
) -> Response:
    """One of them, and the form to settle it."""
    return _settle_form(request, db, now, actor, claim_id, "", {})


def _settle_form(
    request: Request,
    db: Session,
    now: Now,
    actor: Actor,
    claim_id: UUID,
    reason: str,
    errors: dict[str, str],
) -> Response:
    scope = Scope.of(actor)
    today = practice_today(db, scope, now)
    return render(
        request,
        "overpayment.html.j2",
        422 if errors else 200,
        one=_open_overpayment(db, scope, claim_id),
        today=today,
        reason=reason,
        errors=errors,
    )


def _open_overpayment(db: Session, scope: Scope, claim_id: UUID) -> OpenOverpayment:
    found = [one for one in open_overpayments(db, scope) if one.claim.id == claim_id]
    if not found:
        raise NotFound("there is no such open overpayment")
    return found[0]


@router.post(f"{OVERPAID}/{{claim_id}}")
def settle(
    request: Request,
    db: PageDb,
    now: Now,
    actor: Poster,
    claim_id: UUID,
    reason: Annotated[str, Form(max_length=200)] = "",
) -> Response:
    """A person says that it is settled, and how."""
    scope = Scope.of(actor)
    told, today = _open_overpayment(db, scope, claim_id).told, practice_today(db, scope, now)
    values = {
        "claim_id": str(claim_id),
        "identified_on": (told.identified_on or today).isoformat(),
        "settled_on": today.isoformat(),
        "cents": told.cents,
        "reason": reason,
    }
    command, errors = read_form(SettleOverpayment, values)
    if command is None:
        return _settle_form(request, db, now, actor, claim_id, reason, errors)
    settle_overpayment(db, actor, now, command)
    return see_other(request, OVERPAID, told="It is settled, and the reason is kept.")

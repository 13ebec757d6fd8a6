"""Payers and rule pages: whom the practice bills, by which rules, and what a change would change.

Owns these screens. Does not own the rules (``billing.rules``), a comparison
(``rpm.actions.compare_rule_page``) nor an activation (``rpm.actions.activate_rule_page``). A page
is compared first, over months that are over; activating it asks for the reason.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any
from uuid import UUID

from fastapi import Form, Query, Request
from fastapi.responses import Response
from sqlmodel import Session

from billing.rules.book import RuleBook
from billing.rules.ruleset import RuleSet
from rpm.access import Actor
from rpm.actions.activate_rule_page import ActivateRulePage, activate_rule_page
from rpm.actions.add_payer import AddPayer, add_payer
from rpm.actions.compare_rule_page import CompareRulePage, compare_rule_page
from rpm.actions.practice_day import practice_today
from rpm.errors import Conflict, InvalidRequest, NotFound
from rpm.store.engine import reading
from rpm.store.queries.billing import payer_billings
from rpm.store.queries.people import names_of_patients
from rpm.store.queries.rows import page_of
from rpm.store.queries.rules import activations
from rpm.store.rule_books import book_of
from rpm.store.scope import Scope
from rpm.store.tables.people import Payer
from rpm.web.pages.long_work import LongWork, Progress, render_working
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
from rpm.web.running import engine_of

router = page_router()

Reader = Annotated[Actor, page_permit("rules:read")]
Writer = Annotated[Actor, page_permit("rules:write")]
Registrar = Annotated[Actor, page_permit("patients:write")]
PAYERS, RULES = "/admin/payers", "/admin/rules"
_MOST_EVENTS = 100
Words = dict[str, str]


@dataclass(frozen=True)
class Listed:
    """A rule page in the list: when it judges, and whether it does today."""

    page: RuleSet
    in_force: bool
    own: bool


@router.get(PAYERS)
def payers(
    request: Request,
    db: PageReadDb,
    now: Now,
    actor: Reader,
    cursor: Annotated[str | None, Query(max_length=2_000)] = None,
) -> Response:
    """The practice's payers, every rule page, and a form for one more payer."""
    return _payers(request, db, now, actor, cursor, {}, {})


def _payers(
    request: Request,
    db: Session,
    now: Now,
    actor: Actor,
    cursor: str | None,
    values: Words,
    errors: Words,
) -> Response:
    scope = Scope.of(actor)
    book = book_of(db, scope.organization_id)
    paging = page_of_list(request, actor, "payers", {}, cursor)
    rows = page_of(db, scope, Payer, after=after_id(paging), limit=paging.fetch)
    activated = activations(db, scope)
    return render(
        request,
        "admin_payers.html.j2",
        422 if errors else 200,
        page=paging.page(rows, lambda row: (row.id,)),
        billings=payer_billings(db, scope, {row.id for row in rows}),
        pages=_listed(
            book, practice_today(db, scope, now), {one.page.page_id for one in activated}
        ),
        activated=activated,
        keys=[(key, key) for key in book.payers],
        values={"key": "", "name": "", "edi_payer_id": ""} | values,
        errors=errors,
        cursor=cursor,
    )


def _listed(book: RuleBook, today: date, own: set[str]) -> list[Listed]:
    return [
        Listed(
            page,
            in_force=page.known_from <= today
            and page.effective_from <= today
            and (page.effective_to is None or today <= page.effective_to),
            own=page.id in own,
        )
        for page in book.pages
    ]


@router.post(PAYERS)
def add(
    request: Request,
    db: PageDb,
    now: Now,
    actor: Registrar,
    key: Annotated[str, Form()] = "",
    name: Annotated[str, Form()] = "",
    edi_payer_id: Annotated[str, Form()] = "",
) -> Response:
    """One more payer, under its key of the rule book."""
    values = {"key": key, "name": name, "edi_payer_id": edi_payer_id}
    command, errors = read_form(AddPayer, values)
    if command is None:
        return _payers(request, db, now, actor, None, values, errors)
    try:
        payer = add_payer(db, actor, now, command)
    except InvalidRequest as error:
        return _payers(request, db, now, actor, None, values, form_errors(error))
    except Conflict as error:
        return _payers(request, db, now, actor, None, values, {"key": error.message})
    return see_other(request, PAYERS, told=f"{payer.name} is among your payers.")


@router.get(f"{RULES}/{{page_id}}")
def rule_page(request: Request, db: PageReadDb, actor: Reader, page_id: str) -> Response:
    """A rule page: each number with its status and source, and the way to try a change."""
    book = book_of(db, actor.organization_id)
    page = _page(book, page_id)
    toml = next(
        (one.page.toml for one in activations(db, Scope.of(actor)) if one.page.page_id == page_id),
        "",
    )
    return render(
        request,
        "admin_rule_page.html.j2",
        page=page,
        sources=book.references.sources,
        toml=toml,
        errors={},
        values={"months": "6"},
    )


def _page(book: RuleBook, page_id: str) -> RuleSet:
    try:
        return book.joined(page_id)
    except KeyError:
        raise NotFound("there is no such rule page") from None


@router.post(f"{RULES}/{{page_id}}/compare")
def compare(
    request: Request,
    db: PageReadDb,
    now: Now,
    actor: Reader,
    page_id: str,
    toml: Annotated[str, Form()] = "",
    months: Annotated[str, Form()] = "6",
) -> Response:
    """What the changed page would have changed, computed while the page is sent."""
    engine = engine_of(request, actor)
    wanted = int(months) if months.strip().isdecimal() else months
    given = {"page_id": page_id, "toml": _lines(toml), "months": wanted}
    command, errors = read_form(CompareRulePage, given)
    if command is None:
        book = book_of(db, actor.organization_id)
        return render(
            request,
            "admin_rule_page.html.j2",
            422,
            page=_page(book, page_id),
            sources=book.references.sources,
            toml=toml,
            errors=errors,
            values={"months": months},
        )

    def work(tell: Progress) -> Any:
        with reading(engine) as own:
            try:
                found = compare_rule_page(own, actor, now, command, progress=tell)
            except InvalidRequest as error:
                return {"refused": [one.message for one in error.findings], "where": _where(error)}
            shown = found.events[:_MOST_EVENTS]
            names = names_of_patients(own, Scope.of(actor), _patients(shown))
        return {"found": found, "events": shown, "names": names, "refused": []}

    return render_working(
        request, "admin_rule_compared.html.j2", LongWork(work), page_id=page_id, toml=toml
    )


def _lines(text: str) -> str:
    """A text as a browser sends it, with the line ends that a file has."""
    return text.replace("\r\n", "\n")


def _where(error: InvalidRequest) -> list[str]:
    return [one.where.rpartition(":")[2] for one in error.findings]


def _patients(events: Sequence[Any]) -> set[UUID]:
    return {(one.before or one.after).patient_id for one in events}


@router.post(RULES)
def activate(
    request: Request,
    db: PageDb,
    now: Now,
    actor: Writer,
    toml: Annotated[str, Form()] = "",
    reason: Annotated[str, Form()] = "",
) -> Response:
    """The page counts from the day that it names as known; a page is never edited."""
    command, errors = read_form(ActivateRulePage, {"toml": _lines(toml), "reason": reason})
    if command is not None:
        try:
            row = activate_rule_page(db, actor, now, command)
        except InvalidRequest as error:
            errors = {"toml": "; ".join(f"{one.where}: {one.message}" for one in error.findings)}
        else:
            return see_other(request, f"{RULES}/{row.page_id}", told="The rule page is activated.")
    values = {"toml": toml, "reason": reason}
    return render(request, "admin_rule_activate.html.j2", 422, values=values, errors=errors)

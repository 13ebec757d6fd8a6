"""Denials: the queue, what its reasons have in common, and handing work to people.

Owns these screens. Does not own what is work (``rpm.actions.denial_queue``) nor working one claim
(``rpm.web.pages.denial``). Addresses hold ids and words of ours, never a name.
"""

from dataclasses import asdict
from typing import Annotated, Any
from urllib.parse import urlencode
from uuid import UUID

from fastapi import Form, Query, Request
from fastapi.responses import Response
from sqlmodel import Session, col

from billing.claims.denial import Work
from billing.coding.catalog import shipped_edits
from billing.rules.references import finding_text
from rpm.access import ROLE_PERMISSIONS, Actor
from rpm.actions.denial_queue import (
    NOBODY,
    SORTS,
    Asked,
    WorkItem,
    all_items,
    causes,
    denial_queue,
    group_title,
)
from rpm.actions.practice_day import practice_today
from rpm.actions.work_denials import AssignClaims, assign_claims
from rpm.errors import NotFound
from rpm.store.queries.people import names_of_patients
from rpm.store.scope import Scope
from rpm.store.tables.people import Payer, User
from rpm.web.pages.denial_words import (
    DUE_CHOICES,
    SORT_CHOICES,
    WORK_TONES,
    WORK_WORDS,
    due_tone,
    reason_words,
)
from rpm.web.pages.paging import page_of_list
from rpm.web.pages.shell import (
    Now,
    PageDb,
    PageReadDb,
    page_permit,
    page_router,
    read_form,
    render,
    see_other,
)

router = page_router()

ADDRESS = "/denials"
Reader = Annotated[Actor, page_permit("claims:read")]
Writer = Annotated[Actor, page_permit("claims:write")]
_ROWS = 50
_SHORT = Query(max_length=40)


@router.get(ADDRESS)
def denials(
    request: Request,
    db: PageReadDb,
    now: Now,
    actor: Reader,
    work: Annotated[str, _SHORT] = "",
    group: Annotated[str, _SHORT] = "",
    payer: Annotated[str, _SHORT] = "",
    person: Annotated[str, _SHORT] = "",
    due: Annotated[str, _SHORT] = "",
    sort: Annotated[str, _SHORT] = "deadline",
    cursor: Annotated[str, Query(max_length=2_000)] = "",
) -> Response:
    """The queue."""
    asked = Asked(work, group, _uuid(payer), person, due, sort if sort in SORTS else "deadline")
    scope, today = Scope.of(actor), practice_today(db, Scope.of(actor), now)
    queue = denial_queue(db, scope, today, asked)
    paging = page_of_list(request, actor, "denials", _told(asked), cursor or None, _ROWS)
    items = rest_after(list(queue.items), paging.after)
    page: Any = paging.page(items[: paging.fetch], lambda item: (item.claim.id,))
    return render(
        request,
        "denials.html.j2",
        items=page.items,
        next_address=address_of(asked, page.next_cursor),
        next_cursor=page.next_cursor,
        address=address_of(asked),
        is_first=not cursor,
        asked=asked,
        queue=queue,
        total=len(queue.items),
        tabs=_tabs(queue.works, asked),
        groups=_groups(queue.groups),
        payers=_payers(db, scope),
        people=[("", "everyone"), (NOBODY, "nobody"), *people(db, scope)],
        names=names_of_patients(db, scope, {item.claim.patient_id for item in page.items}),
        users=dict(people(db, scope)),
        today=today,
        **_WORDS,
    )


_WORDS = {
    "work_words": WORK_WORDS,
    "work_tones": WORK_TONES,
    "due_choices": DUE_CHOICES,
    "sort_choices": SORT_CHOICES,
    "due_tone": due_tone,
    "group_title": group_title,
    "reason_words": reason_words,
}


@router.post(f"{ADDRESS}/assign")
def assign(
    request: Request,
    db: PageDb,
    now: Now,
    actor: Writer,
    claim_id: Annotated[list[str], Form()] = [],  # noqa: B006 - FastAPI copies it
    user_id: Annotated[str, Form()] = "",
    back: Annotated[str, Form(max_length=500)] = "",
) -> Response:
    """Give the marked claims to a person, or to nobody."""
    place = back if back.startswith(f"{ADDRESS}?") else ADDRESS
    command, errors = read_form(AssignClaims, {"claim_ids": claim_id or None, "user_id": user_id})
    if command is None:
        told = "Mark a claim first." if "claim_ids" in errors else "This person is not known."
        return see_other(request, place, told)
    assign_claims(db, actor, now, command)
    count = len(command.claim_ids)
    return see_other(request, place, f"{count} {'claim is' if count == 1 else 'claims are'} given.")


@router.get(f"{ADDRESS}/causes")
def root_causes(request: Request, db: PageReadDb, actor: Reader) -> Response:
    """Reasons by how many claims they cost, and what in the product looks for them."""
    items = all_items(db, Scope.of(actor))
    return render(
        request,
        "denial_causes.html.j2",
        causes=causes(items),
        claims=len(items),
        finding_text=finding_text,
        **_WORDS,
    )


@router.get(f"{ADDRESS}/looks-for/{{code}}")
def looks_for(
    request: Request,
    actor: Reader,  # noqa: ARG001 - asking is the permission
    code: str,
) -> Response:
    """An edit or a finding that looks for what a payer refuses."""
    edit = shipped_edits().get(code)
    try:
        finding = None if edit is not None else finding_text(code)
    except KeyError:
        raise NotFound("there is no such edit or finding") from None
    return render(request, "denial_edit.html.j2", edit=edit, finding=finding)


def address_of(asked: Asked, cursor: str | None = None) -> str:
    """The address that shows a choice."""
    told = {name: value for name, value in _told(asked).items() if value}
    if told.get("sort") == "deadline":
        del told["sort"]
    if cursor:
        told["cursor"] = cursor
    return f"{ADDRESS}?{urlencode(told)}" if told else ADDRESS


def rest_after(items: list[WorkItem], after: Any) -> list[WorkItem]:
    """What follows the last row shown; the whole list where that row is no work any more."""
    if after is None:
        return items
    places = {item.claim.id: place for place, item in enumerate(items)}
    return items[places.get(after[0], -1) + 1 :]


def people(db: Session, scope: Scope) -> list[tuple[str, str]]:
    """Who may work denials, by name."""
    roles = [role for role, held in ROLE_PERMISSIONS.items() if "claims:write" in held]
    rows = scope.all_of(db, User, col(User.active).is_(True), col(User.role).in_(roles))
    return sorted(((str(row.id), row.name) for row in rows), key=lambda one: one[1].casefold())


def _told(asked: Asked) -> dict[str, str]:
    told = asdict(asked)
    payer = told.pop("payer_id")
    return {**told, "payer": "" if payer is None else str(payer)}


def _tabs(works: Any, asked: Asked) -> list[dict[str, Any]]:
    told = [("", "all", sum(works.values()))]
    told += [(one.value, WORK_WORDS[one], works[one.value]) for one in Work if works[one.value]]
    return [
        {
            "word": word,
            "count": count,
            "address": address_of(Asked(key, "", asked.payer_id, asked.person, "", asked.sort)),
            "current": key == asked.work,
        }
        for key, word, count in told
    ]


def _groups(groups: Any) -> list[tuple[str, str]]:
    known = sorted(groups.items(), key=lambda one: -one[1])
    return [("", "any"), *((key, f"{group_title(key)} ({count})") for key, count in known)]


def _payers(db: Session, scope: Scope) -> list[tuple[str, str]]:
    rows = sorted(scope.all_of(db, Payer), key=lambda row: row.name.casefold())
    return [("", "every payer"), *((str(row.id), row.name) for row in rows)]


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None

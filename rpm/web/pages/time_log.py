"""The time log: every interval with its origin, what waits for a second person, and corrections.

Owns these screens. Does not own entries (``rpm.actions``), the form for typed work (``time_typed``)
nor the timer's forms (``timer``).
"""

from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Form, Query, Request
from fastapi.responses import Response
from sqlmodel import Session, col

from rpm.access import Actor
from rpm.actions.correction_history import entry_history
from rpm.actions.propose_entry import DecideEntry, decide_entry
from rpm.actions.reverse_entry import ReverseEntry, reverse_entry
from rpm.actions.run_timer import whole
from rpm.errors import InvalidRequest
from rpm.store.queries.entries import latest_entries, reversed_among
from rpm.store.queries.people import names_of_patients
from rpm.store.queries.timers import oldest_timers, proposed_entries
from rpm.store.scope import Scope
from rpm.store.tables.ledger import InteractionEntry
from rpm.store.tables.people import User
from rpm.web.cursors import Page
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
from rpm.web.pages.timer import ADDRESS, ROLE_WORDS
from rpm.web.pages.timer_bar import shown
from rpm.web.timer_clock import TimerNow

router = page_router()

ORIGINS = {"timer": "timer", "typed": "typed", "imported": "imported", "reversal": "taken back"}
"""Where an interval comes from, and its word."""
_BESIDE = 20
"""Rows of each list beside the log."""
Reader = Annotated[Actor, page_permit("entries:read")]
Approver = Annotated[Actor, page_permit("entries:approve")]
Reverser = Annotated[Actor, page_permit("entries:reverse")]


@router.get(ADDRESS)
def log(
    request: Request,
    db: PageReadDb,
    now: TimerNow,
    actor: Reader,
    who: str = "",
    origin: str = "",
    from_day: Annotated[str, Query(alias="from")] = "",
    to_day: Annotated[str, Query(alias="to")] = "",
    cursor: str = "",
) -> Response:
    """Every interval, recorded last first."""
    mine = who == "me" or (who == "" and "entries:write" in actor.permissions)
    asked = {
        "who": "me" if mine else "all",
        "origin": origin if origin in ORIGINS else "",
        "from": from_day if _day(from_day) else "",
        "to": to_day if _day(to_day) else "",
    }
    page = _page(request, db, actor, asked, cursor)
    scope = Scope.of(actor)
    return render(
        request,
        "time_log.html.j2",
        rows=page.items,
        next_cursor=page.next_cursor,
        asked=asked,
        is_first=not cursor,
        names=names_of_patients(db, scope, {row.patient_id for row in page.items}),
        taken_back=reversed_among(db, scope, [row.id for row in page.items]),
        origins=ORIGINS,
        **_beside(db, scope, whole(now)),
    )


def _page(
    request: Request, db: Session, actor: Actor, asked: dict[str, str], cursor: str
) -> Page[InteractionEntry]:
    paging = page_of_list(request, actor, "time", asked, cursor or None)
    rows = latest_entries(
        db,
        Scope.of(actor),
        actor_user_id=actor.user_id if asked["who"] == "me" else None,
        origin=asked["origin"] or None,
        from_day=_day(asked["from"]),
        to_day=_day(asked["to"]),
        before=None if paging.after is None else UUID(str(paging.after[0])),
        limit=paging.fetch,
    )
    return paging.page(rows, lambda row: (row.id,))


def _beside(db: Session, scope: Scope, now: datetime) -> dict[str, Any]:
    """What waits for a second person, and for who may decide the timers of the practice."""
    waiting = proposed_entries(db, scope, limit=_BESIDE + 1)
    approves = "entries:approve" in scope.actor.permissions
    timers = oldest_timers(db, scope, _BESIDE) if approves else ()
    people = {row.proposed_by for row in waiting} | {row.user_id for row in timers}
    return {
        "waiting": waiting[:_BESIDE],
        "more_waiting": len(waiting) > _BESIDE,
        "waiting_names": names_of_patients(db, scope, {row.patient_id for row in waiting}),
        "timers": [shown(db, scope, timer, now) for timer in timers],
        "people": _names_of_users(db, scope, people),
    }


def _names_of_users(db: Session, scope: Scope, user_ids: set[UUID]) -> dict[UUID, str]:
    return {row.id: row.name for row in scope.all_of(db, User, col(User.id).in_(user_ids))}


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


@router.post(f"{ADDRESS}/waiting/{{proposal_id}}")
def decide(
    request: Request,
    db: PageDb,
    now: Now,
    actor: Approver,
    proposal_id: UUID,
    approve: Annotated[str, Form()] = "",
    reason: Annotated[str, Form()] = "",
) -> Response:
    """Approve or refuse what somebody else typed."""
    values = {
        "proposal_id": proposal_id,
        "approve": {"yes": True, "no": False}.get(approve, ""),
        "reason": reason,
    }
    command, errors = read_form(DecideEntry, values)
    if command is None:
        raise InvalidRequest("say why: " + next(iter(errors.values())))
    decide_entry(db, actor, now, command)
    told = "It is approved and recorded." if command.approve else "It is refused."
    return see_other(request, ADDRESS, told)


@router.get(f"{ADDRESS}/entries/{{entry_id}}")
def entry(request: Request, db: PageReadDb, actor: Reader, entry_id: UUID) -> Response:
    """An entry with its corrections."""
    return _entry_page(request, db, actor, entry_id)


@router.post(f"{ADDRESS}/entries/{{entry_id}}/reversal")
def take_back(
    request: Request,
    db: PageDb,
    now: Now,
    actor: Reverser,
    entry_id: UUID,
    reason: Annotated[str, Form()] = "",
) -> Response:
    """Take the entry back."""
    command, errors = read_form(ReverseEntry, {"entry_id": entry_id, "reason": reason})
    if command is None:
        return _entry_page(request, db, actor, entry_id, errors)
    done = reverse_entry(db, actor, now, command)
    told = " ".join(("It is taken back.", *(one.message for one in done.findings)))
    return see_other(request, f"{ADDRESS}/entries/{entry_id}", told)


def _entry_page(
    request: Request,
    db: Session,
    actor: Actor,
    entry_id: UUID,
    errors: dict[str, str] | None = None,
) -> Response:
    scope = Scope.of(actor)
    found = scope.get(db, InteractionEntry, entry_id)
    return render(
        request,
        "time_entry.html.j2",
        422 if errors else 200,
        row=found,
        name=names_of_patients(db, scope, [found.patient_id])[found.patient_id],
        history=entry_history(db, scope, entry_id),
        is_taken_back=bool(reversed_among(db, scope, [entry_id])),
        origins=ORIGINS,
        roles=ROLE_WORDS,
        errors=errors or {},
    )

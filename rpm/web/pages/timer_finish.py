"""Finishing or discarding somebody else's timer, by who may approve others' time.

Owns the form. Does not own the acts (``rpm.actions.finish_timer``) nor one's own timer (``timer``).
"""

from typing import Annotated, Any
from uuid import UUID, uuid4

from fastapi import Form, Request
from fastapi.responses import Response
from sqlmodel import Session

from rpm.access import Actor
from rpm.actions.finish_timer import FinishTimer, discard_others, finish_timer, others_timer
from rpm.actions.stop_timer import CONTACTS, DiscardTimer
from rpm.actions.worker_role import last_role, likely_roles
from rpm.errors import InvalidRequest
from rpm.store.scope import Scope
from rpm.store.tables.people import User
from rpm.web.pages.shell import (
    PageDb,
    PageReadDb,
    form_errors,
    page_permit,
    page_router,
    read_form,
    render,
    see_other,
)
from rpm.web.pages.templating import clock
from rpm.web.pages.timer import ADDRESS, ROLE_WORDS
from rpm.web.pages.timer_bar import shown
from rpm.web.timer_clock import TimerNow

router = page_router()

Approver = Annotated[Actor, page_permit("entries:approve")]


@router.get(f"{ADDRESS}/timers/{{timer_id}}/finish")
def finish_form(
    request: Request, db: PageReadDb, now: TimerNow, actor: Approver, timer_id: UUID
) -> Response:
    """Whose timer it is, how long it ran, and what has to be said of the work."""
    return _page(request, db, now, actor, timer_id, {}, {})


def _page(
    request: Request,
    db: Session,
    now: TimerNow,
    actor: Actor,
    timer_id: UUID,
    values: dict[str, Any],
    errors: dict[str, str],
) -> Response:
    scope = Scope.of(actor)
    timer = others_timer(db, actor, timer_id)
    user = scope.get(db, User, timer.user_id)
    roles = likely_roles(db, scope, user)
    usual = {"client_id": str(uuid4()), "role": last_role(db, scope, user) or ""}
    return render(
        request,
        "timer_finish.html.j2",
        422 if errors else 200,
        current=shown(db, scope, timer, now),
        person=user.name,
        contacts=list(CONTACTS.items()),
        roles=[(role, ROLE_WORDS[role]) for role in roles],
        values=usual | values,
        errors=errors,
    )


@router.post(f"{ADDRESS}/timers/{{timer_id}}/finish")
def finish(
    request: Request,
    db: PageDb,
    now: TimerNow,
    actor: Approver,
    timer_id: UUID,
    client_id: Annotated[str, Form()] = "",
    contact: Annotated[str, Form()] = "",
    live: Annotated[str, Form()] = "",
    activity: Annotated[str, Form()] = "",
    role: Annotated[str, Form()] = "",
    reason: Annotated[str, Form()] = "",
) -> Response:
    """The person's entry, with who finished it and why."""
    typed = {
        "client_id": client_id,
        "contact": contact,
        "activity": activity,
        "role": role,
        "reason": reason,
    }
    values = {**typed, "timer_id": timer_id, "live": {"yes": True, "no": False}.get(live, "")}
    command, errors = read_form(FinishTimer, values)
    if command is not None:
        try:
            logged = finish_timer(db, actor, now, command)
        except InvalidRequest as error:
            errors = form_errors(error)
        else:
            seconds = sum(entry.duration_seconds for entry in logged.entries)
            return see_other(request, ADDRESS, f"{clock(seconds)} recorded for the person.")
    return _page(request, db, now, actor, timer_id, {**typed, "live": live}, errors)


@router.post(f"{ADDRESS}/timers/{{timer_id}}/discard")
def discard(
    request: Request,
    db: PageDb,
    now: TimerNow,
    actor: Approver,
    timer_id: UUID,
    reason: Annotated[str, Form()] = "",
) -> Response:
    """The timer leaves no entry."""
    command, errors = read_form(DiscardTimer, {"timer_id": timer_id, "reason": reason})
    if command is None:
        return _page(request, db, now, actor, timer_id, {}, {"": next(iter(errors.values()))})
    discard_others(db, actor, now, command)
    return see_other(request, ADDRESS, "The timer is discarded. The audit trail keeps why.")

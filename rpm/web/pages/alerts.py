"""Alerts: what broke a limit, whom it was told, and what somebody did about it.

Owns the screen and its forms. Does not own the steps (``rpm.actions.answer_alert``). Every page
with alerts says what they are not.
"""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Form, Request
from fastapi.responses import Response
from sqlmodel import Session

from devices.alerts import NOTICE
from rpm.access import Actor
from rpm.actions.answer_alert import AnswerAlert, answer_alert
from rpm.errors import Conflict, InvalidRequest
from rpm.store.queries.alerts import STATES, AlertFilter, limits_in_force, list_alerts
from rpm.store.queries.people import names_of_patients
from rpm.store.scope import Scope
from rpm.web.pages.alert_words import alert_words, limit_of_alert
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

router = page_router()

ADDRESS = "/alerts"
Reader = Annotated[Actor, page_permit("readings:read")]
Answerer = Annotated[Actor, page_permit("alerts:write")]


@router.get(ADDRESS)
def alerts(
    request: Request, db: PageReadDb, actor: Reader, state: str = "open", cursor: str = ""
) -> Response:
    """Alerts of one state, the longest waiting first."""
    return _list(request, db, actor, state, cursor, {}, {})


@router.post(f"{ADDRESS}/{{alert_id}}/answer")
def answer(
    request: Request,
    db: PageDb,
    now: Now,
    actor: Answerer,
    alert_id: UUID,
    step: Annotated[str, Form()] = "",
    note: Annotated[str, Form()] = "",
) -> Response:
    """Say that it was seen, what was done, or what was found at its end."""
    command, errors = read_form(
        AnswerAlert, {"alert_id": str(alert_id), "step": step, "note": note.strip()}
    )
    if command is not None:
        try:
            answer_alert(db, actor, now, command)
            return see_other(request, ADDRESS, f"The alert is {command.step}.")
        except InvalidRequest as error:
            errors = form_errors(error)
        except Conflict as error:
            errors = {"": error.message[:1].upper() + error.message[1:] + "."}
    named = {f"{name}-{alert_id}" if name else "": text for name, text in errors.items()}
    return _list(request, db, actor, "open", "", named, {alert_id: note})


def _list(
    request: Request,
    db: Session,
    actor: Actor,
    state: str,
    cursor: str,
    errors: dict[str, str],
    notes: dict[UUID, str],
) -> Response:
    scope, shown = Scope.of(actor), state if state in STATES else "open"
    paging = page_of_list(request, actor, "alerts", {"state": shown}, cursor)
    after: Any = paging.after[0] if paging.after else None
    chosen = AlertFilter(state=shown, level="alert")
    rows = list_alerts(db, scope, chosen, after=after, limit=paging.fetch)
    page: Any = paging.page(rows, lambda held: (held.alert.id,))
    people = {held.alert.patient_id for held in page.items if held.alert.patient_id}
    return render(
        request,
        "alerts.html.j2",
        422 if errors else 200,
        items=page.items,
        next_cursor=page.next_cursor,
        names=names_of_patients(db, scope, people),
        words=alert_words,
        limit_words=limit_of_alert,
        states=STATES,
        shown=shown,
        errors=errors,
        notes=notes,
        notice=NOTICE,
        has_limits=any(row.active for row in limits_in_force(db, scope, [])[None].values()),
    )

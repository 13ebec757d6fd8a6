"""Alerts: what broke a limit, whom it was told, and what somebody did about it.

Owns the screen and its forms. Does not own the steps (``rpm.actions.answer_alert``). Every page
with alerts says what they are not.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, Any
from uuid import UUID

from fastapi import Form, Request
from fastapi.responses import Response
from sqlmodel import Session

from devices.alerts import NOTICE
from rpm.access import Actor
from rpm.actions.answer_alert import AnswerAlert, AnswerAlerts, answer_alert, answer_alerts
from rpm.errors import Conflict, InvalidRequest
from rpm.store.queries.alerts import STATES, AlertFilter, limits_in_force, list_alerts
from rpm.store.queries.people import names_of_patients
from rpm.store.scope import Scope
from rpm.store.tables.people import Patient
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
    request: Request,
    db: PageReadDb,
    actor: Reader,
    state: str = "open",
    patient: UUID | None = None,
    cursor: str = "",
) -> Response:
    """Alerts of one state, of everybody or of one patient, the longest waiting first."""
    return _list(request, db, actor, _Shown(state, patient, cursor))


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
    return _list(request, db, actor, _Shown(), named, {alert_id: note})


@router.post(f"{ADDRESS}/patients/{{patient_id}}/answer")
def answer_all(
    request: Request,
    db: PageDb,
    now: Now,
    actor: Answerer,
    patient_id: UUID,
    state: Annotated[str, Form()] = "open",
    last: Annotated[str, Form()] = "",
    step: Annotated[str, Form()] = "",
    note: Annotated[str, Form()] = "",
) -> Response:
    """Answer all alerts of a patient that were shown, with one note; later ones stay open."""
    values = {"patient_id": str(patient_id), "state": state, "last_alert_id": last}
    command, errors = read_form(AnswerAlerts, {**values, "step": step, "note": note.strip()})
    if command is not None:
        try:
            count = answer_alerts(db, actor, now, command)
            told = f"{count} alert{'s are' if count != 1 else ' is'} {command.step}."
            return see_other(request, ADDRESS, told)
        except InvalidRequest as error:
            errors = form_errors(error)
        except Conflict as error:
            errors = {"": error.message[:1].upper() + error.message[1:] + "."}
    named = {f"{name}-all" if name else "": text for name, text in errors.items()}
    return _list(request, db, actor, _Shown(state, patient_id), named, {patient_id: note})


@dataclass(frozen=True)
class _Shown:
    """Which alerts a page lists."""

    state: str = "open"
    patient_id: UUID | None = None
    cursor: str = ""


def _list(
    request: Request,
    db: Session,
    actor: Actor,
    asked: _Shown,
    errors: Mapping[str, str] = MappingProxyType({}),
    notes: Mapping[UUID, str] = MappingProxyType({}),
) -> Response:
    scope, shown = Scope.of(actor), asked.state if asked.state in STATES else "open"
    patient_id = asked.patient_id
    if patient_id is not None:
        scope.get(db, Patient, patient_id)
    filters = {"state": shown, "patient": patient_id.hex if patient_id else None}
    paging = page_of_list(request, actor, "alerts", filters, asked.cursor)
    after: Any = paging.after[0] if paging.after else None
    chosen = AlertFilter(state=shown, level="alert", patient_id=patient_id)
    rows = list_alerts(db, scope, chosen, after=after, limit=paging.fetch)
    page: Any = paging.page(rows, lambda held: (held.alert.id,))
    people = {held.alert.patient_id for held in page.items if held.alert.patient_id}
    people |= {patient_id} if patient_id else set()
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
        patient_id=patient_id,
        errors=errors,
        notes=notes,
        notice=NOTICE,
        has_limits=any(row.active for row in limits_in_force(db, scope, [])[None].values()),
    )

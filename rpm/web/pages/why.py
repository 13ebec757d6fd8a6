"""Why, why not and what if: a patient's month told by the ledger, and the same with other facts.

Owns both screens. Does not own the answers (``rpm.actions.why``, ``rpm.actions.what_if``): nothing
is stored by asking.
"""

from datetime import date, timedelta
from typing import Annotated, Any
from uuid import UUID

from fastapi import Form, Request
from fastapi.responses import Response
from sqlmodel import Session

from rpm.access import Actor
from rpm.actions.practice_day import practice_today
from rpm.actions.seen_from import seen_now
from rpm.actions.what_if import Compared, what_if
from rpm.actions.what_if_command import WhatIf
from rpm.actions.why import AskWhy, why_month
from rpm.errors import InvalidRequest
from rpm.store.outcomes import Evaluated, EventLine, evaluated
from rpm.store.queries.episodes import EpisodeState, episodes_of_patient
from rpm.store.scope import Scope
from rpm.store.tables.people import Patient, Payer
from rpm.web.pages.months import Month
from rpm.web.pages.opened import chart_opened
from rpm.web.pages.shell import (
    Now,
    PageReadDb,
    form_errors,
    page_permit,
    page_router,
    read_form,
    render,
)
from rpm.web.pages.why_words import told_months

router = page_router()

Reader = Annotated[Actor, page_permit("ledger:read")]
_MOST_DAYS = 30


@router.get("/patients/{patient_id}/why")
def why(
    request: Request,
    db: PageReadDb,
    now: Now,
    actor: Reader,
    patient_id: UUID,
    month: str = "",
    code: str = "",
) -> Response:
    """The month, ladder by ladder, and the answer for a code."""
    scope = Scope.of(actor)
    patient = chart_opened(request, actor, now, patient_id)
    today = practice_today(db, scope, now)
    shown = Month.read(month, today)
    asked, errors = read_form(AskWhy, {"month": shown.key, "code": code.strip().upper()})
    found = why_month(
        db, actor, patient_id, asked or AskWhy(month=shown.key), seen_now(db, scope, now)
    )
    return render(
        request,
        "why.html.j2",
        422 if errors else 200,
        patient=patient,
        month=shown,
        is_current=shown == Month.of(today),
        code=code,
        errors=errors,
        found=found,
        periods=told_months(found, {row.key: row.name for row in scope.all_of(db, Payer)}),
    )


@router.get("/patients/{patient_id}/what-if")
def ask(request: Request, db: PageReadDb, now: Now, actor: Reader, patient_id: UUID) -> Response:
    """The question, not yet asked."""
    scope = Scope.of(actor)
    chart_opened(request, actor, now, patient_id)
    today = practice_today(db, scope, now)
    values = {
        "reading_days": "",
        "from_day": today.isoformat(),
        "minutes": "",
        "minutes_day": today.isoformat(),
        "mode": "live",
    }
    return _question(request, db, scope, patient_id, values, {}, None)


@router.post("/patients/{patient_id}/what-if")
def answer(
    request: Request,
    db: PageReadDb,
    now: Now,
    actor: Reader,
    patient_id: UUID,
    reading_days: Annotated[str, Form()] = "",
    from_day: Annotated[str, Form()] = "",
    minutes: Annotated[str, Form()] = "",
    minutes_day: Annotated[str, Form()] = "",
    mode: Annotated[str, Form()] = "live",
) -> Response:
    """The bill as it is and as it would be at the end of the running periods."""
    scope = Scope.of(actor)
    values = {
        "reading_days": reading_days,
        "from_day": from_day,
        "minutes": minutes,
        "minutes_day": minutes_day,
        "mode": mode,
    }
    states = episodes_of_patient(db, scope, patient_id)
    errors = _number_errors(values)
    if not states:
        errors[""] = "The patient is in no program."
    compared = None
    if not errors:
        today = practice_today(db, scope, now)
        running = evaluated(
            db, scope.organization_id, as_of=today, known=today, patients=[patient_id]
        )
        ends = _ends(running).isoformat()
        fields = _changes(values, states[-1]) | {"patient_id": str(patient_id), "as_of": ends}
        command, errors = read_form(WhatIf, fields)
        errors = {_FIELDS.get(name, name): message for name, message in errors.items()}
        if command is not None:
            try:
                compared = what_if(db, actor, now, command, running.loaded)
            except InvalidRequest as error:
                errors = form_errors(error)
    return _question(request, db, scope, patient_id, values, errors, compared)


_FIELDS = {"add_days": "from_day", "add_entries": "minutes_day"}


def _number_errors(values: dict[str, str]) -> dict[str, str]:
    errors = {}
    for name, most in (("reading_days", _MOST_DAYS), ("minutes", 24 * 60)):
        text = values[name].strip()
        if text and not (text.isdecimal() and 1 <= int(text) <= most):
            errors[name] = f"A whole number from 1 to {most}"
    if values["reading_days"].strip() and "reading_days" not in errors:
        try:
            date.fromisoformat(values["from_day"])
        except ValueError:
            errors["from_day"] = "A day of the calendar"
    return errors


def _changes(values: dict[str, str], state: EpisodeState) -> dict[str, Any]:
    """The facts to add, to the episode that began last."""
    episode_id = str(state.episode.id)
    changes: dict[str, Any] = {}
    if values["reading_days"].strip():
        first = date.fromisoformat(values["from_day"])
        changes["add_days"] = [
            {
                "episode_id": episode_id,
                "day": (first + timedelta(days=number)).isoformat(),
                "kind": state.episode.order_device_kind or "bp",
            }
            for number in range(int(values["reading_days"]))
        ]
    if values["minutes"].strip():
        changes["add_entries"] = [
            {
                "episode_id": episode_id,
                "day": values["minutes_day"],
                "duration_seconds": int(values["minutes"]) * 60,
                "work": "RPM" if state.episode.program == "RPM" else "RTM",
                "mode": values["mode"],
            }
        ]
    return changes


def _ends(running: Evaluated) -> date:
    """The day after the running periods are over, so that they can be billed."""
    today = running.as_of
    last = max((one.end_day for one in running.periods()), default=today)
    return max(last, Month.of(today).last) + timedelta(days=1)


def _question(
    request: Request,
    db: Session,
    scope: Scope,
    patient_id: UUID,
    values: dict[str, str],
    errors: dict[str, str],
    compared: Compared | None,
) -> Response:
    changed: list[tuple[str, EventLine]] = []
    if compared is not None:
        bill = {(one.key, one.units): one for one in compared.bill.events()}
        would = {(one.key, one.units): one for one in compared.what_if.events()}
        changed = [("gained", would[key]) for key in would if key not in bill]
        changed += [("lost", bill[key]) for key in bill if key not in would]
    return render(
        request,
        "what_if.html.j2",
        422 if errors else 200,
        patient=scope.get(db, Patient, patient_id),
        values=values,
        errors=errors,
        compared=compared,
        changed=changed,
    )

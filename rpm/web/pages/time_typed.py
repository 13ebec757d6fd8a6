"""Work typed afterwards: the form for what no timer ran for.

Owns this form. Does not own what becomes of it (``rpm.actions.propose_entry``).
"""

from datetime import date, datetime, time
from typing import Annotated, Any
from uuid import UUID, uuid4

from fastapi import Form, Request
from fastapi.responses import Response
from sqlmodel import Session

from billing.ledger.facts import WORK
from rpm.access import Actor
from rpm.actions.practice_day import practice_today
from rpm.actions.propose_entry import TypeEntry, type_entry
from rpm.actions.run_timer import open_work, worker
from rpm.actions.stop_timer import CONTACTS
from rpm.actions.timer_settings import timer_settings
from rpm.actions.worker_role import likely_roles
from rpm.clock import zone
from rpm.errors import InvalidRequest
from rpm.store.queries.people import (
    names_of_patients,
    organization_of,
    patients_page,
)
from rpm.store.scope import Scope
from rpm.store.tables.people import Patient, User
from rpm.web.pages.shell import (
    Now,
    PageDb,
    PageReadDb,
    form_errors,
    page_router,
    read_form,
    render,
    see_other,
)
from rpm.web.pages.timer import ADDRESS, ROLE_WORDS, Worker, id_of

router = page_router()


@router.get(f"{ADDRESS}/type")
def type_form(
    request: Request, db: PageReadDb, now: Now, actor: Worker, patient: UUID | None = None
) -> Response:
    """The form for work that no timer ran for."""
    today = practice_today(db, Scope.of(actor), now)
    values = {"local_day": today.isoformat(), "patient_id": str(patient) if patient else ""}
    return _type_page(request, db, now, actor, values, {})


@router.post(f"{ADDRESS}/type")
def type_afterwards(
    request: Request,
    db: PageDb,
    now: Now,
    actor: Worker,
    client_id: Annotated[str, Form()] = "",
    patient_id: Annotated[str, Form()] = "",
    record_number: Annotated[str, Form(max_length=200)] = "",
    work: Annotated[str, Form()] = "",
    contact: Annotated[str, Form()] = "",
    live: Annotated[str, Form()] = "",
    local_day: Annotated[str, Form()] = "",
    begin: Annotated[str, Form()] = "",
    minutes: Annotated[str, Form()] = "",
    activity: Annotated[str, Form()] = "",
    note: Annotated[str, Form()] = "",
    role: Annotated[str, Form()] = "",
    reason: Annotated[str, Form()] = "",
) -> Response:
    """The entry, or one that waits for somebody else."""
    scope = Scope.of(actor)
    shared = {
        "client_id": client_id,
        "work": work,
        "contact": contact,
        "activity": activity,
        "note": note,
        "role": role,
        "reason": reason,
    }
    typed = shared | {
        "patient_id": patient_id,
        "record_number": record_number,
        "live": live,
        "local_day": local_day,
        "begin": begin,
        "minutes": minutes,
    }
    found = id_of(patient_id) or _patient(db, scope, record_number)
    if found is None:
        errors = {"record_number": "There is no patient under this record number"}
        return _type_page(request, db, now, actor, typed, errors)
    zone_name = organization_of(db, scope).timezone
    values = shared | {
        "patient_id": found,
        "live": {"yes": True, "no": False}.get(live, ""),
        "duration_seconds": int(minutes) * 60 if minutes.isdecimal() and len(minutes) < 5 else "",
        **_when(local_day, begin, zone_name),
    }
    command, errors = read_form(TypeEntry, values)
    if command is not None:
        try:
            return _typed(request, db, now, actor, command)
        except InvalidRequest as error:
            errors = form_errors(error)
    named = {"duration_seconds": "minutes", "started_at": "begin", "episode_id": "work"}
    errors = {named.get(name, name): text for name, text in errors.items()}
    return _type_page(request, db, now, actor, typed, errors)


def _typed(
    request: Request, db: Session, now: datetime, actor: Actor, command: TypeEntry
) -> Response:
    done = type_entry(db, actor, now, command)
    if done.logged is None:
        told = "It is above the practice's limit: it counts once somebody else has approved it."
    else:
        told = " ".join(("It is recorded.", *sorted({one.message for one in done.logged.findings})))
    return see_other(request, ADDRESS, told)


def _patient(db: Session, scope: Scope, record_number: str) -> UUID | None:
    found = patients_page(db, scope, record_number=record_number.strip(), limit=1)
    patient = next(iter(found), None)
    return None if patient is None else patient.id


def _when(local_day: str, begin: str, zone_name: str) -> dict[str, Any]:
    """The start, or only the day; a start that cannot be read is left for the form to refuse."""
    if not begin:
        return {"local_day": local_day}
    try:
        day, clock = date.fromisoformat(local_day), time.fromisoformat(begin)
    except ValueError:
        return {"started_at": begin}
    return {"started_at": datetime.combine(day, clock, zone(zone_name)).isoformat()}


def _type_page(
    request: Request,
    db: Session,
    now: datetime,
    actor: Actor,
    values: dict[str, Any],
    errors: dict[str, str],
) -> Response:
    scope = Scope.of(actor)
    patient_id = id_of(values.get("patient_id", ""))
    if patient_id is not None:
        scope.get(db, Patient, patient_id)
    works = open_work(db, scope, patient_id, practice_today(db, scope, now)) if patient_id else ()
    limit = timer_settings(db, scope).typed_limit_seconds
    roles = likely_roles(db, scope, scope.get(db, User, worker(actor)))
    return render(
        request,
        "time_type.html.j2",
        422 if errors else 200,
        values={"client_id": str(uuid4()), "work": works[0] if works else "RPM", **values},
        errors=errors,
        name=names_of_patients(db, scope, [patient_id])[patient_id] if patient_id else "",
        works=[(work, work) for work in WORK],
        contacts=list(CONTACTS.items()),
        roles=[(role, ROLE_WORDS[role]) for role in roles],
        limit_minutes=None if limit is None else limit // 60,
    )

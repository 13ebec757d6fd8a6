"""The time log: every interval with its origin, what waits for a second person, and corrections.

Owns these screens and the form for work typed afterwards. Does not own entries (``rpm.actions``)
nor the timer's forms (``rpm.web.pages.timer``).
"""

from datetime import date, datetime, time
from typing import Annotated, Any
from uuid import UUID, uuid4

from fastapi import Form, Query, Request
from fastapi.responses import Response
from sqlmodel import Session, col

from billing.ledger.facts import WORK
from rpm.access import Actor
from rpm.actions.correction_history import entry_history
from rpm.actions.practice_day import practice_today
from rpm.actions.propose_entry import DecideEntry, TypeEntry, decide_entry, type_entry
from rpm.actions.reverse_entry import ReverseEntry, reverse_entry
from rpm.actions.run_timer import open_work
from rpm.actions.stop_timer import CONTACTS
from rpm.actions.timer_settings import timer_settings
from rpm.actions.worker_role import likely_roles
from rpm.clock import zone
from rpm.errors import InvalidRequest, NotFound
from rpm.store.queries.entries import latest_entries, reversed_among
from rpm.store.queries.people import (
    names_of_patients,
    organization_of,
    patient_with_record_number,
)
from rpm.store.queries.timers import proposed_entries
from rpm.store.scope import Scope
from rpm.store.tables.ledger import InteractionEntry
from rpm.store.tables.people import Patient, User
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
from rpm.web.pages.timer import ADDRESS, ROLE_WORDS, Worker, id_of

router = page_router()

ORIGINS = {"timer": "timer", "typed": "typed", "imported": "imported", "reversal": "taken back"}
"""Where an interval comes from, and its word."""
_WAITING = 20
Reader = Annotated[Actor, page_permit("entries:read")]
Approver = Annotated[Actor, page_permit("entries:approve")]
Reverser = Annotated[Actor, page_permit("entries:reverse")]


@router.get(ADDRESS)
def log(
    request: Request,
    db: PageReadDb,
    actor: Reader,
    who: str = "",
    origin: str = "",
    from_day: Annotated[str, Query(alias="from")] = "",
    to_day: Annotated[str, Query(alias="to")] = "",
    cursor: str = "",
) -> Response:
    """Every interval, recorded last first."""
    scope = Scope.of(actor)
    mine = who == "me" or (who == "" and "entries:write" in actor.permissions)
    asked = {
        "who": "me" if mine else "all",
        "origin": origin if origin in ORIGINS else "",
        "from": from_day if _day(from_day) else "",
        "to": to_day if _day(to_day) else "",
    }
    paging = page_of_list(request, actor, "time", asked, cursor or None)
    rows = latest_entries(
        db,
        scope,
        actor_user_id=actor.user_id if mine else None,
        origin=asked["origin"] or None,
        from_day=_day(from_day),
        to_day=_day(to_day),
        before=None if paging.after is None else UUID(str(paging.after[0])),
        limit=paging.fetch,
    )
    page = paging.page(rows, lambda row: (row.id,))
    waiting = proposed_entries(db, scope, limit=_WAITING + 1)
    patients = {row.patient_id for row in page.items} | {row.patient_id for row in waiting}
    return render(
        request,
        "time_log.html.j2",
        rows=page.items,
        next_cursor=page.next_cursor,
        asked=asked,
        is_first=not cursor,
        names=names_of_patients(db, scope, patients),
        taken_back=reversed_among(db, scope, [row.id for row in page.items]),
        waiting=waiting[:_WAITING],
        more_waiting=len(waiting) > _WAITING,
        people=_names_of_users(db, scope, {row.proposed_by for row in waiting}),
        origins=ORIGINS,
    )


def _names_of_users(db: Session, scope: Scope, user_ids: set[UUID]) -> dict[UUID, str]:
    return {row.id: row.name for row in scope.all_of(db, User, col(User.id).in_(user_ids))}


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


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
    patient = patient_with_record_number(db, scope, record_number.strip())
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
    if actor.user_id is None:
        raise NotFound("only a user types entries")
    works = open_work(db, scope, patient_id, practice_today(db, scope, now)) if patient_id else ()
    limit = timer_settings(db, scope).typed_limit_seconds
    roles = likely_roles(db, scope, scope.get(db, User, actor.user_id))
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

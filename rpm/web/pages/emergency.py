"""Emergency access: taking it, and the report of who took it and what was done under it.

Owns the form and the report. Does not own the rules (``rpm.actions.emergency``).
"""

from typing import Annotated
from uuid import UUID

from fastapi import Form, Request
from fastapi.responses import Response

from rpm.access import EMERGENCY_PERMISSIONS, Actor
from rpm.actions.emergency import TakeEmergencyAccess, take_emergency_access
from rpm.store.queries.sign_ins import emergencies_page, events_of_emergency
from rpm.store.scope import Scope
from rpm.store.tables.sign_ins import EmergencyAccess
from rpm.web.cursors import Paging
from rpm.web.pages.paging import page_of_list
from rpm.web.pages.shell import (
    Now,
    PageActor,
    PageDb,
    PageReadDb,
    Wall,
    page_permit,
    page_router,
    read_form,
    render,
    see_other,
)

router = page_router()

REPORT = "/admin/emergencies"
Auditor = Annotated[Actor, page_permit("audit:read")]


@router.get("/emergency")
def form(request: Request, actor: PageActor) -> Response:
    """The form; where the role opens every chart already, it says so."""
    return _form(request, actor, "", {})


def _form(request: Request, actor: Actor, reason: str, errors: dict[str, str]) -> Response:
    return render(
        request,
        "emergency.html.j2",
        422 if errors else 200,
        adds=sorted(EMERGENCY_PERMISSIONS - actor.permissions),
        reason=reason,
        errors=errors,
    )


@router.post("/emergency")
def take(
    request: Request,
    db: PageDb,
    now: Now,
    wall: Wall,
    actor: PageActor,
    reason: Annotated[str, Form()] = "",
) -> Response:
    """More than the role opens, from now on for four hours."""
    command, errors = read_form(TakeEmergencyAccess, {"reason": reason})
    if command is None:
        return _form(request, actor, reason, errors)
    take_emergency_access(db, actor, now, wall, command)
    return see_other(request, "/", told="Emergency access runs. Everything is recorded.")


@router.get(REPORT)
def report(request: Request, db: PageReadDb, actor: Auditor, cursor: str | None = None) -> Response:
    """Every emergency access, the latest first: who, when, why."""
    paging = page_of_list(request, actor, "emergencies", {}, cursor)
    rows = emergencies_page(db, Scope.of(actor), _number(paging), paging.fetch)
    page = paging.page(rows, lambda row: (row[0].audit_number,))
    return render(request, "emergencies.html.j2", page=page)


def _number(paging: Paging) -> int | None:
    found = paging.after[0] if paging.after else None
    return found if isinstance(found, int) else None


@router.get("/admin/emergencies/{emergency_id}")
def one(
    request: Request,
    db: PageReadDb,
    actor: Auditor,
    emergency_id: UUID,
    cursor: str | None = None,
) -> Response:
    """What was done under one emergency access, in order."""
    scope = Scope.of(actor)
    taken = scope.get(db, EmergencyAccess, emergency_id)
    paging = page_of_list(request, actor, f"emergency {emergency_id}", {}, cursor)
    rows = events_of_emergency(db, scope, taken, _number(paging), paging.fetch)
    page = paging.page(rows, lambda row: (row.number,))
    return render(request, "emergency_events.html.j2", taken=taken, page=page)

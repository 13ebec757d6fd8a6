"""Retention: how long payloads are kept, legal holds, and purges that two persons decide.

Owns this screen. Does not own the removal: an operator runs it with the command, as the role that
owns the tables. The service itself may remove nothing.
"""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Form, Query, Request
from fastapi.responses import Response
from sqlmodel import Session

from rpm.access import Actor
from rpm.actions.legal_holds import LiftHold, PlaceHold, lift_hold, place_hold
from rpm.actions.order_purge import (
    ApprovePurge,
    OrderPurge,
    approve_purge,
    dry_run,
    order_purge,
)
from rpm.actions.set_practice_setting import (
    OFF,
    RETENTION_YEARS,
    SetPracticeSetting,
    set_practice_setting,
)
from rpm.errors import Conflict, InvalidRequest, NotAllowed
from rpm.store.engine import reading
from rpm.store.purgeable import standing_holds
from rpm.store.queries.people import (
    names_of_patients,
    patient_with_record_number,
    practice_settings,
)
from rpm.store.queries.retention import orders_page
from rpm.store.scope import Scope
from rpm.store.tables.people import User
from rpm.web.pages.long_work import LongWork, render_working
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
from rpm.web.routes.readings import after_id
from rpm.web.running import engine_of

router = page_router()

Keeper = Annotated[Actor, page_permit("records:purge")]
RETENTION = "/admin/retention"
_NEW = {"years": "", "why": "", "record_number": "", "reason": "", "order_reason": ""}
Words = dict[str, str]


@router.get(RETENTION)
def retention(
    request: Request,
    db: PageReadDb,
    actor: Keeper,
    cursor: Annotated[str | None, Query(max_length=2_000)] = None,
) -> Response:
    """What holds, and the forms to change it."""
    return _page(request, db, actor, cursor, {}, {})


def _page(
    request: Request, db: Session, actor: Actor, cursor: str | None, values: Words, errors: Words
) -> Response:
    scope = Scope.of(actor)
    holds = standing_holds(db, scope)
    paging = page_of_list(request, actor, "purges", {}, cursor)
    orders = orders_page(db, scope, after=after_id(paging), limit=paging.fetch)
    kept = practice_settings(db, scope).get(RETENTION_YEARS)
    years = OFF if kept is None else str(kept.value)
    return render(
        request,
        "admin_retention.html.j2",
        422 if errors else 200,
        years=years,
        holds=holds,
        patients=names_of_patients(db, scope, [one.patient_id for one in holds if one.patient_id]),
        orders=paging.page(orders, lambda one: (one.order.id,)),
        users={one.id: one.name for one in scope.all_of(db, User)},
        values=_NEW | {"years": "" if years == OFF else years} | values,
        errors=errors,
        cursor=cursor,
    )


@router.post(f"{RETENTION}/years")
def keep(
    request: Request,
    db: PageDb,
    now: Now,
    actor: Keeper,
    years: Annotated[str, Form()] = "",
    why: Annotated[str, Form()] = "",
) -> Response:
    """How long payloads are kept; nothing is ever removed while no years are set."""
    given = {"key": RETENTION_YEARS, "value": years.strip() or OFF, "reason": why}
    command, errors = read_form(SetPracticeSetting, given)
    if command is not None:
        try:
            set_practice_setting(db, actor, now, command)
        except InvalidRequest as error:
            errors = {"value": error.findings[0].message}
        else:
            return see_other(request, RETENTION, told="The retention is set.")
    named = {"value": "years", "reason": "why"}
    told = {named.get(name, name): message for name, message in errors.items()}
    return _page(request, db, actor, None, {"years": years, "why": why}, told)


@router.post(f"{RETENTION}/holds")
def hold(
    request: Request,
    db: PageDb,
    now: Now,
    actor: Keeper,
    record_number: Annotated[str, Form(max_length=200)] = "",
    reason: Annotated[str, Form()] = "",
) -> Response:
    """Nothing of the patient, or of the practice, may be removed from now on."""
    values = {"record_number": record_number, "reason": reason}
    given: dict[str, Any] = {"reason": reason}
    if record_number.strip():
        patient = patient_with_record_number(db, Scope.of(actor), record_number.strip())
        if patient is None:
            told = {"record_number": "No patient has this record number"}
            return _page(request, db, actor, None, values, told)
        given["patient_id"] = patient.id
    command, errors = read_form(PlaceHold, given)
    if command is None:
        return _page(request, db, actor, None, values, errors)
    place_hold(db, actor, now, command)
    return see_other(request, RETENTION, told="The hold stands.")


@router.post(f"{RETENTION}/holds/{{hold_id}}/lift")
def lift(
    request: Request,
    db: PageDb,
    now: Now,
    actor: Keeper,
    hold_id: UUID,
    lift_reason: Annotated[str, Form()] = "",
) -> Response:
    """The hold is over."""
    command, errors = read_form(LiftHold, {"hold_id": hold_id, "reason": lift_reason})
    if command is None:
        told = {f"lift-{hold_id}": next(iter(errors.values()))}
        return _page(request, db, actor, None, {}, told)
    lift_hold(db, actor, now, command)
    return see_other(request, RETENTION, told="The hold is lifted.")


@router.post(f"{RETENTION}/dry-run")
def try_purge(request: Request, now: Now, actor: Keeper) -> Response:
    """What a purge would remove now; nothing is changed."""
    engine = engine_of(request, actor)

    def work(_tell: object) -> Any:
        with reading(engine) as db:
            return dry_run(db, actor, now)

    return render_working(request, "admin_purge_tried.html.j2", LongWork(work))


@router.post(f"{RETENTION}/orders")
def order(
    request: Request,
    db: PageDb,
    now: Now,
    actor: Keeper,
    order_reason: Annotated[str, Form()] = "",
) -> Response:
    """One person's order: it runs after another person's approval."""
    command, errors = read_form(OrderPurge, {"reason": order_reason})
    if command is not None:
        try:
            order_purge(db, actor, now, command)
        except Conflict as error:
            errors = {"reason": error.message}
        else:
            return see_other(request, RETENTION, told="Ordered. Somebody else approves it now.")
    values = {"order_reason": order_reason}
    return _page(request, db, actor, None, values, {"order_reason": errors.get("reason", "")})


@router.post(f"{RETENTION}/orders/{{order_id}}/approve")
def approve(request: Request, db: PageDb, now: Now, actor: Keeper, order_id: UUID) -> Response:
    """Another person's approval."""
    try:
        approve_purge(db, actor, now, ApprovePurge(order_id=order_id))
    except (Conflict, NotAllowed) as error:
        return _page(request, db, actor, None, {}, {"": error.message})
    return see_other(request, RETENTION, told="Approved. An operator can run it now.")

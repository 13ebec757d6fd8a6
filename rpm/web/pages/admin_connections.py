"""Device connections: doors of vendors, their secrets, and dead letters that are read again.

Owns these screens. Does not own connections (``rpm.actions.manage_connections``) nor the reading of
a delivery. Address and secret of a connection stand in the answer to a form, once.
"""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Form, Query, Request
from fastapi.responses import Response
from sqlmodel import Session

from devices.vendor import VENDORS
from rpm.access import Actor
from rpm.actions.connection_settings import settings_of
from rpm.actions.manage_connections import (
    ChangeConnection,
    CreateConnection,
    RetireConnection,
    RotateSecret,
    ShownOnce,
    change_connection,
    create_connection,
    retire_connection,
    rotate_secret,
)
from rpm.actions.replay_dead_letters import ReplayDeadLetters, replay_dead_letters
from rpm.errors import Conflict, InvalidRequest
from rpm.keys import KeyRing
from rpm.store.queries.connections import (
    DeliveryFilter,
    connections_by_id,
    dead_letters,
    last_delivered,
)
from rpm.store.queries.rows import page_of
from rpm.store.scope import Scope
from rpm.store.tables.monitoring import Connection
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
from rpm.web.pages.visitor import is_https
from rpm.web.routes.readings import after_id
from rpm.web.running import running_of

router = page_router()

Manager = Annotated[Actor, page_permit("connections:manage")]
Reader = Annotated[Actor, page_permit("readings:read")]
Replayer = Annotated[Actor, page_permit("readings:write")]
CONNECTIONS = "/admin/connections"
DEAD_LETTERS = f"{CONNECTIONS}/dead-letters"
_DAY_HOURS = 24
Words = dict[str, str]


def _field_keys(request: Request) -> KeyRing:
    return running_of(request).keys.field_encryption


FieldKeys = Annotated[KeyRing, Depends(_field_keys)]


@router.get(CONNECTIONS)
def connections(
    request: Request,
    db: PageReadDb,
    actor: Manager,
    cursor: Annotated[str | None, Query(max_length=2_000)] = None,
) -> Response:
    """All connections in the order they were made, and a form to make one more."""
    return _connections(request, db, actor, cursor, {}, {})


def _connections(
    request: Request, db: Session, actor: Actor, cursor: str | None, values: Words, errors: Words
) -> Response:
    scope = Scope.of(actor)
    paging = page_of_list(request, actor, "connections", {}, cursor)
    rows = page_of(db, scope, Connection, after=after_id(paging), limit=paging.fetch)
    waiting = dead_letters(db, scope, DeliveryFilter(), after=None, limit=1)
    return render(
        request,
        "admin_connections.html.j2",
        422 if errors else 200,
        page=paging.page(rows, lambda row: (row.id,)),
        last=last_delivered(db, scope.organization_id, [row.id for row in rows]),
        vendors=[(name, name) for name in sorted(VENDORS)],
        waiting=bool(waiting),
        values={"name": "", "vendor": "generic"} | values,
        errors=errors,
        cursor=cursor,
    )


@router.post(CONNECTIONS)
def make(
    request: Request,
    db: PageDb,
    now: Now,
    actor: Manager,
    ring: FieldKeys,
    name: Annotated[str, Form()] = "",
    vendor: Annotated[str, Form()] = "",
    secret: Annotated[str, Form()] = "",
) -> Response:
    """The connection, with address and secret: shown this once."""
    values = {"name": name, "vendor": vendor}
    command, errors = read_form(CreateConnection, {**values, "secret": secret})
    if command is None:
        return _connections(request, db, actor, None, values, errors)
    try:
        made = create_connection(db, actor, now, ring, command)
    except InvalidRequest as error:
        return _connections(request, db, actor, None, values, form_errors(error))
    return _shown_once(request, made)


def _shown_once(request: Request, made: ShownOnce) -> Response:
    scheme = "https" if is_https(request) else "http"
    address = f"{scheme}://{request.url.netloc}{made.path}" if made.path else None
    return render(request, "admin_connection_made.html.j2", made=made, address=address)


@router.get(DEAD_LETTERS)
def letters(
    request: Request,
    db: PageReadDb,
    actor: Reader,
    cursor: Annotated[str | None, Query(max_length=2_000)] = None,
) -> Response:
    """Deliveries that could not be read, in the order they came."""
    scope = Scope.of(actor)
    paging = page_of_list(request, actor, "dead letters", {}, cursor)
    rows = dead_letters(db, scope, DeliveryFilter(), after=after_id(paging), limit=paging.fetch)
    known = connections_by_id(db, scope.organization_id, {row.connection_id for row in rows})
    return render(
        request,
        "admin_dead_letters.html.j2",
        page=paging.page(rows, lambda row: (row.id,)),
        names={row.id: row.name for row in known.values()},
        cursor=cursor,
    )


@router.post(DEAD_LETTERS)
def replay(
    request: Request,
    db: PageDb,
    now: Now,
    actor: Replayer,
    delivery_ids: Annotated[list[str] | None, Form()] = None,
) -> Response:
    """Reads the chosen ones again; what still cannot be read stays, with its new reason."""
    command, errors = read_form(ReplayDeadLetters, {"delivery_ids": delivery_ids})
    if command is None or command.delivery_ids is None:
        told = next(iter(errors.values()), "Choose at least one delivery.")
        return see_other(request, DEAD_LETTERS, told=told)
    done = replay_dead_letters(db, actor, now, command).replayed
    read = sum(one.state == "read" for one in done)
    told = f"{read} of {len(done)} could be read now."
    return see_other(request, DEAD_LETTERS, told=told)


@router.get(f"{CONNECTIONS}/{{connection_id}}")
def connection(request: Request, db: PageReadDb, actor: Manager, connection_id: UUID) -> Response:
    """A connection: what holds for it, a new secret, other settings, its end."""
    return _connection(request, db, actor, connection_id, {})


def _connection(
    request: Request, db: Session, actor: Actor, connection_id: UUID, errors: Words
) -> Response:
    scope = Scope.of(actor)
    row = scope.get(db, Connection, connection_id)
    return render(
        request,
        "admin_connection.html.j2",
        422 if errors else 200,
        row=row,
        settings=settings_of(row),
        choices=VENDORS[row.vendor].settings,
        words={
            name: [(word, word.replace("_", " ")) for word in setting.allowed]
            for name, setting in VENDORS[row.vendor].settings.items()
        },
        last=last_delivered(db, scope.organization_id, [row.id]).get(row.id),
        usual_hours=_DAY_HOURS,
        errors=errors,
    )


@router.post(f"{CONNECTIONS}/{{connection_id}}/secret")
def rotate(
    request: Request,
    db: PageDb,
    now: Now,
    actor: Manager,
    ring: FieldKeys,
    connection_id: UUID,
    overlap_hours: Annotated[str, Form()] = "",
    secret: Annotated[str, Form()] = "",
) -> Response:
    """A new secret beside the present one, which ends after the overlap; shown this once."""
    hours = int(overlap_hours) if overlap_hours.strip().isdecimal() else overlap_hours
    given = {"connection_id": str(connection_id), "overlap_hours": hours, "secret": secret}
    command, errors = read_form(RotateSecret, given)
    if command is None:
        return _connection(request, db, actor, connection_id, errors)
    try:
        made = rotate_secret(db, actor, now, ring, command)
    except (Conflict, InvalidRequest) as error:
        told = form_errors(error) if isinstance(error, InvalidRequest) else {"": error.message}
        return _connection(request, db, actor, connection_id, told)
    return _shown_once(request, made)


async def _fields(request: Request) -> dict[str, str]:
    form = await request.form()
    return {name: value for name, value in form.items() if isinstance(value, str)}


@router.post(f"{CONNECTIONS}/{{connection_id}}/settings")
def change(
    request: Request,
    db: PageDb,
    now: Now,
    actor: Manager,
    connection_id: UUID,
    form: Annotated[dict[str, str], Depends(_fields)],
) -> Response:
    """What is to hold for deliveries that come from now on."""
    networks = form.get("networks", "").split()
    chosen = {
        name.removeprefix("setting-"): value
        for name, value in form.items()
        if name.startswith("setting-")
    }
    given = {
        "connection_id": str(connection_id),
        "settings": chosen,
        "networks": networks,
        "reason": form.get("reason", ""),
    }
    command, errors = read_form(ChangeConnection, given)
    if command is None:
        return _connection(request, db, actor, connection_id, errors)
    try:
        change_connection(db, actor, now, command)
    except InvalidRequest as error:
        return _connection(request, db, actor, connection_id, form_errors(error))
    return see_other(request, f"{CONNECTIONS}/{connection_id}", told="The settings are changed.")


@router.post(f"{CONNECTIONS}/{{connection_id}}/retire")
def retire(
    request: Request,
    db: PageDb,
    now: Now,
    actor: Manager,
    connection_id: UUID,
    reason: Annotated[str, Form()] = "",
) -> Response:
    """Closes the door for good."""
    given = {"connection_id": str(connection_id), "reason": reason}
    command, errors = read_form(RetireConnection, given)
    if command is None:
        told = {"retire_reason": errors["reason"]} if "reason" in errors else errors
        return _connection(request, db, actor, connection_id, told)
    row = retire_connection(db, actor, now, command)
    return see_other(request, CONNECTIONS, told=f"The connection {row.name} is closed.")

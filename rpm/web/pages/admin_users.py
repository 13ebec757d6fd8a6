"""Users of the practice: who may come in, in which role, and the links that let them.

Owns the forms. Does not own the rules of who may give what (``rpm.actions.manage_access``,
``rpm.actions.credentials``).
"""

from typing import Annotated
from uuid import UUID

from fastapi import Form, Request
from fastapi.responses import Response
from sqlmodel import Session

from rpm.access import LIMITED_ROLES, PERMISSIONS, ROLE_PERMISSIONS, Actor
from rpm.actions.credentials import EndAccess, InviteUser, NewInvitation, end_access, invite_user
from rpm.actions.manage_access import AddUser, ChangeUser, add_user, change_user
from rpm.errors import Conflict
from rpm.store.queries.rows import page_of
from rpm.store.queries.sign_ins import access_states
from rpm.store.queries.sites import site_ids_of_user, sites_of
from rpm.store.scope import Scope
from rpm.store.tables.people import User
from rpm.web.pages.paging import page_of_list
from rpm.web.pages.shell import (
    Now,
    PageDb,
    PageReadDb,
    Wall,
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

USERS = "/admin/users"
Admin = Annotated[Actor, page_permit("users:manage")]
ROLES = [(role, role.replace("_", " ").capitalize()) for role in ROLE_PERMISSIONS]


@router.get(USERS)
def users(
    request: Request, db: PageReadDb, wall: Wall, actor: Admin, cursor: str | None = None
) -> Response:
    """Everybody with an account, in the order they were added, and a form to add one more."""
    return _users(request, db, wall, actor, cursor, {}, {})


def _users(
    request: Request,
    db: Session,
    wall: Wall,
    actor: Actor,
    cursor: str | None,
    values: dict[str, str],
    errors: dict[str, str],
) -> Response:
    scope = Scope.of(actor)
    paging = page_of_list(request, actor, "users", {}, cursor)
    rows = page_of(db, scope, User, after=after_id(paging), limit=paging.fetch)
    page = paging.page(rows, lambda row: (row.id,))
    states = access_states(db, scope, [row.id for row in page.items], wall)
    return render(
        request,
        "users.html.j2",
        422 if errors else 200,
        page=page,
        states=states,
        roles=ROLES,
        values={"name": "", "email": "", "role": "clinical_staff"} | values,
        errors=errors,
    )


@router.post(USERS)
def add(
    request: Request,
    db: PageDb,
    now: Now,
    wall: Wall,
    actor: Admin,
    name: Annotated[str, Form()] = "",
    email: Annotated[str, Form()] = "",
    role: Annotated[str, Form()] = "",
) -> Response:
    """The user, and the link to send them: shown this once."""
    values = {"name": name, "email": email, "role": role}
    command, errors = read_form(AddUser, values)
    if command is None:
        return _users(request, db, wall, actor, None, values, errors)
    try:
        user = add_user(db, actor, now, command)
    except Conflict:
        told = {"email": "A user of the practice has this address"}
        return _users(request, db, wall, actor, None, values, told)
    made = invite_user(db, running_of(request).keys, actor, now, wall, InviteUser(user_id=user.id))
    return _link(request, user, made)


def _link(request: Request, user: User, made: NewInvitation) -> Response:
    scheme = "https" if is_https(request) else "http"
    link = f"{scheme}://{request.url.netloc}/invitations/{made.secret}"
    return render(
        request, "user_link.html.j2", user=user, link=link, until=made.invitation.expires_at
    )


@router.get("/admin/roles")
def roles(request: Request, _actor: Admin) -> Response:
    """What each role may do at most: the table that decides, as it is."""
    return render(
        request,
        "roles.html.j2",
        roles=ROLES,
        permissions=sorted(PERMISSIONS),
        held=ROLE_PERMISSIONS,
    )


@router.get("/admin/users/{user_id}")
def user_page(
    request: Request, db: PageReadDb, wall: Wall, actor: Admin, user_id: UUID
) -> Response:
    """One user: role, access, and how far the way in is."""
    scope = Scope.of(actor)
    user = scope.get(db, User, user_id)
    state = access_states(db, scope, [user.id], wall)[user.id]
    return render(
        request,
        "user.html.j2",
        user=user,
        state=state,
        roles=ROLES,
        sites=sites_of(db, scope) if user.role in LIMITED_ROLES else [],
        limited_to=site_ids_of_user(db, scope, user.id) or frozenset(),
        errors={},
    )


@router.post("/admin/users/{user_id}/role")
def change_role(
    request: Request,
    db: PageDb,
    now: Now,
    actor: Admin,
    user_id: UUID,
    role: Annotated[str, Form()] = "",
    reason: Annotated[str, Form()] = "",
) -> Response:
    """Another role, with a reason."""
    values = {"user_id": user_id, "role": role, "reason": reason}
    return _changed(request, db, now, actor, user_id, values, "The role is changed.")


@router.post("/admin/users/{user_id}/access")
def change_active(
    request: Request,
    db: PageDb,
    now: Now,
    actor: Admin,
    user_id: UUID,
    active: Annotated[str, Form()] = "",
    reason: Annotated[str, Form()] = "",
) -> Response:
    """Access taken away, at once and everywhere, or given back; with a reason."""
    values = {"user_id": user_id, "active": active == "yes", "reason": reason}
    told = "The user has access again." if active == "yes" else "The user has no access any more."
    return _changed(request, db, now, actor, user_id, values, told)


def _changed(
    request: Request,
    db: Session,
    now: Now,
    actor: Actor,
    user_id: UUID,
    values: dict[str, object],
    told: str,
) -> Response:
    place = f"{USERS}/{user_id}"
    command, errors = read_form(ChangeUser, values)
    if command is None:
        return see_other(request, place, told=f"Nothing was changed. {_first(errors)}")
    change_user(db, actor, now, command)
    return see_other(request, place, told=told)


def _first(errors: dict[str, str]) -> str:
    field, message = next(iter(errors.items()))
    return f"{field.capitalize()}: {message[:1].lower()}{message[1:]}."


@router.post("/admin/users/{user_id}/invitation")
def invite(
    request: Request, db: PageDb, now: Now, wall: Wall, actor: Admin, user_id: UUID
) -> Response:
    """A new link, shown this once; earlier ones work no longer."""
    keys = running_of(request).keys
    made = invite_user(db, keys, actor, now, wall, InviteUser(user_id=user_id))
    return _link(request, Scope.of(actor).get(db, User, user_id), made)


@router.post("/admin/users/{user_id}/reset")
def reset(
    request: Request,
    db: PageDb,
    now: Now,
    wall: Wall,
    actor: Admin,
    user_id: UUID,
    reason: Annotated[str, Form()] = "",
) -> Response:
    """Password, app and sign-ins are no longer good: a phone was lost, a password seen."""
    place = f"{USERS}/{user_id}"
    command, errors = read_form(EndAccess, {"user_id": user_id, "reason": reason})
    if command is None:
        return see_other(request, place, told=f"Nothing was changed. {_first(errors)}")
    end_access(db, actor, now, wall, command)
    told = "The user is signed out everywhere and needs a new link to come in."
    return see_other(request, place, told=told)

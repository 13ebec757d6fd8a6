"""API tokens: made, shown once, revoked.

Owns these screens. Does not own what a token may do (``rpm.access``) nor who may give one
(``rpm.actions.manage_access``).
"""

from typing import Annotated
from uuid import UUID

from fastapi import Form, Query, Request
from fastapi.responses import Response
from sqlmodel import Session

from rpm.access import PERMISSIONS, ROLE_PERMISSIONS, Actor
from rpm.actions.manage_access import CreateToken, RevokeToken, create_token, revoke_token
from rpm.errors import Conflict, NotAllowed
from rpm.store.queries.rows import page_of
from rpm.store.scope import Scope
from rpm.store.tables.people import ApiToken, User
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
from rpm.web.running import running_of

router = page_router()

Manager = Annotated[Actor, page_permit("tokens:manage")]
TOKENS = "/admin/tokens"
_NEW = {"user_id": "", "name": "", "valid_days": ""}
Values = dict[str, str]


@router.get(TOKENS)
def tokens(
    request: Request,
    db: PageReadDb,
    now: Now,
    actor: Manager,
    cursor: Annotated[str | None, Query(max_length=2_000)] = None,
) -> Response:
    """All tokens in the order they were made, and a form to make one more."""
    return _tokens(request, db, now, actor, cursor)


def _tokens(
    request: Request,
    db: Session,
    now: Now,
    actor: Actor,
    cursor: str | None = None,
    values: Values | None = None,
    chosen: list[str] | None = None,
    errors: Values | None = None,
) -> Response:
    scope = Scope.of(actor)
    paging = page_of_list(request, actor, "tokens", {}, cursor)
    rows = page_of(db, scope, ApiToken, after=after_id(paging), limit=paging.fetch)
    users = scope.all_of(db, User)
    active = [
        (str(one.id), f"{one.name}, {one.role.replace('_', ' ')}") for one in users if one.active
    ]
    return render(
        request,
        "admin_tokens.html.j2",
        422 if errors else 200,
        page=paging.page(rows, lambda row: (row.id,)),
        names={one.id: one.name for one in users},
        users=active,
        permissions=sorted(PERMISSIONS & actor.permissions),
        chosen=chosen or [],
        usual_days=running_of(request).settings.token_lifetime_days,
        values=_NEW | (values or {}),
        errors=errors or {},
        now=now,
        cursor=cursor,
    )


@router.post(TOKENS)
def make(
    request: Request,
    db: PageDb,
    now: Now,
    actor: Manager,
    user_id: Annotated[str, Form()] = "",
    name: Annotated[str, Form()] = "",
    valid_days: Annotated[str, Form()] = "",
    permissions: Annotated[list[str] | None, Form()] = None,
) -> Response:
    """The token, with its text: shown this once."""
    values = {"user_id": user_id, "name": name, "valid_days": valid_days}
    given: dict[str, object] = {**values, "permissions": permissions}
    if valid_days.strip().isdecimal():
        given["valid_days"] = int(valid_days)
    command, errors = read_form(CreateToken, given)
    if command is None:
        return _tokens(request, db, now, actor, None, values, permissions, errors)
    usual_days = running_of(request).settings.token_lifetime_days
    try:
        made = create_token(db, actor, now, command, usual_days)
    except (Conflict, NotAllowed) as error:
        told = {"permissions" if isinstance(error, NotAllowed) else "user_id": error.message}
        return _tokens(request, db, now, actor, None, values, permissions, told)
    who = Scope.of(actor).get(db, User, made.token.user_id)
    return render(request, "admin_token_made.html.j2", made=made, who=who)


@router.get(f"{TOKENS}/{{token_id}}")
def token(request: Request, db: PageReadDb, now: Now, actor: Manager, token_id: UUID) -> Response:
    """What a token may do, and a form to revoke it."""
    return _token(request, db, now, actor, token_id, {})


def _token(
    request: Request, db: Session, now: Now, actor: Actor, token_id: UUID, errors: Values
) -> Response:
    scope = Scope.of(actor)
    row = scope.get(db, ApiToken, token_id)
    who = scope.get(db, User, row.user_id)
    held = [one for one in row.permissions if one in ROLE_PERMISSIONS[who.role]]
    return render(
        request,
        "admin_token.html.j2",
        422 if errors else 200,
        row=row,
        who=who,
        held=held,
        now=now,
        errors=errors,
    )


@router.post(f"{TOKENS}/{{token_id}}/revoke")
def revoke(
    request: Request,
    db: PageDb,
    now: Now,
    actor: Manager,
    token_id: UUID,
    reason: Annotated[str, Form()] = "",
) -> Response:
    """The token is no longer good."""
    command, errors = read_form(RevokeToken, {"token_id": str(token_id), "reason": reason})
    if command is None:
        return _token(request, db, now, actor, token_id, errors)
    row = revoke_token(db, actor, now, command)
    return see_other(request, TOKENS, told=f"The token {row.name} is revoked.")

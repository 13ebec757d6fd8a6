"""One's own way in: password, app for codes, recovery codes, and ending one's own sign-ins.

Owns the forms, each of which asks for the present password. Does not own what they change
(``rpm.actions.own_access``).
"""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, TypeVar
from uuid import UUID

from fastapi import Form, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response
from sqlmodel import Session

from rpm.access import Actor
from rpm.actions.own_access import (
    ChangeApp,
    ChangePassword,
    RenewCodes,
    begin_change,
    change_app,
    change_password,
    end_own_sign_in,
    offer,
    offered,
    refuse_weak_password,
    renew_codes,
)
from rpm.errors import InvalidRequest, TooManyTries
from rpm.proofs import hash_password, new_totp_secret, password_matches, totp_address
from rpm.store.engine import reading
from rpm.store.scope import Scope
from rpm.store.tables.people import User
from rpm.web.deps import write_session
from rpm.web.pages.home import ACCOUNT
from rpm.web.pages.invitation import in_fours, qr_code
from rpm.web.pages.shell import (
    Now,
    PageActor,
    PageDb,
    Wall,
    form_errors,
    page_router,
    read_form,
    render,
    see_other,
)
from rpm.web.running import engine_of, running_of

router = page_router()

T = TypeVar("T")
_NOT_YOURS = {"present": "This is not your password"}


async def _changed(
    request: Request,
    actor: Actor,
    wall: datetime,
    present: str,
    change: Callable[[Session, str], T],
) -> tuple[T | None, dict[str, str]]:
    """``change(db, hash)``, if the password is the present one; else what is wrong, by field."""
    running = running_of(request)
    try:
        async with write_session(running, actor) as db:
            seen = await run_in_threadpool(begin_change, db, running.keys, wall, actor)
        async with running.hashers:
            fits = await run_in_threadpool(password_matches, seen, present)
        if not fits:
            return None, _NOT_YOURS
        async with write_session(running, actor) as db:
            return await run_in_threadpool(change, db, seen), {}
    except InvalidRequest as error:
        return None, form_errors(error)
    except TooManyTries as error:
        return None, {"": error.message[0].upper() + error.message[1:] + "."}


@router.get("/account/password")
def password_form(request: Request, _actor: PageActor) -> Response:
    """The form."""
    return render(request, "account_password.html.j2", errors={})


@router.post("/account/password")
async def password(
    request: Request,
    now: Now,
    wall: Wall,
    actor: PageActor,
    present: Annotated[str, Form()] = "",
    password: Annotated[str, Form()] = "",
    again: Annotated[str, Form()] = "",
) -> Response:
    """Another password; every other browser of the person is signed out."""
    command, errors = read_form(ChangePassword, {"present": present, "password": password})
    if command is not None and password != again:
        errors = {"again": "This is not the same password"}
    if command is not None and not errors:
        errors = await run_in_threadpool(_weak, request, actor, password)
    if command is not None and not errors:
        running = running_of(request)
        async with running.hashers:
            hashed = await run_in_threadpool(hash_password, password)

        def change(db: Session, seen: str) -> None:
            change_password(db, actor, now, wall, seen, hashed)

        _, errors = await _changed(request, actor, wall, present, change)
    if errors:
        return render(request, "account_password.html.j2", 422, errors=errors)
    told = "Your password is changed. Every other browser was signed out."
    return see_other(request, ACCOUNT, told=told)


def _weak(request: Request, actor: Actor, chosen: str) -> dict[str, str]:
    with reading(engine_of(request, actor)) as db:
        try:
            refuse_weak_password(db, actor, chosen)
        except InvalidRequest as error:
            return form_errors(error)
    return {}


@router.get("/account/codes")
def codes_form(request: Request, _actor: PageActor) -> Response:
    """The form."""
    return render(request, "account_codes.html.j2", errors={})


@router.post("/account/codes")
async def codes(
    request: Request,
    now: Now,
    wall: Wall,
    actor: PageActor,
    present: Annotated[str, Form()] = "",
) -> Response:
    """New recovery codes, shown this once."""
    command, errors = read_form(RenewCodes, {"present": present})
    made = None
    if command is not None:

        def change(db: Session, seen: str) -> list[str]:
            return renew_codes(db, actor, now, seen)

        made, errors = await _changed(request, actor, wall, present, change)
    if made is None:
        return render(request, "account_codes.html.j2", 422, errors=errors)
    return render(request, "recovery_codes.html.j2", codes=made)


@router.get("/account/app")
def app_form(request: Request, wall: Wall, actor: PageActor) -> Response:
    """A new key for an app, and the form that confirms it."""
    return _app_form(request, actor, wall, new_totp_secret(), {})


def _app_form(
    request: Request, actor: Actor, wall: datetime, secret: str, errors: dict[str, str]
) -> Response:
    running = running_of(request)
    with reading(engine_of(request, actor)) as db:
        email = Scope.of(actor).get(db, User, _user_id(actor)).email
    return render(
        request,
        "account_app.html.j2",
        422 if errors else 200,
        qr=qr_code(totp_address(secret, email)),
        secret=in_fours(secret),
        offered=offer(running.keys, actor, wall, secret),
        errors=errors,
    )


def _user_id(actor: Actor) -> UUID:
    assert actor.user_id is not None  # noqa: S101 - a page's actor is a person
    return actor.user_id


@router.post("/account/app")
async def app(
    request: Request,
    now: Now,
    wall: Wall,
    actor: PageActor,
    present: Annotated[str, Form()] = "",
    kept: Annotated[str, Form(alias="offered")] = "",
    code: Annotated[str, Form()] = "",
) -> Response:
    """The new app's codes are good from now on, the earlier one's no longer."""
    keys = running_of(request).keys
    given = {"present": present, "offered": kept, "code": code}
    command, errors = read_form(ChangeApp, given)
    secret = offered(keys, actor, wall, kept)
    if secret is None:
        errors = {"": "The key waited too long: here is a new one."}
    elif command is not None:

        def change(db: Session, seen: str) -> None:
            change_app(db, keys, actor, now, wall, seen, secret, code)

        _, errors = await _changed(request, actor, wall, present, change)
    if errors:
        again = secret or new_totp_secret()
        return await run_in_threadpool(_app_form, request, actor, wall, again, errors)
    return see_other(request, ACCOUNT, told="Codes of the new app are good from now on.")


@router.post("/account/sign-ins/{sign_in_id}/end")
def end(
    request: Request, db: PageDb, now: Now, wall: Wall, actor: PageActor, sign_in_id: UUID
) -> Response:
    """One browser of one's own is signed out."""
    end_own_sign_in(db, actor, now, wall, sign_in_id)
    return see_other(request, ACCOUNT, told="That browser is signed out.")

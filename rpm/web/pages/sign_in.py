"""Signing in and out.

Owns the form, the cookie and the way to the first page. Does not own what proves a person
(``rpm.actions.sign_in``).
"""

import re
from typing import Annotated

from fastapi import Form, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response
from starlette.background import BackgroundTask

from rpm.access import Actor
from rpm.actions.run_timer import end_on_sign_out
from rpm.actions.sign_in import (
    WRONG,
    Kept,
    NewSignIn,
    ProvePerson,
    begin_sign_in,
    finish_sign_in,
    proved,
    refuse_sign_in,
    sign_out,
)
from rpm.errors import NotAuthentic, ServiceError, TooManyTries
from rpm.web.deps import write_session
from rpm.web.pages.shell import (
    Now,
    PageActor,
    PageDb,
    Wall,
    page_router,
    read_form,
    render,
    see_other,
)
from rpm.web.pages.visitor import cookie_name, drop_cookie, keep_cookie
from rpm.web.problems import KINDS
from rpm.web.routes.webhooks import source_address
from rpm.web.running import running_of
from rpm.web.timer_clock import TimerNow

router = page_router()

_OWN_PATH = re.compile(r"/(?!/)[A-Za-z0-9/_.-]{0,200}")


@router.get("/sign-in")
def sign_in_form(request: Request, back: Annotated[str, Query(alias="next")] = "") -> Response:
    """The form."""
    return render(request, "sign_in.html.j2", address="", back=_own(back), errors={})


def _own(path: str) -> str:
    """A path of ours to go on to; nothing that could lead elsewhere."""
    return path if _OWN_PATH.fullmatch(path) else ""


@router.post("/sign-in")
async def sign_in(
    request: Request,
    now: Now,
    wall: Wall,
    address: Annotated[str, Form()] = "",
    password: Annotated[str, Form()] = "",
    code: Annotated[str, Form()] = "",
    back: Annotated[str, Form(alias="next")] = "",
) -> Response:
    """A sign-in under a new id, or the form again with one and the same answer for all wrongs."""
    command, errors = read_form(
        ProvePerson, {"address": address, "password": password, "code": code}
    )
    if command is None:
        return render(
            request, "sign_in.html.j2", 422, address=address, back=_own(back), errors=errors
        )
    running = running_of(request)
    sender = source_address(request, running.settings.forwarding_proxies) or ""
    kept: Kept | None = None
    try:
        async with write_session(running) as db:
            kept = await run_in_threadpool(begin_sign_in, db, running.keys, wall, command, sender)
        async with running.hashers:
            proof = await run_in_threadpool(proved, kept, command, wall)
        if proof is None:
            raise NotAuthentic(WRONG)
        async with write_session(running) as db:
            made = await run_in_threadpool(
                finish_sign_in, db, running.keys, now, wall, proof, sender
            )
    except (NotAuthentic, TooManyTries) as error:
        response = _again(request, command, _own(back), error)
        if kept is not None:
            # after the answer: how long it takes must not tell who exists
            response.background = BackgroundTask(_leave_trace, request, kept)
        return response
    return entered(request, made, _own(back) or "/")


def _again(request: Request, command: ProvePerson, back: str, error: ServiceError) -> Response:
    status = KINDS[error.code].status
    told = error.message[0].upper() + error.message[1:] + "."
    return render(
        request,
        "sign_in.html.j2",
        status,
        address=command.address,
        back=back,
        errors={"": told},
    )


async def _leave_trace(request: Request, kept: Kept) -> None:
    running = running_of(request)
    now = await run_in_threadpool(running.clock.now)
    async with write_session(running) as db:
        await run_in_threadpool(refuse_sign_in, db, now, kept)


def entered(request: Request, made: NewSignIn, path: str) -> Response:
    """The way on for a browser that has just been signed in."""
    response = see_other(request, path)
    keep_cookie(request, response, made.secret)
    return response


@router.post("/sign-out")
def leave(
    request: Request,
    db: PageDb,
    now: Now,
    wall: Wall,
    timer_at: TimerNow,
    actor: PageActor,
) -> Response:
    """This browser is signed out; the person's timer ends its interval now."""
    end_on_sign_out(db, actor, timer_at, by_hand=True)
    return _left(request, db, now, wall, actor, everywhere=False)


@router.post("/sign-out-everywhere")
def leave_everywhere(
    request: Request,
    db: PageDb,
    now: Now,
    wall: Wall,
    timer_at: TimerNow,
    actor: PageActor,
) -> Response:
    """Every browser of the person is signed out; a timer ends where they were last active."""
    end_on_sign_out(db, actor, timer_at, by_hand=False)
    return _left(request, db, now, wall, actor, everywhere=True)


def _left(
    request: Request, db: PageDb, now: Now, wall: Wall, actor: Actor, *, everywhere: bool
) -> Response:
    sign_out(db, actor, now, wall, everywhere=everywhere)
    told = "You are signed out everywhere." if everywhere else "You are signed out."
    response = see_other(request, "/sign-in", told=told)
    if cookie_name(request) in request.cookies:
        drop_cookie(request, response)
    return response

"""The page behind an invitation: choosing a password and setting up the app for codes.

Owns the form and the one showing of recovery codes. Does not own invitations
(``rpm.actions.credentials``).
"""

from datetime import datetime
from typing import Annotated

import segno
from fastapi import Form, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response
from markupsafe import Markup

from rpm.actions.credentials import (
    AcceptInvitation,
    Invited,
    accept_invitation,
    invited,
    refuse_weak,
)
from rpm.errors import InvalidRequest
from rpm.proofs import hash_password, totp_address
from rpm.store.engine import reading
from rpm.web.deps import write_session
from rpm.web.pages.shell import Now, Wall, form_errors, page_router, read_form, render
from rpm.web.pages.visitor import keep_cookie
from rpm.web.running import Running, running_of

router = page_router()

_QR_SCALE = 4


@router.get("/invitations/{secret}")
def invitation(request: Request, wall: Wall, secret: str) -> Response:
    """The form, for whoever holds the link."""
    return _form(request, _invited(running_of(request), secret, wall), {})


def _invited(running: Running, secret: str, wall: datetime) -> Invited:
    with reading(running.engine) as db:
        return invited(db, running.keys, secret, wall)


def _form(
    request: Request, found: Invited, errors: dict[str, str], status_code: int = 200
) -> Response:
    secret = found.totp_secret
    return render(
        request,
        "invitation.html.j2",
        status_code,
        user=found.user,
        qr=qr_code(totp_address(secret, found.user.email)),
        secret=in_fours(secret),
        errors=errors,
    )


def in_fours(secret: str) -> str:
    """An app's key as it is read and typed."""
    return " ".join(secret[at : at + 4] for at in range(0, len(secret), 4))


def qr_code(text: str) -> Markup:
    """What an app reads from the screen, as a drawing."""
    drawn = segno.make(text, micro=False).svg_inline(
        scale=_QR_SCALE, omitsize=True, svgclass="qr", lineclass=None, title="QR code for the app"
    )
    return Markup(drawn)  # noqa: S704 - drawn here from an address that is percent-encoded


@router.post("/invitations/{secret}")
async def accept(
    request: Request,
    now: Now,
    wall: Wall,
    secret: str,
    password: Annotated[str, Form()] = "",
    again: Annotated[str, Form()] = "",
    code: Annotated[str, Form()] = "",
) -> Response:
    """The person is signed in and sees the recovery codes, this once."""
    running = running_of(request)
    found = await run_in_threadpool(_invited, running, secret, wall)
    command, errors = read_form(AcceptInvitation, {"password": password, "code": code})
    if not errors and password != again:
        errors = {"again": "This is not the same password"}
    if command is None or errors:
        return _form(request, found, errors, 422)
    try:
        step = refuse_weak(command, found, wall)
    except InvalidRequest as error:
        return _form(request, found, form_errors(error), 422)
    async with running.hashers:
        hashed = await run_in_threadpool(hash_password, password)
    async with write_session(running) as db:
        accepted = await run_in_threadpool(
            accept_invitation, db, running.keys, now, wall, secret, hashed, step
        )
    response = render(request, "recovery_codes.html.j2", codes=accepted.recovery_codes)
    keep_cookie(request, response, accepted.made.secret)
    return response

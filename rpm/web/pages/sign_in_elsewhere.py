"""Signing in by the practice's own identity provider: there, and back.

Owns the two addresses, the cookie of the journey and the calls on the way. Does not own the
protocol (``rpm.openid``) nor who is signed in (``rpm.actions.identity_provider``). The links of a
practice go to its own address; nobody is asked for a name here.
"""

import hmac
from datetime import datetime
from uuid import UUID

from fastapi import Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import RedirectResponse, Response

from rpm import openid
from rpm.access import system_actor
from rpm.actions.identity_provider import (
    AWAY_FOR,
    Away,
    client_secret,
    new_attempt,
    opened_away,
    provider_to_ask,
    sealed_away,
    sign_in_vouched,
)
from rpm.actions.sign_in import count_sender
from rpm.errors import NotAuthentic, ServiceError, TooManyTries
from rpm.openid import Provider, ProviderError
from rpm.outbound_address import AddressRefusedError, receiver_of
from rpm.outbound_fetch import FetchError, fetch_json
from rpm.store.engine import reading, within
from rpm.store.tables.sign_ins import IdentityProvider
from rpm.web.deps import write_session
from rpm.web.pages.shell import Now, Wall, page_router, render
from rpm.web.pages.sign_in import entered
from rpm.web.pages.visitor import is_https
from rpm.web.problems import KINDS
from rpm.web.routes.webhooks import source_address
from rpm.web.running import Running, running_of

router = page_router()

BACK = "/sign-in/answer"
_AWAY = "rpm-ledger-away"


def sign_in_address(request: Request, organization_id: UUID) -> str:
    """Where the people of a practice begin."""
    return f"{_origin(request)}/sign-in/practices/{organization_id}"


def back_address(request: Request) -> str:
    """Where the provider sends the browser back to."""
    return _origin(request) + BACK


def _origin(request: Request) -> str:
    return f"{'https' if is_https(request) else 'http'}://{request.url.netloc}"


@router.get("/sign-in/practices/{organization_id}")
async def begin(request: Request, wall: Wall, organization_id: UUID) -> Response:
    """The browser goes to the practice's provider."""
    running = running_of(request)
    sender = source_address(request, running.settings.forwarding_proxies) or ""
    try:
        async with write_session(running) as db:
            await run_in_threadpool(count_sender, db, running.keys, wall, sender)
        row = await run_in_threadpool(_row, running, organization_id)
        provider = await run_in_threadpool(_described, running, row)
    except (NotAuthentic, TooManyTries) as error:
        return _not_in(request, error)
    away = Away(organization_id, row.id, new_attempt())
    there = openid.authorization_address(
        provider, row.client_id, back_address(request), away.attempt
    )
    response = RedirectResponse(there, 303)
    response.set_cookie(
        _AWAY,
        sealed_away(running.keys, wall, away),
        max_age=int(AWAY_FOR.total_seconds()),
        path=BACK,
        secure=is_https(request),
        httponly=True,
        samesite="lax",
    )
    return response


def _row(running: Running, organization_id: UUID) -> IdentityProvider:
    with reading(within(running.engine, organization_id)) as db:
        return provider_to_ask(db, organization_id)


def _described(running: Running, row: IdentityProvider) -> Provider:
    try:
        place = openid.configuration_address(row.issuer)
        described = fetch_json(receiver_of(place, running.settings.outbound_hosts))
        return openid.provider_of(row.issuer, described)
    except (AddressRefusedError, FetchError, ProviderError) as error:
        raise NotAuthentic(f"your practice's provider cannot be used: {error}") from None


@router.get(BACK)
async def answer(
    request: Request, now: Now, wall: Wall, code: str = "", state: str = ""
) -> Response:
    """The provider's word: a sign-in of an existing user, or why not."""
    running = running_of(request)
    try:
        away = opened_away(running.keys, wall, request.cookies.get(_AWAY, ""))
        if not code or not hmac.compare_digest(state.encode(), away.attempt.state.encode()):
            raise NotAuthentic("the provider's answer is not to this browser: begin anew")
        told = await run_in_threadpool(
            _address_told, running, away, code, back_address(request), wall
        )
        async with write_session(running, system_actor(away.organization_id, "sign-in")) as db:
            made = await run_in_threadpool(sign_in_vouched, db, now, wall, away, told)
    except ServiceError as error:
        response = _not_in(request, error)
    else:
        response = entered(request, made, "/")
    response.delete_cookie(_AWAY, path=BACK)
    return response


def _address_told(running: Running, away: Away, code: str, back: str, wall: datetime) -> str:
    row, listed = _row(running, away.organization_id), running.settings.outbound_hosts
    provider = _described(running, row)
    form, headers = openid.token_request(
        provider,
        row.client_id,
        client_secret(running.keys, row),
        back,
        code,
        away.attempt.verifier,
    )
    try:
        tokens = fetch_json(receiver_of(provider.token_endpoint, listed), form, headers)
        jwks = fetch_json(receiver_of(provider.jwks_uri, listed))
        return openid.address_told(
            tokens.get("id_token"), jwks, provider, row.client_id, away.attempt.nonce, wall
        )
    except (AddressRefusedError, FetchError, ProviderError) as error:
        raise NotAuthentic(f"the provider's word cannot be taken: {error}") from None


def _not_in(request: Request, error: ServiceError) -> Response:
    told = error.message[:1].upper() + error.message[1:] + "."
    status = KINDS[error.code].status
    return render(request, "sign_in.html.j2", status, address="", back="", errors={"": told})

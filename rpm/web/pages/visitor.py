"""Who looks at a page: the cookie, the person behind it, and their sessions of the database.

Owns the dependencies of pages. Does not own sign-ins (``rpm.store.sign_ins``) nor permissions
(``rpm.access``). Each request of a person keeps the sign-in alive, but for routes marked
``unattended``: what a page asks by itself, such as a timer's beat, is no sign of a person.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any, TypeVar

from anyio import WouldBlock
from fastapi import Depends, Request
from fastapi.concurrency import contextmanager_in_threadpool, run_in_threadpool
from sqlmodel import Session
from starlette.responses import Response

from rpm.access import PERMISSIONS, Actor, require
from rpm.errors import NotAuthentic
from rpm.store.engine import CANNOT_WRITE_NOW, reading, transaction, within
from rpm.store.sign_ins import LONGEST, SEEN_GRAIN, SignedIn, note_seen, signed_in
from rpm.web.access_trail import UNATTENDED
from rpm.web.deps import write_session
from rpm.web.needs import Needs, permission_of
from rpm.web.pages.site_gate import refuse_other_sites
from rpm.web.pages.timer_bar import TimerBar, chart_of, timer_bar
from rpm.web.running import Running, engine_of, running_of

Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])

_MUST_NOTE = timedelta(minutes=5)


def unattended(endpoint: Endpoint) -> Endpoint:
    """Marks a route that a page asks by itself: it does not keep anyone signed in."""
    setattr(endpoint, UNATTENDED, True)
    return endpoint


def is_https(request: Request) -> bool:
    """Whether the browser speaks TLS to us, or to the proxy before us."""
    return running_of(request).settings.behind_tls_proxy or request.url.scheme == "https"


def cookie_name(request: Request) -> str:
    """The cookie's name; over TLS one that a browser takes from this very host only."""
    return "__Host-rpm-ledger" if is_https(request) else "rpm-ledger"


def keep_cookie(request: Request, response: Response, secret: str) -> None:
    """Give the browser the random text of its sign-in."""
    response.set_cookie(
        cookie_name(request),
        secret,
        max_age=int(LONGEST.total_seconds()),
        path="/",
        secure=is_https(request),
        httponly=True,
        samesite="lax",
    )


def drop_cookie(request: Request, response: Response) -> None:
    """Take the text back."""
    response.delete_cookie(
        cookie_name(request), path="/", secure=is_https(request), httponly=True, samesite="lax"
    )


def _wall(request: Request) -> datetime:
    return running_of(request).wall.now()


Wall = Annotated[datetime, Depends(_wall)]
"""The machine's present instant, also in a demo, whose ``Now`` stands still between moves."""


async def visitor(request: Request, wall: Wall) -> SignedIn:
    """The person who is signed in; ``NotAuthentic`` when nobody is."""
    secret = request.cookies.get(cookie_name(request))
    if secret is None:
        raise NotAuthentic("sign in first")
    running = running_of(request)
    found, bar = await run_in_threadpool(_visitor, request, running, secret, wall)
    request.state.visitor, request.state.timer_bar = found, bar
    request.state.organization_id = found.actor.organization_id
    request.state.actor = found.actor
    if not getattr(request.scope["route"].endpoint, UNATTENDED, False):
        await _note(running, found, wall)
    return found


def _visitor(
    request: Request, running: Running, secret: str, wall: datetime
) -> tuple[SignedIn, TimerBar | None]:
    with reading(running.engine) as session:
        found = signed_in(session, secret, wall)
        refuse_other_sites(request, session, found.actor)
        chart = chart_of(request) if request.method == "GET" else None
        return found, timer_bar(session, found.actor, running, chart)


async def _note(running: Running, found: SignedIn, wall: datetime) -> None:
    unseen = wall - found.seen_at
    if unseen < SEEN_GRAIN:
        return
    if unseen >= _MUST_NOTE:
        async with write_session(running, found.actor) as session:
            await run_in_threadpool(note_seen, session, found.actor, wall)
        return
    # who reads need not wait for who writes: if somebody does, the next request notes it
    with suppress(WouldBlock):
        running.writers.acquire_nowait()
        try:
            with suppress(*CANNOT_WRITE_NOW):
                await run_in_threadpool(_write_seen, running, found.actor, wall)
        finally:
            running.writers.release()


def _write_seen(running: Running, actor: Actor, wall: datetime) -> None:
    engine = within(running.engine, actor.organization_id)
    with transaction(engine, wait_seconds=0) as session:
        note_seen(session, actor, wall)


Visitor = Annotated[SignedIn, Depends(visitor)]
"""Who is signed in, with the practice's name and zone."""


def _actor(found: Visitor) -> Actor:
    return found.actor


PageActor = Annotated[Actor, Depends(_actor)]
"""Who is signed in, whatever they may do: for pages that concern everybody themselves."""


@dataclass(frozen=True)
class PagePermit(Needs):
    """A dependency that gives the signed-in actor, if the actor has the permission."""

    def __call__(self, found: Visitor) -> Actor:
        """The actor; ``NotAllowed`` without the permission."""
        require(found.actor, self.permission)
        return found.actor


def page_permit(permission: str) -> Any:
    """For ``Annotated[Actor, page_permit("patients:read")]``; KeyError for an unknown one."""
    if permission not in PERMISSIONS:
        raise KeyError(permission)
    return Depends(PagePermit(permission))


async def _writing(request: Request, found: Visitor) -> AsyncIterator[Session]:
    # known before the transaction begins
    permission = permission_of(request.scope["route"])
    if permission is not None:
        require(found.actor, permission)
    async with write_session(running_of(request), found.actor) as session:
        yield session


async def _reading(request: Request, found: Visitor) -> AsyncIterator[Session]:
    running = running_of(request)
    context = reading(engine_of(request, found.actor))
    async with running.readers, contextmanager_in_threadpool(context) as session:
        yield session


PageDb = Annotated[Session, Depends(_writing, scope="function")]
"""A writing session for a signed-in person: one transaction, committed before the answer goes."""
PageReadDb = Annotated[Session, Depends(_reading, scope="function")]
"""A session that sees one state of the database and changes nothing; for a signed-in person."""

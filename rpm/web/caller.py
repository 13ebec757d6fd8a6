"""Who asks, and when: the bearer token behind a request and the permission it carries.

Owns the dependencies that turn a token into an actor. Does not own tokens (``rpm.store.scope``) nor
permissions (``rpm.access``).
"""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any

from anyio import WouldBlock
from fastapi import Depends, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from rpm.access import PERMISSIONS, Actor, require
from rpm.errors import NotAuthentic
from rpm.store.engine import CANNOT_WRITE_NOW, reading, transaction, within
from rpm.store.scope import actor_of_token, note_token_use
from rpm.web.needs import Needs, permission_of
from rpm.web.running import Running, running_of

__all__ = [
    "Now",
    "Permit",
    "authenticated",
    "permission_of",
    "permit",
]

_TOKEN_USE_GRAIN = timedelta(minutes=1)
_bearer = HTTPBearer(
    scheme_name="bearer", description="An API token of the organization.", auto_error=False
)


def _now(request: Request) -> datetime:
    return running_of(request).clock.now()


Now = Annotated[datetime, Depends(_now)]
"""The present instant by the application's clock; the same all through a request."""


async def authenticated(
    request: Request,
    now: Now,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
) -> Actor:
    """Who is behind the bearer token; ``NotAuthentic`` without a good one."""
    if credentials is None:
        raise NotAuthentic("this needs an API token as a bearer token")
    running = running_of(request)
    actor = await run_in_threadpool(_actor, running, credentials.credentials, now)
    request.state.organization_id = actor.organization_id
    request.state.token_id = actor.token_id
    request.state.actor = actor
    await _note_use(running, actor, now)
    return actor


def _actor(running: Running, token: str, now: datetime) -> Actor:
    with reading(running.engine) as session:
        return actor_of_token(session, token, now)


async def _note_use(running: Running, actor: Actor, now: datetime) -> None:
    if actor.token_id is None:
        return
    noted = running.tokens_noted.get(actor.token_id)
    if noted is not None and now - noted < _TOKEN_USE_GRAIN:
        return
    # who reads must not wait for who writes: if somebody does, the next request notes it
    with suppress(WouldBlock):
        running.writers.acquire_nowait()
        try:
            running.tokens_noted[actor.token_id] = now
            await run_in_threadpool(_write_use, running, actor, now)
        except CANNOT_WRITE_NOW:
            del running.tokens_noted[actor.token_id]
        finally:
            running.writers.release()


def _write_use(running: Running, actor: Actor, now: datetime) -> None:
    engine = within(running.engine, actor.organization_id)
    with transaction(engine, wait_seconds=0) as session:
        note_token_use(session, actor, now)


@dataclass(frozen=True)
class Permit(Needs):
    """A dependency that gives the actor, if the actor has the permission."""

    def __call__(self, actor: Annotated[Actor, Depends(authenticated)]) -> Actor:
        """The actor; ``NotAllowed`` without the permission."""
        require(actor, self.permission)
        return actor


def permit(permission: str) -> Any:
    """For ``Annotated[Actor, permit("patients:write")]``; KeyError for an unknown permission."""
    if permission not in PERMISSIONS:
        raise KeyError(permission)
    return Depends(Permit(permission))

"""What a route may ask for: who acts, a session, the time, a page of a list.

Owns the annotated dependencies and the route class. Does not own permissions (``rpm.access``),
transactions (``rpm.store.engine``) nor cursors (``rpm.web.cursors``).

A route of an area looks like this, on a router made by ``area_router``::

    router = area_router("Patients")

    @router.post("/patients", status_code=201, responses=PROBLEMS, ...)
    def register(db: Db, now: Now, actor: Annotated[Actor, permit("patients:write")], ...)

``Db`` writes and commits once the answer is ready, before it is sent; ``ReadDb`` changes nothing
and never waits for a writer: use it wherever nothing is recorded. Both need a bearer token.
"""

from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.concurrency import contextmanager_in_threadpool, run_in_threadpool
from fastapi.responses import Response
from fastapi.routing import APIRoute
from sqlmodel import Session

from rpm.access import Actor, require
from rpm.store.engine import reading, transaction, within
from rpm.web import cursors, idempotency
from rpm.web.area import AreaRouter
from rpm.web.caller import Now, Permit, authenticated, permission_of, permit
from rpm.web.problems import PROBLEMS
from rpm.web.running import Running, engine_of, running_of
from rpm.web.turns import turn_to_write

__all__ = [
    "PROBLEMS",
    "Db",
    "Now",
    "Page",
    "Paging",
    "Permit",
    "ReadDb",
    "area_router",
    "authenticated",
    "permit",
    "write_session",
]

Page = cursors.Page


class LedgerRoute(APIRoute):
    """A route whose finished answer is at hand when its transaction ends (``idempotency``)."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """As the base class, keeping the answer."""
        answer_of = super().get_route_handler()

        async def answer(request: Request) -> Response:
            request.state.answer = await answer_of(request)
            response: Response = request.state.answer
            return response

        return answer


def area_router(area: str) -> APIRouter:
    """A router for one area of the API under ``/v1``."""
    return AreaRouter(prefix="/v1", tags=[area], route_class=LedgerRoute)


@asynccontextmanager
async def write_session(running: Running, actor: Actor | None = None) -> AsyncIterator[Session]:
    """A writing session, once it is this request's turn; committed at the end.

    It is for the actor's organization; without an actor for none, until ``enter``.
    """
    engine = running.engine if actor is None else within(running.engine, actor.organization_id)
    async with turn_to_write(running.writers) as wait_seconds:
        context = transaction(engine, wait_seconds)
        async with contextmanager_in_threadpool(context) as session:
            yield session


async def writing(
    request: Request, now: Now, actor: Annotated[Actor, Depends(authenticated)]
) -> AsyncIterator[Session]:
    """What ``Db`` stands on: one transaction, and the answer that its key keeps."""
    running = running_of(request)
    # Known before the transaction begins, and before a kept answer is shown again.
    permission = permission_of(request.scope["route"])
    if permission is not None:
        require(actor, permission)
    asked = await idempotency.asked(request, actor)
    async with write_session(running, actor) as session:
        if asked is None:
            yield session
            return
        await run_in_threadpool(idempotency.claim, session, running, asked, now)
        yield session
        answer: Response = request.state.answer
        await run_in_threadpool(idempotency.keep, session, running, asked, answer)


async def _reading(
    request: Request, actor: Annotated[Actor, Depends(authenticated)]
) -> AsyncIterator[Session]:
    running = running_of(request)
    context = reading(engine_of(request, actor))
    async with running.readers, contextmanager_in_threadpool(context) as session:
        yield session


# Scope "function": the transaction ends before the answer is sent, so nothing is promised early.
Db = Annotated[Session, Depends(writing, scope="function")]
"""A writing session for an authenticated request: one transaction, committed at the end."""
ReadDb = Annotated[Session, Depends(_reading, scope="function")]
"""A session that sees one state of the database; for an authenticated request."""
Paging = Annotated[cursors.Paging, Depends(cursors.paging)]
"""Limit and place of a list page; ``paging.page(rows, key)`` makes the answer."""

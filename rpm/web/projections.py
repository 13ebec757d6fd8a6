"""Reading what is kept for quick lists: brought up to date first, cheap when little changed.

Owns when that is done for a page. Does not own the projections (``rpm.store.readiness_refresh``,
``rpm.actions.refresh_contacts``).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from fastapi import Request
from sqlmodel import Session

from rpm.access import Actor
from rpm.actions.refresh_contacts import refresh_step
from rpm.store.engine import reading
from rpm.store.readiness_refresh import is_fresh, refresh
from rpm.store.scope import Scope
from rpm.web.running import engine_of


@contextmanager
def up_to_date(
    request: Request,
    actor: Actor,
    now: datetime,
    *,
    contacts: bool = True,
    readiness: bool = False,
) -> Iterator[tuple[Session, Scope]]:
    """A reading session that sees what was last heard of devices, readiness, or both."""
    engine, scope = engine_of(request, actor), Scope.of(actor)
    if readiness:
        with reading(engine) as db:
            fresh = is_fresh(db, scope, now)
        if not fresh:
            refresh(engine, scope, now)
    if contacts:
        refresh_step(engine, scope)
    with reading(engine) as db:
        yield db, scope

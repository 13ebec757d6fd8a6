"""The trail of accesses: every request about patients by somebody known, refused ones too.

Owns which requests are written down and the writing, behind the answer and many at a time, so that
who reads does not wait for who writes. A row is on disk within a second or so; a stop waits
for the last one. Does not own the table (``rpm.store.tables.accesses``). Requests of nobody have no
practice to belong to: they stand in the service's log.
"""

import asyncio
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from typing import Any
from uuid import UUID

import anyio
import structlog
from fastapi.concurrency import run_in_threadpool
from fastapi.routing import APIRoute
from sqlalchemy import insert
from sqlalchemy.engine import Engine
from starlette.types import Scope

from rpm.access import Actor
from rpm.ids import uuid7
from rpm.store.engine import CANNOT_WRITE_NOW, enter, transaction
from rpm.store.tables.accesses import AccessRecord
from rpm.store.tables.base import METADATA
from rpm.web.needs import permission_of
from rpm.web.turns import turn_to_write

NOT_OF_PATIENTS = frozenset(
    {
        *("rules:read", "rules:write", "audit:read", "users:manage"),
        *("tokens:manage", "connections:manage", "endpoints:manage"),
    }
)
"""Routes that ask for these touch no patient."""
UNATTENDED = "rpm_ledger_unattended"
"""Marks the endpoint of a route that a page asks by itself; it is not written down."""
MOST_AT_ONCE, MOST_WAITING = 500, 50_000
_GATHERED_SECONDS = 0.25
_ORGANIZATION, _PLACE = itemgetter("organization_id"), itemgetter("organization_id", "id")
_TABLE = METADATA.tables[str(AccessRecord.__tablename__)]
_log = structlog.get_logger()


@dataclass
class AccessTrail:
    """Writes accesses down in groups; lives in one event loop."""

    engine: Engine
    writers: anyio.CapacityLimiter
    _waiting: deque[dict[str, Any]] = field(default_factory=deque)
    _task: asyncio.Task[None] | None = None
    _settling: bool = False

    def note(self, scope: Scope, status: int, at: datetime) -> None:
        """Write a finished request down, if it is one that leaves a trace."""
        row = traced(scope, status, at)
        if row is None:
            return
        if len(self._waiting) >= MOST_WAITING:
            _log.error("access_not_recorded", request_id=row["request_id"])
            return
        self._waiting.append(row)
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._write())

    async def settle(self) -> None:
        """Wait until all is on disk; what cannot be written now is told in the log."""
        self._settling = True
        try:
            while self._task is not None:
                await self._task
        finally:
            self._settling = False

    async def _write(self) -> None:
        try:
            while self._waiting:
                if not self._settling:
                    await asyncio.sleep(_GATHERED_SECONDS)
                group = [self._waiting.popleft() for _ in range(self._next_size())]
                try:
                    async with turn_to_write(self.writers) as wait_seconds:
                        await run_in_threadpool(self._store, group, wait_seconds)
                except CANNOT_WRITE_NOW:
                    self._waiting.extendleft(reversed(group))
                    if self._settling:
                        _log.error("accesses_not_recorded", count=len(self._waiting))
                        return
        finally:
            self._task = None

    def _next_size(self) -> int:
        return min(len(self._waiting), MOST_AT_ONCE)

    def _store(self, group: list[dict[str, Any]], wait_seconds: float | None) -> None:
        with transaction(self.engine, wait_seconds) as session:
            for organization_id, rows in groupby(sorted(group, key=_PLACE), key=_ORGANIZATION):
                enter(session, organization_id)
                session.connection().execute(insert(_TABLE), list(rows))


def traced(scope: Scope, status: int, at: datetime) -> dict[str, Any] | None:
    """The row of a request; None for one of nobody known, or that is about no patient."""
    route, actor = scope.get("route"), scope["state"].get("actor")
    if not isinstance(route, APIRoute) or not isinstance(actor, Actor):
        return None
    permission = permission_of(route)
    if permission is None or permission in NOT_OF_PATIENTS:
        return None
    if getattr(route.endpoint, UNATTENDED, False):
        return None
    ids = _ids(scope.get("path_params", {}))
    return {
        "organization_id": actor.organization_id,
        "id": uuid7(at),
        "at": at,
        "user_id": actor.user_id,
        "token_id": actor.token_id,
        "sign_in_id": actor.sign_in_id,
        "emergency_id": actor.emergency_id,
        "role": actor.role,
        "method": scope["method"],
        "route": route.path_format,
        "patient_id": ids.pop("patient_id", None),
        "ids": {name: value.hex for name, value in ids.items()},
        "status": status,
        "request_id": scope["state"]["request_id"],
    }


def _ids(params: Mapping[str, Any]) -> dict[str, UUID]:
    found = {}
    for name, value in params.items():
        if name.endswith("_id"):
            try:
                found[name] = UUID(str(value))
            except ValueError:
                continue  # a refused address: what was sent is not kept
    return found

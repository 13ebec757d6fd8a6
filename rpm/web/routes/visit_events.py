"""The door for telehealth platforms: a visit began, a visit ended.

Owns the address and the answers. Does not own the proof and what an event becomes
(``rpm.actions.visit_platforms``). An answer with 2xx is sent after the commit.
"""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Path, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from devices.delivery import Incoming
from rpm.actions.visit_platforms import ADDRESS, authentic_platform, take_visit_event
from rpm.store.engine import reading, transaction, within
from rpm.web.area import AreaRouter
from rpm.web.problems import PROBLEMS
from rpm.web.routes.webhooks import DoorRoute, source_address
from rpm.web.running import Running, running_of
from rpm.web.turns import turn_to_write

router = AreaRouter(prefix=ADDRESS, tags=["Webhooks"], route_class=DoorRoute)


class EventAnswered(BaseModel):
    """What became of an event; the same for one that is sent again."""

    message_id: UUID = Field(description="Our id of the event.")
    state: Literal["read", "quarantined"] = Field(
        description="`quarantined`: kept, but it cannot be read; sending it again does not help."
    )


_ANSWERS: dict[int | str, dict[str, Any]] = {
    202: {"description": "Stored; could not be read", "model": EventAnswered},
    **{status: PROBLEMS[status] for status in (401, 408, 413, 503)},
}


@router.post(
    "/{connection}",
    summary="Tell of a visit",
    description="An event of a telehealth platform (docs/interchange.md), signed as Standard"
    " Webhooks. It proposes a visit, which a person accepts or dismisses. It may be sent again at"
    " any time.",
    operation_id="take_visit_event",
    response_model=EventAnswered,
    responses=_ANSWERS,
)
async def take(
    request: Request,
    connection: Annotated[
        str, Path(description="The token that was shown when the platform was added.")
    ],
) -> Response:
    """Store an event and tell what became of it."""
    running = running_of(request)
    incoming = Incoming(
        headers=dict(request.headers),
        body=await request.body(),
        source=source_address(request, running.settings.forwarding_proxies),
    )
    now = running.clock.now()
    async with running.readers:
        organization_id = await run_in_threadpool(_whose, running, now, connection, incoming)
    request.state.organization_id = organization_id
    async with turn_to_write(running.writers) as wait_seconds:
        answer = await run_in_threadpool(
            _stored, running, now, organization_id, connection, incoming, wait_seconds
        )
    told = {"message_id": str(answer.message_id), "state": answer.state}
    return JSONResponse(told, status_code=200 if answer.state == "read" else 202)


def _whose(running: Running, now: datetime, token: str, incoming: Incoming) -> UUID:
    """Whose door it is; asked first, so that strangers take no writer's turn."""
    with reading(running.engine) as db:
        ring = running.keys.field_encryption
        return authentic_platform(db, ring, now, token, incoming).organization_id


def _stored(
    running: Running,
    now: datetime,
    organization_id: UUID,
    token: str,
    incoming: Incoming,
    wait_seconds: float | None,
) -> EventAnswered:
    """What became of it; the proof is seen again, for the platform may have been retired."""
    with transaction(within(running.engine, organization_id), wait_seconds) as db:
        platform = authentic_platform(db, running.keys.field_encryption, now, token, incoming)
        message = take_visit_event(db, now, platform, incoming).message
        return EventAnswered.model_validate({"message_id": message.id, "state": message.state})

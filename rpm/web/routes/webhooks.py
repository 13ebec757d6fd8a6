"""Webhooks: the door for vendors.

Owns the address, the order (size and deadline before this, then authenticity, then storing) and the
answers. Does not own what a delivery becomes (``rpm.actions.take_delivery``). An answer with 2xx is
sent after the commit; nothing an authentic sender can put into a body leads to an error.
"""

from collections.abc import Callable, Coroutine
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Path, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from pydantic import BaseModel, ConfigDict, Field

from devices.delivery import Incoming
from rpm.actions.authenticate_delivery import Sender, authenticate
from rpm.actions.take_delivery import Arrived, DeliveryAnswer
from rpm.store.engine import reading
from rpm.store.queries.connections import READ
from rpm.web.delivery_writer import DoorChangedError
from rpm.web.problems import PROBLEMS
from rpm.web.running import Running, running_of

VendorName = Annotated[str, Path(description="The vendor's word.", examples=["generic"])]
ConnectionToken = Annotated[
    str, Path(description="The token that was shown when the connection was made.")
]


class ItemAnswer(BaseModel):
    """What became of one item of the body."""

    id: str | None = Field(description="The sender's id of the item, if it could be read.")
    status: Literal["accepted", "duplicate", "corrected", "quarantined", "ignored"] = Field(
        description="`accepted`: recorded. `duplicate`: known already, nothing changed."
        " `corrected`: a new version. `quarantined`: kept, and waits for a person."
        " `ignored`: kept, but changes nothing that counts."
    )
    reading_id: UUID | None = Field(description="Our id of the reading.")
    reason: str = Field(
        description="Why it does not count for a device day; empty if it does.",
        examples=["unknown_device"],
    )


class DeliveryAnswered(BaseModel):
    """What became of a delivery; the same for a delivery that is sent again."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "delivery_id": "019c292a-d980-79fe-b9ef-645f35e374b1",
                    "state": "read",
                    "items": [
                        {
                            "id": "r-1",
                            "status": "accepted",
                            "reading_id": "019c292a-d981-7a11-8f0e-0c2f35e374b1",
                            "reason": "",
                        }
                    ],
                }
            ]
        }
    )

    delivery_id: UUID = Field(description="Our id of the delivery.")
    state: Literal["read", "dead_letter"] = Field(
        description="`dead_letter`: stored, but it cannot be read; sending it again does not help."
    )
    items: list[ItemAnswer] = Field(description="One for each item, in the order sent.")


_ANSWERS: dict[int | str, dict[str, Any]] = {
    202: {"description": "Stored; could not be read", "model": DeliveryAnswered},
    **{status: PROBLEMS[status] for status in (400, 401, 408, 413, 503)},
}


class DoorRoute(APIRoute):
    """Takes the request as it is: nothing of a body is for the framework to read or to answer."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The endpoint itself, given the request and the words of its address."""
        endpoint = self.endpoint

        async def handled(request: Request) -> Response:
            answer: Response = await endpoint(request, **request.path_params)
            return answer

        return handled


async def _sender(
    running: Running, now: datetime, vendor: str, token: str, sent: Incoming
) -> Sender:
    """Who sends this; ``NotAuthentic`` before anything is stored."""
    sender = running.doors.sender(now, vendor, token, sent)
    if sender is None:
        async with running.readers:
            sender = await run_in_threadpool(_checked, running, now, vendor, token, sent)
        running.doors.keep(token, sender)
    return sender


def _checked(
    running: Running, now: datetime, vendor: str, token: str, incoming: Incoming
) -> Sender:
    with reading(running.engine) as db:
        return authenticate(db, running.keys.field_encryption, now, vendor, token, incoming)


def source_address(request: Request, proxies: int) -> str | None:
    """Where a request comes from: the peer, or what the outermost of our own proxies saw.

    Each proxy adds the address that it saw at the end of ``X-Forwarded-For``; what stands before
    that is the sender's own word and is not read.
    """
    if proxies == 0:
        return request.client.host if request.client else None
    seen = ",".join(request.headers.getlist("x-forwarded-for")).split(",")
    return seen[-proxies].strip() if len(seen) >= proxies else None


router = APIRouter(prefix="/webhooks", tags=["Webhooks"], route_class=DoorRoute)


@router.post(
    "/{vendor}/{connection}",
    summary="Deliver readings",
    description="The body is the vendor's own, and so is its proof: a signature, a fixed header,"
    " Basic credentials or a query token, as the connection has it. For `generic`: one reading, or"
    " `readings` with at most 1,000. What can be read is recorded item by item; a body that cannot"
    " be read is kept and answered 202. A delivery may be sent again at any time.",
    operation_id="take_delivery",
    response_model=DeliveryAnswered,
    responses=_ANSWERS,
)
async def take(request: Request, vendor: VendorName, connection: ConnectionToken) -> Response:
    """Store a delivery and tell what became of it."""
    running = running_of(request)
    incoming = Incoming(
        headers=dict(request.headers),
        body=await request.body(),
        query=request.url.query,
        source=source_address(request, running.settings.forwarding_proxies),
    )
    while True:
        now = running.clock.now()
        sender = await _sender(running, now, vendor, connection, incoming)
        request.state.organization_id = sender.organization_id
        try:
            answer = await running.deliveries.store(Arrived(sender, incoming, now))
        except DoorChangedError:
            running.doors.close(vendor, connection)
        else:
            return _answered(answer)


def _answered(answer: DeliveryAnswer) -> Response:
    told = {"delivery_id": str(answer.delivery_id), "state": answer.state, "items": answer.items}
    return JSONResponse(told, status_code=200 if answer.state == READ else 202)


@router.get(
    "/{vendor}/{connection}",
    summary="Is there a door",
    description="Some vendors ask before they send. The answer is empty and the same for every"
    " address, so that it tells nothing about tokens.",
    operation_id="probe_webhook",
    response_class=Response,
    responses={200: {"description": "There is; nothing is told"}, 400: PROBLEMS[400]},
)
@router.head("/{vendor}/{connection}", include_in_schema=False)
async def probe(
    request: Request,  # noqa: ARG001 - nothing of it is told
    vendor: VendorName,  # noqa: ARG001 - nothing of it is told
    connection: ConnectionToken,  # noqa: ARG001 - nothing of it is told
) -> Response:
    """An empty answer."""
    return Response(status_code=200)

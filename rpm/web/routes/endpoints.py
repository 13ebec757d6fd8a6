"""Endpoints: receivers of events, and how far each event was told.

Owns the addresses and what is shown. Does not own sending (``rpm.actions.send_events``). A secret
stands in one answer and never again.
"""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Depends, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from rpm.access import Actor
from rpm.actions.command import Command
from rpm.actions.manage_endpoints import (
    AddEndpoint,
    EndpointSecret,
    Resend,
    RetireEndpoint,
    RotateEndpointSecret,
    TryEndpoint,
    add_endpoint,
    resend,
    retire_endpoint,
    rotate_endpoint_secret,
    try_endpoint,
)
from rpm.store.queries.outbound import list_deliveries
from rpm.store.queries.rows import page_of
from rpm.store.scope import Scope
from rpm.store.tables.outbound import Endpoint
from rpm.web.deps import PROBLEMS, Db, Now, Page, Paging, ReadDb, area_router, permit
from rpm.web.routes.connections import FieldKeys
from rpm.web.routes.readings import Because, after_id
from rpm.web.running import running_of

router = area_router("Events")

Manager = Annotated[Actor, permit("endpoints:manage")]


def _listed_hosts(request: Request) -> list[str]:
    return running_of(request).settings.outbound_hosts


ListedHosts = Annotated[list[str], Depends(_listed_hosts)]


class EndpointOut(BaseModel):
    """A receiver, without its secret."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    name: str
    url: str
    types: list[str] = Field(description="Types it gets; empty: all.")
    created_at: datetime
    retired_at: datetime | None


class NewEndpoint(BaseModel):
    """A receiver with a new secret, shown once."""

    endpoint: EndpointOut
    secret: str = Field(description="`whsec_...`: the receiver verifies signatures with it.")


class OutboundEventOut(BaseModel):
    """An event for one receiver, and how far it is."""

    event_id: UUID = Field(description="`webhook-id` of the message, the same at every try.")
    endpoint_id: UUID
    type: str = Field(examples=["alert.opened"])
    subject: dict[str, str] = Field(description="Ids of what it tells of.")
    recorded_at: datetime
    state: str = Field(description="`waiting`, `sent` or `dead` (given up).")
    attempts: int
    next_at: datetime | None = Field(description="Of `waiting`: when it is tried next.")
    last_at: datetime | None
    last_status: int | None = Field(description="Status of the last answer; null: there was none.")
    last_problem: str


class Overlapping(Command):
    """How long the secret before signs too."""

    overlap_hours: int = Field(default=24, ge=0, le=336, examples=[24])


class TrialOut(BaseModel):
    """The event that is sent next."""

    event_id: UUID


class Trial(Command):
    """Nothing needs to be said."""


class ResentOut(BaseModel):
    """It waits to be sent."""

    event_id: UUID
    endpoint_id: UUID


@router.get(
    "/endpoints",
    summary="List receivers of events",
    description="Open and retired ones, in the order they were made.",
    operation_id="list_endpoints",
    response_model=Page[EndpointOut],
    responses=PROBLEMS,
)
def list_of_endpoints(db: ReadDb, actor: Manager, paging: Paging) -> Any:
    """A page of receivers."""
    rows = page_of(db, Scope.of(actor), Endpoint, after=after_id(paging), limit=paging.fetch)
    return paging.page(rows, lambda row: (row.id,))


@router.post(
    "/endpoints",
    status_code=201,
    summary="Add a receiver of events",
    description="It gets what happens from now on. Its secret stands in this answer only.",
    operation_id="add_endpoint",
    response_model=NewEndpoint,
    responses=PROBLEMS,
)
def add(
    db: Db, now: Now, actor: Manager, ring: FieldKeys, hosts: ListedHosts, command: AddEndpoint
) -> NewEndpoint:
    """The receiver with its secret."""
    return _secret(add_endpoint(db, actor, now, ring, command, hosts))


@router.post(
    "/endpoints/{endpoint_id}/rotate-secret",
    status_code=201,
    summary="Change the secret of a receiver",
    description="For the overlap messages carry a signature of both secrets.",
    operation_id="rotate_endpoint_secret",
    response_model=NewEndpoint,
    responses=PROBLEMS,
)
def rotate(
    db: Db, now: Now, actor: Manager, ring: FieldKeys, endpoint_id: UUID, overlap: Overlapping
) -> NewEndpoint:
    """The new secret."""
    command = RotateEndpointSecret(endpoint_id=endpoint_id, overlap_hours=overlap.overlap_hours)
    return _secret(rotate_endpoint_secret(db, actor, now, ring, command))


@router.post(
    "/endpoints/{endpoint_id}/retire",
    summary="Retire a receiver",
    description="It gets nothing any more, also nothing that waits.",
    operation_id="retire_endpoint",
    response_model=EndpointOut,
    responses=PROBLEMS,
)
def retire(db: Db, now: Now, actor: Manager, endpoint_id: UUID, because: Because) -> Any:
    """The retired receiver."""
    command = RetireEndpoint(endpoint_id=endpoint_id, reason=because.reason)
    return retire_endpoint(db, actor, now, command)


@router.post(
    "/endpoints/{endpoint_id}/test",
    status_code=202,
    summary="Try a receiver out",
    description="An event of the type `endpoint.test` for it alone, sent within a minute.",
    operation_id="test_endpoint",
    response_model=TrialOut,
    responses=PROBLEMS,
)
def try_out(db: Db, now: Now, actor: Manager, endpoint_id: UUID, _trial: Trial) -> TrialOut:
    """The event."""
    return TrialOut(event_id=try_endpoint(db, actor, now, TryEndpoint(endpoint_id=endpoint_id)))


@router.get(
    "/endpoints/events",
    summary="List events and how far they were told",
    description="One line for each event and receiver, in the order of events.",
    operation_id="list_outbound_events",
    response_model=Page[OutboundEventOut],
    responses=PROBLEMS,
)
def list_of_events(
    db: ReadDb,
    actor: Manager,
    paging: Paging,
    state: Annotated[
        Literal["waiting", "sent", "dead"] | None, Query(description="One state.")
    ] = None,
    endpoint_id: Annotated[UUID | None, Query(description="For one receiver.")] = None,
) -> Any:
    """A page of events."""
    after: Any = paging.after
    rows = list_deliveries(
        db,
        Scope.of(actor),
        state=state,
        endpoint_id=endpoint_id,
        after=after,
        limit=paging.fetch,
    )
    page = paging.page(rows, lambda row: (row[0].event_id, row[0].endpoint_id))
    shown = [
        OutboundEventOut(
            event_id=event.id,
            endpoint_id=delivery.endpoint_id,
            type=event.type,
            subject=event.subject,
            recorded_at=event.recorded_at,
            state=delivery.state,
            attempts=delivery.attempts,
            next_at=delivery.next_at if delivery.state == "waiting" else None,
            last_at=delivery.last_at,
            last_status=delivery.last_status,
            last_problem=delivery.last_problem,
        )
        for delivery, event in page.items
    ]
    return Page(items=shown, next_cursor=page.next_cursor)


@router.post(
    "/endpoints/resend",
    status_code=202,
    summary="Send an event again",
    description="To one receiver, under the same id, within a minute: whether it was sent, given"
    " up, or recorded before the receiver was added. The schedule begins anew.",
    operation_id="resend_outbound_event",
    response_model=ResentOut,
    responses=PROBLEMS,
)
def send_again(db: Db, now: Now, actor: Manager, command: Resend) -> ResentOut:
    """Event and receiver."""
    resend(db, actor, now, command)
    return ResentOut(event_id=command.event_id, endpoint_id=command.endpoint_id)


def _secret(made: EndpointSecret) -> NewEndpoint:
    return NewEndpoint(endpoint=EndpointOut.model_validate(made.endpoint), secret=made.secret)

"""Services beside the derived ones: our own and another practice's.

Owns the addresses and what is shown. Does not own what they exclude (the rule pages).
"""

from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import Query
from pydantic import Field

from rpm.access import Actor
from rpm.actions.record_service import (
    RecordService,
    ReverseService,
    record_service,
    reverse_service,
)
from rpm.store.queries.services import services_page
from rpm.store.scope import Scope
from rpm.store.tables.ledger import OtherService
from rpm.web.deps import PROBLEMS, Db, Now, Page, Paging, ReadDb, area_router, permit
from rpm.web.routes.readings import after_id
from rpm.web.shown import ShownFact

router = area_router("Services")


class ServiceOut(ShownFact):
    """A service on a day, or the row that takes one back."""

    patient_id: UUID
    code: str = Field(examples=["99213"])
    service_day: date = Field(examples=["2026-01-13"])
    own: bool = Field(description="By this practice; false: by another.")
    practitioner_id: UUID | None
    actor_user_id: UUID | None
    note: str | None
    reverses_id: UUID | None = Field(description="The service that this row takes back.")
    reason: str | None = Field(description="Why it was taken back.")


@router.post(
    "/services",
    status_code=201,
    summary="Record a service",
    description="What excludes or competes with the derived lines. 99473 and 99474 are recorded"
    " here and never derived.",
    operation_id="record_service",
    response_model=ServiceOut,
    responses=PROBLEMS,
)
def record(
    db: Db, now: Now, actor: Annotated[Actor, permit("services:write")], command: RecordService
) -> OtherService:
    """The service."""
    return record_service(db, actor, now, command)


@router.get(
    "/services",
    summary="List services",
    description="Services and their reversals in the order they were recorded.",
    operation_id="list_services",
    response_model=Page[ServiceOut],
    responses=PROBLEMS,
)
def list_services(
    db: ReadDb,
    actor: Annotated[Actor, permit("ledger:read")],
    paging: Paging,
    patient_id: Annotated[UUID | None, Query(description="Only this patient.")] = None,
    code: Annotated[str | None, Query(description="Only this code.", examples=["99474"])] = None,
    from_day: Annotated[date | None, Query(description="First service day.")] = None,
    to_day: Annotated[date | None, Query(description="Last service day.")] = None,
    *,
    own: Annotated[bool | None, Query(description="Only ours, or only others'.")] = None,
) -> Page[OtherService]:
    """A page of services."""
    rows = services_page(
        db,
        Scope.of(actor),
        patient_id=patient_id,
        code=code,
        own=own,
        from_day=from_day,
        to_day=to_day,
        after=after_id(paging),
        limit=paging.fetch,
    )
    return paging.page(rows, lambda row: (row.id,))


@router.post(
    "/service-reversals",
    status_code=201,
    summary="Take a service back",
    description="Writes a row that names the service; a service is taken back once.",
    operation_id="reverse_service",
    response_model=ServiceOut,
    responses=PROBLEMS,
)
def reverse(
    db: Db, now: Now, actor: Annotated[Actor, permit("services:write")], command: ReverseService
) -> OtherService:
    """The reversal."""
    return reverse_service(db, actor, now, command)

"""Readiness: the work list over all enrolled patients.

Owns the addresses and what is shown. Does not own the list (``rpm.store.readiness``). The list is
brought up to date before it is shown: cheap when little changed.
"""

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Query, Request
from pydantic import BaseModel, Field

from rpm.access import Actor
from rpm.actions.command import Command, Name, OneOf
from rpm.store.readiness import (
    SORTS,
    STATES,
    ReadinessFilter,
    ReadyPatient,
    readiness_page,
)
from rpm.web.deps import PROBLEMS, Now, Page, Paging, area_router, permit
from rpm.web.projections import up_to_date

router = area_router("Readiness")


class ReadinessOut(BaseModel):
    """One patient on one running ladder."""

    patient_id: UUID
    family_name: str
    given_name: str
    record_number: str
    episode_id: UUID
    ladder: str = Field(examples=["device-supply"])
    role: str = Field(description="What the ladder pays: supply, management or review.")
    state: str = Field(description="`held`, `earned`, `short` or `out_of_reach`.")
    payer_key: str = Field(description="Empty without coverage.")
    start_day: date | None = Field(description="Null: the window begins with the first reading.")
    end_day: date | None
    measured: int = Field(description="Days or seconds so far.", examples=[14])
    earned_code: str = Field(description="What that earns today; may be empty.")
    further_code: str = Field(
        description="Code of units earned beyond that, such as each further 20 minutes; or empty."
    )
    further_units: int = Field(description="How many; 0 for none.")
    next_code: str = Field(description="What more would earn; empty at the top.")
    next_at_least: int
    still_needed: int = Field(description="Days or seconds.", examples=[2])
    reachable: bool
    at_top: bool = Field(description="The highest band is reached: more only adds units.")
    needs_live: bool = Field(description="The month has no live contact yet.")
    findings: list[str] = Field(description="Codes of what holds the lines.")
    due_code: str = Field(description="Highest code whose days can still be had; may be empty.")
    due_day: date | None = Field(
        description="Without a reading on this day `due_code` is lost; null when nothing is."
    )


class FindReadiness(Command):
    """Which patients to list."""

    family_name: Name | None = Field(default=None, description="Beginning of the family name.")
    state: Annotated[str, OneOf(STATES)] | None = None
    ladder: Name | None = None
    payer_key: Name | None = None
    sort: Annotated[str, OneOf(SORTS)] = "still_needed"


@router.get(
    "/readiness",
    summary="List how far patients are",
    description="Every enrolled patient on every running ladder. What is looked for by name stands"
    " in the body of `POST /v1/readiness/search`.",
    operation_id="list_readiness",
    response_model=Page[ReadinessOut],
    responses=PROBLEMS,
)
def list_readiness(
    request: Request,
    now: Now,
    actor: Annotated[Actor, permit("ledger:read")],
    paging: Paging,
    state: Annotated[
        Literal["held", "earned", "short", "out_of_reach"] | None, Query(description="One state.")
    ] = None,
    ladder: Annotated[
        str | None, Query(description="One ladder.", examples=["management"], max_length=100)
    ] = None,
    payer_key: Annotated[
        str | None, Query(description="One payer.", examples=["MEDICARE_B"], max_length=100)
    ] = None,
    sort: Annotated[
        Literal["still_needed", "end_day", "name"], Query(description="Order of the list.")
    ] = "still_needed",
) -> Page[ReadinessOut]:
    """A page of the list."""
    chosen = ReadinessFilter(state=state, ladder=ladder, payer_key=payer_key, sort=sort)
    return _page(request, now, actor, paging, chosen)


@router.post(
    "/readiness/search",
    summary="Find how far some patients are",
    description="The same list, narrowed by name too.",
    operation_id="find_readiness",
    response_model=Page[ReadinessOut],
    responses=PROBLEMS,
)
def find_readiness(
    request: Request,
    now: Now,
    actor: Annotated[Actor, permit("ledger:read")],
    paging: Paging,
    command: FindReadiness,
) -> Page[ReadinessOut]:
    """A page of the list."""
    return _page(request, now, actor, paging, ReadinessFilter(**command.model_dump()))


def _page(
    request: Request, now: datetime, actor: Actor, paging: Paging, chosen: ReadinessFilter
) -> Page[ReadinessOut]:
    with up_to_date(request, actor, now, contacts=False, readiness=True) as (db, scope):
        rows = readiness_page(db, scope, chosen, after=paging.after, limit=paging.fetch)
    page: Page[Any] = paging.page(rows, lambda row: row.key(chosen.sort))
    return Page(items=[_shown(row) for row in page.items], next_cursor=page.next_cursor)


def _shown(ready: ReadyPatient) -> ReadinessOut:
    return ReadinessOut(
        family_name=ready.family_name,
        given_name=ready.given_name,
        record_number=ready.record_number,
        **ready.row.model_dump(exclude={"organization_id", "position"}),
    )

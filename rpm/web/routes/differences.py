"""Differences between two days of knowledge, fact by fact and event by event.

Owns the addresses. Does not own what differs (``rpm.actions``).
"""

from datetime import date
from itertools import islice
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel, Field

from rpm.access import Actor
from rpm.actions.command import Month
from rpm.actions.differences import (
    FactDifference,
    between,
    fact_differences,
    new_rule_pages,
)
from rpm.actions.differing_events import EventDifference, event_differences
from rpm.store.scope import Scope
from rpm.store.tables.people import Patient
from rpm.web.deps import PROBLEMS, Now, Page, Paging, ReadDb, area_router, permit

router = area_router("Ledger")

FromDay = Annotated[
    date,
    Query(description="What was known at the end of this day,", examples=["2026-02-03"]),
]
ToDay = Annotated[date, Query(description="and at the end of this one.", examples=["2026-03-03"])]
OfMonth = Annotated[
    Month | None,
    Query(
        description="Events as the close of this month looks at them, on the day after it. Default:"
        " as of the second day."
    ),
]


class FactPage(Page[FactDifference]):
    """A page of the facts that became known, and the rule pages that did."""

    rule_pages: list[str] = Field(
        description="All rule pages that became known between the two days, on every page."
    )


class PatientDifferences(BaseModel):
    """What became known of one patient, and which billable events changed by it."""

    as_of: date = Field(description="Both sides of an event are as of this day.")
    facts: list[FactDifference] = Field(description="In order of recording.")
    rule_pages: list[str] = Field(description="Rule pages that became known.")
    events: list[EventDifference]


@router.get(
    "/differences",
    summary="List what became known between two days",
    description="Facts that bear on bills, recorded after the end of the first day and by the end"
    " of the second: who, when, why, and which fact each takes back or replaces.",
    operation_id="list_differences",
    response_model=FactPage,
    responses=PROBLEMS,
)
def differences(
    db: ReadDb,
    now: Now,
    actor: Annotated[Actor, permit("ledger:read")],
    paging: Paging,
    from_day: FromDay,
    to_day: ToDay,
) -> FactPage:
    """A page of the facts."""
    scope, days = Scope.of(actor), between(db, actor, now, from_day, to_day)
    after: Any = paging.after
    rows = fact_differences(db, scope, days, after=after, limit=paging.fetch)
    page = paging.page(rows, lambda row: (row.audit_number, row.table, row.id))
    return FactPage(
        items=page.items, next_cursor=page.next_cursor, rule_pages=new_rule_pages(db, scope, days)
    )


@router.get(
    "/differences/events",
    summary="List billable events that two days give otherwise",
    description="Both sides are as of the same day, so that only what is known differs. By patient."
    " Events are computed when asked; a page looks on until it is full or everybody was looked at.",
    operation_id="list_event_differences",
    response_model=Page[EventDifference],
    responses=PROBLEMS,
)
def differing_events(
    db: ReadDb,
    now: Now,
    actor: Annotated[Actor, permit("ledger:read")],
    paging: Paging,
    from_day: FromDay,
    to_day: ToDay,
    month: OfMonth = None,
) -> Page[EventDifference]:
    """A page of the events."""
    days = between(db, actor, now, from_day, to_day, month)
    after: Any = paging.after
    found = event_differences(db, Scope.of(actor), days, after=after)
    return paging.page(list(islice(found, paging.fetch)), lambda row: row.place)


@router.get(
    "/patients/{patient_id}/differences",
    summary="Tell what became known of a patient between two days",
    description="The facts, and the billable events that they changed.",
    operation_id="show_patient_differences",
    response_model=PatientDifferences,
    responses=PROBLEMS,
)
def patient_differences(
    db: ReadDb,
    now: Now,
    actor: Annotated[Actor, permit("ledger:read")],
    patient_id: UUID,
    from_day: FromDay,
    to_day: ToDay,
    month: OfMonth = None,
) -> PatientDifferences:
    """Facts and events."""
    scope = Scope.of(actor)
    scope.get(db, Patient, patient_id)
    days = between(db, actor, now, from_day, to_day, month)
    return PatientDifferences(
        as_of=days.later.as_of,
        facts=fact_differences(db, scope, days, patient_id=patient_id),
        rule_pages=new_rule_pages(db, scope, days),
        events=list(event_differences(db, scope, days, patient_id=patient_id)),
    )

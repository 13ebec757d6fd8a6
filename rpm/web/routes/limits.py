"""Limits: what alerts are raised by, and the published starting points.

Owns the addresses and what is shown. Does not own what a limit means (``devices.alerts``). Every
answer says that this is no emergency service.
"""

from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel, Field
from sqlmodel import Session

from devices.alerts import NOTICE
from devices.alerts.points import Point, published_points
from rpm.access import Actor
from rpm.actions.manage_limits import (
    AdoptPoints,
    EndLimit,
    SetLimit,
    adopt_points,
    end_limit,
    set_limit,
)
from rpm.store.queries.alerts import limits_in_force
from rpm.store.scope import Scope
from rpm.store.tables.alerts import AlertLimit
from rpm.web.deps import PROBLEMS, Db, Now, ReadDb, area_router, permit

router = area_router("Alerts")

NONE_HOLD = "No limit is set: no reading raises an alert."
SOME_HOLD = "Only these limits raise alerts."
Reader = Annotated[Actor, permit("readings:read")]
Setter = Annotated[Actor, permit("limits:write")]
Notice = Annotated[str, Field(description="What alerts are not.", examples=[NOTICE])]


class LimitOut(BaseModel):
    """A limit that holds, or a rule that a patient is taken out of."""

    id: UUID
    patient_id: UUID | None = Field(description="Null: the practice's.")
    rule: str = Field(examples=["bp.systolic.high.red"])
    active: bool = Field(description="False: the rule is ended here.")
    content: dict[str, Any] = Field(description="The limit: docs/alerts.md tells each part.")
    origin: str = Field(description="Page and key of a published starting point; else empty.")
    set_by: str
    reason: str
    recorded_at: datetime


class LimitsOut(BaseModel):
    """The limits of the practice and of patients, and what they mean."""

    notice: Notice
    state: str = Field(description="Whether anything raises alerts.", examples=[NONE_HOLD])
    items: list[LimitOut]


class PointOut(BaseModel):
    """A published starting point; not a recommendation."""

    key: str = Field(examples=["clinic-systolic-high"])
    limit: dict[str, Any] = Field(description="As published.")
    band: str | None = Field(description="Null: the source names none.")
    source: str
    url: str
    confidence: str = Field(description="A, B or C: how far the source is to be trusted.")
    note: str


class PointsOut(BaseModel):
    """The page of published starting points."""

    notice: Notice
    id: str
    status: str = Field(examples=["not a recommendation"])
    read_on: date
    items: list[PointOut]


@router.get(
    "/limits",
    summary="List the limits of alerts",
    description="The practice's and every patient's own. Until a practice adopts some, there are"
    " none, and nothing alerts.",
    operation_id="list_limits",
    response_model=LimitsOut,
    responses=PROBLEMS,
)
def list_of_limits(
    db: ReadDb,
    actor: Reader,
    patient_id: Annotated[
        UUID | None, Query(description="The practice's and this patient's only.")
    ] = None,
) -> LimitsOut:
    """All limits."""
    return _limits(db, actor, patient_id)


@router.get(
    "/limits/points",
    summary="List published starting points",
    description="What others publish, with source and confidence: not a recommendation. None"
    " alerts until it is adopted.",
    operation_id="list_limit_points",
    response_model=PointsOut,
    responses=PROBLEMS,
)
def list_of_points(_actor: Reader) -> PointsOut:
    """The page."""
    page = published_points()
    items = [_point(point) for point in page.points.values()]
    return PointsOut(
        notice=NOTICE, id=page.id, status=page.status, read_on=page.read_on, items=items
    )


@router.post(
    "/limits",
    status_code=201,
    summary="Set a limit",
    description="For the practice or one patient. It takes the place of the one of the same rule"
    " and looks at readings that are recorded from now on.",
    operation_id="set_limit",
    response_model=LimitsOut,
    responses=PROBLEMS,
)
def set_one(db: Db, now: Now, actor: Setter, command: SetLimit) -> LimitsOut:
    """The limits as they are then."""
    set_limit(db, actor, now, command)
    return _limits(db, actor, command.patient_id)


@router.post(
    "/limits/adopt",
    status_code=201,
    summary="Adopt published starting points",
    description="The practice's own decision, for a reason: each becomes a limit that names where"
    " it comes from.",
    operation_id="adopt_limits",
    response_model=LimitsOut,
    responses=PROBLEMS,
)
def adopt(db: Db, now: Now, actor: Setter, command: AdoptPoints) -> LimitsOut:
    """The limits as they are then."""
    adopt_points(db, actor, now, command)
    return _limits(db, actor, None)


@router.post(
    "/limits/end",
    summary="End a limit",
    description="For a patient also where the practice has the rule: it does not hold for this"
    " one then.",
    operation_id="end_limit",
    response_model=LimitsOut,
    responses=PROBLEMS,
)
def end(db: Db, now: Now, actor: Setter, command: EndLimit) -> LimitsOut:
    """The limits as they are then."""
    end_limit(db, actor, now, command)
    return _limits(db, actor, command.patient_id)


def _limits(db: Session, actor: Actor, patient_id: UUID | None) -> LimitsOut:
    named = [patient_id] if patient_id is not None else None
    found = limits_in_force(db, Scope.of(actor), named)
    rows = [row for held in found.values() for row in held.values() if _is_told(row)]
    state = SOME_HOLD if any(row.active for row in rows) else NONE_HOLD
    return LimitsOut(notice=NOTICE, state=state, items=[_limit(row) for row in rows])


def _is_told(row: AlertLimit) -> bool:
    """A rule that ended for the practice is history; for a patient it says what does not hold."""
    return row.active or row.patient_id is not None


def _limit(row: AlertLimit) -> LimitOut:
    return LimitOut.model_validate(row.model_dump(exclude={"organization_id", "audit_number"}))


def _point(point: Point) -> PointOut:
    return PointOut(
        key=point.key,
        limit=dict(point.limit),
        band=point.band,
        source=point.source.title,
        url=point.source.url,
        confidence=point.confidence,
        note=point.note,
    )

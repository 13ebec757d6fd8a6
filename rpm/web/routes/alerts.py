"""Alerts: what broke a limit, and what people did about it.

Owns the addresses and what is shown. Does not own opening alerts (``rpm.actions``). Every answer
says that this is no emergency service.
"""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel, Field

from devices.alerts import NOTICE
from rpm.access import Actor
from rpm.actions.answer_alert import AnswerAlert, alert_with_steps, answer_alert
from rpm.actions.command import Command, Text
from rpm.store.queries.alerts import AlertFilter, AlertState, list_alerts
from rpm.store.scope import Scope
from rpm.web.deps import PROBLEMS, Db, Now, Page, Paging, ReadDb, area_router, permit
from rpm.web.routes.limits import Notice
from rpm.web.routes.readings import after_id

router = area_router("Alerts")

Reader = Annotated[Actor, permit("readings:read")]
Answerer = Annotated[Actor, permit("alerts:write")]


class StepOut(BaseModel):
    """What somebody did, or that the next one was told."""

    step: str = Field(description="`acknowledged`, `acted`, `closed` or `escalated`.")
    at: datetime
    by: str = Field(description="Who; empty for the service.")
    by_user_id: UUID | None
    told: str = Field(description="Of `escalated`: whom.")
    note: str


class AlertOut(BaseModel):
    """An alert with its value, its limit as it was then, and both times."""

    notice: Notice
    id: UUID
    state: str = Field(description="`open`, `acknowledged`, `acted` or `closed`.")
    level: str = Field(
        description="`alert`; `note`: it came too late to be urgent; `repeat`: of one that stands."
    )
    rule: str = Field(examples=["bp.systolic.high.red"])
    subject: str = Field(
        description="`reading`, `missed`, `threshold`, `battery`, `heartbeat`, or what needs no"
        " limit: `dead_letter`, `billed_loss`, `notifications`."
    )
    band: str = Field(examples=["red"])
    value: str = Field(description="`<` or `>` before it: a bound.", examples=["191"])
    comparison: str = Field(examples=[">"])
    limit_value: str = Field(examples=["180"])
    unit: str = Field(examples=["mm[Hg]"])
    measured_at: datetime | None = Field(description="By the device.")
    received_at: datetime | None = Field(description="When it reached us.")
    opened_at: datetime
    told_from: datetime = Field(description="From when on somebody is told: quiet hours end then.")
    told: list[str] = Field(description="Whom it went to so far.")
    route: list[str] = Field(description="Whom it goes to, one after another.")
    escalate_after_minutes: int
    repeats: int = Field(description="How often it came again while it stood.")
    patient_id: UUID | None
    episode_id: UUID | None
    reading_id: UUID | None
    device_id: UUID | None
    delivery_id: UUID | None
    limit_id: UUID | None
    repeats_id: UUID | None
    detail: dict[str, Any] = Field(description="More about it: docs/alerts.md.")
    steps: list[StepOut]


class AlertPage(Page[AlertOut]):
    """A page of alerts."""

    notice: Notice


class Note(Command):
    """What was done or found."""

    note: Text = Field(examples=["called the patient: feels well, measured again"])


class Acknowledgment(Command):
    """A person has seen it."""

    note: Text | None = Field(default=None, examples=[None])


@router.get(
    "/alerts",
    summary="List alerts",
    description="In the order they were opened, so that the longest waiting comes first.",
    operation_id="list_alerts",
    response_model=AlertPage,
    responses=PROBLEMS,
)
def list_of_alerts(
    db: ReadDb,
    actor: Reader,
    paging: Paging,
    state: Annotated[
        Literal["open", "acknowledged", "acted", "closed"] | None, Query(description="One state.")
    ] = None,
    level: Annotated[
        Literal["alert", "note", "repeat"] | None, Query(description="One level.")
    ] = None,
    patient_id: Annotated[UUID | None, Query(description="Of one patient.")] = None,
) -> AlertPage:
    """A page of alerts."""
    chosen = AlertFilter(state, level, patient_id)
    rows = list_alerts(db, Scope.of(actor), chosen, after=after_id(paging), limit=paging.fetch)
    page = paging.page(rows, lambda held: (held.alert.id,))
    items = [_shown(held) for held in page.items]
    return AlertPage(items=items, next_cursor=page.next_cursor, notice=NOTICE)


@router.get(
    "/alerts/{alert_id}",
    summary="Look at an alert",
    description="With everything that was done about it.",
    operation_id="get_alert",
    response_model=AlertOut,
    responses=PROBLEMS,
)
def look_at_alert(db: ReadDb, actor: Reader, alert_id: UUID) -> AlertOut:
    """The alert."""
    return _shown(alert_with_steps(db, Scope.of(actor), alert_id))


@router.post(
    "/alerts/{alert_id}/acknowledge",
    summary="Acknowledge an alert",
    description="A person has seen it: nobody else is told. The person is the token's user.",
    operation_id="acknowledge_alert",
    response_model=AlertOut,
    responses=PROBLEMS,
)
def acknowledge(
    db: Db, now: Now, actor: Answerer, alert_id: UUID, told: Acknowledgment
) -> AlertOut:
    """The alert as it is then."""
    command = AnswerAlert(alert_id=alert_id, step="acknowledged", note=told.note)
    return _shown(answer_alert(db, actor, now, command))


@router.post(
    "/alerts/{alert_id}/act",
    summary="Say what was done about an alert",
    description="May be said several times. Time spent on it is logged as an entry of its own.",
    operation_id="act_on_alert",
    response_model=AlertOut,
    responses=PROBLEMS,
)
def act(db: Db, now: Now, actor: Answerer, alert_id: UUID, told: Note) -> AlertOut:
    """The alert as it is then."""
    command = AnswerAlert(alert_id=alert_id, step="acted", note=told.note)
    return _shown(answer_alert(db, actor, now, command))


@router.post(
    "/alerts/{alert_id}/close",
    summary="Close an alert",
    description="With what was found. What breaks the limit afterwards opens another one.",
    operation_id="close_alert",
    response_model=AlertOut,
    responses=PROBLEMS,
)
def close(db: Db, now: Now, actor: Answerer, alert_id: UUID, told: Note) -> AlertOut:
    """The alert as it is then."""
    command = AnswerAlert(alert_id=alert_id, step="closed", note=told.note)
    return _shown(answer_alert(db, actor, now, command))


def _shown(held: AlertState) -> AlertOut:
    steps = [
        StepOut(
            step=step.step,
            at=step.recorded_at,
            by=step.by_name,
            by_user_id=step.by_user_id,
            told=step.told,
            note=step.note,
        )
        for step in held.steps
    ]
    columns = held.alert.model_dump(exclude={"organization_id", "audit_number", "key"})
    return AlertOut(
        **{name: value for name, value in columns.items() if name != "recorded_at"},
        notice=NOTICE,
        state=held.state,
        opened_at=held.alert.recorded_at,
        told=held.told,
        repeats=held.repeats,
        steps=steps,
    )

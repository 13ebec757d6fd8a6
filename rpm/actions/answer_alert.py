"""Answer an alert: acknowledge it, say what was done, close it; else the next one is told.

Owns the steps and which may follow which. Does not own opening alerts (``raise_alerts``).
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID

from pydantic import Field
from sqlalchemy.engine import Engine
from sqlmodel import Session

from rpm.access import Actor, require
from rpm.actions.announce import announce
from rpm.actions.command import Command, Id, OneOf, Text, refuse
from rpm.errors import Conflict, NotAllowed
from rpm.store.chain import recording
from rpm.store.engine import reading, transaction, within
from rpm.store.queries.alerts import (
    STATES,
    AlertFilter,
    AlertState,
    list_alerts,
    waiting_alerts,
    with_steps,
)
from rpm.store.queries.people import hold_organization
from rpm.store.scope import Scope
from rpm.store.tables.alerts import Alert, AlertStep

STEPS = ("acknowledged", "acted", "closed")
MOST_TOGETHER = 200
_MAY_FOLLOW = {
    "acknowledged": {"open"},
    "acted": {"open", "acknowledged", "acted"},
    "closed": {"open", "acknowledged", "acted"},
}
ESCALATED = "escalated"


class AnswerAlert(Command):
    """What a person does about an alert."""

    alert_id: Id
    step: Annotated[str, OneOf(STEPS)] = Field(examples=["acknowledged"])
    note: Text | None = Field(
        default=None,
        description="What was done or found; needed for `acted` and `closed`.",
        examples=["called the patient: dizzy, sent to the practitioner"],
    )


def answer_alert(db: Session, actor: Actor, now: datetime, command: AnswerAlert) -> AlertState:
    """The alert as it is then.

    ``Conflict`` where the step cannot follow or the alert only repeats another one, ``NotAllowed``
    for a caller who is not a person.
    """
    require(actor, "alerts:write")
    if actor.user_id is None:
        raise NotAllowed("an alert is answered by a person: name one")
    if command.note is None and command.step != "acknowledged":
        raise refuse("note", "E_MISSING", "say what was done or found")
    scope = Scope.of(actor)
    hold_organization(db, scope)
    held = alert_with_steps(db, scope, command.alert_id)
    if held.alert.level == "repeat":
        raise Conflict("it repeats another alert: answer that one")
    if held.state not in _MAY_FOLLOW[command.step]:
        raise Conflict(f"the alert is {held.state}")
    step = AlertStep(
        alert_id=held.alert.id,
        ordinal=len(held.steps) + 1,
        step=command.step,
        by_user_id=actor.user_id,
        by_name=actor.name_for_audit,
        note=command.note or "",
    )
    subject = {"alert_id": held.alert.id, "patient_id": held.alert.patient_id}
    with recording(db, actor, now, f"alert.{command.step}", subject) as record:
        record.add(step)
        told = {"alert_id": held.alert.id}
        announce(db, scope, now, record, f"alert.{command.step}", [told])
    return AlertState(held.alert, [*held.steps, step], held.repeats)


class AnswerAlerts(Command):
    """What a person does about all alerts of a patient that stand on one page."""

    patient_id: Id
    state: Annotated[str, OneOf(STATES)]
    last_alert_id: Id = Field(description="The last one that was shown: later ones are not meant.")
    step: Annotated[str, OneOf(STEPS)]
    note: Text | None = None


def answer_alerts(db: Session, actor: Actor, now: datetime, command: AnswerAlerts) -> int:
    """How many were answered: those in the state, up to the last one shown. As ``answer_alert``."""
    chosen = AlertFilter(state=command.state, level="alert", patient_id=command.patient_id)
    shown = [
        held
        for held in list_alerts(db, Scope.of(actor), chosen, after=None, limit=MOST_TOGETHER)
        if held.alert.id <= command.last_alert_id
    ]
    for held in shown:
        one = AnswerAlert(alert_id=held.alert.id, step=command.step, note=command.note)
        answer_alert(db, actor, now, one)
    return len(shown)


def alert_with_steps(db: Session, scope: Scope, alert_id: UUID) -> AlertState:
    """One alert with what came of it; ``NotFound`` when there is none here."""
    (held,) = with_steps(db, scope, [scope.get(db, Alert, alert_id)])
    return held


def escalate_alerts(engine: Engine, actor: Actor, now: datetime) -> list[AlertStep]:
    """Tell the next one of each alert that nobody acknowledged in time; the steps recorded.

    Every one who is overdue is told at once when no one looked for long. Run twice, it tells
    nobody twice.
    """
    engine = within(engine, actor.organization_id)
    scope = Scope.of(actor)
    with reading(engine) as db:
        due = _due(waiting_alerts(db, scope, now), now)
    if not due:
        return []
    with transaction(engine) as db:
        hold_organization(db, scope)
        steps = _due(waiting_alerts(db, scope, now), now)
        if not steps:
            return []
        with recording(db, actor, now, "alert.escalate") as record:
            record.add_all(steps)
            escalated = sorted({step.alert_id for step in steps})
            record.subject["alert_ids"] = [str(alert_id) for alert_id in escalated]
            told = [{"alert_id": alert_id} for alert_id in escalated]
            announce(db, scope, now, record, "alert.escalated", told)
    return steps


def _due(waiting: Sequence[AlertState], now: datetime) -> list[AlertStep]:
    return [step for held in waiting for step in _next_steps(held, now)]


def _next_steps(held: AlertState, now: datetime) -> list[AlertStep]:
    alert = held.alert
    wait = timedelta(minutes=alert.escalate_after_minutes)
    reached = (now - alert.told_from) // wait  # how many waits have passed
    return [
        AlertStep(
            alert_id=alert.id,
            ordinal=len(held.steps) + place - len(held.told) + 1,
            step=ESCALATED,
            by_name="",
            told=alert.route[place],
        )
        for place in range(len(held.told), min(reached + 1, len(alert.route)))
    ]

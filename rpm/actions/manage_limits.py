"""Manage limits: a practice adopts, sets and ends what its alerts are raised by.

Owns these acts. Does not own what a limit means nor the published starting points
(``devices.alerts``). A limit is never edited: a later one of the same rule takes its place, with
who, when and why. It looks at readings that are recorded after it.
"""

from datetime import datetime, time
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field, StringConstraints
from sqlmodel import Session

from devices.alerts.limits import (
    BANDS,
    COMPARISONS,
    MEASURES,
    SUBJECTS,
    Limit,
    kept_value,
    limit_problem,
    quantity_of,
)
from devices.alerts.points import published_points
from devices.kinds import KINDS
from rpm.access import ROLE_PERMISSIONS, Actor, require
from rpm.actions.alert_rules import Telling, content_of
from rpm.actions.command import Command, Id, Name, OneOf, Reason, refuse
from rpm.store.chain import recording
from rpm.store.queries.alerts import limits_in_force
from rpm.store.queries.people import hold_organization
from rpm.store.scope import Scope
from rpm.store.tables.alerts import AlertLimit
from rpm.store.tables.people import Patient, User

ANSWERING = tuple(sorted(r for r, held in ROLE_PERMISSIONS.items() if "alerts:write" in held))
"""Roles that may answer an alert, and so may be told."""
_USER = "user:"
_MOST_POINTS = 100

Number = Annotated[str, StringConstraints(pattern=r"^\d{1,6}(\.\d{1,4})?$")]
Hour = Annotated[str, StringConstraints(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]
Band = Annotated[str, OneOf(BANDS)]
Route = Annotated[
    list[Name],
    Field(
        min_length=1,
        max_length=5,
        examples=[["clinical_staff", "practitioner"]],
        description="Whom to tell, first to last: a role, or `user:` and the id of a user.",
    ),
]


class Told(Command):
    """Whom the alerts of a limit are told, when, and how often."""

    route: Route = Field(default_factory=lambda: ["clinical_staff", "practitioner"])
    escalate_after_minutes: int = Field(
        default=60,
        ge=1,
        le=7 * 24 * 60,
        description="Minutes without an acknowledgment until the next one is told.",
    )
    suppress_hours: int = Field(
        default=24,
        ge=0,
        le=31 * 24,
        description="While an alert of the same rule stands, another one is a repeat for so long.",
    )
    quiet_from: Hour | None = Field(
        default=None, description="Local time from which nobody is told yet.", examples=["22:00"]
    )
    quiet_to: Hour | None = Field(default=None, description="Its end.", examples=["07:00"])


class SetLimit(Told):
    """A limit of the practice, or of one patient in place of the practice's."""

    patient_id: Id | None = Field(default=None, examples=[None])
    subject: Annotated[str, OneOf(SUBJECTS)] = "reading"
    kind: Annotated[str, OneOf(tuple(KINDS))] | None = Field(default=None, examples=["bp"])
    quantity: Name | None = Field(default=None, examples=["systolic"])
    measure: Annotated[str, OneOf(MEASURES)] = "value"
    comparison: Annotated[str, OneOf(COMPARISONS)] = Field(default="at_least", examples=["above"])
    band: Band = Field(examples=["red"])
    value: Number = Field(examples=["180"])
    unit: Name | None = Field(default=None, description="The unit readings are kept in if empty.")
    window_hours: int | None = Field(default=None, ge=1, le=92 * 24)
    in_a_row: int = Field(default=1, ge=1, le=5, description="So many readings, one after another.")
    reason: Reason = Field(examples=["ordered by the practitioner"])


class EndLimit(Command):
    """A rule of the practice that ends; for a patient: it does not hold for this one."""

    patient_id: Id | None = None
    rule: Name = Field(examples=["bp.systolic.high.red"])
    reason: Reason = Field(examples=["too many alerts"])


class AdoptPoints(Told):
    """Published starting points that become limits of the practice."""

    points: list[Name] = Field(
        min_length=1, max_length=_MOST_POINTS, examples=[["clinic-systolic-high"]]
    )
    band: Band | None = Field(
        default=None, description="The band of points whose source names none.", examples=["red"]
    )
    in_a_row: int = Field(default=1, ge=1, le=5, description="For points on single values.")
    reason: Reason = Field(examples=["decided by the medical director"])


def set_limit(db: Session, actor: Actor, now: datetime, command: SetLimit) -> AlertLimit:
    """The limit that holds from now on; ``InvalidRequest`` for one that means nothing."""
    require(actor, "limits:write")
    scope = Scope.of(actor)
    hold_organization(db, scope)
    if command.patient_id is not None:
        scope.get(db, Patient, command.patient_id)
    limit, given = _limit(command)
    row = _row(limit, given, _telling(db, scope, command), actor, command.reason)
    row.patient_id = command.patient_id
    return _recorded(db, actor, now, "alert_limit.set", [row])[0]


def end_limit(db: Session, actor: Actor, now: datetime, command: EndLimit) -> AlertLimit:
    """The row that ends the rule; ``NotFound`` where there is nothing to end."""
    require(actor, "limits:write")
    scope = Scope.of(actor)
    hold_organization(db, scope)
    named = [command.patient_id] if command.patient_id is not None else []
    limits = limits_in_force(db, scope, named)
    held = {**limits[None], **limits.get(command.patient_id, {})}.get(command.rule)
    if held is None or not held.active:
        raise refuse("rule", "E_UNKNOWN_WORD", "no such rule holds here")
    row = AlertLimit(
        patient_id=command.patient_id,
        rule=held.rule,
        active=False,
        content=held.content,
        origin="",
        set_by=actor.name_for_audit,
        reason=command.reason,
    )
    return _recorded(db, actor, now, "alert_limit.end", [row])[0]


def adopt_points(
    db: Session, actor: Actor, now: datetime, command: AdoptPoints
) -> list[AlertLimit]:
    """The practice's limits made of published points, each naming its page and key.

    ``InvalidRequest`` for an unknown point, one without a band where none is chosen, and two that
    would take each other's place.
    """
    require(actor, "limits:write")
    scope = Scope.of(actor)
    hold_organization(db, scope)
    telling = _telling(db, scope, command)
    rows = [_adopted(key, command, telling, actor) for key in dict.fromkeys(command.points)]
    if len({row.rule for row in rows}) < len(rows):
        raise refuse("points", "E_CONTRADICTION", "two of them are the same rule: choose one")
    return _recorded(db, actor, now, "alert_limit.adopt", rows)


def _adopted(key: str, command: AdoptPoints, telling: Telling, actor: Actor) -> AlertLimit:
    page = published_points()
    point = page.points.get(key)
    if point is None:
        raise refuse("points", "E_UNKNOWN_WORD", "no published point has this key")
    band = point.band or command.band
    if band is None:
        raise refuse("band", "E_MISSING", f"the source of {key} names no band: choose one")
    changes = _shared(command)
    if point.limit["subject"] == "reading" and "measure" not in point.limit:
        changes["in_a_row"] = command.in_a_row
    limit = point.as_limit(band, **changes)
    row = _row(limit, (point.value, point.unit), telling, actor, command.reason)
    row.origin = f"{page.id}:{key}"
    return row


def _recorded(
    db: Session, actor: Actor, now: datetime, action: str, rows: list[AlertLimit]
) -> list[AlertLimit]:
    with recording(db, actor, now, action, reason=rows[0].reason) as record:
        record.add_all(rows)
        record.subject["limit_ids"] = [str(row.id) for row in rows]
    return rows


def _row(
    limit: Limit, given: tuple[str, str], telling: Telling, actor: Actor, reason: str
) -> AlertLimit:
    return AlertLimit(
        rule=limit.slot,
        active=True,
        content=content_of(limit, given, telling),
        origin="",
        set_by=actor.name_for_audit,
        reason=reason,
    )


def _limit(command: SetLimit) -> tuple[Limit, tuple[str, str]]:
    quantity = quantity_of(command.kind or "", command.quantity or "")
    if command.subject == "reading" and quantity is None:
        raise refuse("quantity", "E_UNKNOWN_WORD", "no such quantity of this kind of reading")
    unit = command.unit or (quantity.ucum if quantity else "")
    fields: dict[str, Any] = {
        **_shared(command),
        "subject": command.subject,
        "band": command.band,
        "value": Decimal(command.value),
        "unit": unit,
        "kind": command.kind or "",
        "quantity": command.quantity or "",
        "measure": command.measure,
        "comparison": command.comparison,
        "window_hours": command.window_hours,
        "in_a_row": command.in_a_row,
    }
    try:
        limit = kept_value(Limit(**fields))
    except ValueError as error:
        raise refuse("unit", "E_UNIT", str(error)) from None
    problem = limit_problem(limit)
    if problem is not None:
        raise refuse("value", "E_LIMIT", problem)
    return limit, (command.value, unit)


def _shared(command: Told) -> dict[str, Any]:
    if (command.quiet_from is None) != (command.quiet_to is None):
        raise refuse("quiet_to", "E_MISSING", "quiet hours need a beginning and an end")
    return {
        "suppress_hours": command.suppress_hours,
        "quiet_from": time.fromisoformat(command.quiet_from) if command.quiet_from else None,
        "quiet_to": time.fromisoformat(command.quiet_to) if command.quiet_to else None,
    }


def _telling(db: Session, scope: Scope, command: Told) -> Telling:
    """``InvalidRequest`` for somebody who could not answer an alert."""
    for word in command.route:
        if word not in ANSWERING and not _is_answering_user(db, scope, word):
            raise refuse(
                "route", "E_UNKNOWN_WORD", f"a user here, or one of {', '.join(ANSWERING)}"
            )
    return Telling(tuple(command.route), command.escalate_after_minutes)


def _is_answering_user(db: Session, scope: Scope, word: str) -> bool:
    try:
        user_id = UUID(word.removeprefix(_USER)) if word.startswith(_USER) else None
    except ValueError:
        return False
    user = db.get(User, (scope.organization_id, user_id)) if user_id else None
    return user is not None and user.active and user.role in ANSWERING

"""Alerts and limits: which limits hold, which alerts stand, and what was done about each.

Owns these statements. Does not own what breaks a limit (``devices.alerts``) nor what may be done.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, exists, func, select, tuple_
from sqlalchemy.orm import aliased
from sqlmodel import Session, col

from rpm.store.queries.rows import page_of
from rpm.store.scope import Scope
from rpm.store.tables.alerts import Alert, AlertLimit, AlertMark, AlertStep
from rpm.store.tables.ledger import Close

T = TypeVar("T")

STATES = ("open", "acknowledged", "acted", "closed")
"""What a person has done about an alert; being told to the next one does not change it."""
LEVELS = ("alert", "note", "repeat")
BILLED_LOSS = "billed_loss"
"""Subject and rule of the alert of a billed line that late facts take back."""
ESCALATES_WITHIN = timedelta(days=60)
"""Longer than any route takes from its first to its last."""
_PERSONS = ("acknowledged", "acted", "closed")
_AT_ONCE = 1_000


@dataclass(frozen=True)
class AlertFilter:
    """Which alerts to list."""

    state: str | None = None  # STATES
    level: str | None = None  # LEVELS
    patient_id: UUID | None = None
    ids: Collection[UUID] | None = None


@dataclass(frozen=True)
class AlertState:
    """An alert with what came of it."""

    alert: Alert
    steps: Sequence[AlertStep] = field(default_factory=tuple)
    repeats: int = 0

    @property
    def state(self) -> str:
        """The furthest thing that a person has done."""
        done = {step.step for step in self.steps}
        return next((word for word in reversed(STATES) if word in done), "open")

    @property
    def told(self) -> list[str]:
        """Whom the alert went to so far, in order."""
        return [*self.alert.route[:1], *(s.told for s in self.steps if s.step == "escalated")]


def limits_in_force(
    db: Session, scope: Scope, patient_ids: Collection[UUID] | None = None
) -> dict[UUID | None, dict[str, AlertLimit]]:
    """The latest limit of each rule, of the practice (None) and of patients; ended ones too.

    Of every patient unless some are named, and not very many.
    """
    statement = scope.rows(AlertLimit).where(_is_latest())
    if patient_ids is not None and len(patient_ids) <= _AT_ONCE:
        mine = col(AlertLimit.patient_id)
        statement = statement.where(mine.is_(None) | mine.in_(patient_ids))
    found: dict[UUID | None, dict[str, AlertLimit]] = {None: {}}
    for row in db.exec(statement.order_by(col(AlertLimit.rule))):
        found.setdefault(row.patient_id, {})[row.rule] = row
    return found


def holding_for(
    limits: dict[UUID | None, dict[str, AlertLimit]], patient_id: UUID | None
) -> list[AlertLimit]:
    """The limits that hold for a patient: the practice's, and over them the patient's own."""
    mine = limits.get(patient_id, {}) if patient_id is not None else {}
    return [limit for limit in {**limits[None], **mine}.values() if limit.active]


def _is_latest() -> ColumnElement[bool]:
    later = aliased(AlertLimit)
    is_same_patient = (col(later.patient_id) == col(AlertLimit.patient_id)) | (
        col(later.patient_id).is_(None) & col(AlertLimit.patient_id).is_(None)
    )
    place, its_place = (
        tuple_(col(limit.audit_number), col(limit.id)) for limit in (AlertLimit, later)
    )
    return ~exists().where(
        col(later.organization_id) == col(AlertLimit.organization_id),
        col(later.rule) == col(AlertLimit.rule),
        is_same_patient,
        its_place > place,
    )


def list_alerts(
    db: Session, scope: Scope, chosen: AlertFilter, *, after: UUID | None, limit: int
) -> list[AlertState]:
    """Alerts in the order they were opened, with their steps; three statements."""
    rows = page_of(db, scope, Alert, *_conditions(chosen), after=after, limit=limit)
    return with_steps(db, scope, rows)


def with_steps(db: Session, scope: Scope, rows: Sequence[Alert]) -> list[AlertState]:
    """Alerts with what was done about each, and how often each was repeated."""
    steps: dict[UUID, list[AlertStep]] = {}
    repeats: dict[UUID | None, int] = {}
    for ids in _portions([row.id for row in rows]):
        for step in db.exec(
            scope.rows(AlertStep)
            .where(col(AlertStep.alert_id).in_(ids))
            .order_by(col(AlertStep.ordinal))
        ):
            steps.setdefault(step.alert_id, []).append(step)
        counted = db.execute(
            select(col(Alert.repeats_id), func.count())
            .where(
                col(Alert.organization_id) == scope.organization_id,
                col(Alert.repeats_id).in_(ids),
            )
            .group_by(col(Alert.repeats_id))
        )
        repeats.update((repeated, count) for repeated, count in counted)
    return [AlertState(row, steps.get(row.id, ()), repeats.get(row.id, 0)) for row in rows]


def standing_alerts(
    db: Session, scope: Scope, rules: Collection[str], since: datetime
) -> Sequence[Alert]:
    """Alerts of these rules, opened after an instant, that nobody closed, the latest last.

    Notes and repeats are left out.
    """
    return scope.all_of(
        db,
        Alert,
        col(Alert.rule).in_(rules),
        col(Alert.level) == "alert",
        col(Alert.recorded_at) > since,
        ~_has_step("closed"),
    )


def waiting_alerts(db: Session, scope: Scope, now: datetime) -> list[AlertState]:
    """Alerts whose time to be told has come and that no person has acknowledged.

    Those of ``ESCALATES_WITHIN`` have been told to everybody.
    """
    rows = scope.all_of(
        db,
        Alert,
        col(Alert.level) == "alert",
        col(Alert.told_from) <= now,
        col(Alert.told_from) > now - ESCALATES_WITHIN,
        ~_has_step(*_PERSONS),
    )
    return with_steps(db, scope, rows)


def is_open_loss(scope: Scope) -> ColumnElement[bool]:
    """Whether an alert tells of a billed line that the next close takes back, and none closed it.

    Those opened before the latest close were for that close.
    """
    closed_at = select(func.max(col(Close.audit_number))).where(
        col(Close.organization_id) == scope.organization_id
    )
    return (
        (col(Alert.subject) == BILLED_LOSS)
        & (col(Alert.audit_number) > closed_at.scalar_subquery())
        & ~_has_step("closed")
    )


def known_keys(db: Session, scope: Scope, keys: Sequence[str]) -> set[str]:
    """Those of these causes that have opened an alert."""
    found: set[str] = set()
    for some in _portions(keys):
        found.update(
            db.execute(
                select(col(Alert.key)).where(
                    col(Alert.organization_id) == scope.organization_id, col(Alert.key).in_(some)
                )
            ).scalars()
        )
    return found


def earliest_limit(db: Session, scope: Scope) -> int | None:
    """The audit number of the first limit that was ever set; None before."""
    first: int | None = db.execute(
        select(func.min(col(AlertLimit.audit_number))).where(
            col(AlertLimit.organization_id) == scope.organization_id
        )
    ).scalar_one()
    return first


def looked_through(db: Session, scope: Scope) -> int:
    """Up to which audit number readings were looked at; 0 before the first look."""
    mark = db.get(AlertMark, scope.organization_id)
    return mark.looked_through if mark is not None else 0


def _conditions(chosen: AlertFilter) -> list[ColumnElement[bool]]:
    conditions: list[Any] = []
    if chosen.level is not None:
        conditions.append(col(Alert.level) == chosen.level)
    if chosen.patient_id is not None:
        conditions.append(col(Alert.patient_id) == chosen.patient_id)
    if chosen.ids is not None:
        conditions.append(col(Alert.id).in_(chosen.ids))
    if chosen.state is not None:
        place = STATES.index(chosen.state)
        if place:
            conditions.append(_has_step(chosen.state))
        if place + 1 < len(STATES):
            conditions.append(~_has_step(*STATES[place + 1 :]))
    return conditions


def _has_step(*steps: str) -> ColumnElement[bool]:
    return exists().where(
        col(AlertStep.organization_id) == col(Alert.organization_id),
        col(AlertStep.alert_id) == col(Alert.id),
        col(AlertStep.step).in_(steps),
    )


def _portions(values: Sequence[T]) -> Iterator[Sequence[T]]:
    """Few enough at once for the variables of a statement."""
    for start in range(0, len(values), _AT_ONCE):
        yield values[start : start + _AT_ONCE]

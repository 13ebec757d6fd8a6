"""Evaluate alerts: what was recorded since the last look is held against the limits in force.

Owns the kept position, what is looked at and that a look can be cut off or run twice harmlessly.
Does not own what breaks a limit (``devices.alerts``) nor the rows (``raise_alerts``). Nothing of
this happens while a delivery is taken: looking reads without a lock, and only writing waits its
turn.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.engine import Engine
from sqlmodel import Session

from devices.alerts.evaluate import (
    NEVER,
    OLD,
    Seen,
    longest_window_hours,
    raised,
    seen_values,
)
from rpm.access import Actor
from rpm.actions.alert_rules import rules_of
from rpm.actions.raise_alerts import Cause, raise_alerts, reading_cause
from rpm.clock import local_day
from rpm.store.chain import chain_head
from rpm.store.claim import claim_row
from rpm.store.engine import reading, transaction, within
from rpm.store.queries.alerts import (
    earliest_limit,
    holding_for,
    limits_in_force,
    looked_through,
)
from rpm.store.queries.looked_at import (
    dead_letters_between,
    held_mark,
    move_mark,
    readings_around,
    readings_between,
    through_number,
)
from rpm.store.queries.people import organization_of
from rpm.store.scope import Scope
from rpm.store.tables.alerts import Alert, AlertMark
from rpm.store.tables.monitoring import Delivery, Reading

READINGS_AT_ONCE = 2_000
DEAD_LETTER = "dead_letter"
_DEAD_LETTER_ROUTE = ["practice_admin"]
_DEAD_LETTER_REPEATS = timedelta(hours=24)
_DEAD_LETTER_ESCALATES_MINUTES = 24 * 60


@dataclass(frozen=True)
class Look:
    """From where to where a look reached, and what it found."""

    start: int
    through: int
    causes: Sequence[Cause]


def evaluate_alerts(engine: Engine, actor: Actor, now: datetime) -> list[Alert]:
    """Look at everything recorded since the kept position; the alerts that were opened.

    In portions, each with its position in one transaction: a look that is cut off goes on where
    it stood, and of two at once one finds its portion done.
    """
    engine = within(engine, actor.organization_id)
    opened: list[Alert] = []
    while True:
        with reading(engine) as db:
            look = next_look(db, Scope.of(actor), now)
        if look is None:
            return opened
        with transaction(engine) as db:
            opened += settle(db, actor, now, look)


def next_look(db: Session, scope: Scope, now: datetime) -> Look | None:
    """What the next portion holds and breaks; None when nothing was recorded since the last."""
    start = looked_through(db, scope)
    head = chain_head(db, scope.organization_id).number
    first = earliest_limit(db, scope)
    # no limit looks at what was recorded before it
    begin = head if first is None else max(start, first - 1)
    through = through_number(db, scope, begin, head, READINGS_AT_ONCE)
    if through is None:
        if begin <= start or through_number(db, scope, start, begin, 1) is None:
            return None
        through = begin
    letters = dead_letters_between(db, scope, start, through)
    causes = [_dead_letter_cause(row, now) for row in letters]
    new = readings_between(db, scope, begin, through)
    if new:
        causes = [*_reading_causes(db, scope, now, new), *causes]
    return Look(start, through, causes)


def settle(db: Session, actor: Actor, now: datetime, look: Look) -> list[Alert]:
    """Record what a look found and move the position; nothing where another was first."""
    scope = Scope.of(actor)
    claim_row(
        db, AlertMark, {"organization_id": scope.organization_id, "looked_through": look.start}
    )
    if held_mark(db, scope) != look.start:
        return []
    rows = raise_alerts(db, actor, now, look.causes)
    move_mark(db, scope, look.through)
    return rows


def _reading_causes(
    db: Session, scope: Scope, now: datetime, new: Sequence[Reading]
) -> list[Cause]:
    by_patient: defaultdict[UUID, list[Reading]] = defaultdict(list)
    for row in new:
        if row.patient_id is not None and row.measured_at is not None:
            by_patient[row.patient_id].append(row)
    limits = limits_in_force(db, scope, sorted(by_patient))
    zone = organization_of(db, scope).timezone
    causes: list[Cause] = []
    for patient_id, rows in by_patient.items():
        rules = rules_of(holding_for(limits, patient_id))
        if not rules:
            continue
        codes = {code for row in rows for code in seen_values(row.measure, row.components)}
        around = _around(db, scope, rows, longest_window_hours(rules, codes))
        found = raised(rules, _seen(rows, around))
        causes += [reading_cause(one, one.rule.name, now, zone) for one in found]
    return causes


def _around(
    db: Session, scope: Scope, rows: Sequence[Reading], window_hours: int
) -> Sequence[Reading]:
    """Other readings of the patient that a run or a change may need."""
    if not window_hours:
        return ()
    instants = [row.measured_at for row in rows if row.measured_at is not None]
    reach = timedelta(hours=window_hours + 24)  # a local day may begin elsewhere
    first, last = min(instants) - reach, max(instants) + reach
    days = (local_day(first, "UTC"), local_day(last, "UTC"))
    patient_id = rows[0].patient_id
    assert patient_id is not None  # noqa: S101 - rows without one are left out before
    return readings_around(db, scope, patient_id, days)


def _seen(new: Sequence[Reading], around: Sequence[Reading]) -> list[Seen[Reading]]:
    fresh = {row.id for row in new}
    rows = {row.id: row for row in (*around, *new)}
    return [
        Seen(
            row,
            seen_values(row.measure, row.components),
            row.measured_at,
            row.recorded_at,
            row.audit_number,
            row.id in fresh,
        )
        for row in rows.values()
        if row.measured_at is not None and row.reason_code not in NEVER
    ]


def _dead_letter_cause(row: Delivery, now: datetime) -> Cause:
    """A body that cannot be read may hold readings that nobody sees: the practice is told."""
    alert = Alert(
        key=f"{DEAD_LETTER}:{row.id}",
        rule=DEAD_LETTER,
        subject=DEAD_LETTER,
        band="amber",
        level="note" if now - row.received_at > OLD else "alert",
        delivery_id=row.id,
        value=row.problem or "",
        unit="",
        comparison="",
        limit_value="",
        detail={"connection_id": str(row.connection_id), "vendor": row.vendor},
        received_at=row.received_at,
        told_from=now,
        route=_DEAD_LETTER_ROUTE,
        escalate_after_minutes=_DEAD_LETTER_ESCALATES_MINUTES,
    )
    return Cause(alert, _DEAD_LETTER_REPEATS)

"""Watch silence: what no reading tells: missed days, a threshold about to be lost, devices.

Owns which of these break a limit. Does not own who is silent (``rpm.store.queries.silence``), by
which day a reading must come (the ledger's progress, kept as readiness) nor what was last heard of
a device (``rpm.store.tables.inventory``).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy.engine import Engine
from sqlmodel import Session, col, select

from devices.alerts.limits import Limit
from devices.alerts.quiet import battery_is_low
from rpm.access import Actor
from rpm.actions.alert_rules import limit_of
from rpm.actions.raise_alerts import Cause, limit_alert, raise_alerts
from rpm.actions.refresh_contacts import refresh_contacts
from rpm.clock import local_day
from rpm.store.claim import claim_row
from rpm.store.engine import reading, transaction, within
from rpm.store.queries.alerts import holding_for, limits_in_force
from rpm.store.queries.looked_at import held_mark
from rpm.store.queries.people import organization_of
from rpm.store.queries.silence import Silent, silent_episodes
from rpm.store.readiness_refresh import refresh
from rpm.store.scope import Scope
from rpm.store.tables.alerts import Alert, AlertLimit, AlertMark
from rpm.store.tables.inventory import DeviceContact
from rpm.store.tables.ledger import ReadinessRow

_SUBJECTS = frozenset({"missed", "threshold", "battery", "heartbeat"})
_HOUR = timedelta(hours=1)
Limits = dict[UUID | None, dict[str, AlertLimit]]
_Told = tuple[str, str, dict[str, Any]] | None
"""What is told of a device: the cause's key, the value, and more; None: the limit is kept."""


@dataclass(frozen=True)
class _Moment:
    """When and where it is looked: the instant, the practice's day and zone."""

    now: datetime
    today: date
    zone: str


def watch_silence(engine: Engine, actor: Actor, now: datetime) -> list[Alert]:
    """The alerts that were opened; nothing is opened twice for one silence, window or contact."""
    engine = within(engine, actor.organization_id)
    scope = Scope.of(actor)
    with reading(engine) as db:
        limits = limits_in_force(db, scope)
    held = {row.content["subject"] for rows in limits.values() for row in rows.values()}
    if not held & _SUBJECTS:
        return []
    if "threshold" in held:
        refresh(engine, scope, now)
    if held & {"battery", "heartbeat"}:
        refresh_contacts(engine, scope)
    with reading(engine) as db:
        causes = list(_causes(db, scope, now, limits))
    if not causes:
        return []
    with transaction(engine) as db:
        mark = {"organization_id": scope.organization_id, "looked_through": 0}
        claim_row(db, AlertMark, mark)
        held_mark(db, scope)  # nobody else raises alerts meanwhile
        return raise_alerts(db, actor, now, causes)


def _causes(db: Session, scope: Scope, now: datetime, limits: Limits) -> Iterator[Cause]:
    zone = organization_of(db, scope).timezone
    moment = _Moment(now, local_day(now, zone), zone)
    with_devices = silent_episodes(db, scope, now, 0)
    contacts = _contacts(db, scope, [one.device_id for one in with_devices])
    for one in with_devices:
        for row in holding_for(limits, one.patient_id):
            contact = contacts.get(one.device_id)
            yield from _of_device(one, contact, row, limit_of(row), moment)
    for line in _due_lines(db, scope, moment.today):
        for row in holding_for(limits, line.patient_id):
            yield from _of_threshold(line, row, limit_of(row), moment)


def _of_device(
    one: Silent, contact: DeviceContact | None, row: AlertLimit, limit: Limit, moment: _Moment
) -> Iterator[Cause]:
    told = _BROKEN[limit.subject](one, contact, limit, moment) if limit.subject in _BROKEN else None
    if told is None:
        return
    key, value, detail = told
    alert = limit_alert(row, key=f"{key}:{row.rule}", value=value, now=moment.now, zone=moment.zone)
    alert.patient_id, alert.episode_id, alert.device_id = (
        one.patient_id,
        one.episode_id,
        one.device_id,
    )
    alert.received_at = contact.heard_at if contact is not None else None
    alert.measured_at = contact.measured_at if contact is not None else None
    alert.detail |= detail
    yield Cause(alert, timedelta(hours=limit.suppress_hours))


def _missed(one: Silent, _contact: DeviceContact | None, limit: Limit, _moment: _Moment) -> _Told:
    if one.silent_days < limit.value:
        return None
    key = f"missed:{one.episode_id}:{one.device_id}:{one.silent_since}"
    return key, str(one.silent_days), {"silent_since": str(one.silent_since)}


def _unheard(one: Silent, contact: DeviceContact | None, limit: Limit, moment: _Moment) -> _Told:
    if contact is None or (hours := (moment.now - contact.heard_at) // _HOUR) < limit.value:
        return None
    return f"heartbeat:{one.device_id}:{contact.heard_at.isoformat()}", str(hours), {}


def _low(one: Silent, contact: DeviceContact | None, limit: Limit, _moment: _Moment) -> _Told:
    if contact is None or contact.battery is None or contact.battery_at is None:
        return None
    if not battery_is_low(limit, contact.battery):
        return None
    return f"battery:{one.device_id}:{contact.battery_at.date()}", contact.battery, {}


_BROKEN = {"missed": _missed, "heartbeat": _unheard, "battery": _low}


def _of_threshold(
    line: ReadinessRow, row: AlertLimit, limit: Limit, moment: _Moment
) -> Iterator[Cause]:
    """Told once for each window and code that is about to be lost."""
    if limit.subject != "threshold" or line.due_day is None:
        return
    days_left = (line.due_day - moment.today).days
    if Decimal(days_left) > limit.value:
        return
    key = f"threshold:{line.episode_id}:{line.ladder}:{line.start_day}:{line.due_code}"
    alert = limit_alert(
        row, key=f"{key}:{row.rule}", value=str(days_left), now=moment.now, zone=moment.zone
    )
    alert.patient_id, alert.episode_id = line.patient_id, line.episode_id
    alert.detail |= {
        "due_day": str(line.due_day),
        "due_code": line.due_code,
        "ladder": line.ladder,
        "measured": line.measured,
        "period_ends": str(line.end_day),
    }
    yield Cause(alert, timedelta(hours=limit.suppress_hours))


def _due_lines(db: Session, scope: Scope, today: date) -> Sequence[ReadinessRow]:
    return db.exec(
        select(ReadinessRow).where(
            col(ReadinessRow.organization_id) == scope.organization_id,
            col(ReadinessRow.due_day) >= today,
        )
    ).all()


def _contacts(db: Session, scope: Scope, device_ids: Sequence[UUID]) -> dict[UUID, DeviceContact]:
    """What was last heard of devices; of several spellings of an id, the latest."""
    wanted = set(device_ids)
    rows = db.exec(
        select(DeviceContact)
        .where(
            col(DeviceContact.organization_id) == scope.organization_id,
            col(DeviceContact.device_id).is_not(None),
        )
        .order_by(col(DeviceContact.heard_at))
    )
    return {row.device_id: row for row in rows if row.device_id in wanted}

"""Raise alerts: what broke a limit becomes rows, once for each cause, repeats marked as such.

Owns an alert's row, when an alert only repeats one that stands, and writing them. Does not own what
breaks a limit (``devices.alerts``) nor who looks (``evaluate_alerts``, ``watch_silence``).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlmodel import Session

from devices.alerts.evaluate import Raised
from devices.alerts.limits import Limit
from devices.alerts.quiet import told_from
from rpm.access import Actor
from rpm.actions.alert_rules import limit_of, telling_of
from rpm.actions.announce import announce
from rpm.ids import uuid7
from rpm.store.chain import recording
from rpm.store.queries.alerts import known_keys, standing_alerts
from rpm.store.scope import Scope
from rpm.store.tables.alerts import Alert, AlertLimit
from rpm.store.tables.monitoring import Reading

COMPARED_AS = {"above": ">", "at_least": ">=", "below": "<", "at_most": "<="}


@dataclass(frozen=True)
class Cause:
    """An alert to be, and for how long after one that stands it is only a repeat."""

    alert: Alert
    suppress: timedelta

    @property
    def subject(self) -> tuple[Any, ...]:
        """Of the same rule and the same one it is about, an alert repeats another."""
        return subject_of(self.alert)


def subject_of(alert: Alert) -> tuple[Any, ...]:
    """What an alert is about: a patient, else a device, else where a delivery came from."""
    return (alert.rule, alert.patient_id, alert.device_id, alert.detail.get("connection_id"))


def raise_alerts(db: Session, actor: Actor, now: datetime, causes: Sequence[Cause]) -> list[Alert]:
    """The new alerts, recorded; causes that opened one before are passed over.

    Call it under a lock that keeps others from raising the same causes.
    """
    scope = Scope.of(actor)
    known = known_keys(db, scope, [cause.alert.key for cause in causes])
    new = [cause for cause in causes if cause.alert.key not in known]
    if not new:
        return []
    rules = {cause.alert.rule for cause in new}
    since = now - max(cause.suppress for cause in new)
    standing = {subject_of(alert): alert for alert in standing_alerts(db, scope, rules, since)}
    alerts: dict[str, Alert] = {}
    for cause in new:
        alert = cause.alert
        alert.id = uuid7(now)
        before = standing.get(cause.subject)
        if alert.level == "alert" and before is not None and _repeats(before, now, cause.suppress):
            alert.level, alert.repeats_id = "repeat", before.id
        elif alert.level == "alert":
            standing[cause.subject] = alert
        alerts.setdefault(alert.key, alert)
    rows = list(alerts.values())
    with recording(db, actor, now, "alert.open") as record:
        record.add_all([row for row in rows if row.level != "repeat"])
        record.flush()  # what repeats one refers to it
        record.add_all([row for row in rows if row.level == "repeat"])
        record.subject["alert_ids"] = [str(row.id) for row in rows]
        opened = [{"alert_id": row.id} for row in rows if row.level == "alert"]
        announce(db, scope, now, record, "alert.opened", opened)
    return rows


def reading_cause(
    raised: Raised[Reading], rule: AlertLimit, now: datetime, practice_zone: str
) -> Cause:
    """The alert of a reading that broke a limit, or the note where it came too late."""
    row, limit = raised.seen.reading, raised.rule.limit
    comparator = raised.comparator
    alert = limit_alert(
        rule,
        key=f"reading:{row.identity_key}:{row.patient_id}:{rule.rule}",
        value=f"{comparator}{format(raised.value.normalize(), 'f')}",
        now=now,
        zone=row.zone or practice_zone,
    )
    alert.level = "note" if raised.is_note else "alert"
    alert.patient_id, alert.episode_id, alert.device_id = (
        row.patient_id,
        row.episode_id,
        row.device_id,
    )
    alert.reading_id = row.id
    alert.measured_at, alert.received_at = row.measured_at, row.received_at
    alert.detail |= {
        "earlier_reading_ids": [str(seen.reading.id) for seen in raised.earlier],
        "time_quality": row.time_quality,
        "counts_for_billing": row.countable,
        "reason_code": row.reason_code,
        "age_hours": max(int(_age(row, raised.seen.recorded_at).total_seconds() // 3600), 0),
    }
    return Cause(alert, timedelta(hours=limit.suppress_hours))


def limit_alert(rule: AlertLimit, *, key: str, value: str, now: datetime, zone: str) -> Alert:
    """An alert of a limit, with the limit as it is; what it is about is the caller's to fill.

    ``zone`` is where quiet hours are reckoned.
    """
    limit = limit_of(rule)
    telling = telling_of(rule)
    return Alert(
        key=key,
        rule=rule.rule,
        subject=limit.subject,
        band=limit.band,
        level="alert",
        limit_id=rule.id,
        value=value,
        unit=limit.unit,
        comparison=COMPARED_AS[limit.comparison],
        limit_value=format(limit.value.normalize(), "f"),
        detail=_described(limit),
        told_from=told_from(limit, _local(now, zone)),
        route=list(telling.route),
        escalate_after_minutes=telling.escalate_after_minutes,
    )


def _described(limit: Limit) -> dict[str, Any]:
    told = {
        "kind": limit.kind,
        "quantity": limit.quantity,
        "measure": limit.measure if limit.subject == "reading" else "",
        "window_hours": limit.window_hours,
        "in_a_row": limit.in_a_row if limit.in_a_row > 1 else None,
    }
    return {name: value for name, value in told.items() if value}


def _local(now: datetime, zone: str) -> datetime:
    """The instant by a zone's clock, or by an offset such as ``-05:00`` that a device told."""
    if zone[:1] in "+-":
        return now.astimezone(datetime.fromisoformat(f"2000-01-01T00:00:00{zone}").tzinfo)
    return now.astimezone(ZoneInfo(zone))


def _repeats(before: Alert, now: datetime, suppress: timedelta) -> bool:
    opened_at = before.recorded_at or now  # None: opened in the same look
    return now - opened_at < suppress


def _age(row: Reading, recorded_at: datetime) -> timedelta:
    return recorded_at - row.measured_at if row.measured_at else timedelta(0)

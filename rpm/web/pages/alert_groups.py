"""Alerts of one patient about the same thing, told together: the latest, and how many more.

Owns the grouping for lists beside other things. Does not own the words (``alert_words``) nor the
page where alerts are answered (``alerts``).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from rpm.store.queries.alerts import AlertState
from rpm.store.tables.alerts import Alert

BANDS = ("red", "amber")
"""The most urgent first; a band of a practice's own comes after these."""


@dataclass(frozen=True)
class AlertGroup:
    """The latest of alerts about the same thing, how many there are, and since when."""

    latest: Alert
    count: int
    since: datetime


def grouped(states: Sequence[AlertState]) -> list[AlertGroup]:
    """Groups of one patient, rule and band each: the most urgent first, then the latest."""
    together: dict[tuple[object, ...], list[Alert]] = {}
    for one in states:
        alert = one.alert
        together.setdefault((alert.patient_id, alert.rule, alert.band), []).append(alert)
    groups = [_group(alerts) for alerts in together.values()]
    groups.sort(key=lambda group: _when(group.latest), reverse=True)
    return sorted(groups, key=lambda group: _urgency(group.latest.band))


def _group(alerts: list[Alert]) -> AlertGroup:
    return AlertGroup(max(alerts, key=_when), len(alerts), min(map(_when, alerts)))


def _when(alert: Alert) -> datetime:
    """When it was measured; for what is not measured, when it was told."""
    return alert.measured_at or alert.told_from


def _urgency(band: str) -> int:
    return BANDS.index(band) if band in BANDS else len(BANDS)

"""Alerts in words: what broke which limit, for lists and charts.

Owns the wording and units as people write them. Does not own what breaks a limit
(``devices.alerts``).
"""

from rpm.store.tables.alerts import Alert

_UNITS = {
    "mm[Hg]": "mmHg",
    "[lb_av]": "lb",
    "Cel": "°C",
    "d": "days",
    "h": "hours",
    "1": "",
}
_SUBJECTS = {
    "missed": "no reading for",
    "threshold": "days left until a code is lost:",
    "battery": "battery at",
    "heartbeat": "nothing heard of the device for",
    "dead_letter": "a delivery could not be read",
    "billed_loss": "a reading behind a billed line was taken back",
    "notifications": "messages to another system do not arrive",
}


def alert_words(alert: Alert) -> str:
    """What happened: ``systolic 191 mmHg``."""
    unit = _UNITS.get(alert.unit, alert.unit)
    amount = f"{alert.value} {unit}".strip()
    if alert.subject == "reading":
        return f"{_quantity(alert.rule)} {amount}"
    return f"{_SUBJECTS.get(alert.subject, alert.subject.replace('_', ' '))} {amount}".strip()


def limit_of_alert(alert: Alert) -> str:
    """The limit as it was: ``limit > 180``; empty for what needs none."""
    if not alert.limit_value:
        return ""
    return f"limit {alert.comparison.replace('_', ' ')} {alert.limit_value}"


def _quantity(rule: str) -> str:
    """The quantity in a rule's name, such as ``bp.systolic.high.red``, and its change if any."""
    parts = rule.split(".")
    name = parts[1] if len(parts) > 1 else rule
    change = parts[2].replace("_", " ") if len(parts) > 2 and parts[2] in _CHANGES else ""
    return f"{name.replace('_', ' ')} {change}".strip()


_CHANGES = frozenset({"rise", "fall", "fall_percent"})

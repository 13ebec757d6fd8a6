"""Alert rules: a stored limit as the value that is evaluated, and whom its alerts are told.

Owns the stored form of a limit. Does not own what a limit means (``devices.alerts``).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import time
from decimal import Decimal
from typing import Any

from devices.alerts.evaluate import Rule
from devices.alerts.limits import Limit
from rpm.store.tables.alerts import AlertLimit


@dataclass(frozen=True)
class Telling:
    """Whom to tell, first to last, and after how many minutes without an answer the next one."""

    route: tuple[str, ...]
    escalate_after_minutes: int


def content_of(limit: Limit, given: tuple[str, str], telling: Telling) -> dict[str, Any]:
    """A limit as stored; ``given`` is value and unit as they were written."""
    return {
        "subject": limit.subject,
        "kind": limit.kind,
        "quantity": limit.quantity,
        "measure": limit.measure,
        "comparison": limit.comparison,
        "band": limit.band,
        "value": format(limit.value, "f"),
        "unit": limit.unit,
        "given_value": given[0],
        "given_unit": given[1],
        "window_hours": limit.window_hours,
        "in_a_row": limit.in_a_row,
        "suppress_hours": limit.suppress_hours,
        "quiet_from": limit.quiet_from.isoformat("minutes") if limit.quiet_from else None,
        "quiet_to": limit.quiet_to.isoformat("minutes") if limit.quiet_to else None,
        "route": list(telling.route),
        "escalate_after_minutes": telling.escalate_after_minutes,
    }


def limit_of(row: AlertLimit) -> Limit:
    """A stored limit as the value that is evaluated."""
    told = row.content
    return Limit(
        subject=told["subject"],
        kind=told["kind"],
        quantity=told["quantity"],
        measure=told["measure"],
        comparison=told["comparison"],
        band=told["band"],
        value=Decimal(told["value"]),
        unit=told["unit"],
        window_hours=told["window_hours"],
        in_a_row=told["in_a_row"],
        suppress_hours=told["suppress_hours"],
        quiet_from=_hour(told["quiet_from"]),
        quiet_to=_hour(told["quiet_to"]),
    )


def telling_of(row: AlertLimit) -> Telling:
    """Whom the alerts of a stored limit are told."""
    return Telling(tuple(row.content["route"]), row.content["escalate_after_minutes"])


def rules_of(rows: Sequence[AlertLimit]) -> list[Rule[AlertLimit]]:
    """Stored limits as the rules that are evaluated; each looks at what is recorded later."""
    return [Rule(row, limit_of(row), row.audit_number) for row in rows]


def _hour(text: str | None) -> time | None:
    return time.fromisoformat(text) if text else None

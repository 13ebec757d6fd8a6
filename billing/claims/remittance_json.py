"""What a payer did with a claim, as JSON values and back: how a store keeps adjustments and lines.

Owns both directions. Does not own the shapes (``remittance``). Empty values are left out; days are
ISO text; an adjustment is a list of group, reason and cents.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from billing.claims.remittance import Adjusted, LinePaid, ProviderAdjustment

Json = dict[str, Any]


def adjustments_to_json(adjustments: Iterable[Adjusted]) -> list[list[Any]]:
    """Adjustments as lists."""
    return [list(one) for one in adjustments]


def json_to_adjustments(content: Iterable[Sequence[Any]]) -> tuple[Adjusted, ...]:
    """What ``adjustments_to_json`` gave."""
    return tuple(Adjusted(*one) for one in content)


def lines_to_json(lines: Iterable[LinePaid]) -> list[Json]:
    """Service lines as objects."""
    return [_line_to_json(line) for line in lines]


def _line_to_json(line: LinePaid) -> Json:
    told: Json = {
        "procedure": line.procedure,
        "modifiers": list(line.modifiers),
        "charge_cents": line.charge_cents,
        "paid_cents": line.paid_cents,
        "units": line.units,
        "from_day": line.from_day and line.from_day.isoformat(),
        "to_day": line.to_day and line.to_day.isoformat(),
        "control_number": line.control_number,
        "allowed_cents": line.allowed_cents,
        "adjustments": adjustments_to_json(line.adjustments),
        "remarks": list(line.remarks),
    }
    return {name: value for name, value in told.items() if value or value == 0}


def json_to_lines(content: Iterable[Mapping[str, Any]]) -> tuple[LinePaid, ...]:
    """What ``lines_to_json`` gave."""
    return tuple(
        LinePaid(
            procedure=one.get("procedure", ""),
            modifiers=tuple(one.get("modifiers", ())),
            charge_cents=one.get("charge_cents"),
            paid_cents=one.get("paid_cents"),
            units=one.get("units", ""),
            from_day=_day(one.get("from_day")),
            to_day=_day(one.get("to_day")),
            control_number=one.get("control_number", ""),
            allowed_cents=one.get("allowed_cents"),
            adjustments=json_to_adjustments(one.get("adjustments", ())),
            remarks=tuple(one.get("remarks", ())),
        )
        for one in content
    )


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)


def provider_adjustments_to_json(adjustments: Iterable[ProviderAdjustment]) -> list[list[Any]]:
    """Provider adjustments as lists of NPI, reason, reference and cents."""
    return [list(one) for one in adjustments]


def json_to_provider_adjustments(
    content: Iterable[Sequence[Any]],
) -> tuple[ProviderAdjustment, ...]:
    """What ``provider_adjustments_to_json`` gave."""
    return tuple(ProviderAdjustment(*one) for one in content)

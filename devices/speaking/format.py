"""Format: what a speaker must tell of a vendor, and what the speakers share.

Owns the shape. Does not own any vendor's words.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from devices.kinds import KINDS
from devices.simulator import Measurement, Sent
from devices.units import convert

Item = dict[str, Any]


@dataclass(frozen=True)
class Format:
    """A vendor's words: the items of one measurement, and the body that holds some items.

    ``items`` gives several where the vendor says a measurement in parts, and none for what its
    devices cannot say, such as a typed-in value. ``heartbeat`` is what a device says when it has
    measured nothing. A body holds at most ``at_most`` items; it is posted as ``content_type``.
    """

    vendor: str
    kinds: frozenset[str]
    items: Callable[[Sent], list[Item]]
    body: Callable[[Sequence[Item], datetime], bytes]
    at_most: int = 1
    heartbeat: Callable[[str, datetime], Item] | None = None
    content_type: str = "application/json"


def json_body(value: Any) -> bytes:
    """JSON as short as it can be."""
    return json.dumps(value, separators=(",", ":")).encode()


def alone(items: Sequence[Item], _posted_at: datetime) -> bytes:
    """The body of a vendor that posts one item at a time."""
    (item,) = items
    return json_body(item)


def texts(measured: Measurement) -> dict[str, str]:
    """The values as measured, by the short names of their quantities."""
    kind, found = KINDS[measured.kind], {}
    for code, text, _ in measured.values:
        quantity = kind.quantity(code)
        if quantity is not None:
            found[quantity.name] = text
    return found


def numbers(measured: Measurement) -> dict[str, int | float]:
    """The values as measured, as JSON numbers by the short names of their quantities."""
    return {
        name: float(text) if "." in text else int(text) for name, text in texts(measured).items()
    }


def grams(measured: Measurement) -> int:
    """A weight in whole grams."""
    ((_, text, unit),) = measured.values
    return int((convert(Decimal(text), unit, "kg") * 1_000).to_integral_value())


def seconds(at: datetime) -> int:
    """An instant in whole epoch seconds."""
    return int(at.timestamp())

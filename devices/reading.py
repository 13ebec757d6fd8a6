"""Reading: one measurement as a parser can know it, and what could not be read.

Owns the canonical fields and the making of a component from a value and a unit as sent. Does not
own whose reading it is, its local day or whether it counts (``counting``).
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal

from devices.kinds import Kind
from devices.units import UnknownUnitError, convert

Comparator = Literal["", "<", ">"]
OffsetOrigin = Literal["device", "vendor", "profile", "patient", "practice", "unknown"]
TimeQuality = Literal["exact", "estimated", "received", "suspect"]
EntryMethod = Literal["device", "manual", "control", "test", "unknown"]
Status = Literal["final", "corrected", "deleted"]
Changes = Literal["announced", "unordered", "ordered"]
"""How a reading's content may change later under the same identity.

``announced``: only by a status that says so; other content is a conflict. ``unordered``: any
content that was not told before is a correction. ``ordered``: any content other than the last is
one, because its source is read in order and tells what holds now.
"""

_NUMBER = re.compile(r"([<>]?)\s*([-+]?\d{1,9}(?:\.\d{1,12})?)", re.ASCII)
_BEYOND: dict[str, Comparator] = {"high": ">", "hi": ">", "low": "<", "lo": "<"}
_COMPARATORS: dict[str, Comparator] = {"<": "<", ">": ">"}
_QUARTER_HOUR_MINUTES = 15
_WIDEST_OFFSET_MINUTES = 14 * 60


class CannotReadError(ValueError):
    """Part of an item that cannot be read: a reason code and a sentence that names no value."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message


@dataclass(frozen=True)
class Component:
    """One number: kept in ``ucum``, with value and unit as sent; ``comparator`` bounds it."""

    loinc: str
    value: Decimal
    ucum: str
    original_value: str
    original_unit: str
    comparator: Comparator = ""


@dataclass(frozen=True)
class Reading:
    """One measurement. ``vendor_time`` is the time exactly as sent, ``measured_at`` aware UTC.

    ``offset_minutes`` is known only where the sender gave an offset from UTC; ``offset_origin``
    tells whose it is. ``replaces`` is the sender's id of the reading this one corrects. A part is
    one of several posts of a physical reading, all under its ``vendor_reading_id`` (``parts``).
    """

    device_id: str
    kind: str
    components: tuple[Component, ...]
    measured_at: datetime | None
    vendor_time: str
    vendor_reading_id: str | None = None
    patient_ref: str | None = None
    offset_minutes: int | None = None
    offset_origin: OffsetOrigin = "unknown"
    time_quality: TimeQuality = "exact"
    entry_method: EntryMethod = "unknown"
    status: Status = "final"
    replaces: str | None = None
    flags: tuple[str, ...] = ()
    is_part: bool = False
    changes: Changes = "announced"

    def __post_init__(self) -> None:
        if self.measured_at is not None and self.measured_at.utcoffset() is None:
            raise ValueError("measured_at has no zone")


@dataclass(frozen=True)
class RejectedReading:
    """An item that cannot be read: a reason code, where it lies, a sentence that names no value.

    Reason codes: ``shape`` (fields missing, unknown or of another type), ``kind``, ``code``,
    ``value``, ``unit``, ``time``.
    """

    reason: str
    where: str
    message: str
    vendor_reading_id: str | None = None


def valid_offset(minutes: int) -> bool:
    """Whether an offset from UTC is one that exists: quarter hours, -14 h to +14 h."""
    return abs(minutes) <= _WIDEST_OFFSET_MINUTES and minutes % _QUARTER_HOUR_MINUTES == 0


def component(kind: Kind, code: str, value: str, unit: str) -> Component:
    """A component of ``kind`` from a code (LOINC or short name), value text and unit as sent.

    ``<40``, ``>400`` and the glucose meter words High, Low, HI, LO make a bounded value; a word
    stands for the end of the range in which such meters show numbers. CannotReadError with reason
    ``code``, ``value`` or ``unit``.
    """
    quantity = kind.quantity(code)
    if quantity is None:
        raise CannotReadError("code", "no quantity of this kind goes by this code")
    text = value.strip()
    beyond = _BEYOND.get(text.lower())
    if beyond is not None and quantity.name == "glucose":
        limit = quantity.flag[1] if beyond == ">" else quantity.flag[0]
        return Component(quantity.code, limit, quantity.ucum, value, unit, beyond)
    match = _NUMBER.fullmatch(text)
    if match is None:
        raise CannotReadError("value", "not a decimal number")
    try:
        converted = convert(Decimal(match[2]), unit, quantity.ucum)
    except UnknownUnitError as error:
        raise CannotReadError("unit", str(error)) from None
    return Component(
        quantity.code, converted, quantity.ucum, value, unit, _COMPARATORS.get(match[1], "")
    )


def missing_quantities(kind: Kind, components: Iterable[Component]) -> tuple[str, ...]:
    """Short names of the quantities that a whole reading of this kind has and this one lacks.

    CannotReadError with reason ``code`` when a quantity stands twice or none of them is there.
    """
    codes = [part.loinc for part in components]
    if len(set(codes)) != len(codes):
        raise CannotReadError("code", "a quantity is given twice")
    required = [quantity for quantity in kind.quantities if quantity.required]
    missing = tuple(quantity.name for quantity in required if quantity.code not in codes)
    if required and len(missing) == len(required):
        raise CannotReadError("code", "no quantity of this kind is given")
    return missing

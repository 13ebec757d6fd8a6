"""Limit: one rule of a practice or of one of its patients.

Owns the words a limit may hold, its slot (what a later limit takes the place of), its units and
what is wrong with one. Holds no number of its own.
"""

from dataclasses import dataclass, replace
from datetime import time
from decimal import Decimal
from typing import Literal

from devices.kinds import KINDS, Quantity
from devices.units import UnknownUnitError, convert

Subject = Literal["reading", "missed", "threshold", "battery", "heartbeat"]
Measure = Literal["value", "rise", "fall", "fall_percent"]
Comparison = Literal["above", "at_least", "below", "at_most"]
Band = Literal["amber", "red"]

SUBJECTS: tuple[Subject, ...] = ("reading", "missed", "threshold", "battery", "heartbeat")
"""A measured value; days without a reading; a billing threshold about to be lost; a device."""
MEASURES: tuple[Measure, ...] = ("value", "rise", "fall", "fall_percent")
"""The value itself, or how far it is above or below an earlier one within the window."""
COMPARISONS: tuple[Comparison, ...] = ("above", "at_least", "below", "at_most")
BANDS: tuple[Band, ...] = ("amber", "red")
UNITS = {
    "missed": ("d",),
    "threshold": ("d",),
    "heartbeat": ("h",),
    "battery": ("%", "mV", "1"),
}
"""Units of limits on other things than readings; a battery's is the one its sender writes."""
COMPARED: dict[str, Comparison] = {
    "missed": "at_least",
    "threshold": "at_most",
    "heartbeat": "at_least",
    "battery": "at_most",
}
"""How what is no reading is compared; a limit cannot say otherwise."""
PERCENT = "%"
_HIGH = frozenset({"above", "at_least"})


@dataclass(frozen=True)
class Limit:
    """A rule; ``value`` is in the unit that the quantity is kept in.

    ``window_hours`` bounds a change and a run of ``in_a_row`` readings. ``suppress_hours``: while
    an alert of this rule stands open, another one within so many hours is a repeat.
    ``quiet_from`` to ``quiet_to`` (may pass midnight): local hours in which nobody is told yet.
    """

    subject: Subject
    band: Band
    value: Decimal
    unit: str
    kind: str = ""
    quantity: str = ""
    measure: Measure = "value"
    comparison: Comparison = "at_least"
    window_hours: int | None = None
    in_a_row: int = 1
    suppress_hours: int = 24
    quiet_from: time | None = None
    quiet_to: time | None = None

    @property
    def is_high(self) -> bool:
        """Whether what is too much is told, not what is too little."""
        return self.comparison in _HIGH

    @property
    def code(self) -> str:
        """LOINC code of the quantity that is looked at; empty where it is no reading."""
        quantity = quantity_of(self.kind, self.quantity)
        return quantity.code if quantity else ""

    @property
    def slot(self) -> str:
        """What makes a later limit take this one's place, such as ``bp.systolic.high.red``.

        Changes over another window are another rule; what is only compared is not.
        """
        if self.subject != "reading":
            return f"{self.subject}.{self.band}"
        direction = "high" if self.is_high else "low"
        if self.measure == "value":
            return f"{self.kind}.{self.quantity}.{direction}.{self.band}"
        return f"{self.kind}.{self.quantity}.{self.measure}.{self.window_hours}h.{self.band}"


def quantity_of(kind: str, name: str) -> Quantity | None:
    """The quantity of a kind of reading; None when there is no such kind or quantity."""
    known = KINDS.get(kind)
    return known.quantity(name) if known else None


def _usual_kind(quantity: Quantity) -> str:
    """The kind that a quantity is the main number of: a pulse is one whatever device told it."""
    holding = [kind for kind in KINDS.values() if kind.quantity(quantity.code)]
    main = [kind for kind in holding if (one := kind.quantity(quantity.code)) and one.required]
    return (main or holding)[0].name


def kept_value(limit: Limit) -> Limit:
    """The limit in the unit that readings are kept in, under the usual name of its quantity.

    ``ValueError`` (a sentence without the value) when the unit is not one of this quantity.
    """
    if limit.subject != "reading":
        if limit.unit not in UNITS[limit.subject]:
            raise ValueError(f"the unit must be one of {', '.join(UNITS[limit.subject])}")
        return replace(limit, comparison=COMPARED[limit.subject], kind="", quantity="")
    quantity = quantity_of(limit.kind, limit.quantity)
    if quantity is None:
        raise ValueError("there is no such quantity of this kind of reading")
    named = replace(limit, kind=_usual_kind(quantity), quantity=quantity.name)
    if limit.measure == "fall_percent":
        if limit.unit != PERCENT:
            raise ValueError("a fall in percent has the unit %")
        return named
    try:
        value = _converted(limit, quantity)
    except UnknownUnitError as error:
        raise ValueError(str(error)) from None
    return replace(named, value=value, unit=quantity.ucum)


def _converted(limit: Limit, quantity: Quantity) -> Decimal:
    value = convert(limit.value, limit.unit, quantity.ucum)
    if limit.measure == "value":
        return value
    # a difference has no zero point: 1 degF more is 5/9 Cel more
    return value - convert(Decimal(0), limit.unit, quantity.ucum)


def limit_problem(limit: Limit) -> str | None:
    """What is wrong with a limit in kept units, as a sentence without its value; None if nothing.

    A value that no reading can have would never alert, or always, and is refused.
    """
    if (limit.quiet_from is None) != (limit.quiet_to is None):
        return "quiet hours need a beginning and an end"
    if limit.subject != "reading":
        return None if limit.value >= 0 else "it cannot be below zero"
    changes = limit.measure != "value"
    if changes and (limit.window_hours is None or not limit.is_high or limit.in_a_row > 1):
        return "a change needs a window, 'above' or 'at_least', and no run"
    if changes:
        return None if limit.value > 0 else "a change is above zero"
    quantity = quantity_of(limit.kind, limit.quantity)
    if quantity is None or not quantity.refuse[0] <= limit.value <= quantity.refuse[1]:
        return "no reading that is believed lies beyond it"
    return None

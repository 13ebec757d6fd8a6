"""Units: spellings senders use, and exact conversion into the one unit we keep per quantity.

Owns the conversion table (decimal, rounded once). Does not own which unit a quantity is kept in
(``kinds``).
"""

import re
from decimal import ROUND_HALF_EVEN, Context, Decimal

_CONTEXT = Context(prec=28, rounding=ROUND_HALF_EVEN)
_ANNOTATION = re.compile(r"\{[^{}]*\}")
"""UCUM section 6: what stands in braces says nothing of the unit."""

_SPELLINGS = {
    "mmHg": "mm[Hg]",
    "lb": "[lb_av]",
    "lbs": "[lb_av]",
    "F": "[degF]",
    "°F": "[degF]",
    "C": "Cel",
    "°C": "Cel",
    "bpm": "/min",
    "beats/min": "/min",
    "1/min": "/min",
    "breaths/min": "/min",
    "mg/dl": "mg/dL",
    "mmol/l": "mmol/L",
    "percent": "%",
    "l/min": "L/min",
    "l": "L",
    "steps": "1",
    "hours": "h",
    "minutes": "min",
}

_CONVERSIONS = {
    ("[lb_av]", "kg"): (Decimal(0), Decimal("0.45359237"), Decimal(1)),
    ("g", "kg"): (Decimal(0), Decimal("0.001"), Decimal(1)),
    ("[degF]", "Cel"): (Decimal(-32), Decimal(5), Decimal(9)),
    ("kPa", "mm[Hg]"): (Decimal(0), Decimal("7.500617"), Decimal(1)),
    ("Pa", "mm[Hg]"): (Decimal(0), Decimal("7.500617"), Decimal(1000)),
    # Tidepool's factor; 18.0182 and 18 are also in use and stay within 0.1 percent of it.
    ("mmol/L", "mg/dL"): (Decimal(0), Decimal("18.01559"), Decimal(1)),
    ("L/s", "L/min"): (Decimal(0), Decimal(60), Decimal(1)),
    ("min", "h"): (Decimal(0), Decimal(1), Decimal(60)),
}
"""(from, to): (shift, factor, divisor); the result is (value + shift) * factor / divisor."""


class UnknownUnitError(ValueError):
    """A unit that is not known for this quantity; its text names no value."""


def ucum(unit: str) -> str:
    """The UCUM code of a unit as senders spell it; the text itself if it has no other spelling."""
    text = unit.strip()
    if "{" in text:
        text = _ANNOTATION.sub("", text) or "1"
    return _SPELLINGS.get(text, text)


def convert(value: Decimal, from_unit: str, to_ucum: str) -> Decimal:
    """``value`` in the unit ``to_ucum``: unchanged if it is in it already, else rounded once.

    The result is exact wherever 28 digits hold it (all but thirds and ninths). UnknownUnitError
    when the pair is not in the table.
    """
    source = ucum(from_unit)
    if source == to_ucum:
        return value
    if (source, to_ucum) not in _CONVERSIONS:
        raise UnknownUnitError(f"unit cannot be converted to {to_ucum}")
    shift, factor, divisor = _CONVERSIONS[source, to_ucum]
    product = _CONTEXT.multiply(_CONTEXT.add(value, shift), factor)
    return product if divisor == 1 else _CONTEXT.divide(product, divisor)

"""Money as whole cents: the one rounding function, and text at the file edge.

Owns conversion between decimal text and cents. Does not own amounts: those are rule data.
"""

import re
from decimal import ROUND_HALF_UP, Decimal

Cents = int

_AMOUNT = re.compile(r"-?\d+(\.\d{1,2})?")


def round_to_cents(dollars: Decimal) -> Cents:
    """Whole cents nearest to an amount in dollars, halves away from zero."""
    return int((dollars * 100).quantize(Decimal(1), rounding=ROUND_HALF_UP))


def cents_to_text(cents: Cents) -> str:
    """``1234`` as ``12.34``: no separators and no currency sign, as claim files want it."""
    sign = "-" if cents < 0 else ""
    return f"{sign}{abs(cents) // 100}.{abs(cents) % 100:02d}"


def text_to_cents(text: str) -> Cents:
    """``12.3`` as ``1230``; ValueError for anything but digits with at most two decimals."""
    if not _AMOUNT.fullmatch(text):
        raise ValueError(f"not an amount in dollars and cents: {text!r}")
    return round_to_cents(Decimal(text))

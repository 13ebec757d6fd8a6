"""A figure: two whole numbers, the claims behind them, and the value they give.

Owns the division and its one rounding (half up, one decimal; cents whole). Does not own what is
counted.
"""

from bisect import bisect_right
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from billing.claims.figures.definitions import DEFINITIONS, Definition, Unit

ClaimId = Hashable
_STEP = {Unit.PERCENT: Decimal("0.1"), Unit.DAYS: Decimal("0.1"), Unit.CENTS: Decimal(1)}


@dataclass(frozen=True)
class Span:
    """Days from the first to the last, both included."""

    first: date
    last: date

    def holds(self, day: date | None) -> bool:
        """Whether a day lies in it; a day that is not known does not."""
        return day is not None and self.first <= day <= self.last


def place_of(day: date | None, spans: Sequence[Span]) -> int | None:
    """Which of some spans, in order and without overlap, holds a day; None for none of them."""
    if day is None:
        return None
    place = bisect_right(spans, day, key=lambda one: one.first) - 1
    return place if place >= 0 and day <= spans[place].last else None


@dataclass(frozen=True)
class Figure:
    """Numerator and denominator; ``claims`` are those of the numerator, ``of`` of both."""

    key: str
    numerator: int
    denominator: int
    claims: tuple[ClaimId, ...] = ()
    of: tuple[ClaimId, ...] = ()

    @property
    def definition(self) -> Definition:
        """What it is."""
        return DEFINITIONS[self.key]

    @property
    def value(self) -> Decimal | None:
        """Percent, days or cents; None where there is nothing to be measured against."""
        if self.denominator <= 0:
            return None
        unit = self.definition.unit
        times = 100 if unit is Unit.PERCENT else 1
        found = Decimal(self.numerator * times) / Decimal(self.denominator)
        return found.quantize(_STEP[unit], rounding=ROUND_HALF_UP)


@dataclass(frozen=True)
class Group:
    """A figure of the claims that share a payer, a code or a reason."""

    name: str
    figure: Figure
    cents: int = 0  # refused, where that is what is counted


def share(key: str, counted: list[ClaimId], of: list[ClaimId]) -> Figure:
    """How many of how many claims."""
    return Figure(key, len(counted), len(of), tuple(counted), tuple(of))

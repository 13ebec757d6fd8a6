"""What the practice asks for a service: its own schedule of charges, by code, modifier and day.

Owns looking a charge up. Does not own what payers pay (``billing.rules.fees``). A charge that is
not in the schedule is None, never zero and never taken from a payer's schedule.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from billing.money import Cents


@dataclass(frozen=True)
class Charge:
    """The price of one unit of a code, for one modifier or none, from a day on."""

    procedure: str
    cents: Cents
    from_day: date
    to_day: date | None = None
    modifier: str = ""


class ChargeSchedule:
    """The practice's charges; where several fit, the one with a modifier and then the newest."""

    def __init__(self, charges: Iterable[Charge]) -> None:
        self._by_code: dict[str, list[Charge]] = {}
        for charge in charges:
            self._by_code.setdefault(charge.procedure, []).append(charge)
        for found in self._by_code.values():
            found.sort(key=lambda one: (bool(one.modifier), one.from_day))

    def cents(
        self, procedure: str, modifiers: tuple[str, ...], units: int, service_day: date
    ) -> Cents | None:
        """Cents for all units of a code on a day; None when the schedule has no price."""
        fitting = [
            one
            for one in self._by_code.get(procedure, ())
            if (not one.modifier or one.modifier in modifiers)
            and one.from_day <= service_day
            and (one.to_day is None or service_day <= one.to_day)
        ]
        return fitting[-1].cents * units if fitting else None

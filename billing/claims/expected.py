"""What a payer's own schedule allows for a claim, where the practice loaded one that says so.

Owns when an amount may be expected. Does not own the schedules (``billing.rules.fees``). Only
Medicare's fee schedule can be loaded, so only claims to Medicare have an expected amount, and only
by the factors of the practice's locality: national amounts are estimates. A claim has one only if
each of its lines has. What other professions than physicians are paid is another share of the
schedule, which the record does not tell, so their claims have none.
"""

from billing.claims.claim import Claim, ServiceLine
from billing.days import day_number
from billing.money import Cents
from billing.rules.fees import FACILITY_PLACES, FeeSchedules

MEDICARE = "MEDICARE_B"
_PHYSICIANS = "20"
"""How the taxonomy codes of physicians begin."""
_SAME_AMOUNT = frozenset({"25", "93", "95", "GQ", "GT"})
"""Modifiers that leave the amount as it is; with any other one it is not known."""


def expected_cents(claim: Claim, payer_key: str, fees: FeeSchedules) -> Cents | None:
    """Cents allowed for all lines of a claim together; None where it is not known."""
    if payer_key != MEDICARE or claim.coverage.rank != "P" or claim.rendering is None:
        return None
    if not claim.rendering.taxonomy.startswith(_PHYSICIANS):
        return None
    amounts = [_line_cents(claim, line, fees) for line in claim.lines]
    if not amounts or None in amounts:
        return None
    return sum(amount for amount in amounts if amount is not None)


def _line_cents(claim: Claim, line: ServiceLine, fees: FeeSchedules) -> Cents | None:
    place = line.place or claim.place
    if not _SAME_AMOUNT.issuperset(line.modifiers) or not place.isdecimal():
        return None
    facility = int(place) in FACILITY_PLACES
    entry = fees.amount(line.procedure, day_number(line.to_day), place=int(place))
    if entry is None or entry.source.note != f"locality {fees.locality}":
        return None
    cents = entry.facility_cents if facility else entry.cents
    return None if cents is None else cents * line.units

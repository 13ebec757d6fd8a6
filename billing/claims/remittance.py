"""A remittance as values: a payment, the claims it is for, and what was taken off or added.

Owns the shapes and the balance. Does not own the file they are read from (``x12.remit835``), nor
which claim of ours is meant. Money is whole cents; an amount that could not be read is None and
never zero. What a file leaves out is empty.

The shapes are tuples with names, not data classes: a file holds tens of thousands of them.
"""

from collections.abc import Iterable
from datetime import date
from typing import NamedTuple

from billing.finding import Finding
from billing.money import Cents

REVERSAL = "22"
"""The status of a claim (CLP02) whose earlier payment is taken back."""
DENIED = "4"
PATIENT_RESPONSIBILITY = "PR"
GROUPS = ("CO", "OA", "PI", "PR")
"""Adjustment groups of the guide (CAS01)."""


class Adjusted(NamedTuple):
    """Why less was paid than charged: group and reason as bare codes, and the cents."""

    group: str
    reason: str
    cents: Cents | None


class LinePaid(NamedTuple):
    """What was done with one service line."""

    procedure: str
    modifiers: tuple[str, ...]
    charge_cents: Cents | None
    paid_cents: Cents | None
    units: str
    from_day: date | None
    to_day: date | None
    control_number: str  # REF*6R, as the claim gave it
    allowed_cents: Cents | None
    adjustments: tuple[Adjusted, ...]
    remarks: tuple[str, ...]


class ClaimPaid(NamedTuple):
    """What was done with one claim.

    ``key`` is the same wherever the same payment tells the same of the same claim, and nowhere
    else. ``sound`` is False where an amount cannot be read or the file ends inside the claim: such
    a claim is shown and not posted.
    """

    ordinal: int  # in its remittance, from 1
    key: str
    sound: bool
    control_number: str
    status: str
    charge_cents: Cents | None
    paid_cents: Cents | None
    patient_cents: Cents
    payer_claim_number: str
    filing_code: str
    frequency: str
    patient_last: str
    patient_first: str
    patient_id: str
    from_day: date | None
    adjustments: tuple[Adjusted, ...]
    remarks: tuple[str, ...]
    lines: tuple[LinePaid, ...]

    @property
    def is_reversal(self) -> bool:
        """Whether it takes an earlier payment back."""
        return self.status == REVERSAL


class ProviderAdjustment(NamedTuple):
    """Money outside of claims (PLB); a positive amount was taken off the payment."""

    npi: str
    reason: str
    reference: str
    cents: Cents | None


class Remittance(NamedTuple):
    """One payment. ``key`` is the same for every telling of the same payment."""

    ordinal: int  # of the set in its file, from 1
    key: str
    payer_name: str
    payer_id: str
    payee_npi: str
    trace_number: str
    payment_day: date | None
    method: str
    paid_cents: Cents | None
    claims: tuple[ClaimPaid, ...]
    provider_adjustments: tuple[ProviderAdjustment, ...]
    is_whole: bool  # its trailer was seen
    findings: tuple[Finding, ...]


class Balance(NamedTuple):
    """The equation of a payment: paid = claims - adjusted + difference."""

    paid_cents: Cents
    claims_cents: Cents
    adjusted_cents: Cents  # taken off by provider adjustments
    difference_cents: Cents  # 0: every cent is explained

    @property
    def holds(self) -> bool:
        """Whether every cent is explained."""
        return self.difference_cents == 0


def balance_of(remittance: Remittance) -> Balance:
    """The equation of a remittance; an amount that cannot be read leaves its difference open."""
    paid = remittance.paid_cents or 0
    claims = known_cents(claim.paid_cents for claim in remittance.claims)
    adjusted = known_cents(one.cents for one in remittance.provider_adjustments)
    return Balance(paid, claims, adjusted, paid - claims + adjusted)


def known_cents(amounts: Iterable[Cents | None]) -> Cents:
    """The sum of the amounts that could be read."""
    return sum(amount for amount in amounts if amount is not None)


def all_adjustments(claim: ClaimPaid) -> tuple[Adjusted, ...]:
    """Adjustments of the claim and of its lines."""
    return claim.adjustments + tuple(one for line in claim.lines for one in line.adjustments)


def claim_difference(claim: ClaimPaid) -> Cents | None:
    """Charge less paid less adjustments: 0 when the claim is explained, None when not readable."""
    amounts = [one.cents for one in all_adjustments(claim)]
    if claim.charge_cents is None or claim.paid_cents is None or None in amounts:
        return None
    return claim.charge_cents - claim.paid_cents - known_cents(amounts)

"""A patient's statement: what was charged, what payers did with it, and what the patient owes.

Owns its shape and its sums. Does not own where the amounts come from (remittances and payments) nor
its look (``rpm.documents.statement``). What a payer has not answered yet is unknown, not zero.
"""

from dataclasses import dataclass
from datetime import date

from billing.claims.claim import Address, Name
from billing.money import Cents


@dataclass(frozen=True)
class StatementLine:
    """One claim of the patient; the three amounts of a claim without an answer are None."""

    from_day: date
    to_day: date
    control_number: str
    payer_name: str
    procedures: tuple[str, ...]
    charge_cents: Cents
    payer_cents: Cents | None
    adjusted_cents: Cents | None  # taken off the charge, nobody's debt
    patient_cents: Cents | None


@dataclass(frozen=True)
class StatementPayment:
    """Money of the patient; a refund is negative."""

    on_day: date
    method: str
    cents: Cents


@dataclass(frozen=True)
class Statement:
    """What one patient is told."""

    practice: Name
    practice_address: Address | None
    practice_phone: str
    patient: Name
    patient_address: Address | None
    record_number: str
    made_day: date
    lines: tuple[StatementLine, ...]
    payments: tuple[StatementPayment, ...]

    @property
    def patient_cents(self) -> Cents:
        """The patient's share of everything that was answered."""
        return sum(line.patient_cents or 0 for line in self.lines)

    @property
    def paid_cents(self) -> Cents:
        """What the patient paid, less refunds."""
        return sum(payment.cents for payment in self.payments)

    @property
    def balance_cents(self) -> Cents:
        """What the patient owes; negative where the practice owes."""
        return self.patient_cents - self.paid_cents

    @property
    def waiting(self) -> int:
        """Claims that the payer has not answered."""
        return sum(line.patient_cents is None for line in self.lines)

"""What a patient owes, and what a payer may want back: from answers and payments alone.

Owns both sums. Does not own the answers (``remittance``) nor payments as rows. Nothing is written
off here: what a payer denied is neither the patient's debt nor gone.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import NamedTuple

from billing.claims.remittance import REVERSAL
from billing.money import Cents

_RANKS = {"1": 1, "4": 1, "19": 1, "2": 2, "20": 2, "3": 3, "21": 3}
"""The place of a payer in the order of payers, by how it answered (CLP02)."""


class Answer(NamedTuple):
    """What one payer did with a claim; a reversal carries negative cents."""

    payer: str
    status: str
    paid_cents: Cents
    patient_cents: Cents
    on_day: date | None
    adjusted_cents: Cents = 0  # taken off the charge, nobody's debt


class ClaimBalance(NamedTuple):
    """One claim: what payers paid, what is the patient's share, and what the patient paid."""

    payer_cents: Cents
    patient_cents: Cents
    received_cents: Cents

    @property
    def due_cents(self) -> Cents:
        """What the patient still owes; negative where money is to go back."""
        return self.patient_cents - self.received_cents


def claim_balance(answers: Sequence[Answer], received_cents: Cents) -> ClaimBalance:
    """The balance of a claim.

    The share is what the last payer in order left over: a second payer's answer takes the place of
    the first one's.
    """
    paid = sum(one.paid_cents for one in answers)
    return ClaimBalance(paid, patient_share(answers), received_cents)


def patient_share(answers: Iterable[Answer]) -> Cents:
    """The patient's share of a claim, in any order of its answers."""
    by_payer: dict[str, list[Answer]] = defaultdict(list)
    for one in answers:
        by_payer[one.payer].append(one)
    standing = [some for some in by_payer.values() if _stands(some)]
    if not standing:
        return 0
    last = max(standing, key=lambda some: (max(map(_rank, some)), min(some, key=repr).payer))
    return sum(one.patient_cents for one in last)


def _stands(answers: Iterable[Answer]) -> bool:
    return sum(-1 if one.status == REVERSAL else 1 for one in answers) > 0


def _rank(answer: Answer) -> int:
    return _RANKS.get(answer.status, 0)


class Overpayment(NamedTuple):
    """Money that a payer took back or may want back, and the day by which it is to be settled."""

    cents: Cents
    identified_on: date | None
    due_on: date | None


def overpayment(answers: Sequence[Answer], days: int) -> Overpayment | None:
    """What a reversal after payment opens; None where nothing was taken back for good.

    ``days`` is the practice's setting, counted from the day the first reversal names. A correction
    that pays the same again leaves nothing open.
    """
    by_payer: dict[str, list[Answer]] = defaultdict(list)
    for one in answers:
        by_payer[one.payer].append(one)
    open_cents = sum(max(0, _taken_for_good(some)) for some in by_payer.values())
    if open_cents == 0:
        return None
    told = [one.on_day for one in answers if one.status == REVERSAL and one.on_day is not None]
    identified = min(told) if told else None
    due = identified + timedelta(days=days) if identified else None
    return Overpayment(open_cents, identified, due)


def _taken_for_good(answers: Iterable[Answer]) -> Cents:
    """Cents that one payer took back and did not pay again; negative where it pays more now."""
    taken = again = 0
    for one in answers:
        if one.status == REVERSAL:
            taken -= one.paid_cents
        else:
            again += one.paid_cents
    again -= taken  # the first payment is what the reversal takes back
    return min(taken, taken - again)

"""What the rehearsal's payer does with each claim: a made-up verdict, the same for the same seed.

Owns shares, reasons and amounts. They are plausible and nothing more: no payer's rule stands behind
them. Does not own the files (``claims_acknowledged``, ``remitted``).
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from billing.claims.claim import ORIGINAL, VOID, Adjustment, Claim, ServiceLine
from billing.money import Cents

DENIED_SHARE, REJECTED_SHARE = 0.12, 0.03
_ALLOWED_PERCENT, _COINSURANCE_PERCENT, _SEQUESTRATION_PERCENT = 62, 20, 2
_SOME = 5
_MEDICARE = "MB"
_REASONS: Sequence[tuple[str, tuple[str, ...]]] = (
    ("16", ("M76",)),
    ("197", ()),
    ("97", ("M15",)),
    ("50", ("N115",)),
)
"""Reasons (CARC) of denials with their remarks (RARC), in turn."""
REJECTED_STATUS = ("A7", "562")
"""Category and status of the rejection."""


@dataclass(frozen=True)
class LineVerdict:
    """What becomes of a line: charge = paid + adjustments, to the cent."""

    line: ServiceLine
    paid_cents: Cents
    adjustments: tuple[Adjustment, ...]
    remarks: tuple[str, ...] = ()

    @property
    def patient_cents(self) -> Cents:
        """What the patient owes of it."""
        return sum(one.cents for one in self.adjustments if one.group == "PR")


@dataclass(frozen=True)
class Verdict:
    """What becomes of a claim. ``sign`` is -1 where an earlier verdict is taken back."""

    claim: Claim
    payer_number: str
    lines: tuple[LineVerdict, ...]
    rejected: bool = False
    sign: int = 1

    @property
    def paid_cents(self) -> Cents:
        """The sum over the lines, with the sign."""
        return self.sign * sum(one.paid_cents for one in self.lines)

    @property
    def patient_cents(self) -> Cents:
        """What the patient owes of it, with the sign."""
        return self.sign * sum(one.patient_cents for one in self.lines)

    @property
    def status(self) -> str:
        """CLP02: reversal, denied, paid."""
        if self.sign < 0:
            return "22"
        return "4" if all(one.paid_cents == one.patient_cents == 0 for one in self.lines) else "1"


@dataclass
class Payer:
    """A payer that remembers: a claim it denied or rejected once is paid when it comes again."""

    seed: str
    known: dict[str, Verdict] = field(default_factory=dict)
    """The last verdict on each patient control number."""

    def verdicts(self, claims: Iterable[Claim]) -> list[Verdict]:
        """A verdict on each claim, in their order; a void takes back what was paid."""
        all_of_them = list(claims)
        first = [
            one
            for one in all_of_them
            if one.frequency == ORIGINAL and one.control_number not in self.known
        ]
        ranked = sorted(first, key=lambda one: self._drawn(one.control_number))
        # enough to rehearse with, also of few claims
        rejected = max(round(len(ranked) * REJECTED_SHARE), 1 if len(ranked) >= _SOME else 0)
        denied = max(round(len(ranked) * DENIED_SHARE), min(2, len(ranked) // 2))
        fate = {
            one.control_number: "rejected" if place < rejected else "denied"
            for place, one in enumerate(ranked[: rejected + denied])
        }
        turns = {
            one.control_number: place - rejected
            for place, one in enumerate(ranked[: rejected + denied])
        }
        found: list[Verdict] = []
        for claim in all_of_them:
            number = claim.control_number
            found.extend(self._judged(claim, fate.pop(number, "paid"), turns.get(number, 0)))
        return found

    def take_back(self, control_number: str) -> Verdict:
        """The reversal of what was paid; KeyError for a claim that is not known."""
        before = self.known[control_number]
        return Verdict(before.claim, before.payer_number, before.lines, sign=-1)

    def _judged(self, claim: Claim, fate: str, turn: int) -> list[Verdict]:
        number = claim.control_number
        before = self.known.get(number)
        if claim.frequency == VOID:
            return [self.take_back(number)] if before is not None else []
        lines = tuple(
            _denied(one, turn) if fate == "denied" else _paid(one, claim) for one in claim.lines
        )
        verdict = Verdict(claim, self._payer_number(claim), lines, rejected=fate == "rejected")
        found = [verdict]
        if before is not None and before.paid_cents and not before.rejected:
            found.insert(0, self.take_back(number))
        self.known[number] = verdict
        return found

    def _drawn(self, text: str) -> str:
        return hashlib.sha256(f"{self.seed} {text}".encode()).hexdigest()

    def _payer_number(self, claim: Claim) -> str:
        return (
            f"26{int(self._drawn(claim.control_number + claim.frequency)[:13], 16) % 10**13:013d}"
        )


def _denied(line: ServiceLine, turn: int) -> LineVerdict:
    reason, remarks = _REASONS[turn % len(_REASONS)]
    return LineVerdict(line, 0, (Adjustment("CO", reason, line.charge_cents),), remarks)


def _paid(line: ServiceLine, claim: Claim) -> LineVerdict:
    allowed = _percent(line.charge_cents, _ALLOWED_PERCENT)
    patient = _percent(allowed, _COINSURANCE_PERCENT)
    paid = allowed - patient
    withheld = (
        _percent(paid, _SEQUESTRATION_PERCENT) if claim.coverage.filing_code == _MEDICARE else 0
    )
    told = (
        Adjustment("CO", "45", line.charge_cents - allowed),
        Adjustment("CO", "253", withheld),
        Adjustment("PR", "2", patient),
    )
    return LineVerdict(line, paid - withheld, tuple(one for one in told if one.cents))


def _percent(cents: Cents, percent: int) -> Cents:
    return (cents * percent + 50) // 100

"""Denied, underpaid and rejected claims as work: why, how much, until when, and what usually helps.

Owns the derivation from a claim's standing and its answers. Does not own the status
(``lifecycle``), the groups of reasons (``denial_reasons``) nor what a person does about it. Work is
never stored: it follows from the answers. What is not recorded, such as a payer's days for an
appeal, stays unknown. Money is whole cents.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from billing.claims.denial_reasons import ReasonGroup, likely_edits, shipped_groups
from billing.claims.lifecycle import Standing, Status
from billing.coding.catalog import Edit
from billing.coding.rules_read import shipped_coding_rules
from billing.money import Cents

SEQUESTRATION = "253"
"""The reason of what Medicare keeps back by law: it counts as received."""
_MONITORING = "monitoring"
"""The family of codes that the ledger posts."""
_OF_ANY_LINE = frozenset(("administration", "pairs"))
"""Areas of edits that concern monitoring as well as visits."""
REJECTION = "rejection"
"""In place of a reason group, for a claim that no payer adjudicated."""


class Work(StrEnum):
    """What kind of work a claim is."""

    DENIED = "denied"
    PARTLY_DENIED = "partly-denied"
    UNDERPAID = "underpaid"
    REJECTED = "rejected"
    REVERSED = "reversed"
    APPEALED = "appealed"  # the payer's answer is awaited


@dataclass(frozen=True)
class Taken:
    """Why less was paid than charged: group code, CARC, cents, and the RARCs beside it."""

    group: str
    reason: str
    cents: Cents
    remarks: tuple[str, ...] = ()
    procedure: str = ""  # empty: of the whole claim


@dataclass(frozen=True)
class Answer:
    """What one remittance did with a claim."""

    on_day: date | None
    attempt: int
    order: int  # of being posted
    charge_cents: Cents
    paid_cents: Cents
    patient_cents: Cents
    is_reversal: bool
    taken: tuple[Taken, ...]
    payer_claim_number: str = ""
    status_code: str = ""
    trace_number: str = ""  # of the payment


@dataclass(frozen=True)
class Reason:
    """One reason of a denial, over all lines that have it."""

    group: ReasonGroup
    adjustment: str  # CO-97
    reason: str
    remarks: tuple[str, ...]
    cents: Cents
    procedures: tuple[str, ...]

    @property
    def trust(self) -> str:
        """How far the placing of its code was read: A, B, or U for not verified."""
        return self.group.trust(self.reason)


@dataclass(frozen=True)
class Denied:
    """A claim as work; ``reasons`` by cents, the largest first."""

    work: Work
    reasons: tuple[Reason, ...]
    at_stake_cents: Cents
    answered_on: date | None
    payer_claim_number: str = ""
    trace_number: str = ""

    @property
    def group_key(self) -> str:
        """The group of the reason that weighs most."""
        if self.work is Work.REJECTED:
            return REJECTION
        return self.reasons[0].group.key if self.reasons else shipped_groups().get("other").key


@dataclass(frozen=True)
class Deadlines:
    """Last days for filing and for an appeal; None where the payer's days are not recorded."""

    filing: date | None
    appeal: date | None

    @property
    def next(self) -> date | None:
        """The earlier of those that are known."""
        return min((day for day in (self.filing, self.appeal) if day is not None), default=None)


@dataclass(frozen=True)
class RootCause:
    """A reason over many claims, and what in the product looks for it."""

    group: ReasonGroup
    adjustment: str
    claims: int
    cents: Cents
    edits: tuple[Edit, ...]
    findings: tuple[str, ...]
    checks: tuple[str, ...]

    @property
    def nothing_stops_it(self) -> bool:
        """Whether neither an edit, a rule nor a check looks for it."""
        return not (self.edits or self.findings or self.checks)


@dataclass(frozen=True)
class Hint:
    """A reason with what in the product looks for it."""

    reason: Reason
    edits: tuple[Edit, ...]
    findings: tuple[str, ...]  # codes of the ledger's


@dataclass(frozen=True)
class DeniedClaim:
    """What counting root causes must know of a claim."""

    denied: Denied
    payer: str
    service_day: date


def denied(
    standing: Standing,
    answers: Sequence[Answer],
    charge_cents: Cents,
    expected_cents: Cents | None = None,
) -> Denied | None:
    """The work that a claim is; None where it is none.

    ``expected_cents`` is what the payer's own schedule allows for the whole claim; without one,
    nothing is ever called underpaid.
    """
    last = _last(answers)
    reasons = _reasons(last)
    refused = sum(one.cents for one in reasons)
    work, cents = _work(standing, last, refused, expected_cents)
    if work is None:
        return None
    if work in (Work.REJECTED, Work.REVERSED) or cents <= 0:
        cents = charge_cents - standing.paid_cents - standing.patient_cents
    return Denied(
        work,
        () if work is Work.REJECTED else reasons,
        cents,
        None if last is None else last.on_day,
        "" if last is None else last.payer_claim_number,
        "" if last is None else last.trace_number,
    )


def _work(
    standing: Standing, last: Answer | None, refused: Cents, expected_cents: Cents | None
) -> tuple[Work | None, Cents]:
    simple = {
        Status.REJECTED: Work.REJECTED,
        Status.REVERSED: Work.REVERSED,
        Status.APPEALED: Work.APPEALED,
        Status.DENIED: Work.DENIED,
    }
    if standing.status in simple:
        return simple[standing.status], refused
    if standing.status not in (Status.PAID, Status.PATIENT_OWES) or last is None:
        return None, 0
    if refused > 0:
        return (Work.PARTLY_DENIED if standing.paid_cents > 0 else Work.DENIED), refused
    short = _short(standing, last, expected_cents)
    return (Work.UNDERPAID, short) if short > 0 else (None, 0)


def _short(standing: Standing, last: Answer, expected_cents: Cents | None) -> Cents:
    """What is missing of the expected amount; a cent a line is rounding."""
    if expected_cents is None:
        return 0
    kept_back = sum(one.cents for one in last.taken if one.reason == SEQUESTRATION)
    lines = len({one.procedure for one in last.taken if one.procedure}) or 1
    short = expected_cents - standing.paid_cents - standing.patient_cents - kept_back
    return short if short > lines else 0


def _last(answers: Sequence[Answer]) -> Answer | None:
    """The newest answer that gives or refuses, of the newest attempt that was answered."""
    given = [one for one in answers if not one.is_reversal]
    return max(given, key=lambda one: (one.attempt, one.order), default=None)


def _reasons(answer: Answer | None) -> tuple[Reason, ...]:
    """What was refused, by adjustment, without usual reductions and the patient's share."""
    found: dict[tuple[str, str], list[tuple[Taken, ReasonGroup]]] = {}
    for taken in () if answer is None else answer.taken:
        group = shipped_groups().of(taken.group, taken.reason, taken.remarks)
        if not group.usual:
            found.setdefault((f"{taken.group}-{taken.reason}", group.key), []).append(
                (taken, group)
            )
    reasons = [
        Reason(
            several[0][1],
            adjustment,
            several[0][0].reason,
            tuple(sorted({remark for taken, _ in several for remark in taken.remarks})),
            sum(taken.cents for taken, _ in several),
            tuple(dict.fromkeys(taken.procedure for taken, _ in several if taken.procedure)),
        )
        for (adjustment, _), several in found.items()
    ]
    # an adjustment that gives back is no refusal
    return tuple(sorted((one for one in reasons if one.cents > 0), key=lambda one: -one.cents))


def deadlines(
    first_service_day: date,
    answered_on: date | None,
    filing_days: int | None,
    appeal_days: int | None,
) -> Deadlines:
    """Last days, counted from the first day of service and from the day of the answer.

    Both are the earlier reading where payers differ: professional claims are filed in time by
    their first day, and an appeal's time by the payment's day, not by its arrival.
    """
    filing = None if filing_days is None else first_service_day + timedelta(days=filing_days)
    if appeal_days is None or answered_on is None:
        return Deadlines(filing, None)
    return Deadlines(filing, answered_on + timedelta(days=appeal_days))


def hints_for(claim: DeniedClaim) -> tuple[Hint, ...]:
    """Each reason with what looks for it on the claim's day and payer.

    Edits that judge how a visit is coded say nothing of monitoring, and the ledger's findings
    nothing of visits: a reason on lines of one kind only gets the hints of that kind.
    """
    return tuple(_hint(one, claim) for one in claim.denied.reasons)


def _hint(reason: Reason, claim: DeniedClaim) -> Hint:
    group, kinds = reason.group, {_is_monitoring(code) for code in reason.procedures}
    edits = likely_edits(group, reason.reason, reason.remarks, claim.payer, claim.service_day)
    if kinds == {True}:
        edits = tuple(edit for edit in edits if edit.area in _OF_ANY_LINE)
    return Hint(reason, edits, () if kinds == {False} else group.findings)


def _is_monitoring(procedure: str) -> bool:
    family = shipped_coding_rules().family_of(procedure)
    return family is not None and family.name == _MONITORING


def root_causes(claims: Iterable[DeniedClaim]) -> tuple[RootCause, ...]:
    """Reasons over all claims, those with the most claims first; a claim may count for several."""
    found: dict[tuple[str, str], list[Hint]] = {}
    for claim in claims:
        for hint in hints_for(claim):
            key = (hint.reason.adjustment, hint.reason.group.key)
            found.setdefault(key, []).append(hint)
    causes = []
    for (adjustment, _), several in found.items():
        group = several[0].reason.group
        edits = {edit.id: edit for hint in several for edit in hint.edits}
        causes.append(
            RootCause(
                group,
                adjustment,
                len(several),
                sum(hint.reason.cents for hint in several),
                tuple(edits.values()),
                tuple(dict.fromkeys(code for hint in several for code in hint.findings)),
                group.checks,
            )
        )
    return tuple(sorted(causes, key=lambda one: (-one.claims, -one.cents, one.adjustment)))

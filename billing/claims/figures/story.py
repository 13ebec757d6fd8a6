"""A claim's story up to a day: when it left, how it was answered, and where each cent is.

Owns reading a claim's events and answers for figures. Does not own its status. Every cent of the
charge is in exactly one place::

    charge = paid + patient's share + agreed reduction + written off + cancelled + open - credit
    open = awaited + refused + unexplained

Money adds up over all attempts. Adjustments are those of the newest attempt that has an answer
which still stands: an earlier attempt's refusals are what the later one was sent for.
"""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache
from typing import NamedTuple

from billing.claims.denial import SEQUESTRATION, Answer, Taken
from billing.claims.denial_reasons import shipped_groups
from billing.claims.figures.figure import ClaimId
from billing.claims.lifecycle import ClaimEvent, Kind, Standing, Status, standing
from billing.money import Cents

_REJECTIONS = frozenset((Kind.REJECTED, Kind.FILE_REJECTED))
_TAKEN_BACK = frozenset((Status.VOIDED, Status.WITHDRAWN))
_ANSWERS = _REJECTIONS | {
    Kind.FILE_ACCEPTED,
    Kind.HOUSE_ACCEPTED,
    Kind.PAYER_ACCEPTED,
    Kind.REMITTED,
    Kind.REVERSED,
}


@dataclass(frozen=True)
class PatientPaid:
    """Money from a patient for a claim; negative where it went back."""

    on_day: date
    cents: Cents


@dataclass(frozen=True)
class ClaimFacts:
    """What is known of a claim. Events and answers tell the day they happened."""

    id: ClaimId
    patient: Hashable
    payer: str
    service_day: date
    charge_cents: Cents
    procedures: tuple[str, ...]
    events: tuple[ClaimEvent, ...]
    answers: tuple[Answer, ...] = ()
    patient_paid: tuple[PatientPaid, ...] = ()
    rejected_for: tuple[str, ...] = ()  # bare codes of rejections
    expected_cents: Cents | None = None  # of the payer's imported schedule; None: not known


@dataclass(frozen=True)
class Refused:
    """What an answer refused for one reason on one line; without a procedure on the whole claim."""

    reason: str  # CO-97
    procedure: str
    cents: Cents


@dataclass(frozen=True, slots=True)
class Story:
    """A claim up to a day."""

    claim: ClaimFacts
    standing: Standing
    first_sent: date | None
    clean: bool  # the first attempt was neither held before it left nor rejected
    answered_first: bool  # anything came back for the first attempt
    answered: bool  # for any attempt
    first_attempt_rejected: bool
    rejected: bool  # any attempt
    first_answer: Answer | None
    refused_first: tuple[Refused, ...]
    first_paid: date | None
    settled: bool  # an answer stands
    paid_cents: Cents
    patient_cents: Cents
    agreed_cents: Cents
    sequestration_cents: Cents
    refused_cents: Cents
    patient_paid_cents: Cents
    written_off_cents: Cents  # what a person gave up
    cancelled_cents: Cents  # what the practice took back: a void, or a claim that was withdrawn
    open_cents: Cents  # what the payer may still owe
    unsent_cents: Cents  # the charge of a claim that has not left
    credit_cents: Cents  # paid beyond the charge: it may have to go back
    patient_open_cents: Cents  # what the patient still owes of their share

    @property
    def owed_cents(self) -> Cents:
        """Accounts receivable: of payer and patient."""
        return self.open_cents + self.patient_open_cents


def stories(claims: Iterable[ClaimFacts], until: date) -> list[Story]:
    """Each claim as it stood at the end of a day; those that began later are left out."""
    told = (story(claim, until) for claim in claims)
    return [one for one in told if one is not None]


def story(claim: ClaimFacts, until: date) -> Story | None:
    """The claim up to a day; None when nothing had happened to it yet.

    What tells no day happened before everything that does.
    """
    events = [one for one in claim.events if one.on is None or one.on <= until]
    if not events:
        return None
    answers = [one for one in claim.answers if one.on_day is None or one.on_day <= until]
    given = sorted(
        (one for one in answers if not one.is_reversal), key=lambda one: (one.attempt, one.order)
    )
    first_attempt = given[0] if given and given[0].attempt <= 1 else None
    first = {one.kind for one in events if one.attempt <= 1}
    rejected_first = bool(first & _REJECTIONS) and first_attempt is None
    last = max(one.attempt for one in events)
    counting = _counting(answers)
    stands = standing(events)
    sent = _left(claim, events, answers)
    paid = sum(one.paid_cents for one in answers)
    share = sum(one.patient_cents for one in answers)
    agreed = _usual(counting)
    patient_paid = sum(one.cents for one in claim.patient_paid if one.on_day <= until)
    given_up = any(one.kind is Kind.WRITTEN_OFF and one.attempt == last for one in events)
    place = _place(claim.charge_cents - paid - share - agreed, stands, sent, given_up=given_up)
    return Story(
        claim=claim,
        standing=stands,
        first_sent=sent,
        clean=Kind.HELD not in first and not rejected_first,
        answered_first=bool(first & _ANSWERS) or first_attempt is not None,
        answered=bool(answers) or any(one.kind in _ANSWERS for one in events),
        first_attempt_rejected=rejected_first,
        rejected=any(one.kind in _REJECTIONS for one in events),
        first_answer=given[0] if given else None,
        refused_first=refused(given[0].taken) if given else (),
        first_paid=min(
            (one.on_day for one in given if one.on_day is not None and one.paid_cents > 0),
            default=None,
        ),
        settled=_stands(answers),
        paid_cents=paid,
        patient_cents=share,
        agreed_cents=agreed,
        sequestration_cents=sum(one.cents for one in counting if one.reason == SEQUESTRATION),
        refused_cents=sum(one.cents for one in refused(counting)),
        patient_paid_cents=patient_paid,
        written_off_cents=place.written_off,
        cancelled_cents=place.cancelled,
        open_cents=place.open,
        unsent_cents=place.unsent,
        credit_cents=place.credit,
        patient_open_cents=max(share - patient_paid, 0),
    )


class _Place(NamedTuple):
    """Where the rest of a charge is: what no payment, share or agreed reduction explains."""

    written_off: Cents = 0
    cancelled: Cents = 0
    open: Cents = 0
    unsent: Cents = 0
    credit: Cents = 0


def _place(rest: Cents, stands: Standing, sent: date | None, *, given_up: bool) -> _Place:
    if stands.status in _TAKEN_BACK:
        return _Place(cancelled=rest)
    if sent is None:
        return _Place(unsent=rest)
    if rest < 0:
        return _Place(credit=-rest)
    return _Place(written_off=rest) if given_up else _Place(open=rest)


def _left(claim: ClaimFacts, events: list[ClaimEvent], answers: list[Answer]) -> date | None:
    """The day a claim first left; an answer to a claim shows that it left by then."""
    days = [one.on or claim.service_day for one in events if one.kind is Kind.SENT]
    days += [one.on_day or claim.service_day for one in answers]
    return min(days, default=None)


def refused(taken: Iterable[Taken]) -> tuple[Refused, ...]:
    """What an answer refused: neither agreed with the payer nor the patient's share."""
    return tuple(
        Refused(f"{one.group}-{one.reason}", one.procedure, one.cents)
        for one in taken
        if not _is_usual(one) and one.group != "PR" and one.cents > 0
    )


def _is_usual(one: Taken) -> bool:
    return _usual_reason(one.group, one.reason, one.remarks)


@lru_cache(maxsize=4_096)
def _usual_reason(group: str, reason: str, remarks: tuple[str, ...]) -> bool:
    return shipped_groups().of(group, reason, remarks).usual


def _usual(taken: Iterable[Taken]) -> Cents:
    """Agreed reductions; the patient's share is told by the answer itself."""
    return sum(one.cents for one in taken if one.group != "PR" and _is_usual(one))


def _stands(answers: Sequence[Answer]) -> bool:
    return sum(-1 if one.is_reversal else 1 for one in answers) > 0


def _counting(answers: Sequence[Answer]) -> list[Taken]:
    """Adjustments of the newest attempt of which an answer still stands, reversals taken off."""
    by_attempt: defaultdict[int, list[Answer]] = defaultdict(list)
    for one in answers:
        by_attempt[one.attempt].append(one)
    for attempt in sorted(by_attempt, reverse=True):
        if _stands(by_attempt[attempt]):
            return _added(taken for one in by_attempt[attempt] for taken in one.taken)
    return []


def _added(taken: Iterable[Taken]) -> list[Taken]:
    found = list(taken)
    if all(one.cents >= 0 for one in found):
        return found  # nothing was taken back
    cents: defaultdict[Taken, Cents] = defaultdict(int)
    for one in found:
        cents[replace(one, cents=0)] += one.cents
    return [replace(one, cents=total) for one, total in cents.items() if total]

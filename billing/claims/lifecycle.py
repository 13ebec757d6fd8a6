"""Where a claim stands: its status folded from its events, and which step may follow.

Owns the fold. Does not own events' storage, nor matching an answer to a claim and its attempt. The
status is never stored. It follows from the set of events alone: their order, and repeats of the
same answer, change nothing, because answers of a clearinghouse and of a payer arrive in any order.

Each sending of a claim is an attempt, numbered from 1. Acknowledgments and remittances belong to
an attempt. Money is the sum over all attempts: a reversal carries negative cents.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from billing.claims.claim import VOID
from billing.money import Cents


class Kind(StrEnum):
    """What happened to a claim."""

    ASSEMBLED = "assembled"
    HELD = "held"  # a person, or a finding, keeps it back
    APPROVED = "approved"  # one person would release it, and a second must
    RELEASED = "released"
    WRITTEN = "written"  # into a file that waits to be sent
    SENT = "sent"
    FILE_ACCEPTED = "file-accepted"  # 999 or TA1
    FILE_REJECTED = "file-rejected"
    HOUSE_ACCEPTED = "clearinghouse-accepted"  # 277CA of the clearinghouse
    PAYER_ACCEPTED = "payer-accepted"  # 277CA of the payer
    REJECTED = "rejected"  # 277CA, by either
    REMITTED = "remitted"  # 835: paid, denied or patient's share
    REVERSED = "reversed"  # 835: an earlier remittance taken back, negative cents
    APPEALED = "appealed"
    APPEAL_ANSWERED = "appeal-answered"
    WRITTEN_OFF = "written-off"  # by a person, never by itself
    WITHDRAWN = "withdrawn"  # before it left: nothing of it is billed any more


class Status(StrEnum):
    """Where a claim stands."""

    ASSEMBLED = "assembled"
    HELD = "held"
    APPROVED = "approved"  # waits for a second person's release
    RELEASED = "released"
    WRITTEN = "written"  # in a file; to change it, the file is discarded first
    SENT = "sent"
    RECEIVED = "received"
    ACCEPTED = "accepted"
    REJECTED = "rejected"  # never adjudicated
    PAID = "paid"
    PATIENT_OWES = "patient-owes"  # adjudicated, all of it the patient's share
    DENIED = "denied"  # adjudicated, unpaid
    APPEALED = "appealed"
    REVERSED = "reversed"  # every remittance was taken back
    VOIDED = "voided"
    WRITTEN_OFF = "written-off"
    WITHDRAWN = "withdrawn"


class Step(StrEnum):
    """What a person may do with a claim."""

    HOLD = "hold"
    RELEASE = "release"
    WRITE = "write"
    SEND = "send"
    CORRECT = "correct"  # frequency 7; before it is adjudicated, a first claim anew
    VOID = "void"  # frequency 8
    APPEAL = "appeal"
    WRITE_OFF = "write-off"
    WITHDRAW = "withdraw"  # a claim that nobody adjudicated


@dataclass(frozen=True)
class ClaimEvent:
    """One event. ``key`` is the same for a repeat of the same answer, and for nothing else.

    ``number`` orders what the practice itself did (assembled, held, released): its own sequence.
    """

    key: str
    kind: Kind
    attempt: int = 0  # 0: before any sending
    number: int = 0
    frequency: str = "1"  # of SENT: claim frequency
    paid_cents: Cents = 0
    patient_cents: Cents = 0
    on: date | None = None


@dataclass(frozen=True)
class Standing:
    """A claim's status, the number of its last attempt, and the money of all attempts."""

    status: Status
    attempt: int
    paid_cents: Cents
    patient_cents: Cents


_BEFORE_SENDING = {
    Kind.ASSEMBLED: Status.ASSEMBLED,
    Kind.HELD: Status.HELD,
    Kind.APPROVED: Status.APPROVED,
    Kind.WITHDRAWN: Status.WITHDRAWN,
    Kind.RELEASED: Status.RELEASED,
    Kind.WRITTEN: Status.WRITTEN,
}
_ACKNOWLEDGED = (
    (frozenset((Kind.REJECTED, Kind.FILE_REJECTED)), Status.REJECTED),
    (frozenset((Kind.PAYER_ACCEPTED, Kind.HOUSE_ACCEPTED)), Status.ACCEPTED),
    (frozenset((Kind.FILE_ACCEPTED,)), Status.RECEIVED),
)
"""What an attempt's acknowledgments say together, weightiest first."""
_MONEY = frozenset((Kind.REMITTED, Kind.REVERSED))

_UNSENT = frozenset((Step.HOLD, Step.CORRECT, Step.WITHDRAW))
_CORRECTABLE = frozenset((Step.CORRECT, Step.VOID))
STEPS: Mapping[Status, frozenset[Step]] = {
    Status.ASSEMBLED: _UNSENT | {Step.RELEASE},
    Status.HELD: frozenset((Step.RELEASE, Step.CORRECT, Step.WITHDRAW)),
    Status.APPROVED: _UNSENT | {Step.RELEASE},
    Status.RELEASED: _UNSENT | {Step.WRITE},
    Status.WRITTEN: frozenset((Step.SEND,)),
    Status.SENT: frozenset(),  # never again by itself: the outcome is not known
    Status.RECEIVED: frozenset(),
    Status.ACCEPTED: frozenset(),  # until the payer has a number for it
    Status.REJECTED: frozenset((Step.CORRECT, Step.WRITE_OFF, Step.WITHDRAW)),
    Status.PAID: _CORRECTABLE | {Step.APPEAL, Step.WRITE_OFF},  # of what was refused of it
    Status.PATIENT_OWES: _CORRECTABLE | {Step.APPEAL, Step.WRITE_OFF},
    Status.DENIED: _CORRECTABLE | {Step.APPEAL, Step.WRITE_OFF},
    Status.APPEALED: frozenset((Step.WRITE_OFF,)),
    Status.REVERSED: _CORRECTABLE | {Step.APPEAL, Step.WRITE_OFF},
    Status.VOIDED: frozenset(),
    Status.WRITTEN_OFF: frozenset(),
    Status.WITHDRAWN: frozenset(),
}
"""The steps that may follow each status."""


def may(status: Status, step: Step) -> bool:
    """Whether a step may follow a status."""
    return step in STEPS[status]


def standing(events: Iterable[ClaimEvent]) -> Standing:
    """Where a claim stands, from all its events in any order.

    Raises ValueError for no event at all, and for one key with two contents.
    """
    known: dict[str, ClaimEvent] = {}
    for event in events:
        if known.setdefault(event.key, event) != event:
            raise ValueError("one key of a claim's events has two contents")
    if not known:
        raise ValueError("a claim without events has no status")
    all_of_it = frozenset(known.values())
    money = [event for event in all_of_it if event.kind in _MONEY]
    attempt = max(event.attempt for event in all_of_it)
    return Standing(
        _status(all_of_it, attempt),
        attempt,
        _paid(money),
        sum(event.patient_cents for event in money),
    )


def _status(events: frozenset[ClaimEvent], attempt: int) -> Status:
    of_attempt = [event for event in events if event.attempt == attempt]
    written_off = any(event.kind is Kind.WRITTEN_OFF for event in of_attempt)
    if written_off and _paid(events) <= 0 and _patient(events) <= 0:
        return Status.WRITTEN_OFF
    voids = any(event.kind is Kind.SENT and event.frequency == VOID for event in of_attempt)
    if any(event.kind in _MONEY for event in of_attempt):
        return Status.VOIDED if voids else _adjudicated(events, of_attempt)
    acknowledged = _acknowledged({event.kind for event in of_attempt})
    if voids and acknowledged is Status.ACCEPTED:
        return Status.VOIDED
    return acknowledged or _before_sending(events)


def _paid(events: Iterable[ClaimEvent]) -> Cents:
    return sum(event.paid_cents for event in events if event.kind in _MONEY)


def _patient(events: Iterable[ClaimEvent]) -> Cents:
    return sum(event.patient_cents for event in events if event.kind in _MONEY)


def _acknowledged(kinds: set[Kind]) -> Status | None:
    for weighty, status in _ACKNOWLEDGED:
        if kinds & weighty:
            return status
    return Status.SENT if Kind.SENT in kinds else None


def _before_sending(events: frozenset[ClaimEvent]) -> Status:
    """The last of what the practice itself did, by its own numbers."""
    own = [event for event in events if event.kind in _BEFORE_SENDING]
    if not own:
        return Status.ASSEMBLED
    last = max(own, key=lambda event: (event.attempt, event.number, event.key))
    return _BEFORE_SENDING[last.kind]


def _adjudicated(events: frozenset[ClaimEvent], of_attempt: list[ClaimEvent]) -> Status:
    money = [event for event in events if event.kind in _MONEY]
    standing_answers = sum(1 if event.kind is Kind.REMITTED else -1 for event in money)
    if standing_answers <= 0:
        return Status.REVERSED
    if _paid(events) > 0:
        return Status.PAID
    open_appeals = sum(
        (event.kind is Kind.APPEALED) - (event.kind is Kind.APPEAL_ANSWERED) for event in of_attempt
    )
    if open_appeals > 0:
        return Status.APPEALED
    return Status.PATIENT_OWES if _patient(events) > 0 else Status.DENIED

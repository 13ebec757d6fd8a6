"""Acknowledgment clocks: which answer to a sent claim is overdue, and since when.

Owns the reckoning. Does not own how many days a clearinghouse has agreed to, nor today. A later
answer stands for the earlier ones: a remitted claim waits for nothing, an accepted one for its
remittance. A rejected claim is work of its own, and waits for nothing either.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from billing.claims.lifecycle import ClaimEvent, Kind


class Answer(StrEnum):
    """What is waited for, in the order it comes."""

    ACKNOWLEDGMENT = "acknowledgment"  # TA1 or 999
    CLAIM_ACKNOWLEDGMENT = "claim-acknowledgment"  # 277CA
    REMITTANCE = "remittance"  # 835


@dataclass(frozen=True)
class ClockDays:
    """Days after the sending by which each answer is due."""

    acknowledgment: int = 1
    claim_acknowledgment: int = 3
    remittance: int = 30


@dataclass(frozen=True)
class Overdue:
    """The first answer that lacks, the last day it was due, and how many days ago that was."""

    answer: Answer
    sent_on: date
    due_on: date
    days_over: int


_ENDS = frozenset((Kind.REMITTED, Kind.REVERSED, Kind.REJECTED, Kind.FILE_REJECTED))
_CLAIM_ACKNOWLEDGED = frozenset((Kind.HOUSE_ACCEPTED, Kind.PAYER_ACCEPTED))


def overdue_answer(events: Iterable[ClaimEvent], days: ClockDays, today: date) -> Overdue | None:
    """What is overdue of a claim's last sending; None when nothing is, or nothing was sent.

    An answer is overdue from the day after its last day on.
    """
    known = list(events)
    sendings = [one for one in known if one.kind is Kind.SENT and one.on is not None]
    if not sendings:
        return None
    sent = max(sendings, key=lambda one: one.attempt)
    if sent.on is None or sent.attempt < max(one.attempt for one in known):
        return None  # a further attempt is being prepared
    kinds = {one.kind for one in known if one.attempt == sent.attempt}
    waited = _waited_for(kinds, days)
    if waited is None:
        return None
    answer, count = waited
    due = sent.on + timedelta(days=count)
    return Overdue(answer, sent.on, due, (today - due).days) if today > due else None


def _waited_for(kinds: set[Kind], days: ClockDays) -> tuple[Answer, int] | None:
    if kinds & _ENDS:
        return None
    if kinds & _CLAIM_ACKNOWLEDGED:
        return Answer.REMITTANCE, days.remittance
    if Kind.FILE_ACCEPTED in kinds:
        return Answer.CLAIM_ACKNOWLEDGMENT, days.claim_acknowledgment
    return Answer.ACKNOWLEDGMENT, days.acknowledgment

"""How far the sending of a claim file is, from its recorded steps.

Owns the fold and what a person may do next. Does not own the steps' storage, nor the transport. A
file whose arrival is not known is never sent again by itself: twice the same claims would be
denied as duplicates, or paid twice.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

LONGEST_SENDING = timedelta(minutes=10)
"""Every wait of a sending is bounded; one without an end after this died on the way."""


class Step(StrEnum):
    """What is recorded of a sending."""

    BEGUN = "begun"  # recorded before any byte leaves
    SENT = "sent"
    NOT_SENT = "not-sent"  # surely: no connection, or refused
    UNKNOWN = "unknown"  # the connection was lost during the transfer
    FOUND = "found"  # looked: it lies there, by name and size
    NOT_FOUND = "not-found"  # looked: it does not; it may have been taken in
    ARRIVED = "arrived"  # a person knows, by another way
    GIVEN_UP = "given-up"  # a person says that it did not arrive


class Reach(StrEnum):
    """How far a file is."""

    WAITING = "waiting"  # never sent, or surely not
    UNDER_WAY = "under-way"
    UNKNOWN = "unknown"
    SENT = "sent"


@dataclass(frozen=True)
class SendingStep:
    """One step of the sending of one file; sendings are numbered from 1."""

    number: int
    step: Step
    at: datetime


_ARRIVED = frozenset((Step.SENT, Step.FOUND, Step.ARRIVED))
_DID_NOT = frozenset((Step.NOT_SENT, Step.GIVEN_UP))


def reach(steps: Iterable[SendingStep], now: datetime) -> Reach:
    """How far a file is; the order of the steps does not matter.

    One sending that arrived is enough: what came of later ones does not take it back.
    """
    known = list(steps)
    if any(one.step in _ARRIVED for one in known):
        return Reach.SENT
    last = max((one.number for one in known), default=0)
    of_last = {one.step: one.at for one in known if one.number == last}
    if not of_last or of_last.keys() & _DID_NOT:
        return Reach.WAITING
    ended = of_last.keys() - {Step.BEGUN}
    begun = of_last.get(Step.BEGUN)
    if not ended and begun is not None and now < begun + LONGEST_SENDING:
        return Reach.UNDER_WAY
    return Reach.UNKNOWN


def was_looked_for(steps: Iterable[SendingStep]) -> bool:
    """Whether somebody looked for the last sending at the clearinghouse."""
    known = list(steps)
    last = max((one.number for one in known), default=0)
    return any(one.number == last and one.step is Step.NOT_FOUND for one in known)

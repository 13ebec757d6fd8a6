"""Which sending of a claim an answer is about.

Owns the choice. It follows from the sendings and the answer alone, so that the order in which
answers arrive changes nothing. Does not own finding the claim: that is its patient control number.
"""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import NamedTuple

_LEEWAY = timedelta(days=1)
"""Payer and practice may be on different sides of midnight."""


class Sending(NamedTuple):
    """One sending of a claim: its attempt, claim frequency and day."""

    attempt: int
    frequency: str
    on_day: date | None


def attempt_answered(
    sendings: Iterable[Sending], frequency: str = "", on_day: date | None = None
) -> int:
    """The attempt that an answer is about: the last one sent by then with the frequency it names.

    ``frequency`` is empty where the answer names none. What fits nothing is about the last sending
    there is, or the first attempt where none is recorded.
    """
    every = sorted(sendings, key=lambda one: one.attempt)
    before = [one for one in every if not _is_later(one, on_day)]
    named = [one for one in before if one.frequency == frequency]
    for some in (named, before, every):
        if some:
            return some[-1].attempt
    return 1


def _is_later(sending: Sending, day: date | None) -> bool:
    return day is not None and sending.on_day is not None and sending.on_day > day + _LEEWAY

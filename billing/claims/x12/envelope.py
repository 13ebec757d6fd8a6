"""The envelope of a file: interchange, group and transaction sets, numbered from outside.

Owns ISA, GS, ST and their trailers, and their counts. Does not own where the numbers come from: a
sequence gives each once, and the instant is an argument.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from billing.claims.claim import Claim
from billing.claims.x12.element import SegmentWriter

GUIDE = "005010X222A1"
"""The implementation guide of the professional claim in use under HIPAA."""
MOST_CLAIMS = 5_000
"""Claims of one transaction set, a common limit of receivers."""
_LAST_NUMBER = 999_999_999


@dataclass(frozen=True)
class Party:
    """An end of the exchange: the interchange's id with its qualifier, and the group's code."""

    qualifier: str
    interchange_id: str  # at most 15 characters
    group_code: str


@dataclass(frozen=True)
class Interchange:
    """What the envelope says: ends, numbers, the minute the file was made, test or production."""

    sender: Party
    receiver: Party
    number: int  # ISA13
    group_number: int  # GS06
    made_at: datetime  # to the minute, in the sender's local time
    production: bool
    acknowledge: bool = False  # ask for a TA1


@dataclass(frozen=True)
class Submitter:
    """Who sends the claims, and whom to ask about them; the phone has 10 digits."""

    name: str
    identifier: str
    contact: str
    phone: str


@dataclass(frozen=True)
class Receiver:
    """Who takes the claims in."""

    name: str
    identifier: str


@dataclass(frozen=True)
class ClaimSet:
    """One transaction set: its number, its reference (BHT03), and its claims in order."""

    number: int  # ST02
    reference: str
    submitter: Submitter
    receiver: Receiver
    claims: tuple[Claim, ...]


@dataclass(frozen=True)
class ClaimFile:
    """An 837P file."""

    interchange: Interchange
    sets: tuple[ClaimSet, ...]


@contextmanager
def interchange(
    out: SegmentWriter,
    told: Interchange,
    set_count: int,
    group_kind: str = "HC",
    guide: str = GUIDE,
) -> Iterator[None]:
    """Header and trailer of the interchange and of its one group, of claims unless told.

    Raises ValueError for a number that does not fit or an instant without meaning to the minute.
    """
    number, group = _number(told.number), str(_fitting(told.group_number))
    sender, receiver, made = told.sender, told.receiver, told.made_at
    out.add_fixed(
        *(("ISA", 3), ("00", 2), ("", 10), ("00", 2), ("", 10)),
        *((sender.qualifier, 2), (sender.interchange_id, 15)),
        *((receiver.qualifier, 2), (receiver.interchange_id, 15)),
        *((f"{made:%y%m%d}", 6), (f"{made:%H%M}", 4), ("", 1), ("00501", 5), (number, 9)),
        *(("1" if told.acknowledge else "0", 1), ("P" if told.production else "T", 1)),
    )
    when = (f"{made:%Y%m%d}", f"{made:%H%M}")
    out.add("GS", group_kind, sender.group_code, receiver.group_code, *when, group, "X", guide)
    yield
    out.add("GE", str(set_count), group)
    out.add("IEA", "1", number)


@contextmanager
def transaction_set(
    out: SegmentWriter, number: int, kind: str = "837", guide: str = GUIDE
) -> Iterator[None]:
    """Header and trailer of a set; the trailer counts every segment from one to the other."""
    before, text = len(out), f"{_fitting(number):04d}"
    out.add("ST", kind, text, guide)
    yield
    out.add("SE", str(len(out) - before + 1), text)


def _number(number: int) -> str:
    return f"{_fitting(number):09d}"


def _fitting(number: int) -> int:
    if not 1 <= number <= _LAST_NUMBER:
        raise ValueError("a control number has one to nine digits and is not zero")
    return number

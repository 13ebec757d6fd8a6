"""Postings: the journal of issued and reversed events, and what a close has to add to it.

Owns the journal's arithmetic (design.md section 4). Does not own ids, reasons or storage.

A posting is known by (key, ordinal, sign): ``key`` names subject, code and period start,
``ordinal`` counts issues of that key, ``sign`` is +1 for an issue and -1 for its reversal.
"""

from collections.abc import Hashable
from dataclasses import dataclass
from enum import StrEnum


class Change(StrEnum):
    """Why a posting is made."""

    NEW = "new"  # nothing was issued for this key
    WITHDRAWN = "withdrawn"  # reversal: the event is gone
    CHANGED = "changed"  # reversal and new issue: units, code day or payer differ


@dataclass(frozen=True)
class Billed:
    """What makes an event the same bill: its key, units, service day and payer."""

    key: Hashable
    units: int
    service_day: int
    payer: str


@dataclass(frozen=True)
class JournalLine:
    """One posting, as far as the arithmetic needs it."""

    billed: Billed
    ordinal: int
    sign: int


@dataclass(frozen=True)
class NewPosting:
    """A posting to make. A reversal copies the original and is never recomputed."""

    billed: Billed
    ordinal: int
    sign: int
    change: Change


def live(journal: list[JournalLine]) -> dict[Hashable, JournalLine]:
    """The issue that stands for each key: the one not reversed.

    Raises ValueError when a key has two, or a reversal without its issue: the journal is broken.
    """
    issues: dict[tuple[Hashable, int], JournalLine] = {}
    reversed_issues: set[tuple[Hashable, int]] = set()
    for line in journal:
        at = (line.billed.key, line.ordinal)
        if line.sign > 0:
            issues[at] = line
        else:
            reversed_issues.add(at)
    if reversed_issues - issues.keys():
        raise ValueError("a reversal stands without its issue")
    standing: dict[Hashable, JournalLine] = {}
    for at, line in issues.items():
        if at in reversed_issues:
            continue
        if line.billed.key in standing:
            raise ValueError("two issues of one key stand at once")
        standing[line.billed.key] = line
    return standing


def reconcile(events: list[Billed], journal: list[JournalLine]) -> list[NewPosting]:
    """What to post so that live postings equal the events; nothing when they do already.

    Reversals come before issues, each in order of key. Raises ValueError when two events share a
    key.
    """
    wanted = {event.key: event for event in events}
    if len(wanted) != len(events):
        raise ValueError("two events share a key")
    standing = live(journal)
    last_ordinal: dict[Hashable, int] = {}
    for line in journal:
        key = line.billed.key
        last_ordinal[key] = max(line.ordinal, last_ordinal.get(key, 0))
    reversals, issues = [], []
    for key, line in standing.items():
        event = wanted.get(key)
        if event != line.billed:
            change = Change.WITHDRAWN if event is None else Change.CHANGED
            reversals.append(NewPosting(line.billed, line.ordinal, -1, change))
    for key, event in wanted.items():
        present = standing.get(key)
        if present is None or present.billed != event:
            change = Change.NEW if present is None else Change.CHANGED
            issues.append(NewPosting(event, last_ordinal.get(key, 0) + 1, +1, change))
    return [
        *sorted(reversals, key=lambda p: str(p.billed.key)),
        *sorted(issues, key=lambda p: str(p.billed.key)),
    ]

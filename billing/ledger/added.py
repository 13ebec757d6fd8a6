"""Facts with some more: a day measured or work done that is not recorded, to ask what it changes.

Owns the rows such facts get. Does not own which facts are added nor what follows from them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pandas as pd

from billing.ledger.facts import (
    DEVICE_DAY_COLUMNS,
    ENTRY_COLUMNS,
    KINDS,
    MODES,
    REFUSED,
    ROLES,
    WORK,
    Facts,
    frame,
)


@dataclass(frozen=True)
class NewDay:
    """A day of an episode (row) with one reading, received that day; ``refused`` tells why not."""

    episode: int
    day: int
    kind: str = "bp"
    refused: str = ""


@dataclass(frozen=True)
class NewEntry:
    """Work for an episode (row) by a person who did nothing else; no start unless one is given."""

    episode: int
    day: int
    seconds: int
    start_second: int = -1
    role: str = "rn"
    work: str = "RPM"
    mode: str = "live"


def with_days(facts: Facts, added: Sequence[NewDay]) -> Facts:
    """The facts and these days besides."""
    rows = frame(
        DEVICE_DAY_COLUMNS,
        {
            "episode": [one.episode for one in added],
            "day": [one.day for one in added],
            "kind": [KINDS.index(one.kind) for one in added],
            "qualifying_count": [int(not one.refused) for one in added],
            "refused_count": [int(bool(one.refused)) for one in added],
            "refused_reason": [REFUSED.index(one.refused) for one in added],
            "first_received_day": [one.day for one in added],
        },
    )
    return replace(facts, device_days=_joined(facts.device_days, rows))


def with_entries(facts: Facts, added: Sequence[NewEntry]) -> Facts:
    """The facts and these entries besides, each by another person that is not known yet."""
    entries, others = facts.entries, facts.others
    entry = _next(entries["entry"], entries["reverses"])
    actor = _next(entries["actor"], others["actor"])
    patients = facts.episodes["patient"].tolist()
    rows = frame(
        ENTRY_COLUMNS,
        {
            "entry": [entry + at for at in range(len(added))],
            "reverses": [-1] * len(added),
            "episode": [one.episode for one in added],
            "patient": [patients[one.episode] for one in added],
            "actor": [actor + at for at in range(len(added))],
            "role": [ROLES.index(one.role) for one in added],
            "work": [WORK.index(one.work) for one in added],
            "mode": [MODES.index(one.mode) for one in added],
            "day": [one.day for one in added],
            "start_second": [one.start_second for one in added],
            "seconds": [one.seconds for one in added],
            "shared": [False] * len(added),
        },
    )
    return replace(facts, entries=_joined(entries, rows))


def _next(*columns: "pd.Series[int]") -> int:
    """A number that no row of the columns has."""
    return max((int(one.max()) for one in columns if len(one)), default=-1) + 1


def _joined(first: pd.DataFrame, second: pd.DataFrame) -> pd.DataFrame:
    return pd.concat([first, second], ignore_index=True)

"""Evidence digests: one figure for the facts behind an event, the same whenever they are the same.

Owns what is digested: counted day rows and entries of the event's period, the gates of its
episode, the coverages of its patient and the digest of the rule page. Does not own which of them
decide (``billing.ledger.explain``). Evidence that changes without changing code, units or service
day posts nothing, but shows here.
"""

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from rpm.audit import canonical_json
from rpm.store.facts import LoadedFacts


@dataclass(frozen=True)
class EventSpan:
    """The rows an event speaks about: its episode, its patient, and its period's day numbers."""

    subject: str  # episode or patient
    episode: int
    patient: int
    start_day: int
    end_day: int


class Evidence:
    """The evidence of many events over the same facts."""

    def __init__(self, loaded: LoadedFacts) -> None:
        self._loaded = loaded

    def digest(self, span: EventSpan, page_digest: str) -> str:
        """SHA-256, hex, over the evidence of one event in canonical JSON."""
        parts = {
            "days": self._days.rows(span.episode, span.start_day, span.end_day)
            if span.subject == "episode"
            else [],
            "entries": sorted(
                row[1:] for row in self._entries.rows(span.patient, span.start_day, span.end_day)
            ),
            "gates": self._gates.rows(span.episode),
            "coverages": self._coverages.rows(span.patient),
            "rules": page_digest,
        }
        return hashlib.sha256(canonical_json(parts).encode()).hexdigest()

    @cached_property
    def _days(self) -> "_Runs":
        columns = ("kind", "refused_reason", "qualifying_count", "refused_count")
        received = ("first_received_day",)
        return _Runs(self._loaded.facts.device_days, "episode", ("day", *columns, *received))

    @cached_property
    def _entries(self) -> "_Runs":
        columns = ("day", "entry", "start_second", "seconds", "role", "work", "mode", "shared")
        entries, ids = self._loaded.facts.entries, self._loaded.entry_keys
        named = [str(ids[row]).replace("-", "") for row in entries["entry"].tolist()]
        return _Runs(entries.assign(entry=named), "patient", columns)

    @cached_property
    def _gates(self) -> "_Runs":
        return _Runs(self._loaded.facts.gates, "episode", ("from_day", "gate", "to_day"))

    @cached_property
    def _coverages(self) -> "_Runs":
        facts = self._loaded.facts
        named = facts.coverages.assign(
            payer=[facts.payers[row] for row in facts.coverages["payer"].tolist()]
        )
        return _Runs(named, "patient", ("from_day", "to_day", "payer"))


class _Runs:
    """Rows of a frame by owner and day, found without looking at the others."""

    def __init__(self, frame: pd.DataFrame, owner: str, columns: tuple[str, ...]) -> None:
        day = frame[columns[0]].to_numpy().astype(np.int64)
        key = (frame[owner].to_numpy().astype(np.int64) << 33) + day + (1 << 31)
        order = np.argsort(key, kind="stable")
        self._key = key[order]
        # one block, so that a run leaves it in one step; as objects it keeps truth and text
        self._rows = np.column_stack([frame[name].to_numpy(dtype=object) for name in columns])[
            order
        ]

    def rows(self, owner: int, first: int = -(1 << 31), last: int = (1 << 31) - 1) -> list[Any]:
        """Rows of an owner whose day lies between two days, both included, in a fixed order."""
        base = (owner << 33) + (1 << 31)
        begin, end = (
            int(self._key.searchsorted(base + first, side="left")),
            int(self._key.searchsorted(base + last, side="right")),
        )
        found: list[Any] = self._rows[begin:end].tolist()
        found.sort()
        return found

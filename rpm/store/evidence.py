"""Evidence digests: one figure for the facts behind an event, the same whenever they are the same.

Owns what is digested: counted day rows and entries of the event's period, the gates of its
episode, the coverages of its patient and the digest of the rule page. Does not own which of them
decide (``billing.ledger.explain``). Evidence that changes without changing code, units or service
day posts nothing, but shows here.
"""

import hashlib
from dataclasses import dataclass
from functools import cached_property

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
        days = "[]"
        if span.subject == "episode":
            days = self._days.text(span.episode, span.start_day, span.end_day)
        parts = {
            "coverages": self._coverages.text(span.patient),
            "days": days,
            "entries": self._entries.text(span.patient, span.start_day, span.end_day),
            "gates": self._gates.text(span.episode),
            "rules": canonical_json(page_digest),
        }
        whole = ",".join(f'"{name}":{text}' for name, text in parts.items())
        return hashlib.sha256(f"{{{whole}}}".encode()).hexdigest()

    @cached_property
    def _days(self) -> "_Runs":
        columns = ("day", "kind", "refused_reason", "qualifying_count", "refused_count")
        received = ("first_received_day",)
        return _Runs(self._loaded.facts.device_days, "episode", "day", (*columns, *received))

    @cached_property
    def _entries(self) -> "_Runs":
        columns = ("entry", "start_second", "seconds", "role", "work", "mode", "shared")
        entries, ids = self._loaded.facts.entries, self._loaded.entry_keys
        named = [str(ids[row]).replace("-", "") for row in entries["entry"].tolist()]
        return _Runs(entries.assign(entry=named), "patient", "day", columns)

    @cached_property
    def _gates(self) -> "_Runs":
        gates = self._loaded.facts.gates
        return _Runs(gates, "episode", "from_day", ("from_day", "gate", "to_day"))

    @cached_property
    def _coverages(self) -> "_Runs":
        facts = self._loaded.facts
        named = facts.coverages.assign(
            payer=[facts.payers[row] for row in facts.coverages["payer"].tolist()]
        )
        return _Runs(named, "patient", "from_day", ("from_day", "to_day", "payer"))


class _Runs:
    """Rows of a frame by owner and day, found without looking at the others."""

    def __init__(self, frame: pd.DataFrame, owner: str, day: str, columns: tuple[str, ...]) -> None:
        days = frame[day].to_numpy().astype(np.int64)
        key = (frame[owner].to_numpy().astype(np.int64) << 33) + days + (1 << 31)
        order = np.argsort(key, kind="stable")
        self._key = key[order]
        # one block, so that a run leaves it in one step; as objects it keeps truth and text
        self._rows = np.column_stack([frame[name].to_numpy(dtype=object) for name in columns])[
            order
        ]
        self._texts: dict[tuple[int, int, int], str] = {}

    def text(self, owner: int, first: int = -(1 << 31), last: int = (1 << 31) - 1) -> str:
        """Rows of an owner whose day lies between two days, both included, as canonical JSON.

        They stand in a fixed order. Events of one period have the same rows: the text is kept.
        """
        asked = (owner, first, last)
        if asked not in self._texts:
            base = (owner << 33) + (1 << 31)
            begin = int(self._key.searchsorted(base + first, side="left"))
            end = int(self._key.searchsorted(base + last, side="right"))
            self._texts[asked] = canonical_json(sorted(self._rows[begin:end].tolist()))
        return self._texts[asked]

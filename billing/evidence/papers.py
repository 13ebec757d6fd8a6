"""Papers: what was known of a patient's episodes and coverages when an event was computed.

Owns set-up, ends, consents, other gates and coverages by day. Does not own what needs them.
"""

import json
from datetime import date
from math import inf
from typing import Any

from billing.evidence.facts import FAR, Facts, day_of, first_of
from billing.evidence.pack import Row

Span = tuple[date, date]


class Papers:
    """Facts known by an audit number, asked about episodes and patients."""

    def __init__(self, facts: Facts, until: int | None) -> None:
        self._facts = facts
        self._until = inf if until is None else until

    def rows(self, table: str, column: str, value: object) -> list[Row]:
        """Rows known then, in the order in which they were recorded."""
        return self._facts.rows(table, column, value, self._until)

    def last(self, table: str, column: str, value: object) -> Row:
        """The row recorded last; empty where there is none."""
        return next(reversed(self.rows(table, column, value)), {})

    def setting(self, key: str, usual: Any) -> Any:
        """A choice of the practice."""
        found = self.last("practice_setting", "key", key)
        return json.loads(found["value"]) if "value" in found else usual

    def episodes(self, patient_id: str) -> list[Row]:
        """A patient's episodes by opening day."""
        found = self.rows("episode", "patient_id", patient_id)
        return sorted(found, key=lambda one: (one["opened_day"], one["id"]))

    def setup(self, episode: Row) -> str | None:
        """The day of set-up and teaching, where it is recorded."""
        later = self.last("episode_setup", "episode_id", episode["id"])
        found: str | None = later.get("setup_day", episode.get("setup_day"))
        return found

    def closed(self, episode: Row) -> tuple[date, str]:
        """The last day of an episode and why it ended; an open end and nothing while it is open."""
        end = self.last("episode_end", "episode_id", episode["id"])
        return (day_of(end["last_day"]), end["end_reason"]) if "last_day" in end else (FAR, "")

    def held(self, episode: Row) -> list[tuple[str, date, date]]:
        """Each gate of an episode with its first and last day."""
        found = [("order", day_of(episode["order_day"]), FAR)] if "order_day" in episode else []
        for consent in self.rows("consent", "episode_id", episode["id"]):
            end = self.last("consent_end", "consent_id", consent["id"])
            last = day_of(end.get("last_day"))
            found.append(("consent", day_of(consent["consent_day"]), last))
        return found + [
            (gate["gate"], day_of(gate["from_day"]), day_of(gate.get("to_day")))
            for gate in self.rows("episode_gate", "episode_id", episode["id"])
        ]

    def holds(self, episode: Row, gate: str, day: date) -> bool:
        """Whether a gate holds on a day."""
        return any(one == gate and first <= day <= last for one, first, last in self.held(episode))

    def consented(self, episode: Row, day: date) -> bool:
        """Whether a day is under consent; days are shown all the same where there is none."""
        spans = [(first, last) for gate, first, last in self.held(episode) if gate == "consent"]
        return not spans or any(first <= day <= last for first, last in spans)

    def coverages(self, patient_id: str) -> list[tuple[str, date, date]]:
        """Payer key, first and last day of each coverage."""
        found = []
        for coverage in self.rows("coverage", "patient_id", patient_id):
            payer = first_of(self.rows("payer", "id", coverage["payer_id"]), "a payer")
            end = self.last("coverage_end", "coverage_id", coverage["id"])
            last = end.get("last_day", coverage.get("to_day"))
            found.append((payer["key"], day_of(coverage["from_day"]), day_of(last)))
        return found

"""The facts of an evidence pack by id, with values ready to be read.

Owns the look-up and the small texts made of one fact. Does not own sections and tables.
"""

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from rpm.written import us_day

Json = Mapping[str, Any]


class PackReader:
    """Facts of a pack by table and id."""

    def __init__(self, pack: Json) -> None:
        self.zone = ZoneInfo(pack["organization"]["timezone"])
        self._facts: dict[str, dict[str, Json]] = {}
        for fact in pack["facts"]:
            row = fact["stored"]
            self._facts.setdefault(fact["table"], {})[row["id"]] = row

    def one(self, table: str, row_id: str | None) -> Json:
        """A fact; an empty one where the pack holds none of this id."""
        return self._facts.get(table, {}).get(row_id or "", {})

    def of(self, table: str, column: str, value: Any) -> list[Json]:
        """Facts of a table with this value in a column, in the order recorded."""
        found = [row for row in self._facts.get(table, {}).values() if row.get(column) == value]
        return sorted(found, key=lambda row: (row["audit_number"], row["id"]))

    def latest(self, table: str, column: str, value: Any) -> Json:
        """The one recorded last; an empty one where there is none."""
        found = self.of(table, column, value)
        return found[-1] if found else {}

    def moment(self, stored: str | int | None) -> str:
        """A stored instant on the practice's wall clock, with its distance from UTC."""
        if not stored:
            return ""
        instant = datetime.fromisoformat(str(stored)).replace(tzinfo=UTC).astimezone(self.zone)
        return f"{us_day(instant.date())} {instant:%H:%M %Z}"


def day_of(text: str | int | None) -> str:
    """A stored day for people; empty where there is none."""
    return us_day(date.fromisoformat(str(text))) if text else ""


def value_of(reading: Json) -> str:
    """What a reading measured, each part with its unit as sent or stored."""
    parts = json.loads(reading.get("components", "[]"))
    return ", ".join(
        f"{part.get('comparator') or ''}{part['value']} {part.get('ucum', '')}".strip()
        for part in parts
    )


def codes_of(episode: Json) -> str:
    """Diagnosis codes of an order."""
    return ", ".join(json.loads(episode.get("diagnosis_codes", "[]")))


def clock_time(second: int | None) -> str:
    """Seconds after midnight as a time of day; a word where only a length was told."""
    if second is None or second < 0:
        return "length only"
    return f"{second // 3600:02d}:{second // 60 % 60:02d}"

"""Facts of a pack: found by a value in a column, each checked by itself.

Owns the index, the row digests, and local days and times of day from instants and zones. Does not
own what several facts give together.
"""

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from math import inf
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from billing.evidence.mismatch import Mismatch, differences
from billing.evidence.pack import Row, row_digest

EPOCH, FAR = date(1970, 1, 1), date.max
"""The day that day numbers count from, and a day that stands for an open end."""
_FAR_NUMBER = 2**31 - 1
_OFFSET = re.compile(r"([+-])(\d\d):(\d\d)", re.ASCII)


class Facts:
    """Facts by table, column and value, in the order in which they were recorded."""

    def __init__(self, facts: list[Row]) -> None:
        self._rows: dict[tuple[str, str, object], list[Row]] = {}
        for fact in sorted(facts, key=lambda one: _recorded(one["stored"])):
            row = fact["stored"]
            for column in row:
                if column.endswith(("id", "key")):
                    self._rows.setdefault((fact["table"], column, row[column]), []).append(row)

    def rows(self, table: str, column: str, value: object, until: float = inf) -> list[Row]:
        """Rows with a value in a column that were recorded by an audit number."""
        found = self._rows.get((table, column, value), [])
        return [row for row in found if row["audit_number"] <= until]


def first_of(rows: Iterable[Row], what: str) -> Row:
    """The first of some rows; LookupError when the pack has none."""
    for row in rows:
        return row
    raise LookupError(f"{what} is not in the pack")


def _recorded(row: Row) -> tuple[int, str]:
    return row["audit_number"], row["id"]


def check_fact(path: str, fact: Row) -> Iterator[Mismatch]:
    """A fact by itself: its digest, and its local day and time from its instant and zone."""
    table, row = fact["table"], fact["stored"]
    path = f"{path} ({table} {row['id']})"
    if not fact["withheld"]:
        yield from differences(f"{path}.row_digest", fact["row_digest"], row_digest(table, row))
    if table == "reading" and "local_day" in row:
        local = instant_of(row["measured_at"]).astimezone(_zone(row["zone"]))
        yield from differences(f"{path}.local_day", row["local_day"], str(local.date()))
    if table == "interaction_entry" and "started_at" in row:
        begun, zone = instant_of(row["started_at"]), _zone(row["zone"])
        day = begun.astimezone(zone).date()
        midnight = datetime.combine(day, time(), zone).astimezone(UTC)
        yield from differences(f"{path}.local_day", row["local_day"], str(day))
        second = int((begun - midnight).total_seconds())
        yield from differences(f"{path}.start_second", row["start_second"], second)


def zones_are_known() -> bool:
    """Whether this computer has time zones at all."""
    try:
        ZoneInfo("America/New_York")
    except (ZoneInfoNotFoundError, OSError):
        return False
    return True


def _zone(name: str) -> tzinfo:
    """A zone by its IANA name or as an offset such as ``-05:00``."""
    found = _OFFSET.fullmatch(name)
    if found is None:
        return ZoneInfo(name)
    size = timedelta(hours=int(found[2]), minutes=int(found[3]))
    return timezone(-size if found[1] == "-" else size)


def instant_of(text: str) -> datetime:
    """An instant in stored form: UTC without saying so."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def day_of(text: str | None) -> date:
    """A day as written; without one an open end."""
    return FAR if text is None else date.fromisoformat(text)


def day_number(day: date) -> int:
    """Days since 1970-01-01, as digests have them."""
    return _FAR_NUMBER if day == FAR else (day - EPOCH).days

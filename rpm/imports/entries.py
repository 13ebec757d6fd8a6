"""One row of logged work: cells to an ``EntryRow``.

Owns the ways a file can tell when work was done and how long it took, and the id that makes a
second import of the same row the same entry. Does not own overlaps or midnight: the actions do.
"""

from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

from rpm.imports.cells import Cells, values_of
from rpm.imports.profile import ImportProfile
from rpm.imports.records import EntryRow
from rpm.imports.refusals import DateOrderError, RowRefusedError
from rpm.imports.times import Moment, parse_moment, resolve
from rpm.imports.zones import Zones

_ENTRY_IDS = UUID("5f1d3a52-8f0e-4b67-9c41-6f1f0a3c2d10")
_LONGEST_SECONDS = 24 * 3600


@dataclass
class EntryReader:
    """Reads the entries of one file; it counts rows that say the same, so that each stays one."""

    profile: ImportProfile
    zones: Zones
    _seen: Counter[str] = field(default_factory=Counter)

    def row(self, line: int, cells: Cells) -> EntryRow:
        """The entry of one row; RowRefusedError, or DateOrderError for the whole file."""
        values: dict[str, Any] = values_of(cells, self.profile)
        started_at = self._instant(values, "started_at", "start_time")
        ended_at = self._instant(values, "ended_at", "end_time")
        duration_seconds = _duration_seconds(values, started_at, ended_at)
        local_day, start_second = self._local(values["day"], started_at)
        told = {
            name: values[name]
            for name in ("record_number", "actor", "role", "work", "mode", "activity", "note")
        }
        said = [*told.values(), local_day, start_second, duration_seconds]
        return EntryRow(
            line=line,
            client_id=self._client_id(values["entry_id"], said),
            entry_id=values["entry_id"],
            local_day=local_day,
            start_second=start_second,
            duration_seconds=duration_seconds,
            zone=self.zones.practice,
            started_at=started_at,
            **told,
        )

    def _instant(
        self, values: dict[str, Any], moment_field: str, clock_field: str
    ) -> datetime | None:
        text, day, clock = values[moment_field], values["day"], values[clock_field]
        if text:
            try:
                moment = parse_moment(text, self.profile.date_order or "YMD")
            except DateOrderError:
                raise
            except ValueError as error:
                raise RowRefusedError(moment_field, str(error)) from None
        elif clock is not None and day is not None:
            moment = Moment(datetime.combine(day, clock))
        else:
            return None
        zone, _ = self.zones.of(self.profile, values["record_number"])
        return resolve(moment, ZoneInfo(zone)).instant

    def _local(self, day: date | None, started_at: datetime | None) -> tuple[date, int | None]:
        if started_at is None:
            if day is None:
                raise RowRefusedError("day", "neither a day nor a start is given")
            return day, None
        local = started_at.astimezone(ZoneInfo(self.zones.practice))
        since_midnight = datetime.combine(local.date(), local.time()) - datetime.combine(
            local.date(), time()
        )
        return local.date(), since_midnight // timedelta(seconds=1)

    def _client_id(self, entry_id: str | None, said: list[object]) -> UUID:
        text = f"id:{entry_id}" if entry_id else f"said:{said!r}"
        if not entry_id:
            self._seen[text] += 1
            text = f"{text}:{self._seen[text]}"
        return uuid5(_ENTRY_IDS, text)


def _duration_seconds(
    values: dict[str, Any], started_at: datetime | None, ended_at: datetime | None
) -> int:
    """The length, from whichever way the row tells it; ways that disagree are refused."""
    told = {
        values["duration_seconds"],
        values["duration_minutes"],
        None
        if started_at is None or ended_at is None
        else (ended_at - started_at) // timedelta(seconds=1),
    } - {None}
    if len(told) != 1:
        reason = "lengths disagree" if told else "neither a length nor start and end are given"
        raise RowRefusedError("duration_seconds", reason)
    duration_seconds = int(told.pop())
    if duration_seconds <= 0:
        raise RowRefusedError("duration_seconds", "ends before it starts, or is empty")
    if duration_seconds > _LONGEST_SECONDS:
        raise RowRefusedError("duration_seconds", "longer than 24 hours")
    return duration_seconds

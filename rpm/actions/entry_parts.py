"""An interval of work as pieces of local days: nothing that is stored crosses midnight.

Owns the split at the practice's local midnight (R-TIME-11) and the ids of the pieces. Pure: no
database. Does not own what is refused before (``log_entry``).
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID, uuid5

from rpm.clock import local_day, zone

_MOST_PARTS = 3  # 24 hours touch three days when the middle one has only 23


@dataclass(frozen=True)
class Part:
    """What of an entry lies on one local day; ``start_second`` None: only a length is known."""

    client_id: UUID
    local_day: date
    start_second: int | None
    duration_seconds: int
    started_at: datetime | None


def parts_of(
    client_id: UUID, started_at: datetime, duration_seconds: int, zone_name: str
) -> list[Part]:
    """The pieces of an interval, one for each local day it touches, in order.

    The first piece keeps the client's id, the id of a later one derives from it and its day.
    ``start_second`` counts the seconds that passed since local midnight: on a day when clocks
    change it differs from what the clock showed, and two intervals overlap exactly when they did.
    """
    parts: list[Part] = []
    begin, end = started_at, started_at + timedelta(seconds=duration_seconds)
    while begin < end:
        day = local_day(begin, zone_name)
        stop = min(end, _midnight(day + timedelta(days=1), zone_name))
        parts.append(
            Part(
                client_id=_later_id(client_id, day) if parts else client_id,
                local_day=day,
                start_second=_seconds(begin - _midnight(day, zone_name)),
                duration_seconds=_seconds(stop - begin),
                started_at=begin,
            )
        )
        begin = stop
    return parts


def possible_ids(client_id: UUID, first_day: date) -> list[UUID]:
    """The ids under which the pieces of an entry that began on a day may be stored."""
    later = (first_day + timedelta(days=days) for days in range(1, _MOST_PARTS))
    return [client_id, *(_later_id(client_id, day) for day in later)]


def _later_id(client_id: UUID, day: date) -> UUID:
    return uuid5(client_id, day.isoformat())


def _midnight(day: date, zone_name: str) -> datetime:
    return datetime.combine(day, time.min, tzinfo=zone(zone_name)).astimezone(UTC)


def _seconds(span: timedelta) -> int:
    return int(span.total_seconds())

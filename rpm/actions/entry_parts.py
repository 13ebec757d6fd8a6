"""An interval of work as pieces of local days: nothing that is stored crosses midnight.

Owns the split at the practice's local midnight (R-TIME-11) and the ids of the pieces. Pure: no
database. Does not own what is refused before (``log_entry``).
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID, uuid5

from rpm.clock import local_day, zone


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
                client_id=uuid5(client_id, day.isoformat()) if parts else client_id,
                local_day=day,
                start_second=_seconds(begin - _midnight(day, zone_name)),
                duration_seconds=_seconds(stop - begin),
                started_at=begin,
            )
        )
        begin = stop
    return parts


def _midnight(day: date, zone_name: str) -> datetime:
    return datetime.combine(day, time.min, tzinfo=zone(zone_name)).astimezone(UTC)


def _seconds(span: timedelta) -> int:
    return int(span.total_seconds())

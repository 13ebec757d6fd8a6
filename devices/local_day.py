"""Local day: the calendar date of a measurement, with the zone that gave it.

Owns the order of trust between zones. Does not own where a patient's or practice's zone is kept.
No CMS text defines the zone of a device day; this order is the product's default.
"""

import re
from datetime import date, datetime, timedelta, timezone, tzinfo
from typing import NamedTuple
from zoneinfo import ZoneInfo

from devices.reading import OffsetOrigin

_OFFSET_TEXT = re.compile(r"([+-])(\d\d):(\d\d)", re.ASCII)
_TRUSTED_ORIGINS = frozenset({"device", "vendor"})


class LocalDay(NamedTuple):
    """A local date, the zone that gave it (IANA name or ``-05:00``) and whose zone that is."""

    day: date
    zone: str
    zone_origin: str


def local_day(
    measured_at: datetime,
    *,
    offset_minutes: int | None,
    offset_origin: OffsetOrigin,
    patient_zone: str | None,
    practice_zone: str,
) -> LocalDay:
    """The local date by the first zone to be trusted.

    An offset stated by device or vendor, else the patient's zone, else the practice's. An offset
    taken from a profile is a guess and is passed over. ``measured_at`` must be aware (ValueError);
    an unknown zone name raises zoneinfo.ZoneInfoNotFoundError.
    """
    if offset_minutes is not None and offset_origin in _TRUSTED_ORIGINS:
        zone, origin = offset_text(offset_minutes), str(offset_origin)
    elif patient_zone:
        zone, origin = patient_zone, "patient"
    else:
        zone, origin = practice_zone, "practice"
    return LocalDay(local_date_in(measured_at, zone), zone, origin)


def local_date_in(instant: datetime, zone: str) -> date:
    """The calendar date of an aware instant in a zone text that ``local_day`` gives."""
    return local_time_in(instant, zone).date()


def local_time_in(instant: datetime, zone: str) -> datetime:
    """An aware instant as wall-clock time in a zone text that ``local_day`` gives."""
    if instant.utcoffset() is None:
        raise ValueError("instant has no zone")
    return instant.astimezone(_zone(zone))


def offset_text(minutes: int) -> str:
    """``-300`` as ``-05:00``."""
    sign = "-" if minutes < 0 else "+"
    return f"{sign}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}"


def _zone(text: str) -> tzinfo:
    match = _OFFSET_TEXT.fullmatch(text)
    if match is None:
        return ZoneInfo(text)
    size = timedelta(hours=int(match[2]), minutes=int(match[3]))
    return timezone(-size if match[1] == "-" else size)

"""Timestamps: RFC 3339 texts as instants, with the offset only where it says where the device was.

Owns the text form. Does not own the choice of a zone (``local_day``).
"""

import re
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from devices.reading import CannotReadError, valid_offset

_RFC3339 = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(?:([Zz])|([+-])(\d\d):(\d\d))",
    re.ASCII,
)
_FIRST_YEAR, _LAST_YEAR = 1950, 2200
"""Years beyond these are no measurement, and near the calendar's ends a zone would leave it."""


class Timestamp(NamedTuple):
    """An instant in UTC and the offset of local time from UTC, None where it is not told."""

    instant: datetime
    offset_minutes: int | None


def parse_rfc3339(text: str) -> Timestamp:
    """The instant of ``2026-01-31T08:15:00-05:00``; CannotReadError with reason ``time``.

    ``Z`` and ``-00:00`` tell the instant but not the local offset (RFC 9557 section 2), so that an
    evening in the United States is not taken for the next day.
    """
    match = _RFC3339.fullmatch(text)
    if match is None:
        raise CannotReadError("time", "not an RFC 3339 date-time with offset")
    day, clock, fraction, zulu, sign, hours, minutes = match.groups()
    offset_minutes = 0 if zulu else int(hours) * 60 + int(minutes)
    unknown = bool(zulu) or (sign == "-" and offset_minutes == 0)
    signed_minutes = -offset_minutes if sign == "-" else offset_minutes
    if not valid_offset(signed_minutes):
        raise CannotReadError("time", "not an offset that exists")
    try:
        local = datetime.fromisoformat(f"{day}T{clock}").replace(tzinfo=UTC)
    except ValueError:
        raise CannotReadError("time", "not a date and time of the calendar") from None
    if not _FIRST_YEAR <= local.year < _LAST_YEAR:
        raise CannotReadError("time", "year out of bounds")
    microseconds = int((fraction or "0").ljust(6, "0")[:6])
    instant = local + timedelta(microseconds=microseconds) - timedelta(minutes=signed_minutes)
    return Timestamp(instant, None if unknown else signed_minutes)

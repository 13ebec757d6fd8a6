"""Timestamps: texts and epoch counts as instants, with the offset only where it is the device's.

Owns the forms. Does not own the choice of a zone (``local_day``).
"""

import re
from datetime import UTC, datetime, timedelta
from typing import Literal, NamedTuple

from devices.reading import CannotReadError, valid_offset

_RFC3339 = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(?:([Zz])|([+-])(\d\d):(\d\d))",
    re.ASCII,
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_COUNT = re.compile(r"\d{1,13}", re.ASCII)
_MINUTES = re.compile(r"-?\d{1,4}", re.ASCII)
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


def parse_epoch(text: str, *, per_second: Literal[1, 1000]) -> datetime:
    """The UTC instant of a count of seconds or milliseconds since 1970, written in digits.

    The unit is the vendor's and never told by the size: a clock that was reset gives small numbers.
    CannotReadError with reason ``time``.
    """
    if _EPOCH_COUNT.fullmatch(text) is None:
        raise CannotReadError("time", "not a count since 1970")
    count = int(text)
    if count // per_second >= (datetime(_LAST_YEAR, 1, 1, tzinfo=UTC) - _EPOCH).total_seconds():
        raise CannotReadError("time", "year out of bounds")
    return _EPOCH + timedelta(seconds=count // per_second, milliseconds=count % per_second)


def parse_offset_minutes(text: str) -> int | None:
    """Minutes from UTC in digits with an optional minus; None for an offset that does not exist."""
    if _MINUTES.fullmatch(text) is None:
        return None
    minutes = int(text)
    return minutes if valid_offset(minutes) else None

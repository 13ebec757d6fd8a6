"""Dates and times of files: text in a declared order, or seconds since 1970, to instants.

Owns the parsing and the step from wall time to an instant. Does not own which zone a patient lives
in (a caller says) nor the local day of a reading (``devices.counting``). The order of day, month
and year is declared, never guessed.
"""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from devices.reading import valid_offset
from rpm.imports.refusals import DateOrderError

_DATE = re.compile(r"(\d{1,4})([-/.])(\d{1,2})\2(\d{1,4})", re.ASCII)
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})", re.ASCII)
_TIME = re.compile(
    r"(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)? ?(?:([AaPp])\.?[Mm]\.?)?", re.ASCII
)
_OFFSET = re.compile(r"(?:([Zz])|([+-])(\d{2}):?(\d{2}))$", re.ASCII)
_EPOCH = re.compile(r"-?\d{1,15}", re.ASCII)
_PARTS = {"MDY": (2, 0, 1), "DMY": (2, 1, 0), "YMD": (0, 1, 2)}
_NEAR_MIDNIGHT = timedelta(hours=2)
_START = datetime(1970, 1, 1)  # noqa: DTZ001  wall times of files have no zone until resolved
_MONTHS = 12
_NOON = 12
_LAST_MINUTE = 59
_FIRST_YEAR, _LAST_YEAR = 1850, 2200
"""Beyond these lies no date of a patient, and near the calendar's ends a zone would leave it."""


@dataclass(frozen=True)
class Moment:
    """A time as a file gives it: ``at`` without zone.

    ``offset_minutes`` from UTC where the file says it. ``utc``: ``at`` is UTC and nothing is known
    of the local offset (``Z``, ``-00:00``, seconds since 1970).
    """

    at: datetime
    offset_minutes: int | None = None
    utc: bool = False


@dataclass(frozen=True)
class Resolved:
    """An instant in UTC, and how sure the local time behind it is."""

    instant: datetime
    quality: Literal["exact", "estimated"]


def parse_day(text: str, order: str) -> date:
    """A date in the declared order; ValueError for none, DateOrderError for another order."""
    if order == "YMD" and (compact := _COMPACT.fullmatch(text)):
        text = f"{compact[1]}-{compact[2]}-{compact[3]}"
    found = _DATE.fullmatch(text)
    if found is None:
        raise ValueError("not a date")
    parts = (found[1], found[3], found[4])
    at_year, at_month, at_day = _PARTS[order]
    year, month, day = int(parts[at_year]), int(parts[at_month]), int(parts[at_day])
    four_digits_first = len(parts[0]) == 4
    if four_digits_first != (order == "YMD") or (month > _MONTHS >= day > 0):
        raise DateOrderError(f"a date contradicts the declared order {order}")
    if len(parts[at_year]) not in (2, 4) or len(parts[at_day]) > 2:
        raise ValueError("not a date")
    return _date_within(year + 2000 if len(parts[at_year]) == 2 else year, month, day)


def parse_full_day(text: str, order: str) -> date:
    """As ``parse_day``, with a year of four digits: for dates that can lie in another century."""
    day = parse_day(text, order)
    if not re.search(r"\d{4}", text):
        raise ValueError("not a date with a year of four digits")
    return day


def parse_moment(text: str, order: str) -> Moment:
    """Date and time in one text, with or without offset; ValueError, or DateOrderError."""
    text = " ".join(text.split())
    day_text, separator, rest = text.partition("T" if "T" in text else " ")
    day = parse_day(day_text, order)
    if not separator:
        raise ValueError("no time of day")
    offset = _OFFSET.search(rest)
    clock = parse_clock(rest[: offset.start()].rstrip() if offset else rest)
    at = datetime.combine(day, clock)
    if offset is None:
        return Moment(at)
    if offset[1] or (offset[2] == "-" and int(offset[3]) == int(offset[4]) == 0):
        return Moment(at, utc=True)
    return Moment(at, _offset_minutes(offset[2], offset[3], offset[4]))


def parse_clock(text: str) -> time:
    """A time of day, 24-hour or with AM or PM; ValueError for none."""
    found = _TIME.fullmatch(text)
    if found is None:
        raise ValueError("not a time of day")
    hour, minute, second = int(found[1]), int(found[2]), int(found[3] or 0)
    if found[5]:
        if not 1 <= hour <= _NOON:
            raise ValueError("not an hour of a 12-hour clock")
        hour = hour % _NOON + (_NOON if found[5] in "Pp" else 0)
    if hour >= 24 or minute > _LAST_MINUTE or second > _LAST_MINUTE:
        raise ValueError("not a time of day")
    return time(hour, minute, second, int((found[4] or "0").ljust(6, "0")[:6]))


def parse_epoch(text: str, form: str) -> Moment:
    """Seconds or milliseconds since 1970; ``-wall`` is local time written as if it were UTC."""
    if not _EPOCH.fullmatch(text):
        raise ValueError("not a whole number of seconds or milliseconds")
    unit = timedelta(milliseconds=1) if form == "epoch-milliseconds" else timedelta(seconds=1)
    try:
        at = _START + int(text) * unit
    except OverflowError:
        raise ValueError("year out of bounds") from None
    _date_within(at.year, at.month, at.day)
    return Moment(at, utc=form != "epoch-seconds-wall")


def parse_offset(text: str) -> int:
    """Minutes from UTC of a text such as ``-0800``; ValueError for one that does not exist."""
    found = _OFFSET.fullmatch(text)
    if found is None or found[1]:
        raise ValueError("not an offset from UTC")
    return _offset_minutes(found[2], found[3], found[4])


def resolve(moment: Moment, zone: ZoneInfo, *, stated: bool = False) -> Resolved:
    """The instant of a moment; ``zone`` is used where the file gives neither UTC nor an offset.

    A wall time within two hours of midnight is marked estimated, because another zone could move
    its date, unless the profile has ``stated`` the zone. One in the hour that is repeated or left
    out when clocks change is always estimated.
    """
    if moment.utc:
        return Resolved(moment.at.replace(tzinfo=UTC), "exact")
    if moment.offset_minutes is not None:
        shifted = moment.at - timedelta(minutes=moment.offset_minutes)
        return Resolved(shifted.replace(tzinfo=UTC), "exact")
    local = moment.at.replace(tzinfo=zone)
    unsure = local.utcoffset() != local.replace(fold=1).utcoffset()
    midnight = datetime.combine(moment.at.date(), time())
    since = moment.at - midnight
    near = since < _NEAR_MIDNIGHT or timedelta(days=1) - since <= _NEAR_MIDNIGHT
    estimated = unsure or (near and not stated)
    return Resolved(local.astimezone(UTC), "estimated" if estimated else "exact")


def _date_within(year: int, month: int, day: int) -> date:
    if not _FIRST_YEAR <= year <= _LAST_YEAR:
        raise ValueError("year out of bounds")
    try:
        return date(year, month, day)
    except ValueError:
        raise ValueError("not a date of the calendar") from None


def _offset_minutes(sign: str, hours: str, minutes: str) -> int:
    size = int(hours) * 60 + int(minutes)
    total = -size if sign == "-" else size
    if int(minutes) > _LAST_MINUTE or not valid_offset(total):
        raise ValueError("not an offset from UTC")
    return total

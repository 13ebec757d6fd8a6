"""How amounts, days and minutes are written for people, on pages and in documents.

Owns these forms. Does not own the forms of claim files (``billing.money``, ``billing.claims``).
"""

import re
from datetime import date

_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
UNKNOWN = "amount unknown"
_ISO_DAY = re.compile(r"\b\d{4}-\d{2}-\d{2}\b")


def dollars(cents: int | None) -> str:
    """``123456`` as ``$1,234.56``; None, an amount that no schedule gives, as words."""
    if cents is None:
        return UNKNOWN
    sign = "\u2212" if cents < 0 else ""
    return f"{sign}${abs(cents) // 100:,}.{abs(cents) % 100:02d}"


def us_day(day: date) -> str:
    """``2026-11-24`` as ``Nov 24, 2026``."""
    return f"{_MONTHS[day.month - 1]} {day.day}, {day.year}"


def with_us_days(text: str) -> str:
    """A sentence whose days are written ``2026-11-24``, as people write them; others stay."""
    return _ISO_DAY.sub(_shown, text)


def _shown(found: re.Match[str]) -> str:
    try:
        return us_day(date.fromisoformat(found[0]))
    except ValueError:
        return found[0]


def us_month(day: date) -> str:
    """The month of a day as ``Nov 2026``."""
    return f"{_MONTHS[day.month - 1]} {day.year}"


def minutes(seconds: int) -> str:
    """``1230`` as ``20:30``, minutes and seconds."""
    sign = "-" if seconds < 0 else ""
    return f"{sign}{abs(seconds) // 60}:{abs(seconds) % 60:02d}"

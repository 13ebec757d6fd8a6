"""Months on a screen: the one that is looked at, and the ones around it.

Owns reading a month from an address. Does not own which month is the practice's today.
"""

import calendar
import re
from dataclasses import dataclass
from datetime import date, timedelta

_MONTH = re.compile(r"20\d\d-(0[1-9]|1[0-2])")


@dataclass(frozen=True)
class Month:
    """A calendar month."""

    first: date

    @classmethod
    def of(cls, day: date) -> "Month":
        """The month of a day."""
        return cls(day.replace(day=1))

    @classmethod
    def read(cls, text: str, today: date) -> "Month":
        """The month that a text such as ``2026-01`` names; any other text: the month of today."""
        return cls(date.fromisoformat(f"{text}-01")) if _MONTH.fullmatch(text) else cls.of(today)

    @property
    def last(self) -> date:
        """The last day."""
        return self.first.replace(day=calendar.monthrange(self.first.year, self.first.month)[1])

    @property
    def key(self) -> str:
        """As in addresses: ``2026-01``."""
        return f"{self.first:%Y-%m}"

    @property
    def words(self) -> str:
        """``January 2026``."""
        return f"{self.first:%B %Y}"

    @property
    def before(self) -> "Month":
        """The month before."""
        return Month.of(self.first - timedelta(days=1))

    @property
    def after(self) -> "Month":
        """The month after."""
        return Month.of(self.last + timedelta(days=1))

    def back(self, count: int) -> list["Month"]:
        """So many months that end with this one, the earliest first."""
        months = [self]
        while len(months) < count:
            months.insert(0, months[0].before)
        return months

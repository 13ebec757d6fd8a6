"""Day numbers: days since 1970-01-01, the only time the core knows besides seconds of a day.

Owns the conversion between calendar dates and day numbers, scalar and columnar.
"""

from datetime import date, timedelta

import numpy as np
import numpy.typing as npt

EPOCH = date(1970, 1, 1)
FAR_DAY = 2**31 - 1
"""The day number of an interval that has no end."""
NO_DAY = -(2**31)
"""The day number of a day that is not known or did not happen."""

Days = npt.NDArray[np.int32]


def day_number(day: date) -> int:
    """Days from 1970-01-01 to ``day``; negative before."""
    return (day - EPOCH).days


def day_date(number: int) -> date:
    """The calendar date of a day number."""
    return EPOCH + timedelta(days=int(number))


def month_starts(days: Days) -> Days:
    """The first day of the calendar month of each day."""
    months = days.astype("datetime64[D]").astype("datetime64[M]")
    return months.astype("datetime64[D]").astype(np.int32)


def month_ends(days: Days) -> Days:
    """The last day of the calendar month of each day."""
    next_months = days.astype("datetime64[D]").astype("datetime64[M]") + 1
    return next_months.astype("datetime64[D]").astype(np.int32) - np.int32(1)

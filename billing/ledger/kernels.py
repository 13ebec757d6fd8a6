"""Small array operations the calculation is made of: runs of equal keys and interval lookups.

Owns nothing of the billing domain. All arrays are one-dimensional and of whole numbers.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[Any]
Mask = npt.NDArray[np.bool_]

_DAY_OFFSET = np.int64(1) << 31
_ROW_SHIFT = np.int64(33)


def row_day_key(rows: Ints, days: Ints) -> Ints:
    """One sortable int64 per (row number, day number): rows below 2^30, any int32 day."""
    return (rows.astype(np.int64) << _ROW_SHIFT) + (days.astype(np.int64) + _DAY_OFFSET)


def run_starts(keys: Ints) -> Mask:
    """True where a key differs from the one before it; the first is always True."""
    starts = np.ones(keys.size, dtype=np.bool_)
    if keys.size:
        np.not_equal(keys[1:], keys[:-1], out=starts[1:])
    return starts


def run_bounds(keys: Ints) -> tuple[Ints, Ints]:
    """Positions of the first and of the last key of each run of equal keys."""
    first = np.flatnonzero(run_starts(keys))
    return first, np.append(first[1:], keys.size)[: first.size] - 1


def order_of(keys: Ints) -> npt.NDArray[np.intp] | None:
    """The stable order that sorts the keys, or None when they are sorted already."""
    if keys.size < 2 or bool(np.all(keys[1:] >= keys[:-1])):
        return None
    return np.argsort(keys, kind="stable")


class Intervals:
    """Intervals of days that belong to rows; answers whether one holds on a day, and which.

    Later intervals (by first day, then by position) win where several hold.
    """

    def __init__(self, rows: Ints, from_days: Ints, to_days: Ints) -> None:
        keys = row_day_key(rows, from_days)
        order = order_of(keys)
        if order is None:
            order = np.arange(keys.size)
        self._keys = keys[order]
        self._order = order
        self._rows = rows[order]
        self._to_days = to_days[order]
        same_row = ~run_starts(self._rows)
        self._overlapping = bool(
            np.any(same_row[1:] & (self._to_days[:-1] >= from_days[order][1:]))
        )

    def holding(self, rows: Ints, days: Ints) -> Ints:
        """Position of the interval that holds for each (row, day), or -1."""
        if not self._keys.size:
            return np.full(rows.size, -1, dtype=np.int64)
        at = np.searchsorted(self._keys, row_day_key(rows, days), side="right") - 1
        found = self._fits(at, rows, days)
        while self._overlapping:
            missed = ~found & (at > 0)
            if not missed.any():
                break
            at = np.where(missed, at - 1, at)
            missed &= self._rows[np.maximum(at, 0)] == rows
            found |= missed & self._fits(at, rows, days)
            if not (missed & ~found).any():
                break
        return np.where(found, self._order[np.maximum(at, 0)], -1)

    def _fits(self, at: Ints, rows: Ints, days: Ints) -> Mask:
        inside = np.maximum(at, 0)
        fits: Mask = (at >= 0) & (self._rows[inside] == rows) & (self._to_days[inside] >= days)
        return fits


class DayIndex:
    """Dated rows; answers whether a row has any day between two days, both included."""

    def __init__(self, rows: Ints, days: Ints) -> None:
        self._keys = np.sort(row_day_key(rows, days))

    def any_between(self, rows: Ints, from_days: Ints, to_days: Ints) -> Mask:
        """Whether some day of each row lies in its interval."""
        first = np.searchsorted(self._keys, row_day_key(rows, from_days), side="left")
        last = np.searchsorted(self._keys, row_day_key(rows, to_days), side="right")
        return last > first

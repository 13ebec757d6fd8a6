"""Overlap across patients: one person's minute is used on one patient only (R-TIME-07).

Owns which entry keeps a shared second: the one recorded first; the later one yields it. Run over
the entries of a whole organization before they are split by patient, because ``evaluate`` sees one
partition of patients at a time.
"""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from billing.ledger.facts import ENTRY_COLUMNS
from billing.ledger.kernels import Ints, Mask, row_day_key, run_starts
from billing.ledger.minutes import standing_entries

Span = tuple[int, int]


def yield_across_patients(entries: pd.DataFrame, recorded: Ints) -> pd.DataFrame:
    """The entries with every shared second left to the entry recorded first.

    ``recorded`` gives each row's place in recording order. An entry that yields comes back as the
    pieces that are left of it (none, one or several rows of the same ``entry``); both it and the
    one that keeps the second are marked ``shared``. Reversed entries and reversals pass unchanged.
    """
    crowded = np.flatnonzero(_crowded(entries))
    if not crowded.size:
        return entries
    columns = {name: entries[name].to_numpy() for name in ENTRY_COLUMNS}
    shared = columns["shared"].copy()
    pieces: list[tuple[int, int, int]] = []
    for group in _by_person_and_day(columns, crowded, recorded):
        pieces += _yielded(columns, group, shared)
    kept = np.ones(len(entries), dtype=np.bool_)
    kept[crowded] = False
    rows = np.concatenate(
        [np.flatnonzero(kept), np.array([row for row, _, _ in pieces], dtype=np.int64)]
    )
    joined = {name: column[rows] for name, column in columns.items()}
    first_piece = int(kept.sum())
    joined["start_second"][first_piece:] = [start for _, start, _ in pieces]
    joined["seconds"][first_piece:] = [end - start for _, start, end in pieces]
    joined["shared"] = shared[rows]
    order = np.lexsort(
        (joined["start_second"], joined["entry"], row_day_key(joined["patient"], joined["day"]))
    )
    return pd.DataFrame({name: column[order] for name, column in joined.items()})


def _crowded(entries: pd.DataFrame) -> Mask:
    """Standing timed rows of a (person, day) on which work on two patients overlaps somewhere."""
    start = entries["start_second"].to_numpy().astype(np.int64)
    timed = np.flatnonzero((start >= 0) & standing_entries(entries, np.iinfo(np.int32).max))
    crowded = np.zeros(len(entries), dtype=np.bool_)
    if timed.size < 2:
        return crowded
    key = row_day_key(entries["actor"].to_numpy()[timed], entries["day"].to_numpy()[timed])
    order = np.lexsort((start[timed], key))
    rows, key = timed[order], key[order]
    starts = run_starts(key)
    group = np.cumsum(starts) - 1
    span = np.int64(1) << 20
    end = start[rows] + entries["seconds"].to_numpy()[rows]
    reach = np.maximum.accumulate(group * span + end)
    overlaps = np.zeros(rows.size, dtype=np.bool_)
    overlaps[1:] = ~starts[1:] & (group[1:] * span + start[rows][1:] < reach[:-1])
    patient = entries["patient"].to_numpy()[rows]
    mixed = np.bincount(group, weights=_differs(patient, starts)) > 0
    some = (np.bincount(group[overlaps], minlength=mixed.size) > 0) & mixed
    crowded[rows[some[group]]] = True
    return crowded


def _differs(patient: Ints, starts: Mask) -> Ints:
    """1 where a row's patient is another than that of the row before it in the same group."""
    other = np.zeros(patient.size, dtype=np.int64)
    other[1:] = ~starts[1:] & (patient[1:] != patient[:-1])
    return other


def _by_person_and_day(columns: dict[str, Ints], rows: Ints, recorded: Ints) -> Iterator[Ints]:
    """Rows of one person's day each, in recording order."""
    key = row_day_key(columns["actor"][rows], columns["day"][rows])
    order = np.lexsort((rows, recorded[rows], key))
    rows, key = rows[order], key[order]
    yield from np.split(rows, np.flatnonzero(run_starts(key))[1:])


def _yielded(columns: dict[str, Ints], rows: Ints, shared: Mask) -> list[tuple[int, int, int]]:
    """(row, start second, end second) of what each row keeps."""
    taken: list[tuple[int, int, int]] = []
    pieces: list[tuple[int, int, int]] = []
    for row in rows.tolist():
        start = int(columns["start_second"][row])
        end = start + int(columns["seconds"][row])
        patient = int(columns["patient"][row])
        left: list[Span] = [(start, end)]
        for other, other_start, other_end in taken:
            if (
                int(columns["patient"][other]) != patient
                and other_start < end
                and start < other_end
            ):
                shared[row] = shared[other] = True
                left = [part for span in left for part in _without(span, (other_start, other_end))]
        pieces += [(row, *span) for span in left]
        # only what it keeps is taken: a second it yielded is the other patient's, to no one's loss
        taken += [(row, *span) for span in left]
    return pieces


def _without(span: Span, hole: Span) -> list[Span]:
    before = (span[0], min(span[1], hole[0]))
    after = (max(span[0], hole[1]), span[1])
    return [part for part in (before, after) if part[0] < part[1]]

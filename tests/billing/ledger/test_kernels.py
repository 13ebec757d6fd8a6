"""The array operations that the calculation is made of, against plain loops."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from billing.days import FAR_DAY, NO_DAY
from billing.ledger.kernels import DayIndex, Intervals, order_of, row_day_key, run_starts

ROWS = st.integers(0, 4)
DAYS = st.one_of(st.integers(-40, 40), st.sampled_from([NO_DAY, FAR_DAY, 20_000]))
SPANS = st.lists(st.tuples(ROWS, DAYS, DAYS), max_size=12)
ASKED = st.lists(st.tuples(ROWS, DAYS), min_size=1, max_size=12)


def column(values: list[int]) -> np.ndarray:
    """Numbers as the calculation holds them."""
    return np.array(values, dtype=np.int32)


@given(SPANS, ASKED)
def test_an_interval_holds_where_a_loop_finds_one(
    spans: list[tuple[int, int, int]], asked: list[tuple[int, int]]
) -> None:
    """Of the intervals of a row that hold on a day, the last by first day and position is found."""
    rows, from_days, to_days = (column([span[i] for span in spans]) for i in range(3))
    found = Intervals(rows, from_days, to_days).holding(
        column([row for row, _ in asked]), column([day for _, day in asked])
    )
    expected = []
    for row, day in asked:
        holding = [
            (first, position)
            for position, (owner, first, last) in enumerate(spans)
            if owner == row and first <= day <= last
        ]
        expected.append(max(holding)[1] if holding else -1)
    assert found.tolist() == expected


@given(st.lists(st.tuples(ROWS, DAYS), max_size=12), SPANS)
def test_any_day_between_is_what_a_loop_finds(
    dated: list[tuple[int, int]], asked: list[tuple[int, int, int]]
) -> None:
    """A row has a day between two days exactly when one of its days lies there, ends included."""
    index = DayIndex(column([row for row, _ in dated]), column([day for _, day in dated]))
    rows, from_days, to_days = (column([span[i] for span in asked]) for i in range(3))
    expected = [
        any(owner == row and first <= day <= last for owner, day in dated)
        for row, first, last in asked
        if first <= last
    ]
    forward = from_days <= to_days
    found = index.any_between(rows[forward], from_days[forward], to_days[forward])
    assert found.tolist() == expected


@given(st.lists(st.tuples(st.integers(0, 2**30 - 1), DAYS), max_size=12))
def test_keys_sort_by_row_then_day(dated: list[tuple[int, int]]) -> None:
    """Keys are in the order of (row, day), and equal only where both are."""
    keys = row_day_key(
        np.array([row for row, _ in dated], dtype=np.int64),
        np.array([day for _, day in dated], dtype=np.int64),
    )
    for one, first in zip(dated, keys.tolist(), strict=True):
        for other, second in zip(dated, keys.tolist(), strict=True):
            assert (one < other) == (first < second)


@given(st.lists(st.integers(0, 3), max_size=12))
def test_runs_start_where_the_key_changes(keys: list[int]) -> None:
    """A run starts at the first key and wherever a key differs from the one before."""
    expected = [at == 0 or keys[at - 1] != key for at, key in enumerate(keys)]
    assert run_starts(column(keys)).tolist() == expected


@given(st.lists(st.integers(0, 3), max_size=12))
def test_order_is_stable_and_absent_when_sorted(keys: list[int]) -> None:
    """The order sorts and keeps equal keys as they stand; sorted keys need none."""
    order = order_of(column(keys))
    if order is None:
        assert keys == sorted(keys)
    else:
        assert order.tolist() == sorted(range(len(keys)), key=keys.__getitem__)
        assert keys != sorted(keys)

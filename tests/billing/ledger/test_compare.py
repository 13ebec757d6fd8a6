"""Two outcomes side by side: which events belong together, and how they differ."""

from collections import Counter

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.ledger.compare import Change, EventDifference, event_differences

Line = tuple[str, int, str, int, str, int, int, str]
COLUMNS = (
    "subject",
    "subject_row",
    "ladder",
    "period_start_day",
    "code",
    "units",
    "service_day",
    "payer",
)


def frame(*lines: Line) -> pd.DataFrame:
    """A frame of events with the columns that are compared."""
    return pd.DataFrame([dict(zip(COLUMNS, line, strict=True)) for line in lines], columns=COLUMNS)


def line(code: str, units: int = 1, day: int = 30, start: int = 1, payer: str = "M") -> Line:
    """An event of one subject on the ladder that its code stands on."""
    ladder = "management" if code in {"99457", "99458", "99470"} else "supply"
    return ("episode", 0, ladder, start, code, units, day, payer)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ([line("99454")], [line("99454")], []),
        ([line("99454")], [], [("gone", 0, None)]),
        ([], [line("99454")], [("new", None, 0)]),
        ([line("99454")], [line("99445")], [("other", 0, 0)]),
        ([line("99458", 2)], [line("99458", 3)], [("other", 0, 0)]),
        ([line("99454", day=30)], [line("99454", day=16)], [("other", 0, 0)]),
        ([line("99454")], [line("99454", payer="N")], [("other", 0, 0)]),
        ([line("99454")], [line("99454", start=2)], [("gone", 0, None), ("new", None, 0)]),
        (
            [line("99457"), line("99458")],
            [line("99470")],
            [("other", 0, 0), ("gone", 1, None)],
        ),
        ([line("99457")], [line("99457"), line("99458")], [("new", None, 1)]),
        ([line("99457"), line("99458", 1)], [line("99457"), line("99458", 2)], [("other", 1, 1)]),
    ],
)
def test_events_that_belong_together_are_compared(
    before: list[Line], after: list[Line], expected: list[tuple[str, int | None, int | None]]
) -> None:
    """Within a ladder, subject and period, one code with itself first, then what is left over."""
    found = event_differences(frame(*before), frame(*after))
    assert found == [EventDifference(Change(word), *rows) for word, *rows in expected]


lines = st.lists(
    st.builds(
        line,
        st.sampled_from(["99454", "99445", "99457", "99458"]),
        st.integers(1, 3),
        st.integers(28, 30),
        st.integers(1, 3),
    ),
    unique_by=lambda one: (one[2], one[3], one[4]),
    max_size=8,
)


@given(lines, lines)
def test_the_differences_lead_from_one_to_the_other(before: list[Line], after: list[Line]) -> None:
    """Taking away what is gone or otherwise and adding what is new or otherwise gives the other."""
    differences = event_differences(frame(*before), frame(*after))
    built = Counter(before)
    built.subtract(before[one.before] for one in differences if one.before is not None)
    built.update(after[one.after] for one in differences if one.after is not None)
    assert +built == Counter(after)
    assert not -built
    assert (before == after) <= (not differences)

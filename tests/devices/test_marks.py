"""Marks: one measurement through two sources, and weights that change too much to be passed by."""

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.alerts.evaluate import Value
from devices.marks import Beside, Mark, marks

START = datetime(2026, 1, 5, 12, tzinfo=UTC)
WEIGHT, SYSTOLIC, DIASTOLIC, PULSE = "29463-7", "8480-6", "8462-4", "8867-4"


def weighed(name: int, seconds: float, kg: str, source: str = "a", bound: str = "") -> Beside[int]:
    """A weight some seconds after the start, recorded in the order of its name."""
    at = START + timedelta(seconds=seconds)
    values = {WEIGHT: Value(Decimal(kg), bound)}
    return Beside(name, "weight", source, at, (name, ""), values)


def pressure(name: int, seconds: float, source: str, **values: str) -> Beside[int]:
    """A blood pressure by the short names of its numbers."""
    codes = {"systolic": SYSTOLIC, "diastolic": DIASTOLIC, "pulse": PULSE}
    told = {codes[key]: Value(Decimal(value)) for key, value in values.items()}
    return Beside(name, "bp", source, START + timedelta(seconds=seconds), (name, ""), told)


def told(readings: Sequence[Beside[int]]) -> set[tuple[int, str, int]]:
    """Every mark as the marked reading, the code and the other reading."""
    return {
        (name, mark.code, mark.other) for name, found in marks(readings).items() for mark in found
    }


def test_one_measurement_through_two_sources_is_marked_once() -> None:
    """The one recorded later is marked and names the one that a list shows."""
    both = [weighed(1, 60, "72.5747792", "a"), weighed(2, 0, "72.6", "b")]
    assert marks(both) == {2: (Mark("possible_duplicate", 1),)}


@pytest.mark.parametrize(
    "other",
    [
        weighed(2, 61, "72.5", "b"),
        weighed(2, 0, "72.6", "a"),
        weighed(2, 0, "72.8", "b"),
        weighed(2, 0, "72.6", "b", "<"),
    ],
    ids=["later than a minute", "the same source", "another weight", "only a bound"],
)
def test_what_differs_is_no_duplicate(other: Beside[int]) -> None:
    """Two sources, one minute and the same numbers are all needed."""
    assert told([weighed(1, 0, "72.6"), other]) == set()


def test_a_pressure_with_a_pulse_may_be_the_one_without() -> None:
    """Numbers that only one source tells do not make two measurements of it."""
    first = pressure(1, 0, "a", systolic="128", diastolic="79", pulse="66")
    assert told([first, pressure(2, 5, "b", systolic="128", diastolic="79")]) == {
        (2, "possible_duplicate", 1)
    }
    assert told([first, pressure(2, 5, "b", systolic="128", diastolic="80")]) == set()


def test_cuff_inflations_within_minutes_are_readings() -> None:
    """The same cuff three times within a minute is measured three times."""
    assert told([pressure(n, n * 20, "a", systolic="128", diastolic="79") for n in (1, 2, 3)]) == (
        set()
    )


@pytest.mark.parametrize(
    ("hours", "kg", "marked"),
    [
        (24, "88.1", True),
        (24, "71.9", True),
        (24, "88", False),
        (24, "72", False),
        (25, "120", False),
    ],
)
def test_a_weight_that_changes_by_over_a_tenth_is_marked(
    hours: float, kg: str, marked: bool
) -> None:
    """Beyond a tenth of the earlier one, up or down, within a day both included."""
    found = told([weighed(1, 0, "80"), weighed(2, hours * 3600, kg)])
    assert found == ({(2, "weight_change", 1)} if marked else set())


def test_a_weight_is_held_to_the_one_it_differs_from_most() -> None:
    """Of several weights of a day before, the farthest is named; a bound is none."""
    day = [weighed(1, 0, "80"), weighed(2, 10, "70"), weighed(3, 20, "20", bound="<")]
    assert (4, "weight_change", 2) in told([*day, weighed(4, 3600, "95")])


_READINGS = st.lists(
    st.tuples(
        st.integers(0, 30 * 3600),
        st.sampled_from(["70", "70.05", "77", "78", "90"]),
        st.sampled_from("abc"),
    ),
    max_size=14,
)


@given(_READINGS, st.randoms(use_true_random=False))
def test_marks_are_those_of_a_plain_comparison_in_any_order(
    drawn: list[tuple[int, str, str]], chance: random.Random
) -> None:
    """The order given changes nothing, and every pair that the rules name is marked, no other."""
    readings = [weighed(n, at, kg, source) for n, (at, kg, source) in enumerate(drawn)]
    shuffled = chance.sample(readings, len(readings))
    assert marks(shuffled) == marks(readings)
    duplicates, changes = set(), set()
    for n, (at, kg, source) in enumerate(drawn):
        for m, (before, other_kg, other_source) in enumerate(drawn):
            near = abs(at - before) <= 60 and abs(Decimal(kg) - Decimal(other_kg)) <= Decimal(
                "0.06"
            )
            if m < n and near and source != other_source:
                duplicates.add(n)
            change = abs(Decimal(kg) - Decimal(other_kg)) * 10 > Decimal(other_kg)
            if before < at <= before + 24 * 3600 and change:
                changes.add(n)
    found = told(readings)
    assert {name for name, code, _ in found if code == "possible_duplicate"} == duplicates
    assert {name for name, code, _ in found if code == "weight_change"} == changes

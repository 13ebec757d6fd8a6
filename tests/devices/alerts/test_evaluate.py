"""Alerts in pure form: what breaks a limit, in which order, and what is only a note."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.alerts.evaluate import Raised, Rule, Seen, Value, breaks, raised, seen_values
from devices.alerts.limits import Limit, kept_value

SYSTOLIC, PULSE, WEIGHT = "8480-6", "8867-4", "29463-7"
START = datetime(2026, 1, 5, 12, tzinfo=UTC)


def limit(value: str, **changes: Any) -> Limit:
    """A red limit above a systolic pressure, unless said otherwise."""
    fields: dict[str, Any] = {
        "subject": "reading",
        "kind": "bp",
        "quantity": "systolic",
        "comparison": "above",
        "band": "red",
        "unit": "mm[Hg]",
        "value": Decimal(value),
    }
    return kept_value(Limit(**(fields | changes)))


def weight_rise(value: str, hours: int, unit: str = "kg", measure: str = "rise") -> Limit:
    """A limit on a change of weight."""
    return limit(
        value,
        kind="weight",
        quantity="weight",
        unit=unit,
        measure=measure,
        comparison="at_least",
        window_hours=hours,
    )


def seen(name: str, hours: float, number: str, **changes: Any) -> Seen[str]:
    """A reading some hours after the start, known as soon as it was taken."""
    at = START + timedelta(hours=hours)
    code = changes.pop("code", SYSTOLIC)
    comparator = changes.pop("comparator", "")
    fields: dict[str, Any] = {"measured_at": at, "recorded_at": at, "sequence": 1}
    values = {code: Value(Decimal(number), comparator)}
    return Seen(name, values, **(fields | changes))


def told(limits: Sequence[Limit], readings: Sequence[Seen[str]]) -> list[tuple[str, str]]:
    """Rule and reading of everything that is raised."""
    rules = [Rule(one.slot, one) for one in limits]
    return [(one.rule.name, one.seen.reading) for one in raised(rules, readings)]


@pytest.mark.parametrize(
    ("comparison", "number", "comparator", "expected"),
    [
        ("above", "180", "", False),
        ("above", "181", "", True),
        ("at_least", "180", "", True),
        ("at_least", "179", "", False),
        ("below", "180", "", False),
        ("below", "179", "", True),
        ("at_most", "180", "", True),
        ("at_most", "181", "", False),
        ("above", "180", ">", True),
        ("above", "170", ">", False),
        ("above", "190", "<", False),
        ("below", "180", "<", True),
        ("below", "190", "<", False),
        ("at_most", "170", ">", False),
    ],
)
def test_a_limit_is_broken_beyond_it(
    comparison: Any, number: str, comparator: str, expected: bool
) -> None:
    """The limit itself breaks "at least" and "at most" only; a bound is no more than it says."""
    assert breaks(Value(Decimal(number), comparator), comparison, Decimal(180)) is expected


def test_the_red_band_covers_the_amber_one() -> None:
    """A reading beyond both is told once, as red; one between them as amber."""
    limits = [limit("140", band="amber"), limit("180")]
    readings = [seen("mild", 0, "150"), seen("crisis", 1, "200")]
    assert told(limits, readings) == [
        ("bp.systolic.high.amber", "mild"),
        ("bp.systolic.high.red", "crisis"),
    ]


def test_a_pulse_is_a_pulse_whatever_device_told_it() -> None:
    """A limit on the pulse looks at that of a cuff and of an oximeter too, as one rule."""
    of_cuff = limit("100", kind="bp", quantity="pulse", unit="/min")
    of_meter = limit("100", kind="heart_rate", quantity="pulse", unit="/min")
    assert of_cuff == of_meter
    assert told([of_cuff], [seen("cuff", 0, "120", code=PULSE)]) == [
        ("heart_rate.pulse.high.red", "cuff")
    ]


def test_two_in_a_row() -> None:
    """Only a second high reading alerts; a usual one between them begins anew."""
    twice = limit("180", in_a_row=2)
    numbers = ["190", "120", "190", "195", "199"]
    readings = [seen(str(place), place, number) for place, number in enumerate(numbers)]
    assert [name for _, name in told([twice], readings)] == ["3", "4"]


def test_a_run_is_no_run_beyond_its_window() -> None:
    """Two high readings a day apart are no run of six hours."""
    twice = limit("180", in_a_row=2, window_hours=6)
    assert told([twice], [seen("a", 0, "190"), seen("b", 24, "190")]) == []
    assert len(told([twice], [seen("a", 0, "190"), seen("b", 6, "190")])) == 1


def test_a_late_reading_completes_a_run() -> None:
    """The order is that of measurement: what comes late may make the pair that ends later."""
    before = seen("second", 2, "190", is_new=False)
    late = seen("first", 1, "190", recorded_at=START + timedelta(hours=5))
    assert told([limit("180", in_a_row=2)], [before, late]) == [("bp.systolic.high.red", "second")]


def test_what_was_looked_at_before_is_not_told_again() -> None:
    """Readings that are there for comparison raise nothing by themselves."""
    assert told([limit("180")], [seen("old", 0, "200", is_new=False)]) == []


def test_a_limit_looks_at_what_is_recorded_after_it() -> None:
    """A limit that is set today does not alert about yesterday's readings."""
    rule = Rule("rule", limit("180"), known=7)
    readings = [seen("before", 0, "200", sequence=7), seen("after", 1, "200", sequence=8)]
    assert [one.seen.reading for one in raised([rule], readings)] == ["after"]


@pytest.mark.parametrize(("hours", "is_note"), [(24, False), (24.01, True)])
def test_an_old_reading_is_only_a_note(hours: float, is_note: bool) -> None:
    """Older than 24 hours when it came, it is told without urgency."""
    late = seen("late", 0, "200", recorded_at=START + timedelta(hours=hours))
    (one,) = raised([Rule("rule", limit("180"))], [late])
    assert one.is_note is is_note


def test_weight_gain_is_held_to_the_lowest_in_the_window() -> None:
    """Three pounds in a day: measured in kilograms, against the reading that differs most."""
    rule = weight_rise("3", 24, "[lb_av]")
    readings = [
        seen("low", 0, "80.0", code=WEIGHT),
        seen("higher", 12, "80.5", code=WEIGHT),
        seen("gained", 24, "81.37", code=WEIGHT),
        seen("two days", 48.01, "82.73", code=WEIGHT),
    ]
    found: list[Raised[str]] = raised([Rule("rule", rule)], readings)
    assert [(one.seen.reading, one.earlier[0].reading, one.value) for one in found] == [
        ("gained", "low", Decimal("1.37"))
    ]


def test_weight_loss_in_percent() -> None:
    """Five percent of the earlier weight within a week; a gain is none."""
    rule = weight_rise("5", 168, "%", "fall_percent")
    readings = [seen("before", 0, "100", code=WEIGHT), seen("after", 100, "95", code=WEIGHT)]
    assert [name for _, name in told([rule], readings)] == ["after"]
    assert told([rule], [seen("a", 0, "95", code=WEIGHT), seen("b", 9, "100", code=WEIGHT)]) == []


def test_a_bound_is_no_end_of_a_change() -> None:
    """A meter's LOW has no number: no change is computed with it."""
    readings = [seen("a", 0, "60", code=WEIGHT, comparator="<"), seen("b", 1, "90", code=WEIGHT)]
    assert told([weight_rise("1", 24)], readings) == []


def test_degrees_differ_without_a_zero_point() -> None:
    """A rise of 1.8 degrees Fahrenheit is one degree Celsius."""
    rule = limit(
        "1.8",
        kind="temperature",
        quantity="temperature",
        unit="[degF]",
        measure="rise",
        window_hours=24,
    )
    assert (rule.value, rule.unit) == (Decimal(1), "Cel")


def test_values_of_a_stored_reading() -> None:
    """Every spelling of a code is found under the one that is kept; unknown ones are left out."""
    parts = [
        {"loinc": "2339-0", "value": "65", "comparator": "<"},
        {"loinc": "0-0", "value": "1"},
    ]
    assert seen_values("glucose", parts) == {"41653-7": Value(Decimal(65), "<")}
    assert seen_values("no such kind", parts) == {}


numbers = st.lists(st.integers(100, 220), min_size=1, max_size=12)


@given(numbers=numbers, cuts=st.sets(st.integers(1, 11)), in_a_row=st.integers(1, 3))
def test_portions_raise_what_one_look_raises(
    numbers: list[int], cuts: set[int], in_a_row: int
) -> None:
    """Readings that come in their order raise the same however they are looked at in portions."""
    limits = [limit("180", in_a_row=in_a_row), limit("140", band="amber", in_a_row=in_a_row)]
    whole = [seen(str(n), n, str(value)) for n, value in enumerate(numbers)]
    at_once = told(limits, whole)
    ends = sorted({cut for cut in cuts if cut < len(whole)} | {len(whole)})
    parts: list[tuple[str, str]] = []
    for start, end in zip([0, *ends], ends, strict=False):
        portion = [
            seen(str(n), n, str(value), is_new=n >= start) for n, value in enumerate(numbers[:end])
        ]
        parts += told(limits, portion)
    assert sorted(parts) == sorted(at_once)


@given(numbers=numbers, random=st.randoms(use_true_random=False))
def test_the_order_of_arrival_does_not_matter(numbers: list[int], random: Any) -> None:
    """Looked at together, readings raise the same in whatever order they are given."""
    readings = [seen(str(n), n, str(value)) for n, value in enumerate(numbers)]
    shuffled = random.sample(readings, len(readings))
    limits = [limit("180", in_a_row=2), limit("120", comparison="below")]
    assert told(limits, shuffled) == told(limits, readings)

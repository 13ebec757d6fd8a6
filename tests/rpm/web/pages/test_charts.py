"""Charts keep to laws of geometry: inside the frame, one scale, and no line over a gap."""

import itertools
from datetime import UTC, date, datetime, timedelta
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpm.web.pages.charts import (
    BOTTOM,
    LEFT,
    RIGHT,
    TOP,
    WIDTH,
    Bar,
    Chart,
    DayMark,
    Mark,
    Scale,
    bar_chart,
    day_strip,
)
from rpm.web.pages.line_charts import GAP_DAYS, HEIGHT, Limits, Line, Point, line_chart

FIRST, LAST = date(2026, 1, 1), date(2026, 1, 30)
SVG = "{http://www.w3.org/2000/svg}"

values = st.floats(min_value=0, max_value=1_000, allow_nan=False)
minutes = st.integers(min_value=0, max_value=30 * 24 * 60 - 1)
points = st.builds(
    lambda minute, value, counts: Point(
        datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minute), value, counts
    ),
    minutes,
    values,
    st.booleans(),
)
edges = st.none() | values
bands = st.tuples(edges, edges).map(
    lambda pair: Limits(
        "red",
        *(sorted(pair) if None not in pair else pair),
    )
)


def elements(chart: Chart, name: str, word: str = "") -> list[ET.Element]:
    """Elements of a drawing whose class holds a word."""
    found = ET.fromstring(str(chart.svg)).iter(f"{SVG}{name}")
    return [one for one in found if word in one.get("class", "")]


def number(element: ET.Element, name: str) -> float:
    """A number of an element."""
    return float(element.get(name, "nan"))


@given(st.lists(points, max_size=12), st.lists(bands, max_size=2))
def test_points_and_bands_stay_inside_the_frame(found: list[Point], limits: list[Limits]) -> None:
    """Whatever the values and limits are, nothing is drawn outside the frame."""
    chart = line_chart("Pulse", "/min", [Line("pulse", found)], (FIRST, LAST), limits)
    for circle in elements(chart, "circle"):
        assert LEFT <= number(circle, "cx") <= WIDTH - RIGHT
        assert TOP <= number(circle, "cy") <= HEIGHT - BOTTOM
    for band in elements(chart, "rect", "band"):
        assert number(band, "y") >= TOP
        assert number(band, "height") >= 0
        assert number(band, "y") + number(band, "height") <= HEIGHT - BOTTOM + 0.1


@given(st.lists(points, max_size=12))
def test_every_point_is_drawn_and_told(found: list[Point]) -> None:
    """Each value is a circle, and stands in the table in the row of its instant."""
    chart = line_chart("Pulse", "/min", [Line("pulse", found)], (FIRST, LAST))
    assert len(elements(chart, "circle")) == len(found)
    assert len(chart.rows) == len({one.at for one in found})
    assert sum(len(row[1].split(", ")) for row in chart.rows) == len(found)


@given(st.lists(points, max_size=12))
def test_a_line_never_leads_over_a_gap(found: list[Point]) -> None:
    """No two joined points are further apart than the days that may be unknown."""
    chart = line_chart("Pulse", "/min", [Line("pulse", found)], (FIRST, LAST))
    widest = (WIDTH - RIGHT - LEFT) * GAP_DAYS / 30 + 0.2
    for line in elements(chart, "polyline"):
        across = [float(spot.split(",")[0]) for spot in line.get("points", "").split()]
        steps = itertools.pairwise(across)
        assert all(0 <= after - before <= widest for before, after in steps)


@given(values, values)
def test_a_value_at_the_limit_lies_on_the_edge_of_the_band(value: float, other: float) -> None:
    """Points and bands share one scale: a value that equals the limit is drawn on its edge."""
    at = datetime(2026, 1, 10, tzinfo=UTC)
    line = Line("pulse", [Point(at, value), Point(at + timedelta(hours=1), other)])
    chart = line_chart("Pulse", "/min", [line], (FIRST, LAST), [Limits("red", high=value)])
    (band,) = elements(chart, "rect", "band")
    first = elements(chart, "circle")[0]
    assert number(first, "cy") == pytest.approx(number(band, "y"), abs=0.2)


def test_a_value_that_does_not_count_is_hollow_and_not_joined() -> None:
    """A refused value is shown for what it is, and the line goes on without it."""
    at = [datetime(2026, 1, day, 8, tzinfo=UTC) for day in (5, 6, 7)]
    line = Line("systolic", [Point(at[0], 128), Point(at[1], 250, counts=False), Point(at[2], 130)])
    chart = line_chart("Blood pressure", "mmHg", [line], (FIRST, LAST))
    assert len(elements(chart, "circle", "hollow")) == 1
    (path,) = elements(chart, "polyline")
    assert len(path.get("points", "").split()) == 2


def test_values_outside_the_span_are_left_out() -> None:
    """A chart of some days shows nothing of other days."""
    line = Line("pulse", [Point(datetime(2026, 2, 1, tzinfo=UTC), 70)])
    chart = line_chart("Pulse", "/min", [line], (FIRST, LAST))
    assert (elements(chart, "circle"), chart.rows) == ([], ())


def test_a_span_that_ends_before_it_begins_is_refused() -> None:
    """The mistake is named instead of drawn."""
    with pytest.raises(ValueError, match="span"):
        line_chart("Pulse", "/min", [], (LAST, FIRST))


def test_a_chart_without_values_says_so() -> None:
    """The description tells that there is nothing, in words."""
    chart = line_chart("Pulse", "/min", [Line("pulse", [])], (FIRST, LAST))
    assert "pulse: no values." in str(chart.svg)


def test_words_from_outside_are_escaped() -> None:
    """A name cannot become markup."""
    chart = bar_chart("<b>x</b>", [Bar("<script>", 1, "1 & more")])
    assert "<script>" not in str(chart.svg)
    assert elements(chart, "text")[0].text == "<script>"


def test_a_strip_has_one_cell_for_each_day() -> None:
    """Cells stand in the order of the days, beside each other, and say their state in words."""
    days = [
        DayMark(date(2026, 1, 1), "counts"),
        DayMark(date(2026, 1, 2), "refused", "entered by hand"),
        DayMark(date(2026, 1, 3), "none"),
        DayMark(date(2026, 1, 4), "ahead"),
    ]
    chart = day_strip("Window", days)
    cells = elements(chart, "rect")
    assert [number(cell, "x") for cell in cells] == [1, 21, 41, 61]
    assert chart.rows[1] == ("Jan 2, 2026", "does not count (entered by hand)")
    assert "1 of 4 days count." in str(chart.svg)


def test_a_strip_knows_no_other_state() -> None:
    """A misspelled state is an error, not an uncolored day."""
    with pytest.raises(ValueError, match="known states"):
        day_strip("Window", [DayMark(FIRST, "good")])


@given(st.lists(values, min_size=1, max_size=6), values)
def test_bars_and_marks_share_a_scale(amounts: list[float], threshold: float) -> None:
    """A bar reaches its mark exactly when its amount does."""
    bars = [Bar(str(place), amount, "") for place, amount in enumerate(amounts)]
    chart = bar_chart("Minutes", bars, [Mark(threshold, "20")])
    (mark,) = elements(chart, "line", "mark")
    for amount, bar in zip(amounts, elements(chart, "rect", "bar"), strict=True):
        end = number(bar, "x") + number(bar, "width")
        if amount >= threshold:
            assert end >= number(mark, "x1") - 0.2
        else:
            assert end <= number(mark, "x1") + 0.2
        assert end <= WIDTH


@given(values, values, values)
def test_a_scale_keeps_order_and_ends(first: float, second: float, span: float) -> None:
    """More is never drawn as less, and nothing leaves the scale."""
    scale = Scale(0, span + 1, 10, 110)
    assert (scale.at(first) <= scale.at(second)) or first > second
    assert 10 <= scale.at(first) <= 110

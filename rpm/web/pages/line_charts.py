"""Line charts: values over days with the band they should stay in, on one scale.

Owns axes, lines and bands. Does not own the drawing's frame nor its other forms
(``rpm.web.pages.charts``).
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from markupsafe import Markup

from rpm.web.pages.charts import (
    BOTTOM,
    LEFT,
    RIGHT,
    TOP,
    WIDTH,
    Chart,
    Scale,
    drawing,
    shown_number,
)
from rpm.written import us_day

HEIGHT = 220
GAP_DAYS = 3
"""Points further apart are not joined: nothing is known of the days between."""
_STEPS = (1, 2, 5)
_MOST_TICKS = 6
_COLORS = ("#1f5f8b", "#a3541a", "#4b6b2a")


@dataclass(frozen=True)
class Point:
    """A value at an instant; one that does not count is drawn hollow and not joined."""

    at: datetime
    value: float
    counts: bool = True
    note: str = ""


@dataclass(frozen=True)
class Line:
    """The values of one quantity."""

    name: str
    points: Sequence[Point]


@dataclass(frozen=True)
class Limits:
    """A band that values should stay in; None: open to that side. ``name`` tells whose it is."""

    name: str
    low: float | None = None
    high: float | None = None


def line_chart(
    title: str,
    unit: str,
    lines: Sequence[Line],
    days: tuple[date, date],
    limits: Sequence[Limits] = (),
) -> Chart:
    """Values over the days of a span, both included, with bands of limits on the same scale.

    Points outside the span are left out. ValueError for a span that ends before it begins.
    """
    if days[1] < days[0]:
        raise ValueError("a span ends on or after its first day")
    begins, ends = _instant(days[0]), _instant(days[1] + timedelta(days=1))
    kept = [
        Line(one.name, sorted(_within(one.points, begins, ends), key=lambda point: point.at))
        for one in lines
    ]
    across = Scale(begins.timestamp(), ends.timestamp(), LEFT, WIDTH - RIGHT)
    upward = _upward(kept, limits)
    parts = [
        *_grid(upward),
        *_day_axis(days, across),
        *(_band(one, upward) for one in limits),
        *(part for place, one in enumerate(kept) for part in _drawn(one, place, across, upward)),
    ]
    description = _described(kept, unit, limits)
    return Chart(
        drawing(title, description, WIDTH, HEIGHT, parts, "chart-lines"),
        title,
        ("When", *(one.name for one in kept), "Remark"),
        tuple(_rows(kept, unit)),
    )


def _instant(value: date) -> datetime:
    return datetime(value.year, value.month, value.day, tzinfo=UTC)


def _within(points: Iterable[Point], begins: datetime, ends: datetime) -> Iterator[Point]:
    return (one for one in points if begins <= one.at < ends)


def _upward(lines: Sequence[Line], limits: Sequence[Limits]) -> Scale:
    """The scale that holds every point and every limit, between round numbers."""
    values = [point.value for one in lines for point in one.points]
    values += [edge for one in limits for edge in (one.low, one.high) if edge is not None]
    low, high = min(values, default=0.0), max(values, default=1.0)
    step = _step(high - low)
    floor = (low // step) * step
    ceiling = -(-high // step) * step
    return Scale(floor, ceiling if ceiling > floor else floor + step, HEIGHT - BOTTOM, TOP)


def _step(span: float) -> float:
    """A round step that gives few lines."""
    size = 0.1
    while True:
        for step in _STEPS:
            if span <= step * size * (_MOST_TICKS - 1):
                return step * size
        size *= 10


def _grid(upward: Scale) -> Iterator[Markup]:
    step = _step(upward.high - upward.low)
    count = round((upward.high - upward.low) / step)
    for number in range(count + 1):
        value = upward.low + number * step
        y = upward.at(value)
        yield Markup(
            '<line class="grid" x1="{}" x2="{}" y1="{}" y2="{}" stroke="#d5dae0"/>'
        ).format(LEFT, WIDTH - RIGHT, y, y)
        yield Markup(
            '<text class="tick" x="{}" y="{}" text-anchor="end" font-size="12" fill="#45505b">'
            "{}</text>"
        ).format(LEFT - 6, y + 4, shown_number(value))


def _day_axis(days: tuple[date, date], across: Scale) -> Iterator[Markup]:
    length = (days[1] - days[0]).days + 1
    every = max(1, -(-length // _MOST_TICKS))
    for number in range(0, length, every):
        day = days[0] + timedelta(days=number)
        x = across.at(_instant(day).timestamp())
        yield Markup(
            '<text class="tick" x="{}" y="{}" font-size="12" fill="#45505b">{}</text>'
        ).format(x, HEIGHT - 8, f"{day:%b} {day.day}")


def _band(one: Limits, upward: Scale) -> Markup:
    top = upward.at(upward.high if one.high is None else one.high)
    bottom = upward.at(upward.low if one.low is None else one.low)
    return Markup(
        '<rect class="band" x="{}" y="{}" width="{}" height="{}" fill="#dfeee6">'
        "<title>{}</title></rect>"
    ).format(LEFT, top, WIDTH - RIGHT - LEFT, round(bottom - top, 1), _limit_words(one))


def _drawn(one: Line, place: int, across: Scale, upward: Scale) -> Iterator[Markup]:
    def spot(point: Point) -> tuple[float, float]:
        return across.at(point.at.timestamp()), upward.at(point.value)

    color = _COLORS[place % len(_COLORS)]
    for joined in _runs([point for point in one.points if point.counts]):
        path = " ".join(f"{x},{y}" for x, y in map(spot, joined))
        yield Markup(
            '<polyline class="line line-{}" points="{}" fill="none" stroke="{}" stroke-width="2"/>'
        ).format(place + 1, path, color)
    for point in one.points:
        x, y = spot(point)
        yield Markup(
            '<circle class="point point-{} {}" cx="{}" cy="{}" r="3" fill="{}" stroke="{}"/>'
        ).format(
            place + 1,
            "counts" if point.counts else "hollow",
            x,
            y,
            color if point.counts else "none",
            color,
        )


def _runs(points: Sequence[Point]) -> Iterator[list[Point]]:
    """Points that may be joined: no two neighbors more than ``GAP_DAYS`` apart."""
    run: list[Point] = []
    for point in points:
        if run and point.at - run[-1].at > timedelta(days=GAP_DAYS):
            yield run
            run = []
        run.append(point)
    if run:
        yield run


def _described(lines: Sequence[Line], unit: str, limits: Sequence[Limits]) -> str:
    told = []
    for one in lines:
        values = [point.value for point in one.points if point.counts]
        if not values:
            told.append(f"{one.name}: no values.")
            continue
        low, high, last = shown_number(min(values)), shown_number(max(values)), values[-1]
        told.append(f"{one.name}: {low} to {high} {unit}, last {shown_number(last)} {unit}.")
    return " ".join([*told, *(f"{_limit_words(one)}." for one in limits)])


def _limit_words(one: Limits) -> str:
    low = "" if one.low is None else f"from {shown_number(one.low)}"
    high = "" if one.high is None else f"to {shown_number(one.high)}"
    return " ".join(part for part in (one.name, low, high) if part)


def _rows(lines: Sequence[Line], unit: str) -> Iterator[tuple[str, ...]]:
    """One row for each instant, the latest first, with the values of all lines at it."""
    by_line: list[defaultdict[datetime, list[Point]]] = [defaultdict(list) for _ in lines]
    for found, one in zip(by_line, lines, strict=True):
        for point in one.points:
            found[point.at].append(point)
    for at in sorted({at for found in by_line for at in found}, reverse=True):
        points = [found.get(at, []) for found in by_line]
        told = [
            ", ".join(f"{shown_number(point.value)} {unit}".strip() for point in of_line)
            for of_line in points
        ]
        notes = dict.fromkeys(point.note for of_line in points for point in of_line if point.note)
        yield (f"{us_day(at.date())}, {at:%H:%M}", *told, "; ".join(notes))

"""Charts: SVG made on the server, each with a title, a description and its values as a table.

Owns the frame of a drawing, strips of days and bars; values in, markup out, the same for a page and
for paper. Does not own line charts (``rpm.web.pages.line_charts``) nor colors on screen (the style
sheet): the attributes in the markup are those for paper, and the style sheet overrides them by
class.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from markupsafe import Markup

from rpm.written import us_day

WIDTH = 640
LEFT, RIGHT, TOP, BOTTOM = 44, 12, 12, 28
_STRIP_CELL, _STRIP_HEIGHT = 20, 28
_BAR_HEIGHT, _BAR_GAP, _BAR_LABEL = 22, 12, 84
_STATE_COLORS = {
    "counts": "#1f7a4d",
    "refused": "#c9821a",
    "none": "#d5dae0",
    "ahead": "#ffffff",
}
STATES = tuple(_STATE_COLORS)
"""Of a day: a reading that counts, only ones that do not, none, or it is still to come."""


@dataclass(frozen=True)
class DayMark:
    """A day of a strip."""

    day: date
    state: str  # STATES
    note: str = ""


@dataclass(frozen=True)
class Bar:
    """An amount under a label."""

    label: str
    value: float
    shown: str  # the amount in words
    note: str = ""


@dataclass(frozen=True)
class Mark:
    """An amount that bars are held against, such as a threshold."""

    value: float
    label: str


@dataclass(frozen=True)
class Chart:
    """A drawing, and the same values as a table."""

    svg: Markup
    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Scale:
    """From values of an axis to places on it; both ends are inside."""

    low: float
    high: float
    start: float
    end: float

    def at(self, value: float) -> float:
        """The place of a value; one beyond an end is put on that end."""
        inside = min(max(value, self.low), self.high)
        share = (inside - self.low) / (self.high - self.low)
        return round(self.start + share * (self.end - self.start), 1)


def day_strip(title: str, days: Sequence[DayMark]) -> Chart:
    """One cell for each day; ValueError for a state that is none of ``STATES``."""
    unknown = {one.state for one in days} - set(STATES)
    if unknown:
        raise ValueError("a day of a strip has one of the known states")
    parts = []
    for place, one in enumerate(days):
        label = Markup("<title>{}</title>").format(f"{us_day(one.day)}: {_state(one)}")
        parts.append(
            Markup(
                '<rect class="day day-{}" x="{}" y="2" width="{}" height="{}" rx="3" fill="{}"'
                ' stroke="#8a949e">{}</rect>'
            ).format(
                one.state,
                place * _STRIP_CELL + 1,
                _STRIP_CELL - 2,
                _STRIP_HEIGHT - 4,
                _STATE_COLORS[one.state],
                label,
            )
        )
    counted = sum(one.state == "counts" for one in days)
    width = max(len(days), 1) * _STRIP_CELL
    description = f"{counted} of {len(days)} days count."
    return Chart(
        drawing(title, description, width, _STRIP_HEIGHT, parts, "chart-strip"),
        title,
        ("Day", "State"),
        tuple((us_day(one.day), _state(one)) for one in days),
    )


def bar_chart(title: str, bars: Sequence[Bar], marks: Sequence[Mark] = ()) -> Chart:
    """Bars from zero to the right, with marks across all of them on the same scale."""
    most = max((*(bar.value for bar in bars), *(mark.value for mark in marks)), default=0)
    across = Scale(0, most or 1, _BAR_LABEL, WIDTH - RIGHT - _BAR_LABEL)
    height = TOP + len(bars) * (_BAR_HEIGHT + _BAR_GAP) + BOTTOM
    parts = [part for place, bar in enumerate(bars) for part in _bar(bar, place, across)]
    parts += [part for mark in marks for part in _mark(mark, across, height)]
    description = "; ".join(f"{bar.label}: {bar.shown}" for bar in bars) or "No values."
    return Chart(
        drawing(title, description, WIDTH, height, parts, "chart-bars"),
        title,
        ("", "Amount", "Remark"),
        tuple((bar.label, bar.shown, bar.note) for bar in bars),
    )


def _bar(bar: Bar, place: int, across: Scale) -> Iterator[Markup]:
    y = TOP + place * (_BAR_HEIGHT + _BAR_GAP)
    end = across.at(bar.value)
    middle = y + _BAR_HEIGHT / 2 + 4
    yield Markup(
        '<text class="tick" x="{}" y="{}" text-anchor="end" font-size="12" fill="#45505b">{}</text>'
    ).format(_BAR_LABEL - 8, middle, bar.label)
    yield Markup(
        '<rect class="bar" x="{}" y="{}" width="{}" height="{}" rx="3" fill="#1f5f8b"/>'
    ).format(_BAR_LABEL, y, round(end - _BAR_LABEL, 1), _BAR_HEIGHT)
    yield Markup(
        '<text class="amount" x="{}" y="{}" font-size="12" fill="#1d2733">{}</text>'
    ).format(end + 6, middle, bar.shown)


def _mark(mark: Mark, across: Scale, height: int) -> Iterator[Markup]:
    x = across.at(mark.value)
    yield Markup(
        '<line class="mark" x1="{}" x2="{}" y1="{}" y2="{}" stroke="#45505b"'
        ' stroke-dasharray="4 3"/>'
    ).format(x, x, TOP - 6, height - BOTTOM + 4)
    yield Markup(
        '<text class="tick" x="{}" y="{}" text-anchor="middle" font-size="12" fill="#45505b">'
        "{}</text>"
    ).format(x, height - 8, mark.label)


def drawing(
    title: str, description: str, width: float, height: float, parts: Iterable[Markup], kind: str
) -> Markup:
    """The drawing with its title and description, as wide as its place allows."""
    return Markup(
        '<svg class="chart {}" viewBox="0 0 {} {}" role="img" xmlns="http://www.w3.org/2000/svg"'
        ' aria-label="{}"><title>{}</title><desc>{}</desc>{}</svg>'
    ).format(
        kind, width, height, f"{title}. {description}", title, description, Markup("").join(parts)
    )


def shown_number(value: float) -> str:
    """A number without needless digits."""
    return f"{value:.1f}".rstrip("0").rstrip(".") or "0"


_STATE_WORDS: dict[str, str] = {
    "counts": "counts",
    "refused": "does not count",
    "none": "no reading",
    "ahead": "still to come",
}


def _state(one: DayMark) -> str:
    words = _STATE_WORDS[one.state]
    return f"{words} ({one.note})" if one.note else words

"""Column charts: one value for each month, side by side, for a trend at a glance.

Owns the columns. Does not own the drawing's frame nor its other forms (``rpm.web.pages.charts``).
"""

from collections.abc import Iterator, Sequence

from markupsafe import Markup

from rpm.web.pages.charts import BOTTOM, RIGHT, TOP, WIDTH, Bar, Chart, Scale, drawing

HEIGHT = 180
_ROOM = 16  # above the highest column, for its amount
_FULL = 0.7  # share of its place that a column fills


def column_chart(title: str, bars: Sequence[Bar]) -> Chart:
    """Columns from zero upward; a bar's label is what stands below it."""
    most = max((bar.value for bar in bars), default=0)
    upward = Scale(0, most or 1, HEIGHT - BOTTOM, TOP + _ROOM)
    place = (WIDTH - 2 * RIGHT) / max(len(bars), 1)
    parts = [
        part
        for number, bar in enumerate(bars)
        for part in _column(bar, RIGHT + number * place, place, upward)
    ]
    foot = HEIGHT - BOTTOM
    parts.append(
        Markup('<line class="grid" x1="{}" x2="{}" y1="{}" y2="{}" stroke="#d5dae0"/>').format(
            RIGHT, WIDTH - RIGHT, foot, foot
        )
    )
    description = "; ".join(f"{bar.label}: {bar.shown}" for bar in bars) or "No values."
    return Chart(
        drawing(title, description, WIDTH, HEIGHT, parts, "chart-columns"),
        title,
        ("", "Amount", "Remark"),
        tuple((bar.label, bar.shown, bar.note) for bar in bars),
    )


def _column(bar: Bar, left: float, place: float, upward: Scale) -> Iterator[Markup]:
    top, foot = upward.at(bar.value), upward.at(0)
    middle = round(left + place / 2, 1)
    yield Markup(
        '<rect class="bar" x="{}" y="{}" width="{}" height="{}" rx="2" fill="#1f5f8b"/>'
    ).format(
        round(left + place * (1 - _FULL) / 2, 1),
        top,
        round(place * _FULL, 1),
        round(foot - top, 1),
    )
    yield Markup(
        '<text class="amount" x="{}" y="{}" text-anchor="middle" font-size="10" fill="#1d2733">{}'
        "</text>"
    ).format(middle, top - 4, bar.shown)
    yield Markup(
        '<text class="tick" x="{}" y="{}" text-anchor="middle" font-size="10" fill="#45505b">{}'
        "</text>"
    ).format(middle, HEIGHT - 10, bar.label)

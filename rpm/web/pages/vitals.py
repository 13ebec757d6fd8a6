"""Vitals: a patient's readings as charts, with the limits that hold for them.

Owns which quantities share a chart, units as people write them, and which limits make the band.
Does not own drawing (``rpm.web.pages.line_charts``) nor limits (``devices.alerts``).
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import groupby
from statistics import fmean

from billing.ledger.left_out import REASON_WORDS
from devices.alerts.limits import Limit
from devices.kinds import KINDS
from rpm.clock import zone
from rpm.store.day_readings import DayReading
from rpm.web.pages.charts import Chart, shown_number
from rpm.web.pages.line_charts import Limits, Line, Point, line_chart

MOST_POINTS = 400
"""More values of a quantity than this are shown as each day's average."""
_KG_OF_POUND = 0.45359237
_COMPARED = {
    "above": "above",
    "at_least": "at or above",
    "below": "below",
    "at_most": "at or below",
}


@dataclass(frozen=True)
class _Drawn:
    """A chart of ours: its quantities by kind, its unit, and how kept values become shown ones."""

    title: str
    unit: str
    quantities: tuple[str, ...]
    kinds: tuple[str, ...]
    factor: float = 1.0
    shift: float = 0.0

    def shown(self, kept: float) -> float:
        """A kept value in the unit of the chart."""
        return kept * self.factor + self.shift


_CHARTS = (
    _Drawn("Blood pressure", "mmHg", ("systolic", "diastolic"), ("bp",)),
    _Drawn("Pulse", "/min", ("pulse",), ("bp", "heart_rate", "spo2")),
    _Drawn("Glucose", "mg/dL", ("glucose",), ("glucose", "glucose_cgm")),
    _Drawn("Oxygen saturation", "%", ("spo2",), ("spo2",)),
    _Drawn("Weight", "lb", ("weight",), ("weight",), 1 / _KG_OF_POUND),
    _Drawn("Temperature", "°F", ("temperature",), ("temperature",), 9 / 5, 32),
    _Drawn("Peak flow", "L/min", ("peak_flow",), ("peak_flow",)),
)


def vitals_charts(
    readings: Sequence[DayReading],
    limits: Sequence[Limit],
    days: tuple[date, date],
    zone_name: str,
) -> list[Chart]:
    """A chart for each group of quantities that has a value in these days.

    Instants are shown by the patient's wall clock. A value that does not count is drawn as such.
    """
    found = []
    for drawn in _CHARTS:
        lines = [
            Line(name, _thinned(list(_points(readings, drawn, name, zone_name))))
            for name in drawn.quantities
        ]
        lines = [line for line in lines if line.points]
        if lines:
            bands = list(_bands(limits, drawn, {line.name for line in lines}))
            found.append(line_chart(drawn.title, drawn.unit, lines, days, bands))
    return found


def limit_words(limit: Limit) -> str:
    """A limit on values in words, in the unit of its chart."""
    drawn = next((one for one in _CHARTS if limit.quantity in one.quantities), None)
    value = float(limit.value) if drawn is None else drawn.shown(float(limit.value))
    unit = limit.unit if drawn is None else drawn.unit
    return f"{limit.quantity} {_COMPARED[limit.comparison]} {shown_number(value)} {unit}"


def _points(
    readings: Sequence[DayReading], drawn: _Drawn, name: str, zone_name: str
) -> Iterator[Point]:
    for one in readings:
        row = one.reading
        if row.measure not in drawn.kinds or row.measured_at is None:
            continue
        quantity = KINDS[row.measure].quantity(name)
        if quantity is None:
            continue
        for part in row.components:
            if part["loinc"] in quantity.loinc and not part.get("comparator"):
                at = row.measured_at.astimezone(zone(zone_name)).replace(tzinfo=UTC)
                note = REASON_WORDS.get(one.word, "")
                value = drawn.shown(float(part["value"]))
                yield Point(at, value, counts=not one.word, note=note)


def _thinned(points: list[Point]) -> list[Point]:
    """All points, or of very many the average of each day that counts."""
    if len(points) <= MOST_POINTS:
        return points
    counted = sorted((one for one in points if one.counts), key=lambda one: one.at)
    return [_average(day, list(of_day)) for day, of_day in groupby(counted, _day)]


def _day(point: Point) -> date:
    return point.at.date()


def _average(day: date, points: Sequence[Point]) -> Point:
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    return Point(noon, fmean(one.value for one in points), note=f"average of {len(points)} values")


def _bands(limits: Iterable[Limit], drawn: _Drawn, names: set[str]) -> Iterator[Limits]:
    """For each quantity, the values that break no limit: between the innermost ones."""
    for name in drawn.quantities:
        mine = [one for one in limits if one.quantity == name and one.measure == "value"]
        lows = [drawn.shown(float(one.value)) for one in mine if not one.is_high]
        highs = [drawn.shown(float(one.value)) for one in mine if one.is_high]
        if name in names and (lows or highs):
            yield Limits(f"{name} limits", max(lows, default=None), min(highs, default=None))

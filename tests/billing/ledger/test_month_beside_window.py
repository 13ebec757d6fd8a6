"""A month without work is told of even where a window begins on its first day."""

from datetime import date

from builders import Chart

from billing.ledger.why import why
from billing.rules.book import shipped_book


def test_a_window_from_the_first_is_not_the_month() -> None:
    """Readings from 1 January and no minutes: the window and the empty month are both told."""
    first = date(2026, 1, 1)
    chart = Chart()
    chart.measure(chart.enroll(first), first, 3)
    found = why(chart.facts(), shipped_book(), date(2026, 3, 1), date(2026, 3, 1), first, "99457")
    assert [one.kind for one in found.periods] == ["device-supply-30", "calendar-month"]

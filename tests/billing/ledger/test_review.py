"""Practitioner review (99091): minutes logged for it, over device-supply windows or months."""

from datetime import date

import pytest
from builders import Chart, later

OPENED = date(2026, 3, 2)
WINDOW_END = date(2026, 3, 31)


def reviewed(*seconds: int, days: int = 1, payer: str = "MEDICARE_B", **entry: object) -> Chart:
    """A patient with so many days of readings and entries of minutes logged for 99091."""
    chart = Chart(payer)
    episode = chart.enroll(OPENED)
    chart.measure(episode, OPENED, days)
    for number, one in enumerate(seconds):
        logged = {"work": "99091", "mode": "async", **entry}
        chart.work(episode, later(OPENED, 2 + number), one, **logged)
    return chart


@pytest.mark.parametrize(
    ("seconds", "lines"),
    [
        ((1799,), "NONE"),
        ((1800,), "99091*1@2026-03-31"),
        ((900, 899), "NONE"),
        ((900, 900), "99091*1@2026-03-31"),
        ((7200,), "99091*1@2026-03-31"),
    ],
)
def test_thirty_minutes_in_a_window(seconds: tuple[int, ...], lines: str) -> None:
    """Thirty minutes of review in a window earn one unit on its last day; a second less, none."""
    assert reviewed(*seconds).lines() == lines


def test_staff_minutes_do_not_count() -> None:
    """Only a practitioner's own minutes count."""
    assert reviewed(1800, role="rn").lines() == "NONE"


def test_minutes_logged_for_rpm_do_not_count() -> None:
    """Minutes logged for RPM earn management, never review."""
    assert reviewed(1800, work="RPM", mode="live").lines() == "99457*1@2026-03-31"


def test_minutes_fall_in_their_window() -> None:
    """Minutes of two windows are not added up."""
    chart = reviewed(1000)
    chart.measure(0, later(OPENED, 40), 1)
    chart.work(0, later(OPENED, 41), 1000, work="99091")
    assert chart.lines() == "NONE"
    chart.work(0, later(OPENED, 42), 800, work="99091")
    assert chart.lines() == "99091*1@2026-04-30"


@pytest.mark.parametrize(("seconds", "code"), [(600, "99470"), (1200, "99457")])
def test_held_beside_management_of_the_month(seconds: int, code: str) -> None:
    """Beside a management line of the same month the review is held and the other leaves."""
    chart = reviewed(1800)
    chart.work(0, later(OPENED, 20), seconds)
    assert chart.lines() == f"{code}*1@2026-03-31"
    assert "W_99091_HELD" in chart.findings()


def test_not_held_beside_management_of_another_month() -> None:
    """A management line of the month before does not hold it."""
    chart = Chart()
    episode = chart.enroll(date(2026, 2, 16))
    chart.measure(episode, date(2026, 2, 16), 1)
    chart.work(episode, date(2026, 2, 20), 1200)
    chart.work(episode, date(2026, 3, 3), 1800, work="99091")
    assert chart.lines() == "99457*1@2026-02-28;99091*1@2026-03-17"


@pytest.mark.parametrize(("days", "held"), [(1, False), (16, True)])
def test_held_beside_a_supply_line_of_the_day(days: int, held: bool) -> None:
    """Beside the long supply line of the same day the review is held."""
    chart = reviewed(1800, days=days)
    assert ("99091" in chart.lines()) != held
    assert ("W_NCCI_PAIR" in chart.findings()) == held


def test_minutes_are_used_once() -> None:
    """Seconds logged for review and for RPM at once are left to RPM, even across months."""
    opened = date(2026, 3, 10)
    chart = Chart()
    episode = chart.enroll(opened)
    chart.measure(episode, opened, 1)
    chart.work(episode, later(opened, 2), 1800, work="99091", start_second=36_000)
    assert chart.lines() == "99091*1@2026-04-08"
    chart.work(episode, later(opened, 2), 2400, start_second=36_000)
    assert chart.lines() == "99457*1@2026-03-31;99458*1@2026-03-31"
    assert "W_TIME_OTHER_PROGRAM" in chart.findings()


def test_papers_are_asked_for() -> None:
    """Without an order no review line leaves."""
    chart = Chart()
    episode = chart.enroll(OPENED, papers=("consent", "established"))
    chart.measure(episode, OPENED, 1)
    chart.work(episode, later(OPENED, 2), 1800, work="99091")
    assert chart.lines() == "NONE"
    assert "E_NO_ORDER" in chart.findings()


@pytest.mark.parametrize("work", ["RPM", "99091"])
def test_new_york_counts_by_calendar_month(work: str) -> None:
    """New York Medicaid pays the practitioner's minutes of a month, on its last day."""
    chart = Chart("MCD_NY")
    episode = chart.enroll(OPENED)
    chart.work(episode, date(2026, 3, 10), 1000, work=work, mode="async")
    chart.work(episode, date(2026, 4, 1), 1000, work=work, mode="async")
    assert chart.lines() == "NONE"
    chart.work(episode, date(2026, 4, 30), 800, work=work, mode="async")
    assert chart.lines() == "99091*1@2026-04-30"
    assert "W_PAYER_RULE_RECHECK" in chart.findings()


def test_new_york_pays_no_other_code() -> None:
    """New York Medicaid pays neither supply nor management."""
    chart = reviewed(1800, days=20, payer="MCD_NY")
    chart.work(0, later(OPENED, 5), 2400, role="rn")
    assert chart.lines() == f"99091*1@{WINDOW_END}"

"""What is told beside lines that leave: services of the same day, readings behind all windows."""

from datetime import date

import pytest
from builders import Chart, later

OPENED = date(2026, 3, 2)
WINDOW_END = date(2026, 3, 31)


def reviewed(code: str) -> Chart:
    """A practitioner who reviewed for half an hour, and one more service on the line's day."""
    chart = Chart()
    episode = chart.enroll(OPENED)
    chart.measure(episode, OPENED, 1)
    chart.work(episode, later(OPENED, 3), 1800, work="99091")
    chart.serve(code, WINDOW_END)
    return chart


@pytest.mark.parametrize(("code", "said"), [("99458", []), ("99473", ["W_NCCI_PAIR 99473"])])
def test_a_pair_that_the_page_orders_is_not_told_again(code: str, said: list[str]) -> None:
    """Where the page itself says which of two codes goes first, the edit table says nothing."""
    chart = reviewed(code)
    assert chart.lines() == "99091*1@2026-03-31"
    assert [one for one in chart.told() if "NCCI" in one] == [f"0 2026-03-02 {x}" for x in said]


def test_a_recorded_review_stands_behind_our_minutes() -> None:
    """R-MUTEX-04: 99091 gives way to 99457, whichever of the two was recorded by hand."""
    chart = Chart()
    episode = chart.enroll(OPENED)
    chart.work(episode, later(OPENED, 4), 1200)
    chart.serve("99091", WINDOW_END)
    assert chart.lines() == "99457*1@2026-03-31"
    assert chart.told() == ["0 2026-03-01 W_99091_HELD 99091"]


def test_a_reading_behind_all_windows_stands_on_the_first() -> None:
    """A reading that was refused later than any window is told on the episode's first one."""
    chart = Chart()
    episode = chart.enroll(OPENED)
    chart.measure(episode, OPENED, 3)
    chart.measure(episode, later(OPENED, 30), 3)
    chart.measure(episode, later(OPENED, 75), 1, refused="time_suspect")
    assert chart.told() == ["0 2026-03-02 W_READING_QUARANTINED"]


def test_a_pair_that_only_the_edits_know() -> None:
    """The page sets glucose monitoring against supply alone; beside minutes the edits tell it."""
    chart = Chart()
    episode = chart.enroll(OPENED)
    chart.work(episode, later(OPENED, 4), 1200)
    chart.serve("95250", WINDOW_END)
    assert chart.lines() == "99457*1@2026-03-31"
    assert chart.told() == ["0 2026-03-01 W_NCCI_PAIR 95250"]

"""What is not said where another finding or nothing at all is to be said."""

from datetime import date

from builders import Chart, later

OPENED = date(2026, 3, 2)


def test_a_set_up_that_is_recorded_leaves_without_a_word() -> None:
    """R-SET-01: the first supply line takes the set-up along, and nothing is missing."""
    chart = Chart()
    chart.measure(chart.enroll(OPENED, setup_billed=False), OPENED, 16)
    assert chart.lines() == "99453*1@2026-03-31;99454*1@2026-03-31"
    assert chart.told() == []


def test_clerical_time_beside_another_patient_is_clerical() -> None:
    """R-TIME-06: time that never counts is not told as shared with another patient as well."""
    chart = Chart()
    episode = chart.enroll(OPENED)
    chart.work(episode, later(OPENED, 2), 1200)
    chart.work(episode, later(OPENED, 3), 60, role="admin", shared=True)
    assert chart.told() == ["0 2026-03-01 W_NONCLINICAL_EXCLUDED"]

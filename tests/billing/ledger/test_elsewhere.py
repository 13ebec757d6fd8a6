"""Minutes and units that belong elsewhere are neither counted nor remarked on."""

from datetime import date

import pytest
from builders import Chart, later

OPENED = date(2026, 3, 2)
NINE = 9 * 3600


@pytest.mark.parametrize("blocked_by", ["no contact", "RTM"])
def test_lost_units_are_told_only_beside_a_line(blocked_by: str) -> None:
    """Where the management line itself does not leave, its add-on's date is no matter."""
    chart = Chart()
    episode = chart.enroll(date(2019, 11, 4))
    mode = "async" if blocked_by == "no contact" else "live"
    chart.work(episode, date(2019, 11, 12), 2700, mode=mode)
    if blocked_by == "RTM":
        chart.serve("98980", date(2019, 11, 20))
    assert chart.lines() == "NONE"
    assert "E_CODE_NOT_EFFECTIVE" not in chart.findings()


def test_clerical_rtm_minutes_stay_with_rtm() -> None:
    """RTM minutes take RPM seconds away whoever logged them, as minutes of CCM do."""
    seconds = {}
    for work in ("CCM", "RTM"):
        chart = Chart()
        episode = chart.enroll(OPENED)
        chart.work(episode, later(OPENED, 3), 1200, start_second=NINE)
        clerk = {"actor": 1, "role": "admin", "work": work}
        chart.work(episode, later(OPENED, 3), 700, start_second=NINE, **clerk)
        seconds[work] = chart.outcome().periods["seconds"].sum()
    assert seconds["RTM"] == seconds["CCM"]


def test_clerical_rtm_minutes_are_not_rpm_minutes_left_out() -> None:
    """W_NONCLINICAL_EXCLUDED speaks of RPM seconds."""
    chart = Chart()
    chart.work(chart.enroll(OPENED), later(OPENED, 3), 700, role="admin", work="RTM")
    assert "W_NONCLINICAL_EXCLUDED" not in chart.findings()


def test_rtm_minutes_lost_to_another_program_are_not_rpm_seconds() -> None:
    """W_TIME_OTHER_PROGRAM speaks of RPM seconds also logged for another program."""
    chart = Chart()
    episode = chart.enroll(OPENED)
    chart.work(episode, later(OPENED, 3), 700, work="RTM", start_second=NINE)
    chart.work(episode, later(OPENED, 3), 700, work="BHI", start_second=NINE, actor=1)
    assert "W_TIME_OTHER_PROGRAM" not in chart.findings()


def test_rtm_minutes_before_consent_are_not_rpm_minutes() -> None:
    """W_CONSENT_LATE speaks of readings and minutes that would have counted."""
    chart = Chart()
    episode = chart.enroll(OPENED, papers=("order", "established"))
    chart.hold(episode, "consent", later(OPENED, 10))
    chart.work(episode, later(OPENED, 3), 700, work="RTM")
    assert "W_CONSENT_LATE" not in chart.findings()

"""Remote therapeutic monitoring: supply, set-up, management, and beside RPM."""

from datetime import date
from typing import Any

import pytest
from builders import Chart, day_of, later

SUPPLY = [
    ("RTM-RESPIRATORY", "98976", "98984"),
    ("RTM-MUSCULOSKELETAL", "98977", "98985"),
    ("RTM-CBT", "98978", "98986"),
]
OPENED = date(2026, 3, 2)
WINDOW_END = date(2026, 3, 31)


def monitored(program: str, days: int, opened: date = OPENED, **episode: Any) -> Chart:
    """A patient of one program with so many days of adherence data."""
    chart = Chart()
    chart.measure(chart.enroll(opened, program, **episode), opened, days, "adherence")
    return chart


@pytest.mark.parametrize(("program", "long_code", "short_code"), SUPPLY)
@pytest.mark.parametrize("days", [1, 2, 15, 16, 30])
def test_supply_by_days(program: str, long_code: str, short_code: str, days: int) -> None:
    """In 2026, 16 to 30 days earn the long supply code, 2 to 15 the short one, one day nothing."""
    chart = monitored(program, days)
    code = long_code if days >= 16 else short_code
    assert chart.lines() == ("NONE" if days < 2 else f"{code}*1@{WINDOW_END}")
    assert ("E_DAYS_BELOW_MIN" in chart.findings()) == (days < 2)


@pytest.mark.parametrize(("program", "long_code", "short_code"), SUPPLY)
def test_no_short_supply_before_2026(program: str, long_code: str, short_code: str) -> None:
    """Fifteen days in 2025 earn nothing, sixteen the long code."""
    opened = date(2025, 3, 3)
    assert monitored(program, 15, opened).lines() == "NONE"
    assert monitored(program, 16, opened).lines() == f"{long_code}*1@2025-04-01"


@pytest.mark.parametrize(("program", "long_code", "short_code"), SUPPLY)
def test_set_up_goes_with_the_first_supply_line(
    program: str, long_code: str, short_code: str
) -> None:
    """Set-up leaves once, on the day of the first supply line."""
    chart = monitored(program, 60, setup_billed=False)
    assert chart.lines() == f"98975*1@2026-03-31;{long_code}*1@2026-03-31;{long_code}*1@2026-04-30"
    few = monitored(program, 1, setup_billed=False)
    assert few.lines() == "NONE"
    assert "I_SETUP_WAITING" in few.findings()


def test_self_reported_data_count() -> None:
    """Values that a patient keys in count for RTM and are not told as left out."""
    chart = Chart()
    episode = chart.enroll(OPENED, "RTM-MUSCULOSKELETAL")
    chart.measure(episode, OPENED, 20, "adherence", refused="manual_entry")
    assert chart.lines() == f"98977*1@{WINDOW_END}"
    assert "W_NONAUTO_EXCLUDED" not in chart.findings()


def test_other_refusals_do_not_count() -> None:
    """A reading with a suspect time counts for RTM no more than for RPM."""
    chart = Chart()
    episode = chart.enroll(OPENED, "RTM-MUSCULOSKELETAL")
    chart.measure(episode, OPENED, 20, "adherence", refused="time_suspect")
    assert chart.lines() == "NONE"


@pytest.mark.parametrize(
    ("seconds", "lines"),
    [
        (599, "NONE"),
        (600, "98979*1@2026-03-31"),
        (1199, "98979*1@2026-03-31"),
        (1200, "98980*1@2026-03-31"),
        (2399, "98980*1@2026-03-31"),
        (2400, "98980*1@2026-03-31;98981*1@2026-03-31"),
        (4800, "98980*1@2026-03-31;98981*3@2026-03-31"),
        (6000, "98980*1@2026-03-31;98981*3@2026-03-31"),
    ],
)
def test_management_by_seconds(seconds: int, lines: str) -> None:
    """Ten minutes earn the short code, twenty the long one, each full further twenty an add-on."""
    chart = Chart()
    chart.work(chart.enroll(OPENED, "RTM-CBT"), later(OPENED, 3), seconds, work="RTM")
    assert chart.lines() == lines
    assert ("W_MUE_CAP" in chart.findings()) == (seconds >= 6000)
    assert ("E_TIME_BELOW_MIN" in chart.findings()) == (seconds < 600)


def test_no_short_management_before_2026() -> None:
    """Nineteen minutes in 2025 earn nothing, twenty the long code."""
    for seconds, lines in ((1199, "NONE"), (1200, "98980*1@2025-05-31")):
        chart = Chart()
        chart.work(chart.enroll(date(2025, 5, 5), "RTM-CBT"), date(2025, 5, 9), seconds, work="RTM")
        assert chart.lines() == lines


def test_management_needs_live_contact() -> None:
    """Without a live talk in the month no management line leaves."""
    chart = Chart()
    episode = chart.enroll(OPENED, "RTM-MUSCULOSKELETAL")
    for mode in ("async", "text", "voicemail"):
        chart.work(episode, later(OPENED, 3), 900, work="RTM", mode=mode)
    assert chart.lines() == "NONE"
    assert "E_NO_INTERACTIVE" in chart.findings()


def test_rpm_minutes_are_not_rtm_minutes() -> None:
    """Minutes logged for RPM earn nothing in an RTM episode, nor the other way round."""
    for program, work in (("RTM-CBT", "RPM"), ("RPM", "RTM")):
        chart = Chart()
        chart.work(chart.enroll(OPENED, program), later(OPENED, 3), 1800, work=work)
        assert chart.lines() == "NONE"


def test_established_status_is_not_asked_for() -> None:
    """RTM has no established-patient rule; RPM has."""
    for program, lines in (("RTM-CBT", f"98978*1@{WINDOW_END}"), ("RPM", "NONE")):
        assert monitored(program, 20, papers=("consent", "order")).lines() == lines


@pytest.mark.parametrize("missing", ["consent", "order"])
def test_papers_are_asked_for(missing: str) -> None:
    """Without consent or order no RTM line leaves."""
    papers = [paper for paper in ("consent", "order") if paper != missing]
    chart = monitored("RTM-CBT", 20, papers=papers)
    assert chart.lines() == "NONE"
    assert f"E_NO_{missing.upper()}" in chart.findings()


def test_rpm_leaves_and_rtm_is_held_in_one_period() -> None:
    """Where both programs would earn in one period, RPM leaves and RTM is held."""
    chart = Chart()
    physiologic = chart.enroll(OPENED)
    therapeutic = chart.enroll(OPENED, "RTM-MUSCULOSKELETAL")
    chart.measure(physiologic, OPENED, 20)
    chart.measure(therapeutic, OPENED, 20, "adherence")
    chart.work(physiologic, later(OPENED, 3), 1200)
    chart.work(therapeutic, later(OPENED, 4), 1200, work="RTM")
    assert chart.lines() == f"99454*1@{WINDOW_END};99457*1@{WINDOW_END}"
    assert chart.findings() == {"E_RTM_SAME_PERIOD"}


def test_rtm_leaves_in_another_period() -> None:
    """After RPM has ended, RTM leaves in its own later window and month."""
    chart = Chart()
    physiologic = chart.enroll(OPENED, closed=day_of("2026-03-31"), end_reason="goals_met")
    chart.measure(physiologic, OPENED, 20)
    opened = date(2026, 5, 4)
    therapeutic = chart.enroll(opened, "RTM-RESPIRATORY")
    chart.measure(therapeutic, opened, 20, "adherence")
    chart.work(therapeutic, opened, 1200, work="RTM")
    assert chart.lines() == "99454*1@2026-03-31;98980*1@2026-05-31;98976*1@2026-06-02"


def test_not_before_2022() -> None:
    """No RTM line leaves on a service day before 2022; from 2022 the same days earn."""
    assert monitored("RTM-MUSCULOSKELETAL", 20, date(2021, 12, 2)).lines() == "NONE"
    assert monitored("RTM-MUSCULOSKELETAL", 20, date(2021, 12, 3)).lines() == "98977*1@2022-01-01"


def test_cbt_supply_not_before_2023() -> None:
    """The supply code for cognitive behavioral therapy begins a year after the others."""
    assert monitored("RTM-CBT", 20, date(2022, 12, 2)).lines() == "NONE"
    assert monitored("RTM-CBT", 20, date(2022, 12, 3)).lines() == "98978*1@2023-01-01"

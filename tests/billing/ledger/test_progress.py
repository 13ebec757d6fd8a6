"""Progress: what a running window or month still needs, and whether it can still be reached."""

from datetime import date
from typing import Any

import pytest
from builders import Chart, later, together

from billing.days import NO_DAY, day_date, day_number
from billing.ledger.evaluate import evaluate
from billing.ledger.facts import Facts
from billing.rules.book import shipped_book

OPENED = date(2026, 3, 2)


def chart_with(days: int, opened: date = OPENED, payer: str = "MEDICARE_B") -> Chart:
    """A patient with readings on the first so many days of the episode."""
    chart = Chart(payer)
    chart.measure(chart.enroll(opened), opened, days)
    return chart


def progress(chart: Chart, as_of: date, ladder: str = "device-supply") -> dict[str, Any]:
    """The one row of a ladder."""
    rows = chart.outcome(as_of).progress.astype({"ladder": object})
    found = rows[rows["ladder"] == ladder].to_dict("records")
    assert len(found) == 1
    return {str(name): value for name, value in found[0].items()}


@pytest.mark.parametrize(
    ("days", "earned", "following", "still_needed"),
    [(1, "", "99445", 1), (2, "99445", "99454", 14), (10, "99445", "99454", 6)],
)
def test_days_still_needed(days: int, earned: str, following: str, still_needed: int) -> None:
    """A running window says what it would earn, what comes next and how many days that takes."""
    row = progress(chart_with(days), later(OPENED, days))
    assert (row["measured"], row["earned_code"], row["next_code"]) == (days, earned, following)
    assert row["still_needed"] == still_needed
    assert row["reachable"]
    assert day_date(row["start_day"]) == OPENED
    assert day_date(row["end_day"]) == later(OPENED, 29)


def test_the_top_needs_nothing_more() -> None:
    """A window that has reached the long supply code has no next one."""
    row = progress(chart_with(20), later(OPENED, 21))
    assert (row["earned_code"], row["next_code"], row["still_needed"]) == ("99454", "", 0)


@pytest.mark.parametrize(
    ("minutes", "code", "units", "at_top"),
    [
        (18, "", 0, False),
        (20, "", 0, True),
        (39, "", 0, True),
        (40, "99458", 1, True),
        (65, "99458", 2, True),
        (150, "99458", 3, True),  # the payer takes three units at most
    ],
)
def test_what_is_earned_today_is_what_the_end_bills(
    minutes: int, code: str, units: int, at_top: bool
) -> None:
    """Units beyond the band are told; with no more work the month's end bills just that."""
    chart = chart_with(1)
    chart.work(0, later(OPENED, 2), minutes * 60)
    row = progress(chart, later(OPENED, 12), "management")
    assert (row["further_code"], row["further_units"], row["at_top"]) == (code, units, at_top)
    events = chart.outcome(date(2026, 4, 1)).events
    billed = events[events["ladder"] == "management"]
    told = {row["earned_code"]: 1} | ({code: units} if units else {})
    assert dict(zip(billed["code"], billed["units"], strict=True)) == told


@pytest.mark.parametrize(("as_of_offset", "reachable"), [(18, True), (19, True), (20, False)])
def test_days_that_cannot_be_reached_any_more(as_of_offset: int, reachable: bool) -> None:
    """In 2025, with five days so far, eleven more must fit between today and day 30."""
    opened = date(2025, 3, 3)
    row = progress(chart_with(5, opened), later(opened, as_of_offset))
    assert (row["next_code"], row["still_needed"]) == ("99454", 11)
    assert row["reachable"] == reachable


def test_todays_reading_is_not_hoped_for_twice() -> None:
    """A reading of today is counted already and cannot come again."""
    opened = date(2025, 3, 3)
    chart = chart_with(4, opened)
    today = later(opened, 19)
    chart.measure(0, today, 1)
    row = progress(chart, today)
    assert (row["measured"], row["still_needed"], row["reachable"]) == (5, 11, False)


def test_an_ending_episode_bounds_what_can_be_reached() -> None:
    """Days after the last day of the episode cannot be hoped for."""
    for closed, reachable in ((date(2025, 3, 20), True), (date(2025, 3, 19), False)):
        chart = Chart()
        opened = date(2025, 3, 3)
        chart.enroll(opened, closed=closed, end_reason="goals_met")
        chart.measure(0, opened, 5)
        assert progress(chart, date(2025, 3, 10))["reachable"] == reachable


def test_no_reading_yet() -> None:
    """Before the first reading the window has no first day; one that began today is the latest."""
    chart = Chart()
    chart.enroll(OPENED)
    row = progress(chart, later(OPENED, 12))
    assert (row["start_day"], row["measured"], row["next_code"]) == (NO_DAY, 0, "99445")
    assert day_date(row["end_day"]) == later(OPENED, 12 + 29)
    assert row["reachable"]


@pytest.mark.parametrize(("as_of_offset", "window"), [(29, 0), (30, 1), (59, 1), (60, 2), (200, 6)])
def test_windows_run_on_through_silence(as_of_offset: int, window: int) -> None:
    """A silent patient's window is the one that runs today, back to back with the last."""
    row = progress(chart_with(5), later(OPENED, as_of_offset))
    assert row["start_day"] == day_number(later(OPENED, 30 * window))
    assert row["end_day"] == row["start_day"] + 29
    assert row["measured"] == (5 if window == 0 else 0)


@pytest.mark.parametrize(
    ("seconds", "earned", "following", "still_needed"),
    [
        (0, "", "99470", 600),
        (599, "", "99470", 1),
        (600, "99470", "99457", 600),
        (1080, "99470", "99457", 120),
    ],
)
def test_seconds_still_needed(seconds: int, earned: str, following: str, still_needed: int) -> None:
    """A running month says what it would earn, what comes next and how many seconds that takes."""
    chart = chart_with(1)
    if seconds:
        chart.work(0, later(OPENED, 2), seconds)
    row = progress(chart, later(OPENED, 12), "management")
    assert (row["measured"], row["earned_code"], row["next_code"]) == (seconds, earned, following)
    assert (row["still_needed"], row["reachable"]) == (still_needed, True)
    assert row["needs_live"] == (seconds == 0)


def test_a_month_says_that_live_contact_is_missing() -> None:
    """Minutes without a live talk leave the contact still needed."""
    chart = chart_with(1)
    chart.work(0, later(OPENED, 2), 1500, mode="async")
    assert progress(chart, later(OPENED, 12), "management")["needs_live"]


def test_a_code_not_adopted_is_not_promised() -> None:
    """A payer without the codes of 2026 is shown the older ones as next."""
    chart = chart_with(5, payer="COM_GENERIC_PRE2026_CODESET")
    supply = progress(chart, later(OPENED, 12))
    assert (supply["earned_code"], supply["next_code"]) == ("", "99454")
    assert progress(chart, later(OPENED, 12), "management")["next_code"] == "99457"


def test_an_episode_that_is_over_makes_no_progress() -> None:
    """Neither an ended episode nor one that has not begun has progress."""
    chart = Chart()
    chart.enroll(OPENED, closed=later(OPENED, 10), end_reason="goals_met")
    chart.measure(0, OPENED, 5)
    assert len(chart.outcome(later(OPENED, 10)).progress) > 0
    assert chart.outcome(later(OPENED, 11)).progress.empty
    assert chart.outcome(later(OPENED, -1)).progress.empty


def rows_told(facts: Facts, as_of: date) -> list[str]:
    """All rows of a day as ``patient ladder first..last amount earned next at-least needs``."""
    found = evaluate(facts, shipped_book(), as_of, as_of).progress
    told = []
    for row in found.to_dict("records"):
        first = "-" if row["start_day"] == NO_DAY else day_date(row["start_day"]).isoformat()
        span = f"{first}..{day_date(row['end_day'])}"
        step = f"{row['earned_code'] or '-'} next {row['next_code'] or '-'}"
        more = f"at {row['next_at_least']} needs {row['still_needed']}"
        words = ("" if row["reachable"] else " never") + (" live" if row["needs_live"] else "")
        told.append(
            f"{row['patient']} {row['ladder']} {span} {row['measured']} {step} {more}{words}"
        )
    return told


def practice() -> Facts:
    """Patients of several payers on 20 March 2026, at every stage of a window and a month."""
    chart = Chart()
    chart.measure(chart.enroll(OPENED), OPENED, 5)
    chart.work(0, later(OPENED, 1), 1300)
    chart.work(0, later(OPENED, -20), 1300)
    silent = chart.enroll(date(2026, 1, 5), patient=1)
    chart.measure(silent, date(2026, 1, 5), 10)
    chart.work(silent, date(2026, 3, 19), 500, mode="text")
    therapy = chart.enroll(OPENED, patient=2, program="RTM-RESPIRATORY")
    chart.measure(therapy, date(2026, 3, 18), 3, kind="spirometer")
    chart.work(therapy, date(2026, 3, 5), 1900, work="RTM")
    chart.enroll(OPENED, patient=3, closed=date(2026, 3, 19), end_reason="goals_met")
    ending = chart.enroll(OPENED, patient=4, closed=date(2026, 3, 20), end_reason="goals_met")
    chart.measure(ending, OPENED, 15)
    chart.enroll(date(2026, 3, 20), patient=5)
    chart.enroll(date(2026, 3, 21), patient=6)
    busy = chart.enroll(OPENED, patient=7)
    chart.measure(busy, date(2026, 3, 20), 1)
    chart.work(busy, date(2026, 3, 20), 4799)
    chart.work(chart.enroll(OPENED, patient=8), OPENED, 12_000)
    new_york, older, florida = (
        chart_with(3, payer=payer) for payer in ("MCD_NY", "COM_GENERIC_PRE2026_CODESET", "MCD_FL")
    )
    new_york.work(0, OPENED, 900, work="99091")
    older.work(0, OPENED, 700)
    uncovered = Chart(covered=False)
    uncovered.measure(uncovered.enroll(OPENED), OPENED, 3)
    charts = (chart, new_york, older, florida, uncovered)
    return together([one.facts() for one in charts])


def test_every_running_ladder_of_a_practice() -> None:
    """What each ladder has, what comes next and what it still needs, of many patients at once."""
    assert rows_told(practice(), date(2026, 3, 20)) == [
        "0 device-supply 2026-03-02..2026-03-31 5 99445 next 99454 at 16 needs 11",
        "0 management 2026-03-01..2026-03-31 1300 99457 next 99458 at 2400 needs 1100",
        "0 practitioner-review 2026-03-02..2026-03-31 0 - next 99091 at 1800 needs 1800",
        "1 device-supply 2026-03-06..2026-04-04 0 - next 99445 at 2 needs 2",
        "1 management 2026-03-01..2026-03-31 500 - next 99470 at 600 needs 100 live",
        "1 practitioner-review 2026-03-06..2026-04-04 0 - next 99091 at 1800 needs 1800",
        "2 rtm-management 2026-03-01..2026-03-31 1900 98980 next 98981 at 2400 needs 500",
        "2 rtm-supply-respiratory 2026-03-18..2026-04-16 3 98984 next 98976 at 16 needs 13",
        "4 device-supply 2026-03-02..2026-03-31 15 99445 next 99454 at 16 needs 1",
        "4 management 2026-03-01..2026-03-31 0 - next 99470 at 600 needs 600 live",
        "4 practitioner-review 2026-03-02..2026-03-31 0 - next 99091 at 1800 needs 1800",
        "5 device-supply -..2026-04-18 0 - next 99445 at 2 needs 2",
        "5 management 2026-03-01..2026-03-31 0 - next 99470 at 600 needs 600 live",
        "5 practitioner-review -..2026-04-18 0 - next 99091 at 1800 needs 1800",
        "7 device-supply 2026-03-20..2026-04-18 1 - next 99445 at 2 needs 1",
        "7 management 2026-03-01..2026-03-31 4799 99457 next 99458 at 4800 needs 1",
        "7 practitioner-review 2026-03-20..2026-04-18 0 - next 99091 at 1800 needs 1800",
        "8 device-supply -..2026-04-18 0 - next 99445 at 2 needs 2",
        "8 management 2026-03-01..2026-03-31 12000 99457 next - at 0 needs 0 never",
        "8 practitioner-review -..2026-04-18 0 - next 99091 at 1800 needs 1800",
        "9 practitioner-review 2026-03-01..2026-03-31 900 - next 99091 at 1800 needs 900",
        "10 device-supply 2026-03-02..2026-03-31 3 - next 99454 at 16 needs 13 never",
        "10 management 2026-03-01..2026-03-31 700 - next 99457 at 1200 needs 500",
        "10 practitioner-review 2026-03-02..2026-03-31 0 - next 99091 at 1800 needs 1800",
        "11 device-supply 2026-03-02..2026-03-31 3 99445 next 99454 at 16 needs 13 never",
        "11 management 2026-03-01..2026-03-31 0 - next 99470 at 600 needs 600 live",
        "11 practitioner-review 2026-03-02..2026-03-31 0 - next 99091 at 1800 needs 1800",
    ]


def test_what_is_due_of_a_practice() -> None:
    """The last day to go on and the code it is for, by patient and ladder; nothing for minutes."""
    today = date(2026, 3, 20)
    found = evaluate(practice(), shipped_book(), today, today).progress
    due = found[found["due_day"] != NO_DAY]
    assert [
        f"{row['patient']} {row['ladder']} {row['due_code']} {day_date(row['due_day'])}"
        for row in due.to_dict("records")
    ] == [
        "0 device-supply 99454 2026-03-21",
        "1 device-supply 99454 2026-03-20",
        "2 rtm-supply-respiratory 98976 2026-04-04",
        "4 device-supply 99454 2026-03-20",
        "7 device-supply 99454 2026-04-04",
    ]
    assert set(found[found["due_day"] == NO_DAY]["due_code"]) == {""}


@pytest.mark.parametrize(("covid", "least"), [(True, 2), (False, 16)])
def test_fewer_days_are_needed_in_the_emergency(covid: bool, least: int) -> None:
    """R-PHE-01: with the illness on file two days are what comes next, otherwise sixteen."""
    opened = date(2020, 4, 6)
    chart = chart_with(1, opened)
    if covid:
        chart.hold(0, "covid")
    row = progress(chart, later(opened, 10))
    assert (row["next_code"], row["next_at_least"]) == ("99454", least)

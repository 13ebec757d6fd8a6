"""On which period a finding stands, and that nothing else is said: readings, time, notices."""

from datetime import date
from typing import Any

import pytest
from builders import MANY_DAYS_LATER, Chart, later, together, told

from billing.days import day_number
from billing.ledger.cases import lines_text
from billing.ledger.evaluate import evaluate
from billing.rules.book import shipped_book
from billing.rules.profile import Anchor, Profile, SupplyServiceDay

OPENED = date(2026, 3, 2)
WINDOW_END = date(2026, 3, 31)
NINE = 9 * 3600
NO_CONSENT = ("order", "established")
ON_LAST_READING = Profile("own", Anchor.FIRST_READING, SupplyServiceDay.LAST_READING)


def measured(days: int, opened: date = OPENED, payer: str = "MEDICARE_B", **other: Any) -> Chart:
    """A patient with readings on the first days of the episode."""
    chart = Chart(payer, profile=other.pop("profile", Profile("P0")))
    chart.measure(chart.enroll(opened, **other), opened, days)
    return chart


def refused(after_days: int, reason: str, **other: Any) -> Chart:
    """Three days of readings, and one that was refused so many days after the first."""
    chart = measured(3, **other)
    chart.measure(0, later(OPENED, after_days), 1, refused=reason)
    return chart


@pytest.mark.parametrize(
    ("after_days", "reason", "said"),
    [
        (29, "manual_entry", ["0 2026-03-02 W_NONAUTO_EXCLUDED"]),
        (30, "manual_entry", ["0 2026-03-02 W_NONAUTO_EXCLUDED"]),
        (0, "device_not_qualified", ["0 2026-03-02 E_DEVICE_NOT_QUALIFIED"]),
        (-1, "device_not_qualified", []),
        (3, "not_physiologic", ["0 2026-03-02 W_READING_QUARANTINED"]),
        (3, "out_of_range", ["0 2026-03-02 W_READING_QUARANTINED"]),
        (3, "time_suspect", ["0 2026-03-02 W_READING_QUARANTINED"]),
        (3, "other", ["0 2026-03-02 W_READING_QUARANTINED"]),
        (3, "excluded", []),
    ],
)
def test_a_refused_reading_is_told_once(after_days: int, reason: str, said: list[str]) -> None:
    """R-ELIG-03: from set-up on, a refused reading is told on its window, or on the first."""
    assert refused(after_days, reason).told() == said


@pytest.mark.parametrize(("after_days", "said"), [(5, 1), (6, 0)])
def test_a_reading_refused_after_the_end_is_not_told(after_days: int, said: int) -> None:
    """The last day of the episode is the last whose refused readings are told."""
    chart = refused(after_days, "other", closed=later(OPENED, 5), end_reason="goals_met")
    assert chart.told() == ["0 2026-03-02 W_READING_QUARANTINED"] * said


@pytest.mark.parametrize(("as_of_days", "said"), [(5, 0), (6, 1), (7, 1)])
def test_a_reading_of_tomorrow_is_not_told(as_of_days: int, said: int) -> None:
    """A refused reading is told from its own day on."""
    findings = refused(6, "other").told(later(OPENED, as_of_days))
    assert findings == [
        "0 2026-03-02 E_PERIOD_OPEN device-supply 3",
        *["0 2026-03-02 W_READING_QUARANTINED"] * said,
    ]


def test_a_refused_reading_stands_on_its_own_window() -> None:
    """Of several patients each refused reading is told on the window of its patient around it."""
    chart = Chart()
    early = chart.enroll(OPENED)
    chart.measure(early, later(OPENED, 40), 3)
    chart.measure(early, later(OPENED, 5), 1, refused="time_suspect")
    second = chart.enroll(OPENED, patient=1)
    chart.measure(second, OPENED, 3)
    chart.measure(second, later(OPENED, 40), 3)
    chart.measure(second, later(OPENED, 50), 1, refused="time_suspect")
    first_day = chart.enroll(OPENED, patient=2)
    chart.measure(first_day, OPENED, 1)
    chart.measure(first_day, later(OPENED, 69), 3)
    chart.measure(first_day, later(OPENED, 30), 1, refused="time_suspect")
    assert chart.told() == [
        "0 2026-04-11 W_READING_QUARANTINED",
        "1 2026-04-01 W_READING_QUARANTINED",
        "2 2026-03-02 E_DAYS_BELOW_MIN device-supply 1",
        "2 2026-04-01 E_DAYS_BELOW_MIN device-supply",
        "2 2026-04-01 W_READING_QUARANTINED",
    ]


@pytest.mark.parametrize(
    ("kind", "reason", "said"),
    [
        ("bp", "manual_entry", ["I_CONSIDER_SMBP", "W_NONAUTO_EXCLUDED"]),
        ("glucose", "manual_entry", ["W_NONAUTO_EXCLUDED"]),
        ("bp", "other", ["W_READING_QUARANTINED"]),
    ],
)
def test_only_typed_in_pressure_leads_to_self_measurement(
    kind: str, reason: str, said: list[str]
) -> None:
    """Who only types in blood pressure may have 99473 and 99474 instead (section 2)."""
    chart = Chart()
    chart.measure(chart.enroll(OPENED), OPENED, 3, kind=kind, refused=reason)
    assert chart.told() == [f"0 2027-06-01 {code}" for code in said]


def test_one_automatic_reading_is_no_self_measurement() -> None:
    """With one automatic reading beside those typed in, self-measurement is not suggested."""
    chart = measured(0)
    chart.measure(0, OPENED, 3, refused="manual_entry")
    chart.measure(0, later(OPENED, 6), 1)
    assert chart.told() == [
        "0 2026-03-08 E_DAYS_BELOW_MIN device-supply 1",
        "0 2026-03-08 W_NONAUTO_EXCLUDED",
    ]


def test_typed_in_pressure_outside_the_episode_suggests_nothing() -> None:
    """Readings before set-up or before consent are not told, whatever their kind."""
    chart = Chart()
    episode = chart.enroll(OPENED, papers=NO_CONSENT)
    chart.hold(episode, "consent", later(OPENED, 5))
    chart.measure(episode, later(OPENED, -3), 6, refused="manual_entry")
    assert chart.told() == []


def test_a_covered_setting_is_told_nothing_of_readings() -> None:
    """Where the payer pays nothing, readings that did not count are no matter."""
    chart = Chart("MCD_FL")
    chart.measure(chart.enroll(OPENED), OPENED, 3, refused="manual_entry")
    assert chart.told() == ["0 2027-06-01 E_PAYER_NOT_COVERED"]


def test_typed_in_readings_count_for_therapy() -> None:
    """RTM takes self-reported data: they count and nothing is told (R-ELIG-03)."""
    chart = Chart()
    chart.measure(
        chart.enroll(OPENED, program="RTM-RESPIRATORY"), OPENED, 3, refused="manual_entry"
    )
    assert chart.lines() == "98984*1@2026-03-31"
    assert chart.told() == []


@pytest.mark.parametrize(
    ("received", "as_of", "said"),
    [
        (WINDOW_END, MANY_DAYS_LATER, []),
        (later(WINDOW_END, 1), MANY_DAYS_LATER, ["0 2026-03-02 W_LATE_TRANSMISSION 1"]),
        (later(WINDOW_END, 1), WINDOW_END, ["0 2026-03-02 E_PERIOD_OPEN device-supply 16"]),
    ],
)
def test_a_day_that_came_after_its_window(received: date, as_of: date, said: list[str]) -> None:
    """R-DEV-12: a counted day that came after the window's last day is told once it is over."""
    chart = measured(16)
    chart.device_days[3]["first_received_day"] = day_number(received)
    assert chart.told(as_of) == said


def test_a_late_day_without_an_order_is_no_matter() -> None:
    """What nothing can be billed for is told by its own finding alone."""
    chart = measured(16, papers=("consent", "established"))
    chart.device_days[3]["first_received_day"] = day_number(later(WINDOW_END, 1))
    assert chart.told() == ["0 2026-03-02 E_NO_ORDER"]


@pytest.mark.parametrize(("first_reading", "said"), [(0, True), (-2, False)])
def test_readings_before_a_late_consent(first_reading: int, said: bool) -> None:
    """R-ELIG-05: readings between set-up and a later consent are told, earlier ones are not."""
    chart = Chart()
    episode = chart.enroll(OPENED, papers=NO_CONSENT)
    chart.hold(episode, "consent", later(OPENED, 5))
    chart.measure(episode, later(OPENED, first_reading), 1)
    chart.measure(episode, later(OPENED, 5), 16)
    assert chart.lines() == "99454*1@2026-04-05"
    assert chart.told() == ["0 2026-03-07 W_CONSENT_LATE"] * said


@pytest.mark.parametrize(
    ("work_days", "lines", "said"),
    [
        ((-1, 5), "99457*1@2026-03-31", []),
        ((0, 35), "99457*1@2026-04-30", ["0 2026-03-01 W_CONSENT_LATE"]),
        ((4, 35), "99457*1@2026-04-30", ["0 2026-03-01 W_CONSENT_LATE"]),
    ],
)
def test_work_before_a_late_consent(
    work_days: tuple[int, int], lines: str, said: list[str]
) -> None:
    """R-ELIG-05: minutes between set-up and a later consent are told on their month."""
    chart = Chart()
    episode = chart.enroll(OPENED, papers=NO_CONSENT)
    chart.hold(episode, "consent", later(OPENED, 5))
    for day, seconds in zip(work_days, (700, 1300), strict=True):
        chart.work(episode, later(OPENED, day), seconds)
    assert (chart.lines(), chart.told()) == (lines, said)


@pytest.mark.parametrize(
    ("second", "line", "said"),
    [
        ({"role": "admin"}, "99470*1@2026-03-31", ["0 2026-03-01 W_NONCLINICAL_EXCLUDED"]),
        (
            {"start_second": NINE + 599, "actor": 1},
            "99470*1@2026-03-31",
            ["0 2026-03-01 W_TIME_OVERLAP_DEDUPED"],
        ),
        ({"start_second": NINE + 600, "actor": 1}, "99457*1@2026-03-31", []),
        (
            {"start_second": NINE + 599, "actor": 1, "work": "CCM"},
            "NONE",
            [
                "0 2026-03-01 E_TIME_BELOW_MIN management 599",
                "0 2026-03-01 W_TIME_OTHER_PROGRAM",
            ],
        ),
        ({"start_second": NINE + 600, "actor": 1, "work": "CCM"}, "99470*1@2026-03-31", []),
    ],
)
def test_a_second_entry_of_the_day(second: dict[str, Any], line: str, said: list[str]) -> None:
    """R-TIME-05 to -07: what a second entry takes away from the first is told, to the second."""
    chart = Chart()
    episode = chart.enroll(OPENED)
    chart.work(episode, later(OPENED, 2), 600, start_second=NINE)
    chart.work(episode, later(OPENED, 2), 600, **second)
    assert (chart.lines(), chart.told()) == (line, said)


@pytest.mark.parametrize(
    ("after_days", "said"), [(20, []), (21, ["0 2026-03-01 W_TIME_AFTER_END"])]
)
def test_work_after_the_end(after_days: int, said: list[str]) -> None:
    """Minutes of the last day count, a day later they are left out and told."""
    chart = Chart()
    episode = chart.enroll(OPENED, closed=later(OPENED, 20), end_reason="goals_met")
    chart.work(episode, later(OPENED, 2), 600)
    chart.work(episode, later(OPENED, after_days), 600)
    code = "99470" if said else "99457"
    assert (chart.lines(), chart.told()) == (f"{code}*1@2026-03-31", said)


def test_what_was_taken_back_is_not_told() -> None:
    """An entry and its reversal leave no line and no word, even without consent to work."""
    chart = Chart()
    episode = chart.enroll(OPENED)
    entry = chart.work(episode, later(OPENED, 2), 600, role="admin")
    chart.work(episode, later(OPENED, 2), -600, role="admin", reverses=entry)
    assert (chart.lines(), chart.told()) == ("NONE", [])


def test_a_rural_clinic_is_told_of_bundling_where_a_line_leaves() -> None:
    """R-RHC: of two periods only the one with a line is bundled into G0511."""
    chart = measured(20, date(2024, 3, 4), setting="RHC")
    chart.work(0, date(2024, 3, 6), 900)
    assert chart.lines() == "G0511*1@2024-04-02"
    assert chart.told() == [
        "0 2024-03-01 E_TIME_BELOW_MIN management 900",
        "0 2024-03-04 I_RHC_BUNDLED 99454",
    ]


def test_a_facility_is_told_where_a_supply_line_leaves() -> None:
    """The place-of-service warning stands on supply windows that bill, not on months or others."""
    chart = Chart()
    for patient, (pos, days) in enumerate(((22, 20), (11, 20), (22, 1))):
        episode = chart.enroll(OPENED, patient=patient, pos=pos)
        chart.measure(episode, OPENED, days)
        chart.work(episode, later(OPENED, 3), 1300)
    assert chart.told() == [
        "0 2026-03-02 W_POS_FACILITY_NA",
        "2 2026-03-02 E_DAYS_BELOW_MIN device-supply 1",
    ]


def test_a_notice_of_a_payer_stands_on_its_own_patients() -> None:
    """New York's notice goes with each month that may bill, not with others or stopped ones."""
    new_york = Chart("MCD_NY")
    new_york.work(new_york.enroll(OPENED), later(OPENED, 3), 60)
    stopped = new_york.enroll(OPENED, patient=1, papers=NO_CONSENT)
    new_york.work(stopped, later(OPENED, 3), 1800)
    uncovered = Chart(covered=False)
    uncovered.measure(uncovered.enroll(OPENED), OPENED, 20)
    parts = [new_york.facts(), measured(20).facts(), uncovered.facts()]
    outcome = evaluate(together(parts), shipped_book(), MANY_DAYS_LATER, MANY_DAYS_LATER)
    assert lines_text(outcome) == "99454*1@2026-03-31"
    assert told(outcome) == [
        "0 2026-03-01 E_TIME_BELOW_MIN practitioner-review 60",
        "0 2026-03-01 W_PAYER_RULE_RECHECK",
        "1 2026-03-01 E_NO_CONSENT",
        "3 2026-03-02 E_NO_COVERAGE",
    ]


@pytest.mark.parametrize(
    ("opened", "days", "line", "said"),
    [
        (date(2025, 12, 10), 1, "NONE", ["E_DAYS_BELOW_MIN device-supply 1"]),
        (date(2025, 12, 10), 2, "99445*1@2026-01-08", ["W_STRADDLE_2026 2"]),
        (date(2025, 12, 10), 15, "99445*1@2026-01-08", ["W_STRADDLE_2026 15"]),
        (date(2025, 12, 10), 16, "99454*1@2026-01-08", []),
        (date(2025, 12, 3), 5, "99445*1@2026-01-01", ["W_STRADDLE_2026 5"]),
        (date(2025, 12, 2), 5, "NONE", ["E_DAYS_BELOW_MIN device-supply 5"]),
        (date(2025, 12, 31), 5, "99445*1@2026-01-29", ["W_STRADDLE_2026 5"]),
        (date(2026, 1, 1), 5, "99445*1@2026-01-30", []),
    ],
)
def test_a_window_across_new_year(opened: date, days: int, line: str, said: list[str]) -> None:
    """R-VER-01: a window across 1 January 2026 is warned of where the side decides."""
    chart = measured(days, opened)
    assert (chart.lines(), chart.told()) == (line, [f"0 {opened} {one}" for one in said])


def test_a_running_window_across_new_year_is_not_warned_of_yet() -> None:
    """The warning comes when the window is over, on the day after its last."""
    chart = measured(5, date(2025, 12, 10))
    assert chart.told(date(2026, 1, 8)) == ["0 2025-12-10 E_PERIOD_OPEN device-supply 5"]
    assert chart.told(date(2026, 1, 9)) == ["0 2025-12-10 W_STRADDLE_2026 5"]


@pytest.mark.parametrize(
    "ending", [{}, {"closed": date(2026, 1, 4), "end_reason": "goals_met"}, {"papers": NO_CONSENT}]
)
def test_a_window_dated_in_the_old_year(ending: dict[str, Any]) -> None:
    """A line dated on its last reading in December is judged by 2025 and warned of all the same."""
    chart = measured(5, date(2025, 12, 10), profile=ON_LAST_READING, **ending)
    assert chart.lines() == "NONE"
    if "papers" in ending:
        assert chart.told() == ["0 2025-12-10 E_NO_CONSENT"]
    else:
        assert chart.told() == [
            "0 2025-12-10 E_DAYS_BELOW_MIN device-supply 5",
            "0 2025-12-10 W_STRADDLE_2026 5",
        ]


def test_new_year_is_no_matter_to_who_pays_nothing() -> None:
    """A payer that covers nothing has no side of the year."""
    chart = measured(5, date(2025, 12, 10), "MCD_FL", profile=ON_LAST_READING)
    assert chart.told() == ["0 2025-12-10 E_PAYER_NOT_COVERED"]


def test_a_service_of_once_a_month() -> None:
    """S35: own 99474 twice in a calendar month is told; in two months or of others it is not."""
    chart = Chart()
    for patient in range(4):
        chart.enroll(OPENED, patient=patient)
    served = (
        (0, "99474", date(2026, 3, 3), True),
        (0, "99474", date(2026, 3, 31), True),
        (1, "99474", date(2026, 3, 31), True),
        (1, "99474", date(2026, 4, 1), True),
        (2, "99474", date(2026, 3, 3), False),
        (2, "99474", date(2026, 3, 31), True),
        (3, "99473", date(2026, 3, 3), True),
        (3, "99473", date(2026, 3, 31), True),
    )
    for patient, code, day, own in served:
        chart.serve(code, day, own=own, patient=patient)
    assert chart.told() == ["0 2027-06-01 E_SERVICE_REPEATED 99474"]


def test_a_service_of_once_a_month_where_nothing_may_bill() -> None:
    """Without consent the missing consent is told alone."""
    chart = Chart()
    chart.enroll(OPENED, papers=NO_CONSENT)
    for day in (3, 31):
        chart.serve("99474", date(2026, 3, day))
    assert chart.told() == ["0 2027-06-01 E_NO_CONSENT"]

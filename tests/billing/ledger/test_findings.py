"""Findings beside the case format: no rule, no coverage, edit pairs, and what rules cannot date."""

from dataclasses import replace
from datetime import date

import pytest
from builders import MANY_DAYS_LATER, Chart, later

from billing.days import FAR_DAY, NO_DAY, day_number
from billing.ledger.cases import lines_text
from billing.ledger.evaluate import evaluate
from billing.ledger.facts import COVERAGE_COLUMNS, Facts, frame
from billing.rules.book import shipped_book

OPENED = date(2026, 3, 2)
WINDOW_END = date(2026, 3, 31)


def busy(payer: str = "MEDICARE_B", opened: date = OPENED) -> Chart:
    """A patient with enough days and minutes for both kinds of line."""
    chart = Chart(payer)
    episode = chart.enroll(opened)
    chart.measure(episode, opened, 20)
    chart.work(episode, later(opened, 4), 1200)
    return chart


def covered(chart: Chart, *spans: tuple[int, int, int]) -> Facts:
    """Facts with these coverages: payer, first and last day."""
    columns = {
        "patient": [0] * len(spans),
        "payer": [payer for payer, _, _ in spans],
        "from_day": [first for _, first, _ in spans],
        "to_day": [last for _, _, last in spans],
    }
    payers = ("MEDICARE_B", "MCD_FL")
    return replace(chart.facts(), coverages=frame(COVERAGE_COLUMNS, columns), payers=payers)


def told(facts: Facts) -> tuple[str, set[str]]:
    """Lines and findings."""
    outcome = evaluate(facts, shipped_book(), MANY_DAYS_LATER, MANY_DAYS_LATER)
    return lines_text(outcome), set(outcome.findings["code"])


def test_a_payer_without_a_page_has_no_rule() -> None:
    """An unknown payer gives a finding on every period and no line, never a default page."""
    outcome = busy("NOBODY").outcome()
    assert lines_text(outcome) == "NONE"
    assert set(outcome.findings["code"]) == {"E_NO_RULE"}
    assert set(outcome.findings["period"]) == set(outcome.periods["period"])
    assert outcome.periods["page"].isna().all()


def test_days_before_the_first_page_have_no_rule() -> None:
    """No page covers service days of 2018: a finding, and no line."""
    chart = busy(opened=date(2018, 11, 5))
    assert chart.lines() == "NONE"
    assert "E_NO_RULE" in chart.findings()


def test_a_rule_not_known_yet_does_not_judge() -> None:
    """Before 3 November 2025 a window that ends in 2026 has the rule of 2025: ten days are few."""
    chart = Chart()
    episode = chart.enroll(date(2025, 12, 10))
    chart.measure(episode, date(2025, 12, 10), 10)
    facts, as_of = chart.facts(), date(2026, 2, 1)
    before = evaluate(facts, shipped_book(), as_of, date(2025, 11, 2))
    after = evaluate(facts, shipped_book(), as_of, date(2025, 11, 3))
    assert "E_DAYS_BELOW_MIN" in set(before.findings["code"])
    assert lines_text(before) == "NONE"
    assert lines_text(after) == "99445*1@2026-01-08"


def test_a_patient_without_coverage() -> None:
    """Without any coverage nothing leaves, and that is said."""
    assert told(covered(busy())) == ("NONE", {"E_NO_COVERAGE"})


def test_the_payer_of_the_service_day_judges() -> None:
    """A coverage that ends on the day before the service day does not count, one day more does."""
    last = day_number(WINDOW_END)
    assert told(covered(busy(), (0, NO_DAY, last - 1)))[0] == "NONE"
    assert told(covered(busy(), (0, NO_DAY, last)))[0] == "99454*1@2026-03-31;99457*1@2026-03-31"


def test_a_change_of_payer_within_the_episode() -> None:
    """A window is judged by the later payer when its service day lies in the later coverage."""
    chart = busy(opened=date(2026, 3, 10))
    changed = day_number(date(2026, 4, 1))
    lines, findings = told(covered(chart, (0, NO_DAY, changed - 1), (1, changed, FAR_DAY)))
    assert lines == "99457*1@2026-03-31"
    assert findings == {"E_PAYER_NOT_COVERED"}


@pytest.mark.parametrize(
    ("code", "day", "own", "warned"),
    [
        ("99473", WINDOW_END, True, True),
        ("99474", WINDOW_END, True, True),
        ("99473", later(WINDOW_END, -1), True, False),
        ("99473", WINDOW_END, False, False),
        ("99490", WINDOW_END, True, False),
    ],
)
def test_an_edit_pair_on_one_day_is_warned_of(
    code: str, day: date, own: bool, warned: bool
) -> None:
    """Our own service of an NCCI pair on the day of a line is told; the line leaves."""
    chart = busy()
    chart.serve(code, day, own=own)
    assert chart.lines() == "99454*1@2026-03-31;99457*1@2026-03-31"
    assert ("W_NCCI_PAIR" in chart.findings()) == warned


def test_recorded_services_are_never_derived() -> None:
    """Self-measured blood pressure is recorded as a service and no line is made of readings."""
    chart = Chart()
    episode = chart.enroll(OPENED)
    chart.measure(episode, OPENED, 20, refused="manual_entry")
    assert chart.lines() == "NONE"
    assert {"I_CONSIDER_SMBP", "W_NONAUTO_EXCLUDED"} <= chart.findings()


def test_readings_refused_for_other_reasons_do_not_count() -> None:
    """Suspect, impossible and excluded readings make no day."""
    for reason in ("time_suspect", "out_of_range", "excluded", "other", "not_physiologic"):
        chart = Chart()
        chart.measure(chart.enroll(OPENED), OPENED, 20, refused=reason)
        assert chart.lines() == "NONE", reason


def test_set_up_that_is_not_on_file() -> None:
    """A first supply line leaves without set-up when no set-up day is on file, and is told."""
    chart = Chart()
    episode = chart.enroll(OPENED, setup_billed=False, setup_day=NO_DAY)
    chart.measure(episode, OPENED, 20)
    assert chart.lines() == "99454*1@2026-03-31"
    assert "W_SETUP_NOT_RECORDED" in chart.findings()


def test_facility_and_surgery_are_flagged() -> None:
    """Facility places of service and a global period go with the line as warnings."""
    chart = Chart()
    episode = chart.enroll(OPENED, pos=22)
    chart.measure(episode, OPENED, 20)
    chart.hold(episode, "global-period", OPENED)
    assert chart.lines() == "99454*1@2026-03-31"
    assert {"W_POS_FACILITY_NA", "W_GLOBAL_PERIOD_REVIEW"} <= chart.findings()

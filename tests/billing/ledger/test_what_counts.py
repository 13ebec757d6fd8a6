"""Whose minutes count, on which days, and for which line: staff, visits, reviews, old codes."""

from dataclasses import replace
from datetime import date

import pytest
from builders import MANY_DAYS_LATER, Chart, later, told
from test_accounted import reasons

from billing.ledger.cases import lines_text
from billing.ledger.evaluate import evaluate
from billing.rules.book import shipped_book
from billing.rules.profile import Profile

OPENED = date(2026, 3, 2)
WINDOW_END = date(2026, 3, 31)


def test_staff_do_not_review_for_the_practitioner() -> None:
    """99091 is the practitioner's own time: half an hour of a nurse makes no second of it."""
    chart = Chart()
    episode = chart.enroll(OPENED)
    chart.measure(episode, OPENED, 3)
    chart.work(episode, later(OPENED, 2), 1800, work="99091", role="rn")
    assert chart.lines() == "99445*1@2026-03-31"
    assert chart.told() == ["0 2026-03-02 E_TIME_BELOW_MIN practitioner-review"]


def test_a_review_recorded_beside_supply_alone_is_not_held() -> None:
    """R-MUTEX-04: a recorded 99091 is held back by minutes of its month, not by a supply line."""
    chart = Chart()
    chart.measure(chart.enroll(OPENED), OPENED, 20)
    chart.serve("99091", later(OPENED, 10))
    assert chart.lines() == "99454*1@2026-03-31"
    assert chart.told() == []


def test_minutes_of_a_visit_day_count_where_the_practice_says_so() -> None:
    """R-TIME-10: who does not leave out visit days keeps the minutes of every day."""
    chart = Chart(profile=replace(Profile("own"), em_day_exclusion=False))
    episode = chart.enroll(OPENED)
    chart.serve("99213", later(OPENED, 3))
    visit = chart.work(episode, later(OPENED, 3), 700)
    clerical = chart.work(episode, later(OPENED, 3), 600, role="admin")
    facts = chart.facts()
    own = replace(facts, others=facts.others.assign(actor=0).astype(facts.others.dtypes))
    outcome = evaluate(own, shipped_book(), MANY_DAYS_LATER, MANY_DAYS_LATER)
    assert lines_text(outcome) == "99470*1@2026-03-31"
    assert told(outcome) == ["0 2026-03-01 W_NONCLINICAL_EXCLUDED"]
    assert reasons(chart, "99470", date(2026, 3, 1)) == {visit: "", clerical: "clerical"}


@pytest.mark.parametrize(("month", "lines"), [(12, "99457*1"), (1, "99457*1;99458*1")])
def test_a_code_before_its_first_year(month: int, lines: str) -> None:
    """The add-on of 2020 is earned in December 2019 and told, but leaves from January on."""
    opened = date(2019 if month == 12 else 2020, month, 2)
    chart = Chart()
    chart.work(chart.enroll(opened), later(opened, 2), 2400)
    end = opened.replace(day=31)
    assert chart.lines() == ";".join(f"{one}@{end}" for one in lines.split(";"))
    said = f"0 {opened.replace(day=1)} E_CODE_NOT_EFFECTIVE management"
    assert chart.told() == ([said] if month == 12 else [])

"""Why: every ladder of a month, what was left out and what more would change."""

from collections import Counter
from dataclasses import replace
from datetime import date, timedelta
from random import Random

import numpy as np
import pandas as pd
import pytest
from builders import Chart
from stories import random_story

from billing.days import day_date, day_number
from billing.ledger.case_facts import facts_of_case
from billing.ledger.evaluate import em_days, evaluate, measure
from billing.ledger.facts import KINDS, MODES, REFUSED, ROLES, WORK, Facts
from billing.ledger.minutes import counted_entries
from billing.ledger.more import Line, More, lines_of
from billing.ledger.why import why
from billing.ledger.why_told import LadderWhy, Why
from billing.rules.book import shipped_book

JANUARY = date(2026, 1, 1)
SEEN = date(2026, 2, 5)
STORIES = 60
BLOCK = 5


def seen_story(seed: int) -> tuple[Facts, date, date]:
    """A random patient's facts, a month in which something happened, and a day to look from."""
    draw = Random(seed)
    facts = facts_of_case(random_story(seed))
    days = [*facts.device_days["day"].tolist(), *facts.entries["day"].tolist()]
    day = day_date(draw.choice(days) if days else day_number(JANUARY))
    return facts, day.replace(day=1), day + timedelta(days=draw.choice((0, 3, 20, 90)))


def recorded(facts: Facts, more: More) -> Facts:
    """The facts with the tried ones as if they had been recorded, written out row by row."""
    days = [
        {
            "episode": one.episode,
            "day": one.day,
            "kind": KINDS.index(one.kind),
            "qualifying_count": 1,
            "refused_count": 0,
            "refused_reason": REFUSED.index(""),
            "first_received_day": one.day,
        }
        for one in more.days
    ]
    entries = [
        {
            "entry": 10_000,
            "reverses": -1,
            "episode": one.episode,
            "patient": int(facts.episodes["patient"][one.episode]),
            "actor": 10_000,
            "role": ROLES.index(one.role),
            "work": WORK.index(one.work),
            "mode": MODES.index(one.mode),
            "day": one.day,
            "start_second": -1,
            "seconds": one.seconds,
            "shared": False,
        }
        for one in more.entries
    ]
    return replace(
        facts,
        device_days=_joined(facts.device_days, days),
        entries=_joined(facts.entries, entries),
    )


def _joined(frame: pd.DataFrame, rows: list[dict[str, int]]) -> pd.DataFrame:
    return pd.concat([frame, pd.DataFrame(rows)]) if rows else frame


def known_by(facts: Facts, seen: date) -> Facts:
    """The facts without days and work later than the day of the question."""
    day, entries = day_number(seen), facts.entries
    by_then = (entries["day"].to_numpy() <= day) | (entries["reverses"].to_numpy() >= 0)
    return replace(
        facts,
        device_days=facts.device_days[facts.device_days["day"].to_numpy() <= day],
        entries=entries[by_then],
    )


def bill(facts: Facts, as_of: date, known: date) -> Counter[Line]:
    """The lines of an evaluation."""
    return Counter(lines_of(evaluate(facts, shipped_book(), as_of, known).events))


def ladders(found: Why) -> list[LadderWhy]:
    """All ladders told."""
    return [told for period in found.periods for told in period.ladders]


def ladder(found: Why, name: str) -> LadderWhy:
    """The ladder of a name that has measured the most."""
    return max((one for one in ladders(found) if one.ladder.name == name), key=lambda x: x.amount)


@pytest.mark.parametrize("first_seed", range(0, STORIES, BLOCK))
def test_more_changes_what_it_is_told_to_change(first_seed: int) -> None:
    """For every ladder, what is told of more days or minutes is what recording them gives."""
    told = 0
    for seed in range(first_seed, first_seed + BLOCK):
        facts, month, seen = seen_story(seed)
        for one in ladders(why(facts, shipped_book(), seen, seen, month)):
            for more in one.more:
                seen_facts = known_by(facts, seen)
                before = bill(seen_facts, more.as_of, seen)
                after = bill(recorded(seen_facts, more), more.as_of, seen)
                assert Counter(more.gained) == after - before, f"seed {seed}"
                assert Counter(more.lost) == before - after, f"seed {seed}"
                told += 1
    assert told > BLOCK


@pytest.mark.parametrize("first_seed", range(0, STORIES, BLOCK))
def test_the_ladders_tell_the_bill(first_seed: int) -> None:
    """What the ladders of a month bill is what the bill has in the month's periods."""
    for seed in range(first_seed, first_seed + BLOCK):
        facts, month, seen = seen_story(seed)
        found = why(facts, shipped_book(), seen, seen, month)
        outcome = evaluate(facts, shipped_book(), seen, seen)
        starts = {(p.episode, p.start_day) for p in found.periods}
        events = outcome.events
        keys = zip(events["episode"].tolist(), events["period_start_day"].tolist(), strict=True)
        mine = events[np.array([key in starts for key in keys], dtype=bool)]
        expected = Counter(lines_of(mine))
        assert Counter(line for one in ladders(found) for line in one.lines) == expected
        for one in ladders(found):
            assert bool(one.lines) != bool(one.stops or one.because), f"seed {seed}"


@pytest.mark.parametrize("first_seed", range(0, STORIES, BLOCK))
def test_every_fact_is_counted_or_left_out_once(first_seed: int) -> None:
    """Each reading and second of the days told either counts or stands under one reason."""
    for seed in range(first_seed, first_seed + BLOCK):
        facts, month, seen = seen_story(seed)
        found = why(facts, shipped_book(), seen, seen, month)
        starts = [p.start_day for p in found.periods if p.start_day is not None]
        ends = [p.end_day for p in found.periods if p.end_day is not None]
        first = min([day_number(month), *starts])
        month_end = (month.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
        last = min(max([day_number(month_end), *ends]), day_number(seen))
        days = facts.device_days
        rows = days[(days["day"] >= first) & (days["day"] <= last)]
        measured = measure(facts, shipped_book(), day_number(seen))
        kept = measured.windows.kept
        counted = set(zip(kept.episode.tolist(), kept.day.tolist(), strict=True))
        lost = sum(
            int(row["qualifying_count"])
            for row in rows.to_dict("records")
            if (row["episode"], row["day"]) not in counted
        ) + int(rows["refused_count"].sum())
        assert lost == sum(x.count for x in found.left_out if x.what == "readings"), f"seed {seed}"
        entries = facts.entries
        inside = (entries["day"] >= first) & (entries["day"] <= last) & (entries["reverses"] < 0)
        behind = sum(x.seconds for x in found.left_out if x.what == "entries")
        visits = em_days(facts, shipped_book())
        counts, _ = counted_entries(measured.standing, entries, visits, day_number(seen))
        assert behind == int(entries["seconds"][inside & ~counts].sum()), f"seed {seed}"


def told_january(chart: Chart, code: str | None = None, seen: date = SEEN) -> Why:
    """January 2026 of a chart."""
    return why(chart.facts(), shipped_book(), seen, seen, JANUARY, code)


def test_one_more_day_lifts_a_short_window() -> None:
    """Fifteen days earn 99445; one more would put 99454 in its place."""
    chart = Chart()
    chart.measure(chart.enroll(JANUARY), JANUARY, 15)
    found = told_january(chart, "99454")
    assert [line.code for line in ladder(found, "device-supply").lines] == ["99445"]
    assert found.asked is not None
    assert (found.asked.state, found.asked.short, found.asked.above) == ("not_billed", 1, False)
    takes = found.asked.takes
    assert takes is not None
    assert [line.code for line in takes.gained] == ["99454"]
    assert [line.code for line in takes.lost] == ["99445"]
    assert not takes.reachable


def test_a_running_month_tells_whether_it_can_be_reached() -> None:
    """With days left the missing minutes can still come, on the day of the question or later."""
    chart = Chart()
    chart.work(chart.enroll(JANUARY), date(2026, 1, 5), 1100)
    found = told_january(chart, "99457", seen=date(2026, 1, 20))
    assert found.asked is not None
    assert found.asked.takes is not None
    assert found.asked.takes.amount == 100
    assert found.asked.takes.reachable
    assert day_date(found.asked.takes.entries[0].day) == date(2026, 1, 20)


def test_a_missing_live_contact_is_what_a_minute_brings() -> None:
    """Enough time without a live contact: a minute of live contact would bring the line."""
    chart = Chart()
    chart.work(chart.enroll(JANUARY), date(2026, 1, 5), 1200, mode="text")
    management = ladder(told_january(chart), "management")
    assert management.stops == ("E_NO_INTERACTIVE",)
    assert management.lacks_live
    assert [line.code for line in management.more[0].gained] == ["99457"]


def test_a_month_without_entries_is_judged_too() -> None:
    """Nothing logged: the month stands with its page, no time, and what stops it."""
    chart = Chart()
    chart.enroll(JANUARY, papers=("order", "established"))
    management = ladder(told_january(chart), "management")
    assert (management.amount, management.stops) == (0, ("E_NO_CONSENT",))


def test_an_episode_without_a_window_tells_what_a_day_would_do() -> None:
    """No reading in the month: no window, and two days would open one with a short supply line."""
    chart = Chart()
    chart.enroll(JANUARY)
    found = told_january(chart)
    window = next(one for one in found.periods if one.start_day is None)
    (supply,) = window.ladders
    assert supply.because == "nothing_measured"
    assert [line.code for line in supply.more[0].gained] == []
    assert [line.code for line in supply.more[1].gained] == ["99445"]


def test_setup_tells_why_it_does_not_leave_again() -> None:
    """Set-up billed before, with another window, or waiting for the first supply line."""
    billed = Chart()
    billed.measure(billed.enroll(JANUARY, setup_billed=True), JANUARY, 16)
    assert ladder(told_january(billed), "setup").because == "setup_before"
    twice = Chart()
    twice.measure(twice.enroll(date(2025, 12, 1), setup_billed=False), date(2025, 12, 1), 40)
    reasons = [one.because for one in ladders(told_january(twice)) if one.ladder.name == "setup"]
    assert "setup_elsewhere" in reasons
    waits = Chart()
    waits.measure(waits.enroll(JANUARY, setup_billed=False), JANUARY, 1)
    assert ladder(told_january(waits), "setup").because == "setup_waits"


def test_too_much_for_a_code_is_told_apart() -> None:
    """Sixteen days lie above the band of 99445; a CCM code is on no ladder."""
    chart = Chart()
    chart.measure(chart.enroll(JANUARY), JANUARY, 16)
    above = told_january(chart, "99445").asked
    assert above is not None
    assert (above.state, above.above, above.takes) == ("not_billed", True, None)
    unknown = told_january(chart, "99490").asked
    assert unknown is not None
    assert (unknown.state, unknown.on) == ("unknown", ())


def test_a_code_billed_in_place_is_looked_up_by_date() -> None:
    """G0511 stood for the codes in 2024; in 2026 no ladder gives it."""
    chart = Chart()
    chart.measure(chart.enroll(date(2024, 3, 1), setting="RHC"), date(2024, 3, 1), 16)
    facts, seen = chart.facts(), date(2024, 6, 1)
    told = why(facts, shipped_book(), seen, seen, date(2024, 3, 1), "G0511").asked
    assert told is not None
    assert told.state == "billed"
    later = Chart()
    later.measure(later.enroll(JANUARY, setting="RHC"), JANUARY, 16)
    after = told_january(later, "G0511").asked
    assert after is not None
    assert after.state == "unknown"


def test_other_services_in_the_way_are_told() -> None:
    """Another practice's supply line stops ours and stands among the services of these days."""
    chart = Chart()
    chart.measure(chart.enroll(JANUARY), JANUARY, 16)
    chart.serve("99454", date(2026, 1, 15), own=False)
    found = told_january(chart)
    assert ladder(found, "device-supply").stops == ("E_OTHER_PRACTITIONER_30D",)
    assert found.services == ((day_number(date(2026, 1, 15)), "99454", False),)


def test_no_coverage_tells_no_ladder() -> None:
    """Without a payer no page judges: the period stands with its finding and no ladder."""
    chart = Chart(covered=False)
    chart.measure(chart.enroll(JANUARY), JANUARY, 16)
    found = told_january(chart, "99454")
    assert not ladders(found)
    assert {said.code for one in found.periods for said in one.findings} >= {"E_NO_COVERAGE"}
    assert found.asked is not None
    assert found.asked.state == "unknown"

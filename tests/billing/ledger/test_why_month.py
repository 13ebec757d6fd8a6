"""Whole months told: every period, ladder, trial and fact left out, word for word."""

from datetime import date
from pathlib import Path

import pytest
from builders import Chart

from billing.days import day_date
from billing.ledger.more import Line, More
from billing.ledger.why import why
from billing.ledger.why_told import LadderWhy, PeriodWhy, Said, Why
from billing.rules.book import shipped_book

JANUARY = date(2026, 1, 1)
MONTHS = Path(__file__).parent / "months"


def running() -> Chart:
    """Seen on 20 January: a window and a month that run, with facts of every kind beside."""
    chart = Chart()
    episode = chart.enroll(date(2025, 12, 20))
    chart.measure(episode, date(2025, 12, 28), 3, kind="glucose")
    chart.measure(episode, date(2026, 1, 18), 3, kind="glucose")
    chart.measure(episode, date(2026, 1, 19), 1, refused="manual_entry")
    chart.measure(episode, date(2026, 1, 21), 1)
    chart.work(episode, date(2026, 1, 5), 500, start_second=36_000)
    chart.work(episode, date(2026, 1, 5), 300, mode="text", start_second=36_300, actor=1)
    chart.work(episode, date(2026, 1, 6), 200, role="admin")
    chart.work(episode, date(2026, 1, 22), 900)
    chart.serve("99490", date(2025, 12, 28))
    chart.serve("99490", date(2025, 12, 27))
    chart.serve("99474", date(2026, 1, 31), own=False)
    return chart


def ended() -> Chart:
    """Seen in March: an episode that ended in its first window, and time without live contact."""
    chart = Chart()
    closed = date(2026, 1, 20)
    episode = chart.enroll(JANUARY, closed=closed, end_reason="goals_met", setup_billed=False)
    chart.measure(episode, date(2026, 1, 3), 1)
    chart.work(episode, date(2026, 1, 5), 1300, mode="async")
    chart.work(episode, date(2026, 1, 21), 100)
    return chart


def chain() -> Chart:
    """Seen in March: an episode right behind another one, and a therapy beside both."""
    chart = Chart()
    first = chart.enroll(JANUARY, closed=date(2026, 1, 10), end_reason="goals_met")
    chart.measure(first, date(2026, 1, 2), 2)
    second = chart.enroll(date(2026, 1, 15), previous=first, papers=("order", "established"))
    chart.hold(second, "consent", date(2026, 1, 15))
    chart.measure(second, date(2026, 1, 16), 20)
    therapy = chart.enroll(JANUARY, program="RTM-RESPIRATORY")
    chart.work(therapy, date(2026, 1, 4), 700, work="RTM")
    taken = chart.work(first, date(2026, 1, 3), 100)
    chart.work(first, date(2026, 1, 3), -100, reverses=taken)
    return chart


def silent() -> Chart:
    """Seen on 20 January: no reading yet, and an episode that will end within the month."""
    chart = Chart("COM_GENERIC_PRE2026_CODESET")
    episode = chart.enroll(date(2026, 1, 5), closed=date(2026, 1, 25), end_reason="goals_met")
    chart.work(episode, date(2026, 1, 7), 700)
    chart.work(episode, date(2026, 1, 8), 60, work="CCM")
    return chart


def earlier() -> Chart:
    """Seen in March: a window that began in December, and the next one without enough days."""
    chart = Chart()
    episode = chart.enroll(date(2025, 12, 8), setup_billed=False)
    chart.measure(episode, date(2025, 12, 8), 24)
    chart.measure(episode, date(2026, 1, 20), 16, kind="scale")
    chart.measure(episode, date(2026, 1, 8), 1, refused="out_of_range")
    chart.measure(episode, date(2025, 12, 7), 1)
    chart.work(episode, date(2026, 1, 7), 2500)
    chart.work(episode, date(2025, 12, 7), 60, role="admin")
    return chart


def day(number: int | None) -> str:
    """A day as a date; a dash for none."""
    return "-" if number is None else day_date(number).isoformat()


def line(one: Line) -> str:
    """A line with the row of its episode."""
    return f"{one.code}*{one.units}@{day(one.service_day)}#{one.episode}"


def listed(words: list[str]) -> str:
    """Words, or a dash for none."""
    return ",".join(words) or "-"


def said(found: tuple[Said, ...]) -> str:
    """Findings with what they concern and their amounts."""
    return listed([f"{one.code}({one.concerns} {one.amount})" for one in found])


def more(one: More) -> str:
    """A trial and what it brings."""
    days = [f"{added.kind} {day(added.day)}" for added in one.days]
    works = [f"{w.role} {w.work} {w.mode} {w.seconds} {day(w.day)}" for w in one.entries]
    gained, lost = listed([line(x) for x in one.gained]), listed([line(x) for x in one.lost])
    late = "" if one.reachable else " too late"
    tried = f"{one.amount} {one.unit} ({listed(days + works)}) by {one.as_of}"
    return f"+ {tried}: {gained} for {lost}{late}"


def of_ladder(one: LadderWhy) -> list[str]:
    """A ladder, the place of its trials, and the trials."""
    place, rungs = one.place, "/".join(str(rung.at_least) for rung in one.rungs)
    lines = listed([line(x) for x in one.lines])
    live = " lacks live" if one.lacks_live else ""
    span = f"{day(place.first_day)}..{day(place.last_day)}"
    return [
        f". {one.ladder.name} {one.amount} of {one.logged} on {rungs} {one.kind}: {lines}",
        f": {said(one.findings)} stops {listed([*one.stops])} because {one.because or '-'}{live}",
        f": {span} until {day(place.until)} left {place.left}",
        *map(more, one.more),
    ]


def of_period(one: PeriodWhy) -> list[str]:
    """A period and its ladders."""
    where = f"{one.kind} {one.program}#{one.episode} {day(one.start_day)}..{day(one.end_day)}"
    return [
        f"{where} {one.state} {day(one.service_day)} {one.payer}: {said(one.findings)}",
        *(row for ladder in one.ladders for row in of_ladder(ladder)),
    ]


def story(found: Why) -> list[str]:
    """All that is told of a month."""
    rows = [row for period in found.periods for row in of_period(period)]
    for x in found.left_out:
        days = listed([day(one) for one in x.days])
        rows.append(f"- {x.what}#{x.episode} {x.reason} {x.finding} {x.count} {x.seconds} {days}")
    rows += [f"service {day(at)} {code} {own}" for at, code, own in found.services]
    if found.asked is not None:
        one = found.asked
        rows.append(f"{one.code} {one.state} {one.on} short {one.short} above {one.above}")
        rows.append(": " + listed([line(x) for x in one.lines]))
        rows += [more(one.takes)] if one.takes else []
    return rows


@pytest.mark.parametrize(
    ("name", "chart", "seen", "code"),
    [
        ("running", running(), date(2026, 1, 20), "99457"),
        ("ended", ended(), date(2026, 3, 1), "99445"),
        ("chain", chain(), date(2026, 3, 1), "98979"),
        ("silent", silent(), date(2026, 1, 20), "99454"),
        ("earlier", earlier(), date(2026, 3, 1), "99453"),
    ],
)
def test_a_month_is_told_word_for_word(name: str, chart: Chart, seen: date, code: str) -> None:
    """Periods, rungs, stops, trials on the days they take, facts left out, and a code asked for."""
    found = why(chart.facts(), shipped_book(), seen, seen, JANUARY, code)
    expected = (MONTHS / f"{name}.txt").read_text(encoding="utf-8")
    assert story(found) == expected.splitlines()

"""The answer to why as plain text, for a terminal or a printed page.

Owns the wording and the layout. Does not own what is told (``rpm.actions.why``).
"""

from collections.abc import Iterator, Sequence
from datetime import date
from textwrap import wrap

from rpm.actions.why_answer import (
    BandTold,
    FindingTold,
    LadderTold,
    LeftOutTold,
    LineTold,
    MonthWhy,
    MoreTold,
    PeriodTold,
)
from rpm.actions.why_words import amount_words, length, more_words, reach_words

_MOST_DAYS = 4
_WIDTH = 116
_ONCE_ONLY = "setup"


def why_text(found: MonthWhy) -> str:
    """The answer for the code, then each period with its ladders, then what was left out."""
    lines = [
        f"{found.month}, as of {found.as_of}, rules known on {found.known_day}",
        *found.notes,
    ]
    if found.asked is not None:
        head = f"{found.asked.code} {found.asked.label}".rstrip()
        lines += [head, *(f"  {one}" for one in found.asked.sentences)]
    told = {one.finding for one in found.left_out}
    for period in found.periods:
        lines += _period(period, told)
    if found.left_out:
        lines += ["Left out", *(f"  {_left_out(one)}" for one in found.left_out)]
    if found.services:
        lines += ["Other services", *(f"  {one}" for one in _services(found))]
    return "\n".join(part for line in lines for part in _wrapped(line)) + "\n"


def _wrapped(line: str) -> list[str]:
    """A line in parts that fit, the further ones indented more."""
    indent = " " * (len(line) - len(line.lstrip()) + 2)
    return wrap(line, _WIDTH, subsequent_indent=indent, drop_whitespace=True) or [line]


def _period(period: PeriodTold, told: set[str]) -> Iterator[str]:
    by = f"{period.payer_key} by {period.rule_page_id}" if period.rule_page_id else "no rule"
    kind = "Month" if period.kind == "calendar-month" else "Window"
    days = f"{kind} {period.start_day} to {period.end_day}, {period.state}"
    if period.start_day is None:
        days = "No window: no reading of the month counts"
    yield f"{days}, {period.program}, {by}"
    for ladder in period.ladders:
        yield from _ladder(ladder)
    stops = {reason for ladder in period.ladders for reason in ladder.not_billed_because}
    for finding in period.findings:
        if finding.code not in told and finding.message not in stops:
            yield f"  {_finding(finding)}"


def _ladder(ladder: LadderTold) -> Iterator[str]:
    leaves = ", ".join(_line(one) for one in ladder.billed) or "nothing leaves"
    logged = ""
    if ladder.measure == "seconds" and ladder.logged_seconds != ladder.amount:
        logged = f" of {length(ladder.logged_seconds)} logged"
    has = f"{amount_words(ladder.amount, ladder.unit)}{logged}"
    brief = _is_brief(ladder)
    why = f": {' '.join(ladder.not_billed_because)}" if brief and not ladder.billed else ""
    yield f"  {ladder.name:<20}{has:<15} {leaves}{why}"
    if brief:
        return
    for reason in ladder.not_billed_because:
        yield f"    {reason}"
    for band in ladder.bands:
        yield f"    {_band(band, ladder.unit)}"
    yield from (f"    {one}" for one in trial_words(ladder.more))
    stops = set(ladder.not_billed_because)
    for finding in ladder.findings:
        if finding.message not in stops:
            yield f"    {_finding(finding)}"


def _is_brief(ladder: LadderTold) -> bool:
    """Set-up follows the supply ladder, and a review that nobody logged has nothing to tell."""
    untouched = not ladder.amount and not ladder.billed and not ladder.findings
    return (ladder.role == _ONCE_ONLY and not ladder.findings) or (
        ladder.role == "review" and untouched
    )


def band_words(band: BandTold, unit: str) -> tuple[str, str]:
    """The amounts of a band, and the codes it earns."""

    def measure(amount: int) -> str:
        return str(amount) if unit == "days" else length(amount)

    most = " or more" if band.at_most is None else f" to {measure(band.at_most)}"
    word = "days" if unit == "days" else "minutes"
    codes = ", ".join(_code(code, unit) for code in band.codes)
    return f"{measure(band.at_least)}{most} {word}", codes


def _band(band: BandTold, unit: str) -> str:
    amounts, codes = band_words(band, unit)
    return f"{amounts}: {codes}  [{band.status}; {' '.join(band.sources)}]"


def _code(told: str, unit: str) -> str:
    code, _, every = told.partition(" per ")
    if not every:
        return code
    return f"{code} for each further {amount_words(int(every), unit)}"


def trial_words(trials: Sequence[MoreTold]) -> Iterator[str]:
    """What some more days or minutes would change, a sentence for each trial that does."""
    changing = [one for one in trials if one.gained or one.lost]
    for one in changing:
        yield f"{more_words(one)}: {_change(one)}; {reach_words(one)}"
    if trials and not changing:
        yield f"{more_words(trials[-1])}: changes nothing"


def _change(one: MoreTold) -> str:
    lost = ", ".join(_line(line) for line in one.lost)
    gained = ", ".join(_line(line) for line in one.gained)
    if not gained:
        return f"takes {lost} away"
    return f"{gained} in place of {lost}" if lost else gained


def _line(one: LineTold) -> str:
    return f"{one.code} x{one.units} on {one.service_day}"


def _finding(one: FindingTold) -> str:
    return f"{one.title} ({one.code}). {one.fix}"


def _left_out(one: LeftOutTold) -> str:
    single = "entry" if one.what == "entries" else "reading"
    what = f"{one.count} {single if one.count == 1 else one.what}" if one.count else one.what
    time = f" of {length(one.seconds)}" if one.seconds else ""
    return f"{what}{time} {one.words}: {_days(one.days)}"


def _days(days: Sequence[date]) -> str:
    shown = ", ".join(str(day) for day in days[:_MOST_DAYS])
    return shown if len(days) <= _MOST_DAYS else f"{shown} and {len(days) - _MOST_DAYS} more days"


def _services(found: MonthWhy) -> Iterator[str]:
    for one in found.services:
        yield f"{one.code} on {one.service_day}, {'ours' if one.own else 'of another practice'}"

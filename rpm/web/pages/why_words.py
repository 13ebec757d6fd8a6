"""The answer to why for the screen: each ladder as a few sentences.

Owns what of the answer is shown, and in which order. Does not own the words of amounts and lines
(``rpm.actions.why_words``).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rpm.actions.why_answer import FindingTold, LadderTold, MonthWhy, PeriodTold
from rpm.actions.why_text import band_words, trial_words
from rpm.actions.why_words import amount_words, length, lines_words
from rpm.written import us_day, with_us_days


@dataclass(frozen=True)
class LadderShown:
    """A ladder: what it has, what leaves or why nothing does, its bands, and what more would do."""

    name: str
    has: str
    leaves: str
    standing: tuple[str, str]  # words and tone
    because: Sequence[str]
    bands: Sequence[tuple[str, str, str]]  # measure, codes, where it was read
    more: Sequence[str]
    findings: Sequence[FindingTold]


@dataclass(frozen=True)
class PeriodShown:
    """A window or a month."""

    title: str
    judged_by: str
    state: str
    findings: Sequence[FindingTold]
    ladders: Sequence[LadderShown]


def told_months(found: MonthWhy, payers: Mapping[str, str]) -> list[PeriodShown]:
    """Windows, then months; ``payers`` gives the name of a payer's key."""
    shown = []
    for one in found.periods:
        kind = "Month" if one.kind == "calendar-month" else "Window"
        title = "No window yet: no reading of the month counts"
        if one.start_day is not None and one.end_day is not None:
            title = f"{kind} {us_day(one.start_day)} to {us_day(one.end_day)}"
        by = "No rule page judges it"
        if one.rule_page_id:
            payer = payers.get(one.payer_key, one.payer_key)
            by = f"Judged for {payer} by the rule page {one.rule_page_id}"
        ladders = [_ladder(ladder, one) for ladder in one.ladders]
        shown.append(PeriodShown(f"{one.program}: {title}", by, one.state, one.findings, ladders))
    return shown


def _standing(one: LadderTold, period: PeriodTold) -> tuple[str, str]:
    if one.billed:
        return "bills", "good"
    return ("not over yet", "info") if period.state == "open" else ("bills nothing", "warn")


def _ladder(one: LadderTold, period: PeriodTold) -> LadderShown:
    has = amount_words(one.amount, one.unit)
    if one.measure == "seconds" and one.logged_seconds != one.amount:
        has = f"{has} of {length(one.logged_seconds)} logged"
    stops = set(one.not_billed_because)
    return LadderShown(
        name=one.name.replace("-", " "),
        has=has,
        leaves=with_us_days(lines_words(one.billed)),
        standing=_standing(one, period),
        because=[with_us_days(words) for words in one.not_billed_because],
        bands=[
            (*band_words(band, one.unit), f"{band.status}: {' '.join(band.sources)}")
            for band in one.bands
        ],
        more=[with_us_days(words) for words in trial_words(one.more)],
        findings=[finding for finding in one.findings if finding.message not in stops],
    )

"""The answer to why for the screen: each ladder as a few sentences.

Owns what of the answer is shown, and in which order. Does not own the words of amounts and lines
(``rpm.actions.why_words``).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from rpm.actions.why_answer import FindingTold, LadderTold, MonthWhy
from rpm.actions.why_text import band_words, trial_words
from rpm.actions.why_words import amount_words, length, lines_words
from rpm.web.pages.charts import shown_day


@dataclass(frozen=True)
class LadderShown:
    """A ladder: what it has, what leaves or why nothing does, its bands, and what more would do."""

    name: str
    has: str
    leaves: str
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


def told_months(found: MonthWhy) -> list[PeriodShown]:
    """Windows, then months."""
    shown = []
    for one in found.periods:
        kind = "Month" if one.kind == "calendar-month" else "Window"
        title = "No window yet: no reading of the month counts"
        if one.start_day is not None and one.end_day is not None:
            title = f"{kind} {shown_day(one.start_day)} to {shown_day(one.end_day)}"
        by = f"{one.payer_key} by {one.rule_page_id}" if one.rule_page_id else "no rule page"
        ladders = [_ladder(ladder) for ladder in one.ladders]
        shown.append(PeriodShown(f"{one.program}: {title}", by, one.state, one.findings, ladders))
    return shown


def _ladder(one: LadderTold) -> LadderShown:
    has = amount_words(one.amount, one.unit)
    if one.measure == "seconds" and one.logged_seconds != one.amount:
        has = f"{has} of {length(one.logged_seconds)} logged"
    stops = set(one.not_billed_because)
    return LadderShown(
        name=one.name.replace("-", " "),
        has=has,
        leaves=lines_words(one.billed),
        because=one.not_billed_because,
        bands=[
            (*band_words(band, one.unit), f"{band.status}: {' '.join(band.sources)}")
            for band in one.bands
        ],
        more=list(trial_words(one.more)),
        findings=[finding for finding in one.findings if finding.message not in stops],
    )

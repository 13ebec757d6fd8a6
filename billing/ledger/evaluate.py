"""Evaluate: the whole calculation, one pure function.

Owns the order of its steps and the frames it gives back. Dashboard, close, what-if, case files and
bulk run call this function; they differ only in the facts they load and in what they do next.
"""

from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache

import numpy as np
import pandas as pd

from billing.days import day_number, month_starts
from billing.ledger.accompany import (
    PeriodOf,
    boundaries,
    late_uploads,
    left_out_readings,
    left_out_time,
    notices,
    recorded_services,
    repeated_services,
)
from billing.ledger.decide import decide
from billing.ledger.exclude import OtherLines
from billing.ledger.facts import PROGRAMS, Facts
from billing.ledger.judged import Judged, Pages, judge, serves
from billing.ledger.kernels import Ints, Mask
from billing.ledger.lines import Batch
from billing.ledger.minutes import (
    COUNTED_WORK,
    Minutes,
    em_day_key,
    minutes_of,
    standing_entries,
)
from billing.ledger.outcome import Outcome, words
from billing.ledger.periods import (
    KINDS_OF_PERIOD,
    STATES,
    Periods,
    on_threshold_day,
    periods_of,
)
from billing.ledger.progress import progress_of
from billing.ledger.remarks import Remarks
from billing.ledger.standing import Standing, standing_of
from billing.ledger.windows import Windows, refused_bits, windows_of
from billing.rules.book import RuleBook
from billing.rules.ruleset import Role

EM_WORD = "EM"
"""A visit known only as "an E/M visit is billed that day" (a case file's ``em=``)."""


@dataclass(frozen=True)
class Measured:
    """Facts as measured, before any rule page is asked: what ``explain`` shows, too."""

    standing: Standing
    windows: Windows
    minutes: Minutes
    periods: Periods
    also_counts: Ints


def evaluate(facts: Facts, book: RuleBook, as_of: date, known: date) -> Outcome:
    """Periods, billable events, findings and progress of all patients in the facts.

    A period is over when its last day is before ``as_of``; facts dated later are not looked at.
    Rule pages are those known on ``known``. Nothing is stored and nothing is read but the
    arguments; a payer without a page in force gives the finding ``E_NO_RULE``.
    """
    return judged_outcome(facts, book, measure(facts, book, day_number(as_of)), as_of, known)


def judged_outcome(
    facts: Facts, book: RuleBook, measured: Measured, as_of: date, known: date
) -> Outcome:
    """The outcome of facts that were measured on the same day: ``evaluate`` from there on."""
    as_of_day, standing = day_number(as_of), measured.standing
    decided = _decided(facts, book, measured, as_of, known)
    pages, judged, remarks = decided.pages, decided.judged, decided.remarks
    others, leaving, periods = decided.others, decided.leaving, judged.periods
    notices(standing, judged, leaving, remarks)
    boundaries(judged, pages, remarks)
    late_uploads(judged, remarks)
    period_of = PeriodOf(standing, judged)
    left_out_readings(
        standing,
        facts.device_days,
        measured.also_counts,
        measured.windows,
        period_of,
        as_of_day,
        remarks,
    )
    left_out_time(measured.minutes, period_of, judged.stopped, remarks)
    recorded_services(facts, judged, leaving, others, remarks)
    repeated_services(facts, standing, period_of, remarks)
    return Outcome(
        periods=_period_frame(facts, judged),
        events=_event_frame(facts, judged, leaving),
        findings=remarks.frame(periods.episode, periods.patient),
        progress=progress_of(standing, measured.windows, periods, pages, as_of_day),
    )


def billed_events(
    facts: Facts, book: RuleBook, as_of: date, known: date, standing: Standing | None = None
) -> pd.DataFrame:
    """The events of ``evaluate`` alone, without findings and progress: for many trials.

    ``standing`` is that of other facts with the same episodes and gates, found once for all trials.
    """
    measured = measure(facts, book, day_number(as_of), standing)
    decided = _decided(facts, book, measured, as_of, known)
    return _event_frame(facts, decided.judged, decided.leaving)


@dataclass(frozen=True)
class _Decided:
    """What leaves, and all that was judged on the way."""

    pages: Pages
    judged: Judged
    others: OtherLines
    leaving: list[Batch]
    remarks: Remarks


def _decided(
    facts: Facts, book: RuleBook, measured: Measured, as_of: date, known: date
) -> _Decided:
    standing, pages = measured.standing, Pages(book, facts, known)
    periods, early = _dated_at_threshold(standing, measured.windows, measured.periods, pages)
    remarks = Remarks(len(periods))
    judged = judge(standing, periods, pages, remarks)
    others = OtherLines(facts, periods)
    leaving = decide(standing, judged, others, early, day_number(as_of), remarks)
    return _Decided(pages, judged, others, leaving, remarks)


def measure(
    facts: Facts, book: RuleBook, as_of_day: int, standing: Standing | None = None
) -> Measured:
    """Windows, months and their measures; no thresholds, no codes.

    ``standing`` is that of the facts' episodes and gates, where it is known already.
    """
    if standing is None:
        standing = standing_of(facts)
    also_counts = np.array(
        [refused_bits(_also_counts(book, program)) for program in PROGRAMS], dtype=np.int64
    )
    windows = windows_of(standing, facts.device_days, also_counts, as_of_day)
    minutes = minutes_of(standing, facts.entries, em_days(facts, book), as_of_day)
    periods = periods_of(standing, windows, minutes, _log_months(facts, as_of_day), as_of_day)
    return Measured(standing, windows, minutes, periods, also_counts)


@lru_cache(maxsize=16)
def _also_counts(book: RuleBook, program: str) -> tuple[str, ...]:
    """Refusal words whose readings count in a program all the same, by any page of the book."""
    words = {
        word
        for page in book.pages
        for ladder in page.ladders
        if program in ladder.programs
        for word in ladder.also_counts
    }
    return tuple(sorted(words))


@lru_cache(maxsize=16)
def _em_codes(book: RuleBook) -> frozenset[str]:
    """Codes of visits whose day takes a practitioner's minutes away, by any page of the book."""
    return frozenset(code for page in book.pages for code in page.em_codes)


def em_days(facts: Facts, book: RuleBook) -> Ints:
    """Keys of (actor, patient, day) on which a practitioner of ours bills a visit (R-TIME-10)."""
    visits = [i for i, code in enumerate(facts.codes) if code in _em_codes(book)]
    if not visits:
        return np.zeros(0, dtype=np.int64)
    others = facts.others
    actor = others["actor"].to_numpy()
    rows = np.isin(others["code"].to_numpy(), visits) & others["own"].to_numpy() & (actor >= 0)
    return np.unique(
        em_day_key(
            actor[rows],
            others["patient"].to_numpy()[rows],
            others["service_day"].to_numpy()[rows],
        )
    )


def _log_months(facts: Facts, as_of_day: int) -> Ints:
    """Rows (episode, first day of month) of every entry that is neither reversed nor a reversal."""
    stands = standing_entries(facts.entries, as_of_day)
    episode = facts.entries["episode"].to_numpy()[stands]
    start = month_starts(facts.entries["day"].to_numpy()[stands])
    return np.stack([episode.astype(np.int64), start.astype(np.int64)])


def _dated_at_threshold(
    standing: Standing, windows: Windows, periods: Periods, pages: Pages
) -> tuple[Periods, Mask]:
    """Windows dated on the day the long supply code was reached, where the profile says so."""
    early = on_threshold_day(standing, periods)
    if not early.any():
        return periods, early
    rows = np.flatnonzero(early)
    payer = pages.payers(periods.patient[rows], periods.end_day[rows])
    page = pages.rows(payer, periods.end_day[rows])
    nth = np.full(len(periods), np.iinfo(np.int32).max, dtype=np.int64)
    for position, rules in enumerate(pages.pages):
        for ladder in rules.ladders:
            if ladder.role is Role.SUPPLY:
                mine = rows[page == position]
                mine = mine[serves(periods, ladder.programs)[mine]]
                nth[mine] = max(band.at_least for band in ladder.bands)
    reached = early & (periods.days >= nth)
    at = np.flatnonzero(reached)
    service_day = periods.service_day.copy()
    all_days = np.full(windows.days.size, 1, dtype=np.int64)
    all_days[periods.window[at]] = nth[at]
    service_day[at] = windows.nth_day(all_days)[periods.window[at]]
    return replace(periods, service_day=service_day), reached


def _period_frame(facts: Facts, judged: Judged) -> pd.DataFrame:
    periods = judged.periods
    family = periods.therapeutic.astype(np.int8)
    work = np.where(periods.therapeutic, COUNTED_WORK.index("RTM"), COUNTED_WORK.index("RPM"))
    row = np.arange(len(periods))
    return pd.DataFrame(
        {
            "period": row,
            "kind": words(periods.kind, KINDS_OF_PERIOD),
            "episode": periods.episode,
            "patient": periods.patient,
            "program": words(family, ("RPM", "RTM")),
            "start_day": periods.start_day,
            "end_day": periods.end_day,
            "state": words(periods.state, STATES),
            "service_day": periods.service_day,
            "days": periods.days,
            "last_recorded_day": periods.last_recorded_day,
            "seconds": periods.seconds[row, work],
            "practitioner_seconds": periods.practitioner_seconds[row, work],
            "live_seconds": periods.live_seconds[row, work],
            "payer": words(judged.payer, facts.payers),
            "page": words(judged.page, [page.id for page in judged.pages]),
        }
    )


def _event_frame(facts: Facts, judged: Judged, leaving: list[Batch]) -> pd.DataFrame:
    periods = judged.periods
    sizes = [batch.rows.size for batch in leaving]
    rows = np.concatenate([b.rows for b in leaving] or [np.zeros(0, dtype=np.int64)])
    units = np.concatenate([b.units for b in leaving] or [np.zeros(0, dtype=np.int64)])
    codes = sorted({batch.code for batch in leaving})
    ladders = sorted({batch.ladder.name for batch in leaving})
    code = np.repeat([codes.index(b.code) for b in leaving], sizes).astype(np.int16)
    ladder = np.repeat([ladders.index(b.ladder.name) for b in leaving], sizes).astype(np.int16)
    service_day = periods.service_day[rows]
    order = np.lexsort((code, service_day, periods.patient[rows]))
    rows, units, code, ladder = rows[order], units[order], code[order], ladder[order]
    monthly = periods.kind[rows] == KINDS_OF_PERIOD.index("calendar-month")
    return pd.DataFrame(
        {
            "period": rows,
            "episode": periods.episode[rows],
            "patient": periods.patient[rows],
            "subject": words(monthly.astype(np.int8), ("episode", "patient")),
            "subject_row": np.where(monthly, periods.patient[rows], periods.episode[rows]),
            "ladder": words(ladder, ladders),
            "code": words(code, codes),
            "units": units,
            "service_day": periods.service_day[rows],
            "period_start_day": periods.start_day[rows],
            "period_end_day": periods.end_day[rows],
            "payer": words(judged.payer[rows], facts.payers),
            "page": words(judged.page[rows], [page.id for page in judged.pages]),
        }
    )

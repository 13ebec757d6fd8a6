"""Progress: what the running window and month have, what more would earn, and whether it can be.

Owns the look ahead, and the day by which a reading must come or a code is lost. Uses the same
pages, bands and relaxations as the lines themselves.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from billing.days import NO_DAY, month_ends, month_starts
from billing.ledger.facts import PROGRAMS
from billing.ledger.judged import Judged, Pages, judge
from billing.ledger.kernels import Ints, Mask
from billing.ledger.ladders import (
    applies,
    days_left,
    has_live_contact,
    last_days,
    measured,
)
from billing.ledger.lines import least_of
from billing.ledger.minutes import COUNTED_WORK
from billing.ledger.outcome import PROGRESS_COLUMNS, words
from billing.ledger.periods import MONTH, OPEN, WINDOW, Periods
from billing.ledger.remarks import Remarks
from billing.ledger.standing import Standing
from billing.ledger.windows import WINDOW_DAYS, Windows
from billing.rules.ruleset import Band, Ladder, Measure, Role, RuleSet

_SECONDS_A_DAY = 86_400


def progress_of(
    standing: Standing, windows: Windows, periods: Periods, pages: Pages, as_of_day: int
) -> pd.DataFrame:
    """One row per running ladder of every episode that is open on the day."""
    running = np.flatnonzero(
        (standing.closed_day >= as_of_day) & (standing.opened_day <= as_of_day)
    )
    current = _current(standing, windows, periods, running, as_of_day)
    judged = judge(standing, current, pages, Remarks(len(current)))
    anchored = np.zeros(standing.count, dtype=np.bool_)
    anchored[windows.episode] = True
    codes, ladders, roles = _Words(""), _Words(), _Words()
    parts = [
        _rows(standing, judged, anchored, rules, ladder, rows, as_of_day, codes)
        | {
            "ladder": np.full(rows.size, ladders.of(ladder.name)),
            "role": np.full(rows.size, roles.of(ladder.role.value)),
        }
        for rules, mine in judged.kin()
        for ladder in rules.ladders
        if ladder.role is not Role.SETUP
        if (rows := np.flatnonzero(mine & applies(current, ladder))).size
    ]
    if not parts:
        return pd.DataFrame({name: [] for name in PROGRESS_COLUMNS})
    joined = {name: np.concatenate([part[name] for part in parts]) for name in PROGRESS_COLUMNS}
    order = np.lexsort((ladders.rank[joined["ladder"]], joined["episode"]))
    columns: dict[str, Any] = {name: column[order] for name, column in joined.items()}
    for name, known in (
        ("ladder", ladders),
        ("role", roles),
        ("earned_code", codes),
        ("further_code", codes),
        ("next_code", codes),
        ("due_code", codes),
    ):
        columns[name] = words(columns[name], known.words)
    return pd.DataFrame(columns)


class _Words:
    """Words as they come up, each with its position."""

    def __init__(self, *first: str) -> None:
        self.words = list(first)

    def of(self, word: str) -> int:
        """The position of a word."""
        if word not in self.words:
            self.words.append(word)
        return self.words.index(word)

    @property
    def rank(self) -> Ints:
        """By position, where the word stands among all of them in order of the alphabet."""
        return np.argsort(np.argsort(np.array(self.words)))


def _rows(
    standing: Standing,
    judged: Judged,
    anchored: Mask,
    rules: RuleSet,
    ladder: Ladder,
    rows: Ints,
    as_of_day: int,
    codes: _Words,
) -> dict[str, Ints]:
    periods = judged.periods
    measure = measured(periods, ladder)[rows]
    steps = _steps(standing, periods, rules, ladder, rows, measure, codes)
    has_next = steps.next_code != codes.of("")
    needed = np.where(has_next, steps.next_least - measure, 0)
    if ladder.measure is Measure.DEVICE_DAYS:
        left = days_left(standing, periods, as_of_day)[rows]
    else:
        left = (periods.end_day[rows] - as_of_day + 1) * _SECONDS_A_DAY
    live = has_live_contact(periods, ladder)[rows]
    no_start = (periods.kind[rows] == WINDOW) & ~anchored[periods.episode[rows]]
    due_code, due_day = _due(standing, periods, rules, ladder, rows[~no_start], as_of_day, codes)
    return {
        "episode": periods.episode[rows],
        "patient": periods.patient[rows],
        "start_day": np.where(no_start, NO_DAY, periods.start_day[rows]),
        "end_day": periods.end_day[rows],
        "measured": measure,
        "earned_code": steps.earned,
        "further_code": steps.further_code,
        "further_units": steps.further_units,
        "next_code": steps.next_code,
        "next_at_least": steps.next_least,
        "still_needed": needed,
        "reachable": has_next & (needed <= left),
        "at_top": steps.top,
        "needs_live": ("live-contact" in ladder.needs) & ~live,
        "due_code": _where(~no_start, due_code, codes.of("")),
        "due_day": _where(~no_start, due_day, NO_DAY),
    }


def _where(rows: Mask, values: Ints, otherwise: int) -> Ints:
    """Values of some rows among all of them."""
    wide = np.full(rows.size, otherwise, dtype=np.int64)
    wide[rows] = values
    return wide


def _due(
    standing: Standing,
    periods: Periods,
    rules: RuleSet,
    ladder: Ladder,
    rows: Ints,
    as_of_day: int,
    codes: _Words,
) -> tuple[Ints, Ints]:
    """The highest code whose days can still be had, and the last day to go on towards it.

    Who measures on that day and on every later one of the window just gets the code; without a
    reading on it the code is lost. No word and no day where nothing more can be earned by days.
    """
    due_code = np.full(rows.size, codes.of(""))
    due_day = np.full(rows.size, NO_DAY, dtype=np.int64)
    if ladder.measure is not Measure.DEVICE_DAYS:
        return due_code, due_day
    left = days_left(standing, periods, as_of_day)[rows]
    last = last_days(standing, periods)[rows]
    for band in sorted(ladder.bands, key=lambda b: b.at_least):
        code = _lead_code(rules, band)
        needed = least_of(standing, periods, rules, band)[rows] - periods.days[rows]
        can = (needed > 0) & (needed <= left) & (code != "")
        due_code[can] = codes.of(code)
        due_day[can] = (last - needed + 1)[can]
    return due_code, due_day


def step_up(
    standing: Standing, periods: Periods, rules: RuleSet, ladder: Ladder, row: int, amount: int
) -> tuple[str, str, int]:
    """What an amount of one period earns on a ladder, what more would earn, and the least of that.

    Empty words for nothing; the least is 0 at the top.
    """
    codes, one, measure = _Words(""), np.array([row]), np.array([amount])
    steps = _steps(standing, periods, rules, ladder, one, measure, codes)
    earned, following = (codes.words[int(code[0])] for code in (steps.earned, steps.next_code))
    return earned, following, int(steps.next_least[0])


@dataclass(frozen=True)
class _Steps:
    """What measures earn, and the step up from there; codes are positions of words."""

    earned: Ints
    further_code: Ints  # of units beyond the band, such as each further 20 minutes
    further_units: Ints
    next_code: Ints
    next_least: Ints
    top: Mask


def _steps(
    standing: Standing,
    periods: Periods,
    rules: RuleSet,
    ladder: Ladder,
    rows: Ints,
    measure: Ints,
    codes: _Words,
) -> _Steps:
    """What measures earn, the code one step up and what it needs, and who is at the top."""
    none = codes.of("")
    words = {name: np.full(rows.size, none) for name in ("earned", "further_code", "next_code")}
    next_least, units = np.zeros(rows.size, dtype=np.int64), np.zeros(rows.size, dtype=np.int64)
    top = np.ones(rows.size, dtype=np.bool_)
    for band in sorted(ladder.bands, key=lambda b: b.at_least):
        least = least_of(standing, periods, rules, band)[rows]
        lead = codes.of(_lead_code(rules, band))
        reached = measure >= least
        words["earned"][reached] = lead
        units[reached] = 0
        up = ~reached & (words["next_code"] == none)
        words["next_code"][up] = lead
        next_least[up] = least[up]
        top &= reached
        for line in band.lines:
            if line.every is not None:
                had = (measure - band.at_least) // line.every
                limit = rules.codes[line.code].max_units
                units[top] = _kept_units(standing, periods.episode[rows], had, limit)[top]
                if line.code in rules.not_adopted:
                    units[top] = 0
                words["further_code"][top] = codes.of(line.code)
                further = top if limit is None else top & (had < limit)
                words["next_code"][further] = codes.of(line.code)
                next_least[further] = (band.at_least + (had + 1) * line.every)[further]
    words["further_code"][units == 0] = none
    return _Steps(**words, further_units=units, next_least=next_least, top=top)


def _kept_units(standing: Standing, episode: Ints, units: Ints, limit: int | None) -> Ints:
    """Units of a line that leave where the practice keeps to the payer's limit (MUE)."""
    if limit is None:
        return units
    kept: Ints = np.where(standing.mue_cap[episode], np.minimum(units, limit), units)
    return kept


def _lead_code(rules: RuleSet, band: Band) -> str:
    """The code a person knows the band by; empty where the payer has not loaded it."""
    return next((x.code for x in band.lines if x.code not in rules.not_adopted), "")


def _current(
    standing: Standing, windows: Windows, periods: Periods, running: Ints, as_of_day: int
) -> Periods:
    """The window and the month around a day, for each running episode; made up where missing."""
    open_window = np.full(standing.count, -1, dtype=np.int64)
    rows = np.flatnonzero((periods.kind == WINDOW) & (periods.state == OPEN))
    open_window[periods.episode[rows]] = rows
    month_day = int(month_starts(np.array([as_of_day], dtype=np.int32))[0])
    open_month = _month_of_episode(standing, periods, month_day)
    start = _window_start(standing, windows, as_of_day)
    window_rows = _look_ahead(
        standing, periods, running, open_window[running], WINDOW, start[running]
    )
    first = np.full(running.size, month_day, dtype=np.int64)
    month_rows = _look_ahead(standing, periods, running, open_month[running], MONTH, first)
    return Periods(
        **{name: np.concatenate([window_rows[name], month_rows[name]]) for name in window_rows}
    )


def _month_of_episode(standing: Standing, periods: Periods, month_day: int) -> Ints:
    """Row of the running month of each episode's patient and family, or -1."""
    family = standing.patient.astype(np.int64) * 2 + (standing.program != PROGRAMS.index("RPM"))
    found = np.full(int(family.max(initial=-1)) + 1, -1, dtype=np.int64)
    rows = np.flatnonzero((periods.kind == MONTH) & (periods.start_day == month_day))
    found[family[periods.episode[rows]]] = rows
    row_of: Ints = found[family]
    return row_of


def _window_start(standing: Standing, windows: Windows, as_of_day: int) -> Ints:
    """First day of the window around a day, going on back to back through silence (R-DEV-09)."""
    last_end = np.full(standing.count, NO_DAY, dtype=np.int64)
    last_end[windows.episode] = windows.end_day
    behind = np.maximum(as_of_day - last_end - 1, 0) // WINDOW_DAYS
    return np.where(
        last_end == NO_DAY,
        as_of_day,
        last_end + 1 + WINDOW_DAYS * behind,
    )


def _look_ahead(
    standing: Standing,
    periods: Periods,
    episode: Ints,
    row: Ints,
    kind: int,
    start: Ints,
) -> dict[str, Ints]:
    """Rows of Periods: the real one where it exists, an empty one from ``start`` elsewhere."""
    real: Mask = row >= 0
    at = np.maximum(row, 0)

    def column(name: str, otherwise: Ints) -> Ints:
        values = getattr(periods, name)
        if not values.size:
            return otherwise
        wide = real[:, None] if values.ndim > 1 else real
        return np.where(wide, values[at], otherwise)

    none = np.zeros(episode.size, dtype=np.int64)
    table = np.zeros((episode.size, len(COUNTED_WORK)), dtype=np.int64)
    end = start + WINDOW_DAYS - 1
    if kind == MONTH:
        end = month_ends(start.astype(np.int32)).astype(np.int64)
    return {
        "kind": np.full(episode.size, kind),
        "episode": episode,
        "patient": standing.patient[episode],
        "program": standing.program[episode],
        "start_day": column("start_day", start),
        "end_day": column("end_day", end),
        "state": np.full(episode.size, OPEN),
        "service_day": column("service_day", end),
        "days": column("days", none),
        "last_recorded_day": column("last_recorded_day", np.full(episode.size, NO_DAY)),
        "kinds": column("kinds", none),
        "late_days": none,
        "window": column("window", np.full(episode.size, -1)),
        "seconds": column("seconds", table),
        "practitioner_seconds": column("practitioner_seconds", table),
        "live_seconds": column("live_seconds", table),
    }

"""Periods: one row per device-supply window or calendar month, with all its measures.

Owns the two period kinds, their state at a day, and the day a line would be dated. Does not own
what a measure earns.
"""

from dataclasses import dataclass, fields

import numpy as np

from billing.days import NO_DAY, month_ends, month_starts
from billing.ledger.facts import END_REASONS, PROGRAMS
from billing.ledger.kernels import Ints, Mask, run_bounds
from billing.ledger.minutes import COUNTED_WORK, Minutes
from billing.ledger.standing import Standing
from billing.ledger.windows import Windows
from billing.rules.profile import SupplyServiceDay
from billing.rules.ruleset import Period

KINDS_OF_PERIOD = (Period.DEVICE_SUPPLY_30.value, Period.CALENDAR_MONTH.value, "none")
"""``none`` is the row of an episode that has no period yet: its gates are asked all the same."""
WINDOW, MONTH, NONE = range(3)
STATES = ("open", "closed", "ended")
OPEN, CLOSED, ENDED = range(3)

_STRATEGIES = tuple(SupplyServiceDay)
_THRESHOLD = _STRATEGIES.index(SupplyServiceDay.THRESHOLD_DAY)
_LAST_READING = _STRATEGIES.index(SupplyServiceDay.LAST_READING)


@dataclass(frozen=True)
class Periods:
    """Columns of equal length; ``seconds`` and its like have one column per COUNTED_WORK."""

    kind: Ints
    episode: Ints
    patient: Ints
    program: Ints  # of the episode; a month belongs to one family, RPM or RTM
    start_day: Ints
    end_day: Ints
    state: Ints
    service_day: Ints
    days: Ints
    last_recorded_day: Ints
    kinds: Ints
    late_days: Ints
    window: Ints  # row in Windows, or -1
    seconds: Ints
    practitioner_seconds: Ints
    live_seconds: Ints

    def __len__(self) -> int:
        return int(self.kind.size)

    @property
    def therapeutic(self) -> Mask:
        """Periods of RTM episodes."""
        remote: Mask = self.program != PROGRAMS.index("RPM")
        return remote


def periods_of(
    standing: Standing, windows: Windows, minutes: Minutes, log_months: Ints, as_of_day: int
) -> Periods:
    """Windows, months and rows of episodes without either, in this order.

    ``log_months`` are rows (episode, first day of month) of every entry of any work: a month with
    an entry has a period even when no second of it counts.
    """
    parts = [
        _window_rows(standing, windows, minutes, as_of_day),
        _month_rows(standing, minutes, log_months, as_of_day),
    ]
    seen = np.zeros(standing.count, dtype=np.bool_)
    for part in parts:
        seen[part.episode] = True
    parts.append(_bare_rows(standing, np.flatnonzero(~seen), as_of_day))
    return Periods(
        **{
            field.name: np.concatenate([getattr(part, field.name) for part in parts])
            for field in fields(Periods)
        }
    )


def _window_rows(standing: Standing, windows: Windows, minutes: Minutes, as_of_day: int) -> Periods:
    episode = windows.episode
    closed_day = standing.closed_day[episode]
    cut = closed_day < windows.end_day
    state = np.where(
        cut & (closed_day < as_of_day), ENDED, np.where(windows.end_day < as_of_day, CLOSED, OPEN)
    )
    last = np.where(
        windows.last_recorded_day == NO_DAY,
        np.minimum(windows.end_day, closed_day),
        windows.last_recorded_day,
    )
    strategy = standing.supply_service_day[episode]
    on_last = (
        (strategy == _LAST_READING)
        | (state == ENDED)
        | (standing.anchored_on_service_day[episode] & (windows.number == 0))
    )
    measures = _by_window(windows, minutes)
    return Periods(
        kind=np.full(episode.size, WINDOW),
        episode=episode,
        patient=standing.patient[episode],
        program=standing.program[episode],
        start_day=windows.start_day,
        end_day=windows.end_day,
        state=state,
        service_day=np.where(on_last & (state != OPEN), last, windows.end_day),
        days=windows.days,
        last_recorded_day=windows.last_recorded_day,
        kinds=windows.kinds,
        late_days=windows.late_days,
        window=np.arange(episode.size),
        seconds=measures[0],
        practitioner_seconds=measures[1],
        live_seconds=measures[2],
    )


def _by_window(windows: Windows, minutes: Minutes) -> tuple[Ints, Ints, Ints]:
    """Seconds of each work inside each window; only 99091 is measured over windows (R-TIME-12)."""
    shape = (windows.episode.size, len(COUNTED_WORK))
    sums = tuple(np.zeros(shape, dtype=np.int64) for _ in range(3))
    review = COUNTED_WORK.index("99091")
    pieces = np.flatnonzero(minutes.work == review)
    if pieces.size and windows.episode.size:
        span = np.int64(1) << 33
        key = windows.episode * span + windows.start_day
        at = (
            np.searchsorted(key, minutes.episode[pieces] * span + minutes.day[pieces], side="right")
            - 1
        )
        safe = np.maximum(at, 0)
        inside = (
            (at >= 0)
            & (windows.episode[safe] == minutes.episode[pieces])
            & (minutes.day[pieces] <= windows.end_day[safe])
        )
        for total, column in zip(
            sums,
            (minutes.seconds, minutes.practitioner_seconds, minutes.live_seconds),
            strict=True,
        ):
            np.add.at(total[:, review], at[inside], column[pieces][inside])
    return sums[0], sums[1], sums[2]


def _month_rows(standing: Standing, minutes: Minutes, log_months: Ints, as_of_day: int) -> Periods:
    """One row per patient, month and family; its episode is the latest one with an entry in it."""
    log_episode, log_start = log_months
    therapeutic = standing.program != PROGRAMS.index("RPM")
    key = _month_key(standing, log_episode, log_start, therapeutic)
    # entries of a patient mostly lie together: runs are few where entries are many
    first, _ = run_bounds(key)
    unique, inverse = np.unique(key[first], return_inverse=True)
    episode = np.full(unique.size, -1, dtype=np.int64)
    if first.size:
        np.maximum.at(episode, inverse, np.maximum.reduceat(log_episode, first))
    start = np.zeros(unique.size, dtype=np.int64)
    start[inverse] = log_start[first]
    end = month_ends(start.astype(np.int32)).astype(np.int64)
    sums = [np.zeros((unique.size, len(COUNTED_WORK)), dtype=np.int64) for _ in range(3)]
    if minutes.day.size:
        piece = np.searchsorted(
            unique,
            _month_key(standing, minutes.episode, month_starts(minutes.day), therapeutic),
        )
        flat = piece * len(COUNTED_WORK) + minutes.work
        columns = (minutes.seconds, minutes.practitioner_seconds, minutes.live_seconds)
        for position, column in enumerate(columns):
            sums[position] = (
                np.bincount(flat, weights=column, minlength=sums[position].size)
                .astype(np.int64)
                .reshape(sums[position].shape)
            )
    died = standing.end_reason[episode] == END_REASONS.index("death")
    none = np.zeros(unique.size, dtype=np.int64)
    return Periods(
        kind=np.full(unique.size, MONTH),
        episode=episode,
        patient=standing.patient[episode],
        program=standing.program[episode],
        start_day=start,
        end_day=end,
        state=np.where(end < as_of_day, CLOSED, OPEN),
        service_day=np.where(died, np.minimum(end, standing.closed_day[episode]), end),
        days=none,
        last_recorded_day=np.full(unique.size, NO_DAY),
        kinds=none,
        late_days=none,
        window=np.full(unique.size, -1),
        seconds=sums[0],
        practitioner_seconds=sums[1],
        live_seconds=sums[2],
    )


def _month_key(standing: Standing, episode: Ints, start: Ints, therapeutic: Mask) -> Ints:
    """One int64 per (patient, family, month); also of pieces, whose month has a logged entry."""
    row = standing.patient[episode].astype(np.int64) * 2 + therapeutic[episode]
    return (row << 33) + start.astype(np.int64) + (np.int64(1) << 31)


def _bare_rows(standing: Standing, episode: Ints, as_of_day: int) -> Periods:
    """Episodes without any period: asked about on the day they are looked at."""
    day = np.maximum(
        np.minimum(standing.closed_day[episode], as_of_day), standing.opened_day[episode]
    )
    none = np.zeros(episode.size, dtype=np.int64)
    empty = np.zeros((episode.size, len(COUNTED_WORK)), dtype=np.int64)
    return Periods(
        kind=np.full(episode.size, NONE),
        episode=episode,
        patient=standing.patient[episode],
        program=standing.program[episode],
        start_day=day,
        end_day=day,
        state=np.full(episode.size, OPEN),
        service_day=day,
        days=none,
        last_recorded_day=np.full(episode.size, NO_DAY),
        kinds=none,
        late_days=none,
        window=np.full(episode.size, -1),
        seconds=empty,
        practitioner_seconds=empty,
        live_seconds=empty,
    )


def on_threshold_day(standing: Standing, periods: Periods) -> Mask:
    """Windows whose practice dates the long supply code on its threshold day (P0 step 10)."""
    strategy = standing.supply_service_day[periods.episode]
    at_threshold: Mask = (periods.kind == WINDOW) & (strategy == _THRESHOLD)
    return at_threshold

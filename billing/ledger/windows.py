"""Device-supply windows: device days and episodes in, one row of measures per 30-day window out.

Owns which readings are kept (P0 steps 1 and 2), where windows stand (P0 step 3, the NGS anchor)
and what is counted in them. Does not own which code a count earns.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from billing.days import NO_DAY
from billing.ledger.facts import REFUSED
from billing.ledger.kernels import (
    Ints,
    Mask,
    order_of,
    row_day_key,
    run_bounds,
    run_starts,
)
from billing.ledger.standing import Standing

WINDOW_DAYS = 30
"""R-DEV-08: a window is exactly 30 days."""


@dataclass(frozen=True)
class KeptDays:
    """The counted local days, one row each, sorted by (episode, day)."""

    episode: Ints
    day: Ints
    kinds: Ints  # bit k is set where a counted reading of KINDS[k] exists
    first_received_day: Ints


@dataclass(frozen=True)
class Windows:
    """One row per window, sorted by (episode, start); ``day_row`` points from a window to its
    first row in ``kept``.
    """

    kept: KeptDays
    episode: Ints
    number: Ints  # 0 for the first window of the episode
    start_day: Ints
    end_day: Ints
    days: Ints
    last_recorded_day: Ints  # NO_DAY in a window without a counted day
    kinds: Ints
    late_days: Ints  # counted days that reached us after the window's last day
    day_row: Ints
    shifted: Mask  # per episode: the first window was moved behind an earlier episode's (R-DEV-11)
    consent_late: Mask  # per episode: readings lie between set-up and a later consent (R-ELIG-05)

    def nth_day(self, nth: Ints) -> Ints:
        """The nth distinct day of each window (1 is the first), NO_DAY where it has fewer."""
        row = np.minimum(self.day_row + nth - 1, self.kept.day.size - 1)
        return np.where(self.days >= nth, self.kept.day[row], NO_DAY)


def windows_of(
    standing: Standing, device_days: pd.DataFrame, also_counts: Ints, as_of_day: int
) -> Windows:
    """All windows through the last kept reading.

    ``also_counts[program]`` has bit r set where readings refused for REFUSED[r] count all the
    same in that program (RTM takes self-reported data).
    """
    counted = _counted_rows(standing, device_days, also_counts, as_of_day)
    usable, late = _usable(standing, counted)
    shifted_away = np.zeros(counted.day.size, dtype=np.bool_)
    while True:
        kept = _one_row_per_day(counted, usable & ~shifted_away)
        start, last_end, second_start = _anchors(standing, kept)
        behind = _floor_from_previous(standing, last_end)
        dropped = usable & (counted.day <= behind[counted.episode])
        if np.array_equal(dropped, shifted_away):
            break
        shifted_away = dropped
    shifted = np.zeros(standing.count, dtype=np.bool_)
    shifted[counted.episode[shifted_away]] = True
    return _measured(standing, kept, start, second_start, shifted, late)


def _counted_rows(
    standing: Standing, device_days: pd.DataFrame, also_counts: Ints, as_of_day: int
) -> KeptDays:
    """Rows with a reading that counts, sorted; several rows a day where kinds differ."""
    episode = device_days["episode"].to_numpy()
    day = device_days["day"].to_numpy()
    counts = device_days["qualifying_count"].to_numpy() > 0
    if also_counts.any():
        reason_bit = np.left_shift(1, device_days["refused_reason"].to_numpy().astype(np.int64))
        counts = counts | ((also_counts[standing.program[episode]] & reason_bit) > 0) & (
            device_days["refused_count"].to_numpy() > 0
        )
    counts = counts & (day <= as_of_day)
    kinds = np.left_shift(np.int32(1), device_days["kind"].to_numpy().astype(np.int32))
    received = device_days["first_received_day"].to_numpy()
    if not counts.all():
        episode, day, kinds, received = (a[counts] for a in (episode, day, kinds, received))
    order = order_of(row_day_key(episode, day))
    if order is not None:
        episode, day, kinds, received = (a[order] for a in (episode, day, kinds, received))
    return KeptDays(episode, day, kinds, received)


def _usable(standing: Standing, rows: KeptDays) -> tuple[Mask, Mask]:
    """Rows on or after set-up and under consent, not after the end; and who consented late."""
    episode, day = rows.episode, rows.day
    since_setup = day >= standing.setup_day[episode]
    consented = standing.consented(episode, day)
    before_consent = since_setup & standing.before_consent(episode, day)
    late = np.zeros(standing.count, dtype=np.bool_)
    late[episode[before_consent]] = True
    return since_setup & consented & (day <= standing.closed_day[episode]), late


def _one_row_per_day(rows: KeptDays, keep: Mask) -> KeptDays:
    episode, day, kinds, received = rows.episode, rows.day, rows.kinds, rows.first_received_day
    if not keep.all():
        episode, day, kinds, received = (a[keep] for a in (episode, day, kinds, received))
    first = run_starts(row_day_key(episode, day))
    if not first.all():
        at = np.flatnonzero(first)
        kinds = np.bitwise_or.reduceat(kinds, at)
        received = np.minimum.reduceat(received, at)
        episode, day = episode[at], day[at]
    return KeptDays(episode, day, kinds, received)


def _anchors(standing: Standing, kept: KeptDays) -> tuple[Ints, Ints, Ints]:
    """Per episode: first window's start, last window's end, second window's start.

    NO_DAY where an episode has no kept day. Under the NGS anchor the second window begins the day
    after the last recorded day of the first (R-CLM-01b), otherwise on its 31st day (R-DEV-09).
    """
    start = np.full(standing.count, NO_DAY, dtype=np.int64)
    last = np.full(standing.count, NO_DAY, dtype=np.int64)
    first_row, last_row = run_bounds(kept.episode)
    start[kept.episode[first_row]] = kept.day[first_row]
    last[kept.episode[first_row]] = kept.day[last_row]
    second_start = start + WINDOW_DAYS
    if standing.anchored_on_service_day.any():
        inside = kept.day < start[kept.episode] + WINDOW_DAYS
        first_service_day = np.full(standing.count, NO_DAY, dtype=np.int64)
        first_service_day[kept.episode[inside]] = kept.day[inside]
        second_start = np.where(
            standing.anchored_on_service_day, first_service_day + 1, second_start
        )
    further = _number(last, start, second_start)
    last_end = np.where(
        further == 0, start + WINDOW_DAYS - 1, second_start + WINDOW_DAYS * further - 1
    )
    return start, np.where(start == NO_DAY, NO_DAY, last_end), second_start


def _number(day: Ints, start: Ints, second_start: Ints) -> Ints:
    """Which window of its episode a day falls in, 0 for the first."""
    return np.where(day < start + WINDOW_DAYS, 0, 1 + (day - second_start) // WINDOW_DAYS)


def _floor_from_previous(standing: Standing, last_end: Ints) -> Ints:
    """The last day an earlier episode's windows take up, along the whole chain (R-DEV-11)."""
    floor = np.full(standing.count, NO_DAY, dtype=np.int64)
    previous = standing.previous
    while (previous >= 0).any():
        floor = np.maximum(floor, np.where(previous >= 0, last_end[previous], NO_DAY))
        previous = np.where(previous >= 0, standing.previous[previous], -1)
    return floor


def _measured(
    standing: Standing,
    kept: KeptDays,
    start: Ints,
    second_start: Ints,
    shifted: Mask,
    consent_late: Mask,
) -> Windows:
    number = _number(kept.day, start[kept.episode], second_start[kept.episode])
    per_episode = np.zeros(standing.count, dtype=np.int64)
    first_row, last_row = run_bounds(kept.episode)
    per_episode[kept.episode[first_row]] = number[last_row] + 1
    offset = np.cumsum(per_episode) - per_episode
    episode = np.repeat(np.arange(standing.count), per_episode)
    ordinal = np.arange(episode.size) - offset[episode]
    start_day = np.where(
        ordinal == 0, start[episode], second_start[episode] + WINDOW_DAYS * (ordinal - 1)
    )
    end_day = start_day + WINDOW_DAYS - 1
    window = offset[kept.episode] + number
    first, last = run_bounds(window)
    days = np.zeros(episode.size, dtype=np.int64)
    days[window[first]] = last - first + 1
    last_recorded = np.full(episode.size, NO_DAY, dtype=np.int64)
    last_recorded[window[first]] = kept.day[last]
    kinds = np.zeros(episode.size, dtype=np.int32)
    if first.size:
        kinds[window[first]] = np.bitwise_or.reduceat(kept.kinds, first)
    late = kept.first_received_day > end_day[window]
    return Windows(
        kept=kept,
        episode=episode,
        number=ordinal,
        start_day=start_day,
        end_day=end_day,
        days=days,
        last_recorded_day=last_recorded,
        kinds=kinds,
        late_days=np.bincount(window[late], minlength=episode.size),
        day_row=np.cumsum(days) - days,
        shifted=shifted,
        consent_late=consent_late,
    )


def refused_bits(words: tuple[str, ...]) -> int:
    """The set of refusal words as bits, position r for REFUSED[r]."""
    return sum(1 << REFUSED.index(word) for word in words)

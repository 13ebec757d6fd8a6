"""Minutes: interaction entries in, seconds that count by patient, day and kind of work out.

Owns what of the time log counts (P0 step 6): reversals cancel, clerical work and work outside
consent or on an excluded E/M day is left out, overlaps count once on the wall clock, and a minute
also logged for another program stays there (R-TIME-05 to -07, -10). Does not own what the seconds
earn.
"""

from dataclasses import dataclass, fields

import numpy as np
import pandas as pd

from billing.days import NO_DAY
from billing.ledger.facts import MODES, PROGRAMS, ROLES, WORK
from billing.ledger.kernels import Ints, Mask, order_of, row_day_key, run_starts
from billing.ledger.standing import Standing

COUNTED_WORK = ("RPM", "RTM", "99091")
"""Kinds of work that rule pages measure; all others only take minutes away."""
_TAKEN_BY = {
    "RPM": tuple(w for w in WORK if w not in ("RPM", "99091")),
    "RTM": tuple(w for w in WORK if w not in ("RPM", "RTM", "99091")),
    "99091": tuple(w for w in WORK if w != "99091"),
}
"""Whose minutes they stay when logged twice (R-TIME-07); RPM goes before 99091 (R-MUTEX-04)."""

_MEASURED = np.array(
    [
        [(work == "RTM") == (program != "RPM") and work in COUNTED_WORK for work in WORK]
        for program in PROGRAMS
    ]
)
"""Work that counts, by program of the episode: RTM minutes of an RPM patient belong elsewhere."""
_TAKES = np.array([any(work in takers for takers in _TAKEN_BY.values()) for work in WORK])
"""Work that takes minutes away from some other, whoever did it."""

REASONS = (
    "W_TIME_OVERLAP_DEDUPED",
    "W_TIME_OTHER_PROGRAM",
    "W_EM_DAY_TIME_EXCLUDED",
    "W_NONCLINICAL_EXCLUDED",
    "W_CONSENT_LATE",
    "W_TIME_AFTER_END",
)


@dataclass(frozen=True)
class Minutes:
    """Pieces of counted time, and remarks on time that was left out.

    A piece is (episode, day, work) with seconds; several pieces may share these. ``work`` is a
    position in COUNTED_WORK, ``remark`` in REASONS.
    """

    episode: Ints
    day: Ints
    work: Ints
    seconds: Ints
    practitioner_seconds: Ints
    live_seconds: Ints
    remark_episode: Ints
    remark_day: Ints
    remark_work: Ints
    remark: Ints


_COLUMNS = tuple(field.name for field in fields(Minutes))


@dataclass(frozen=True)
class _Log:
    """Entries that stand: not reversed and no reversals."""

    entry: Ints
    episode: Ints
    patient: Ints
    day: Ints
    work: Ints
    practitioner: Mask
    live: Mask
    counts: Mask  # False: only takes minutes away
    start_second: Ints
    seconds: Ints

    def __getitem__(self, keep: Mask | Ints) -> "_Log":
        return _Log(
            self.entry[keep],
            self.episode[keep],
            self.patient[keep],
            self.day[keep],
            self.work[keep],
            self.practitioner[keep],
            self.live[keep],
            self.counts[keep],
            self.start_second[keep],
            self.seconds[keep],
        )


class _Remarks:
    """Collects (episode, day, work, reason) while the log is worked through."""

    def __init__(self) -> None:
        self._parts: list[tuple[Ints, Ints, Ints, int]] = []

    def add(self, reason: str, episode: Ints, day: Ints, work: Ints) -> None:
        if episode.size:
            self._parts.append((episode, day, work, REASONS.index(reason)))

    def columns(self) -> tuple[Ints, Ints, Ints, Ints]:
        if not self._parts:
            empty = np.zeros(0, dtype=np.int64)
            return empty, empty, empty, empty
        episode, day, work = (np.concatenate([part[i] for part in self._parts]) for i in range(3))
        reason = np.concatenate([np.full(part[0].size, part[3]) for part in self._parts])
        return episode, day, work, reason


def standing_entries(entries: pd.DataFrame, as_of_day: int) -> Mask:
    """Rows that are neither a reversal nor reversed, and not later than ``as_of_day``."""
    reverses = entries["reverses"].to_numpy()
    entry = entries["entry"].to_numpy()
    stands: Mask = (reverses < 0) & (entries["day"].to_numpy() <= as_of_day)
    if (reverses >= 0).any():
        reversed_entry = np.zeros(max(int(entry.max()), int(reverses.max())) + 1, dtype=np.bool_)
        reversed_entry[reverses[reverses >= 0]] = True
        stands &= ~reversed_entry[entry]
    return stands


def counted_entries(
    standing: Standing, entries: pd.DataFrame, em_days: Ints, as_of_day: int
) -> tuple[Mask, dict[str, Mask]]:
    """Rows of the log that count for their work, and the rows left out by reason.

    ``em_days`` are sorted keys of (actor, patient, day) on which a practitioner bills a visit.
    """
    episode = entries["episode"].to_numpy()
    day = entries["day"].to_numpy()
    role = entries["role"].to_numpy()
    measured = _MEASURED[standing.program[episode], entries["work"].to_numpy()]
    stands = standing_entries(entries, as_of_day) & measured
    clerical = stands & (role == ROLES.index("admin"))
    rest = stands & ~clerical
    early = rest & standing.before_consent(episode, day)
    rest &= standing.consented(episode, day)
    after = rest & (day > standing.closed_day[episode])
    rest &= ~after
    on_em_day = np.zeros(rest.size, dtype=np.bool_)
    if em_days.size:
        key = em_day_key(entries["actor"].to_numpy(), entries["patient"].to_numpy(), day)
        on_em_day = (
            rest
            & (role == ROLES.index("qhp"))
            & standing.em_day_exclusion[episode]
            & np.isin(key, em_days)
        )
    left_out = {
        "W_NONCLINICAL_EXCLUDED": clerical,
        "W_CONSENT_LATE": early & (day >= standing.setup_day[episode]),
        "W_TIME_AFTER_END": after,
        "W_EM_DAY_TIME_EXCLUDED": on_em_day,
        "W_TIME_OVERLAP_DEDUPED": rest & ~on_em_day & entries["shared"].to_numpy(),
    }
    return rest & ~on_em_day, left_out


def em_day_key(actor: Ints, patient: Ints, day: Ints) -> Ints:
    """One int64 per (actor, patient, day); days within 60 years of 1970, up to 2^23 patients."""
    return ((actor.astype(np.int64) << 23) + patient << 16) + (day.astype(np.int64) & 0xFFFF)


def minutes_of(standing: Standing, entries: pd.DataFrame, em_days: Ints, as_of_day: int) -> Minutes:
    """Counted seconds of every entry, wall-clock, and what was left out."""
    counts, left_out = counted_entries(standing, entries, em_days, as_of_day)
    remarks = _Remarks()
    episode, day, work = (entries[c].to_numpy() for c in ("episode", "day", "work"))
    for reason, rows in left_out.items():
        remarks.add(reason, episode[rows], day[rows], _counted_work(work[rows]))
    takes = standing_entries(entries, as_of_day) & _TAKES[work]
    log = _log(entries, counts)
    timed = log.start_second >= 0
    alone = log[counts & ~timed]
    clock = log[(counts | takes) & timed]
    clock, crowd = _split_by_overlap(clock)
    clock = clock[clock.counts]
    parts = [_whole(alone), _whole(clock), *_swept(crowd, remarks)]
    pieces = (np.concatenate(column) for column in zip(*parts, strict=True))
    return Minutes(**dict(zip(_COLUMNS, (*pieces, *remarks.columns()), strict=True)))


def _log(entries: pd.DataFrame, counts: Mask) -> _Log:
    return _Log(
        entries["entry"].to_numpy(),
        entries["episode"].to_numpy(),
        entries["patient"].to_numpy(),
        entries["day"].to_numpy(),
        entries["work"].to_numpy(),
        entries["role"].to_numpy() == ROLES.index("qhp"),
        entries["mode"].to_numpy() == MODES.index("live"),
        counts,
        entries["start_second"].to_numpy(),
        entries["seconds"].to_numpy(),
    )


def _taking(work: str) -> Mask:
    """By position in WORK, the work that takes this one's minutes away."""
    return np.array([other in _TAKEN_BY[work] for other in WORK], dtype=np.bool_)


_WORK_TO_COUNTED = np.array(
    [COUNTED_WORK.index(w) if w in COUNTED_WORK else -1 for w in WORK], dtype=np.int64
)


def _counted_work(work: Ints) -> Ints:
    """Positions in WORK as positions in COUNTED_WORK."""
    counted: Ints = _WORK_TO_COUNTED[work]
    return counted


def _whole(log: _Log) -> tuple[Ints, ...]:
    """Each entry as one piece: nothing overlaps it."""
    seconds = log.seconds.astype(np.int64)
    return (
        log.episode,
        log.day,
        _counted_work(log.work),
        seconds,
        np.where(log.practitioner, seconds, 0),
        np.where(log.live, seconds, 0),
    )


def _split_by_overlap(log: _Log) -> tuple[_Log, _Log]:
    """Timed entries of patient-days where nothing overlaps, and those where something does."""
    key = row_day_key(log.patient, log.day)
    order = order_of(key)
    if order is None:
        order = np.arange(key.size)
    starts = run_starts(key[order])
    in_company = ~starts
    in_company[:-1] |= ~starts[1:]
    rows = order[in_company]
    rows = rows[np.lexsort((log.start_second[rows], key[rows]))]
    crowd = rows[_overlapped(key[rows], log.start_second[rows], log.seconds[rows])]
    in_crowd = np.zeros(key.size, dtype=np.bool_)
    in_crowd[crowd] = True
    return log[~in_crowd], log[crowd]


def _overlapped(key: Ints, start_second: Ints, seconds: Ints) -> Mask:
    """Rows whose group has an overlap; sorted by group (equal keys) and start."""
    starts = run_starts(key)
    group = np.cumsum(starts) - 1
    base = group * (np.int64(1) << 20)
    reach = np.maximum.accumulate(base + start_second + seconds)
    overlaps = np.zeros(key.size, dtype=np.bool_)
    overlaps[1:] = ~starts[1:] & ((base + start_second)[1:] < reach[:-1])
    crowded = np.zeros(int(group[-1]) + 1 if group.size else 0, dtype=np.bool_)
    crowded[group[overlaps]] = True
    found: Mask = crowded[group]
    return found


def _swept(log: _Log, remarks: _Remarks) -> list[tuple[Ints, ...]]:
    """Pieces of overlapping entries: between two edges of the day each second counts once."""
    if not log.seconds.size:
        return []
    key = row_day_key(log.patient, log.day)
    end = log.start_second.astype(np.int64) + log.seconds
    at = np.concatenate([log.start_second.astype(np.int64), end])
    row = np.tile(np.arange(log.seconds.size), 2)
    step = np.repeat([1, -1], log.seconds.size)
    group = (np.cumsum(run_starts(key)) - 1)[row]
    order = np.lexsort((at, group))
    at, row, step, group = at[order], row[order], step[order], group[order]
    length = np.zeros(at.size, dtype=np.int64)
    length[:-1] = np.where(group[1:] == group[:-1], at[1:] - at[:-1], 0)
    first = np.flatnonzero(run_starts(group))
    episode, day = log.episode[row[first]], log.day[row[first]]

    def running(member: Mask) -> Ints:
        return np.cumsum(np.where(member[row], step, 0))

    pieces: list[tuple[Ints, ...]] = []
    for position, work in enumerate(COUNTED_WORK):
        mine = log.counts & (log.work == WORK.index(work))
        if not mine.any():
            continue
        open_now = running(mine)
        taken = running(_taking(work)[log.work]) > 0
        seconds = np.where((open_now > 0) & ~taken, length, 0)
        here = np.full(first.size, position)
        of_group = _last_episode(log, mine, row, first, episode)
        pieces.append(
            (
                of_group,
                day,
                here,
                np.add.reduceat(seconds, first),
                np.add.reduceat(np.where(running(mine & log.practitioner) > 0, seconds, 0), first),
                np.add.reduceat(np.where(running(mine & log.live) > 0, seconds, 0), first),
            )
        )
        for reason, spent in (
            ("W_TIME_OVERLAP_DEDUPED", (open_now > 1) & ~taken),
            ("W_TIME_OTHER_PROGRAM", (open_now > 0) & taken),
        ):
            some = np.add.reduceat(np.where(spent, length, 0), first) > 0
            remarks.add(reason, of_group[some], day[some], here[some])
    return pieces


def _last_episode(log: _Log, mine: Mask, row: Ints, first: Ints, default: Ints) -> Ints:
    """Per group, the latest episode that logged this work that day."""
    episode = np.where(mine, log.episode, NO_DAY)[row]
    latest = np.maximum.reduceat(episode, first)
    return np.where(latest == NO_DAY, default, latest)

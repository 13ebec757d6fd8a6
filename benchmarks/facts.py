"""Synthetic facts: whole-number frames of a large practice, made part by part from a seed.

Owns what the population looks like. Each part holds whole patients and its own row numbers, as a
partition of the store does; the same seed, size and part give the same frames. About 20 countable
days per 30-day period and 6 entries a month, as in the goals; the rest is the dirt of real data:
typed-in readings, second devices, late uploads, reversals, overlaps, work for other programs,
re-enrollments, other payers, other services, papers that are missing.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np

from billing.days import FAR_DAY, NO_DAY, day_number
from billing.ledger.facts import (
    COVERAGE_COLUMNS,
    DEVICE_DAY_COLUMNS,
    END_REASONS,
    ENTRY_COLUMNS,
    EPISODE_COLUMNS,
    GATE_COLUMNS,
    GATES,
    KINDS,
    MODES,
    OTHER_COLUMNS,
    PROGRAMS,
    REFUSED,
    ROLES,
    SETTINGS,
    WORK,
    Facts,
    frame,
)
from billing.ledger.kernels import Ints, Mask, row_day_key, run_starts
from billing.ledger.windows import WINDOW_DAYS
from billing.rules.book import shipped_book

SEED = 2026
PART_EPISODES = 50_000
LAST_MONTH = date(2026, 3, 1)
AS_OF = date(2026, 4, 1)
ENTRIES_A_MONTH = 6
ACTORS_PER_EPISODE = 1 / 200  # one person works for about 200 patients
MAX_MONTHS = 24
FIRST_SECOND = 7 * 3600
SLOT_SECONDS = 600
ENTRIES_IN_A_DAY = 90  # no more than fit between the first second and ten in the evening

PAYERS = (
    "MEDICARE_B",
    "MA_GENERIC",
    "MA_UNITEDHEALTHCARE",
    "COM_GENERIC",
    "COM_AETNA",
    "COM_CIGNA",
    "MCD_TX",
    "MCD_NY",
)
PAYER_SHARES = (0.6, 0.12, 0.04, 0.1, 0.05, 0.03, 0.04, 0.02)
PROFILES = ("P0", "NGS", "THRESHOLD", "LAST_READING")
CODES = ("99214", "95251", "99457", "99473", "99474", "99490")
COVERAGE_SINCE = day_number(date(2020, 1, 1))

_EARLIER_DAYS = 50  # an episode before a re-enrollment begins that long before, for 30 days
_DAY_SHARE = 20 / 30
Random = np.random.Generator
Columns = dict[str, Any]


@dataclass(frozen=True)
class Part:
    """Which part of a population: its place, its size, and over how many months it reaches."""

    number: int
    episodes: int
    first_episode: int
    months: int = 1
    seed: int = SEED


@dataclass(frozen=True)
class _Course:
    """Who is enrolled from when to when, by episode."""

    patient: Ints
    earlier: Mask  # the patient has a later episode
    later: Mask  # the patient has an earlier one
    first_day: Ints
    days: Ints  # how many days facts may lie on

    @property
    def count(self) -> int:
        return int(self.patient.size)


def parts(
    episodes: int, *, part_episodes: int = PART_EPISODES, months: int = 1, seed: int = SEED
) -> list[Part]:
    """The parts of a population; ValueError for no episodes or an unknown number of months."""
    if episodes < 1 or part_episodes < 2 or not 1 <= months <= MAX_MONTHS:
        raise ValueError(f"at least one episode, two a part, and 1 to {MAX_MONTHS} months")
    return [
        Part(place, min(part_episodes, episodes - first), first, months, seed)
        for place, first in enumerate(range(0, episodes, part_episodes))
    ]


def facts_of_part(part: Part) -> Facts:
    """The facts of one part; always the same for the same part."""
    rng = np.random.default_rng([part.seed, part.months, part.number])
    course = _course(rng, part)
    program = rng.choice(len(PROGRAMS), course.count, p=(0.94, 0.02, 0.03, 0.01))
    book = shipped_book()
    return Facts(
        episodes=frame(EPISODE_COLUMNS, _episodes(rng, course, program)),
        device_days=frame(DEVICE_DAY_COLUMNS, _device_days(rng, course)),
        entries=frame(ENTRY_COLUMNS, _entries(rng, course, program)),
        gates=frame(GATE_COLUMNS, _gates(rng, course)),
        coverages=frame(COVERAGE_COLUMNS, _coverages(rng, course)),
        others=frame(OTHER_COLUMNS, _others(rng, course)),
        payers=PAYERS,
        profiles=tuple(book.profile(name) for name in PROFILES),
        codes=CODES,
    )


def facts_of(episodes: int, months: int = 1) -> Iterator[Facts]:
    """All parts of a population, one at a time."""
    for part in parts(episodes, months=months):
        yield facts_of_part(part)


def first_day_of(months: int) -> int:
    """The first day that facts of so many months of 30 days may lie on.

    A whole number of windows before the last month, so that the running windows of a long history
    stand as those of a short one.
    """
    return day_number(LAST_MONTH) - WINDOW_DAYS * (months - 1)


def _course(rng: Random, part: Part) -> _Course:
    later = rng.random(part.episodes) < 0.04
    later[0] = False
    later[1:] &= ~later[:-1]
    earlier = np.zeros(part.episodes, dtype=np.bool_)
    earlier[:-1] = later[1:]
    first = first_day_of(part.months)
    length = day_number(AS_OF) - first
    return _Course(
        patient=np.cumsum(~later) - 1,
        earlier=earlier,
        later=later,
        first_day=np.where(earlier, first - _EARLIER_DAYS, first),
        days=np.where(earlier, 30, length),
    )


def _episodes(rng: Random, course: _Course, program: Ints) -> Columns:
    count = course.count
    row = np.arange(count)
    died = ~course.earlier & (rng.random(count) < 0.01)
    end = np.where(died, course.first_day + course.days - 5, FAR_DAY)
    end = np.where(course.earlier, course.first_day + course.days - 1, end)
    reason = np.where(died, END_REASONS.index("death"), 0)
    setting = rng.choice(len(SETTINGS), count, p=(0.97, 0.02, 0.01))
    return {
        "episode": row,
        "patient": course.patient,
        "program": program,
        "setting": setting,
        "pos": np.where(setting == SETTINGS.index("OFFICE"), 11, 72),
        "profile": rng.choice(len(PROFILES), count, p=(0.85, 0.08, 0.04, 0.03)),
        "setup_day": np.where(rng.random(count) < 0.98, course.first_day, NO_DAY),
        "opened_day": course.first_day,
        "closed_day": end,
        "end_reason": np.where(course.earlier, END_REASONS.index("goals_met"), reason),
        "setup_billed": rng.random(count) < 0.5,
        "previous": np.where(course.later, row - 1, -1),
        "reorder": course.later & (rng.random(count) < 0.5),
    }


def _device_days(rng: Random, course: _Course) -> Columns:
    """Counted days in order; then second devices and typed-in readings among them."""
    length = int(course.days.max())
    taken = rng.random((course.count, length), dtype=np.float32) < _DAY_SHARE
    if course.earlier.any():
        taken &= np.arange(length) < course.days[:, None]
    episode, offset = np.nonzero(taken)
    usual = rng.choice(
        [KINDS.index(word) for word in ("bp", "scale", "pulseox", "glucose", "spirometer")],
        course.count,
        p=(0.6, 0.15, 0.1, 0.1, 0.05),
    )
    size = episode.size
    second = np.flatnonzero(rng.random(size) < 0.05)
    typed = np.flatnonzero(rng.random(size) < 0.03)
    rows = np.concatenate([np.arange(size), second, typed])
    refused = np.zeros(rows.size, dtype=np.bool_)
    refused[size + second.size :] = True
    kind = usual[episode[rows]]
    kind[size : size + second.size] = KINDS.index("thermometer")
    day = course.first_day[episode[rows]] + offset[rows]
    order = np.argsort(row_day_key(episode[rows], day), kind="stable")
    late = np.where(rng.random(rows.size) < 0.01, rng.integers(1, 20, rows.size), 0)
    columns = {
        "episode": episode[rows],
        "day": day,
        "kind": kind,
        "qualifying_count": np.where(refused, 0, 1),
        "refused_count": np.where(refused, 1, 0),
        "refused_reason": np.where(refused, REFUSED.index("manual_entry"), 0),
        "first_received_day": day + late,
    }
    return {name: column[order] for name, column in columns.items()}


def _entries(rng: Random, course: _Course, program: Ints) -> Columns:
    """Entries by patient and day; some overlap the one before, some are taken back."""
    per_episode = np.maximum(course.days * ENTRIES_A_MONTH // 30, 1)
    episode = np.repeat(np.arange(course.count), per_episode)
    size = episode.size
    day = course.first_day[episode] + rng.integers(0, course.days[episode])
    actors = max(int(course.count * ACTORS_PER_EPISODE), 2)
    actor = rng.integers(0, actors, size)
    start = FIRST_SECOND + SLOT_SECONDS * _place_in_day(actor, day)
    seconds = rng.integers(60, SLOT_SECONDS, size)
    start[rng.random(size) < 0.005] += SLOT_SECONDS // 2  # into the same person's next patient
    again = np.flatnonzero((episode[1:] == episode[:-1]) & (rng.random(size - 1) < 0.03)) + 1
    for column, later in ((day, 0), (actor, 0), (start, 120)):
        column[again] = column[again - 1] + later  # typed twice, by and by
    seconds[again] = rng.integers(60, SLOT_SECONDS - 120, again.size)
    start[rng.random(size) < 0.05] = -1
    work = rng.choice(
        [WORK.index(word) for word in ("RPM", "99091", "CCM", "EM")],
        size,
        p=(0.92, 0.03, 0.04, 0.01),
    )
    therapeutic = (program[episode] != PROGRAMS.index("RPM")) & (work == WORK.index("RPM"))
    back = np.flatnonzero(rng.random(size) < 0.02)
    rows = np.concatenate([np.arange(size), back])
    columns: Columns = {
        "entry": np.arange(rows.size),
        "reverses": np.concatenate([np.full(size, -1), back]),
        "episode": episode[rows],
        "patient": course.patient[episode][rows],
        "actor": actor[rows],
        "role": rng.choice(len(ROLES), size, p=(0.2, 0.4, 0.2, 0.17, 0.03))[rows],
        "work": np.where(therapeutic, WORK.index("RTM"), work)[rows],
        "mode": rng.choice(len(MODES), size, p=(0.5, 0.35, 0.1, 0.05))[rows],
        "day": day[rows],
        "start_second": start[rows],
        "seconds": seconds[rows],
        "shared": np.zeros(rows.size, dtype=np.bool_),
    }
    columns["seconds"][size:] *= -1
    order = np.argsort(row_day_key(columns["patient"], columns["day"]), kind="stable")
    return {name: column[order] for name, column in columns.items()}


def _place_in_day(actor: Ints, day: Ints) -> Ints:
    """Which entry of a person's day each one is: nobody does two things at once by accident."""
    order = np.argsort(row_day_key(actor, day), kind="stable")
    starts = run_starts(row_day_key(actor, day)[order])
    began = np.flatnonzero(starts)
    place = np.empty(actor.size, dtype=np.int64)
    place[order] = np.arange(actor.size) - began[np.cumsum(starts) - 1]
    return place % ENTRIES_IN_A_DAY


def _gates(rng: Random, course: _Course) -> Columns:
    held: list[tuple[Ints, Ints, Ints]] = []
    chance = {"consent": 0.97, "order": 0.99, "established": 0.99, "prior-auth": 0.05}
    for gate, share in chance.items():
        episode = np.flatnonzero(rng.random(course.count) < share)
        begins = course.first_day[episode]
        if gate == "consent":
            begins = begins + np.where(rng.random(episode.size) < 0.02, 5, 0)
        held.append((episode, np.full(episode.size, GATES.index(gate)), begins))
    episode, gate_row, from_day = (np.concatenate([one[i] for one in held]) for i in range(3))
    return {
        "episode": episode,
        "gate": gate_row,
        "from_day": from_day,
        "to_day": np.full(episode.size, FAR_DAY),
    }


def _coverages(rng: Random, course: _Course) -> Columns:
    """One payer each; one in 100 changes it in the last month, one in 200 has none."""
    patients = int(course.patient[-1]) + 1
    patient = np.flatnonzero(rng.random(patients) >= 0.005)
    changes = rng.random(patient.size) < 0.01
    changed_day = day_number(LAST_MONTH) + 14
    payer = rng.choice(len(PAYERS), patient.size + int(changes.sum()), p=PAYER_SHARES)
    new = np.full(int(changes.sum()), changed_day)
    return {
        "patient": np.concatenate([patient, patient[changes]]),
        "payer": payer,
        "from_day": np.concatenate([np.full(patient.size, COVERAGE_SINCE), new]),
        "to_day": np.concatenate(
            [np.where(changes, changed_day - 1, FAR_DAY), np.full(new.size, FAR_DAY)]
        ),
    }


def _others(rng: Random, course: _Course) -> Columns:
    """Own visits by somebody of the log, and services of ours or others that compete."""
    patients = int(course.patient[-1]) + 1
    patient = np.flatnonzero(rng.random(patients) < 0.08)
    code = rng.choice(len(CODES), patient.size, p=(0.6, 0.05, 0.1, 0.05, 0.1, 0.1))
    visit = code == CODES.index("99214")
    actors = max(int(course.count * ACTORS_PER_EPISODE), 2)
    return {
        "patient": patient,
        "code": code,
        "service_day": day_number(LAST_MONTH) + rng.integers(0, 31, patient.size),
        "own": visit | (rng.random(patient.size) < 0.5),
        "actor": np.where(visit, rng.integers(0, actors, patient.size), -1),
    }


def rows_of(facts: Facts) -> int:
    """Device days and entries: the size of the work."""
    return len(facts.device_days) + len(facts.entries)

"""The close measured: ``evaluate`` beside DuckDB's bare query, growth, processes, one patient.

Owns goals C1, C2 and C3; one patient (C5) is in ``benchmarks.one_patient``, the close through the
store (C4) in ``benchmarks.whole_close``. Run as ``python -m benchmarks.close [--episodes N]
[--quick]``.
"""

import argparse
import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from benchmarks import duck
from benchmarks.facts import PART_EPISODES, parts
from benchmarks.load import ENGINES
from benchmarks.measure import (
    Spent,
    alone,
    in_turn,
    say,
    seconds_of,
)
from benchmarks.one_patient import measure_one_patient
from benchmarks.result import RESULTS, Result
from benchmarks.stored import part_paths, write_part
from benchmarks.trials import (
    FIXED_PIECES,
    digest_by_workers,
    evaluate_by_workers,
    evaluate_parts,
    fixed_work_by_workers,
    profile_parts,
    scan_parts,
)
from benchmarks.whole_close import measure_whole_close

RATIO_LIMIT = 2.0
PEAK_LIMIT_MEGABYTES = 800
EXPONENT_LIMIT = 1.05
SPEED_UP_LIMIT = 1.6
WORKERS = 2
PROFILED_PARTS = 4
CLOSE_EPISODES = 10_000
HOW = [
    "The facts are synthetic and seeded (`benchmarks/facts.py`): about 20 countable days per"
    " 30-day period and 6 entries a month for each episode, eight payers, four practice profiles,"
    " RPM and RTM, second devices, typed-in readings, late uploads, reversals, overlapping entries,"
    " minutes of other programs, re-enrollments, other services, missing consents and orders.",
    "They lie on disk as columns of whole numbers, part by part; reading them is part of every"
    " trial. `evaluate` runs over whole patients part by part, with all rules, findings and"
    " progress, in one process: with one thread, and beside DuckDB with as many as DuckDB has.",
    "DuckDB runs beside it over the same facts in its own file, with two threads: windows, distinct"
    " days, minutes, four bands and nothing else. The scan adds up every number.",
    "Each trial runs in a fresh process. Trials that are compared take turns; figures are medians.",
]


@dataclass(frozen=True)
class Size:
    """How much is measured and how often."""

    episodes: int
    smaller: tuple[int, ...]
    part_episodes: int
    repeats: int
    patient_repeats: int
    fixed_pieces: int

    @classmethod
    def of(cls, episodes: int, *, quick: bool) -> "Size":
        """The sizes of a run over so many episodes; ``quick`` takes fewer repeats."""
        smaller = tuple(size for size in (episodes // 100, episodes // 10) if size >= 2)
        part = max(min(PART_EPISODES, episodes // 4), 2)
        few = (1, 10, 2 * WORKERS)
        return cls(episodes, smaller, part, *(few if quick else (3, 200, FIXED_PIECES)))


def main(arguments: Sequence[str] | None = None) -> Result:
    """Measure, print and keep the result."""
    options = _options().parse_args(arguments)
    load_before = os.getloadavg()[0]
    size = Size.of(options.episodes, quick=options.quick)
    result = Result("close", HOW, date.today(), f"{size.episodes:,} episodes")  # noqa: DTZ011 - the day it was run, for people
    with TemporaryDirectory() as folder:
        paths = _written(Path(folder), size)
        _compare(result, Path(folder), paths, size)
        _grow(result, Path(folder), size)
        _spread(result, paths, size)
    episodes = min(options.close_episodes, size.episodes)
    measure_whole_close(result, episodes, size.repeats, options.engines)
    measure_one_patient(result, size.patient_repeats)
    result.machine(load_before)
    say(f"kept in {result.save(options.results)}")
    return result


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.close", description=__doc__)
    parser.add_argument("--episodes", type=int, default=1_000_000)
    parser.add_argument("--close-episodes", type=int, default=CLOSE_EPISODES)
    parser.add_argument("--engines", nargs="+", choices=ENGINES, default=ENGINES)
    parser.add_argument("--quick", action="store_true", help="one repeat of each trial")
    parser.add_argument("--results", type=Path, default=RESULTS)
    return parser


def _written(folder: Path, size: Size) -> list[Path]:
    say(f"making the facts of {size.episodes:,} episodes")
    for part in parts(size.episodes, part_episodes=size.part_episodes):
        write_part(folder, part)
    return part_paths(folder)


def _compare(result: Result, folder: Path, paths: list[Path], size: Size) -> None:
    """C1: time beside DuckDB, and memory."""
    database = folder / "facts.duckdb"
    say("filling DuckDB")
    alone(duck.fill, database, folder)
    runs = in_turn(
        {
            "evaluate": partial(alone, evaluate_parts, paths, duck.THREADS),
            "evaluate, one thread": partial(alone, evaluate_parts, paths),
            "DuckDB, bare query": partial(alone, duck.query_all, database),
            "scan of the bytes": partial(alone, scan_parts, paths),
        },
        size.repeats,
    )
    database.unlink()
    result.table(
        f"{size.episodes:,} episodes, one month",
        ("trial", "seconds", "wavering", "on cores s", "peak MB", "events"),
        [_row(name, spent) for name, spent in runs.items()],
        "Seconds by the clock; seconds on cores are added up over threads.",
    )
    evaluated, bare = runs["evaluate"], runs["DuckDB, bare query"]
    ratio = median(
        mine.seconds / other.seconds for mine, other in zip(evaluated, bare, strict=True)
    )
    on_cores = median(run.core_seconds for run in evaluated) / median(
        run.core_seconds for run in bare
    )
    peak = max(run.peak_megabytes for run in evaluated)
    reached = ratio <= RATIO_LIMIT and peak <= PEAK_LIMIT_MEGABYTES
    result.goal(
        "C1",
        f"at most {RATIO_LIMIT:g} x DuckDB's bare query, peak at most {PEAK_LIMIT_MEGABYTES} MB",
        f"{ratio:.2f} x by the clock, {on_cores:.2f} x on cores, peak {peak:.0f} MB",
        reached=reached,
    )
    profiled = paths[:PROFILED_PARTS]
    title = f"Where evaluate spends its time, first {len(profiled)} parts, with the profiler's cost"
    result.profile(title, alone(profile_parts, profiled))


def _row(name: str, runs: list[Spent]) -> tuple[str, ...]:
    taken = seconds_of(runs)
    return (
        name,
        f"{taken.median:.2f}",
        f"{taken.wavering:.0%}",
        f"{median(run.core_seconds for run in runs):.2f}",
        f"{max(run.peak_megabytes for run in runs):.0f}",
        f"{runs[0].count:,}" if "scan" not in name else "",
    )


def _grow(result: Result, folder: Path, size: Size) -> None:
    """C2: seconds by size, each size made of parts as a whole run would make them."""
    sizes = (*size.smaller, size.episodes)
    trials = {}
    for episodes in sizes:
        place = folder / f"growth-{episodes}"
        place.mkdir()
        if episodes == size.episodes:
            place = folder
        else:
            for part in parts(episodes, part_episodes=size.part_episodes):
                write_part(place, part)
        paths = part_paths(place)
        trials[f"{episodes:,}"] = partial(alone, evaluate_parts, paths)
    runs = in_turn(trials, size.repeats)
    taken = [seconds_of(spent).median for spent in runs.values()]
    rows = [
        (name, f"{seconds:.2f}", f"{seconds / episodes * 1e6:.1f}")
        for (name, seconds, episodes) in zip(runs, taken, sizes, strict=True)
    ]
    result.table("Growth of evaluate", ("episodes", "seconds", "µs an episode"), rows)
    exponent = math.log(taken[-1] / taken[-2]) / math.log(sizes[-1] / sizes[-2])
    result.goal(
        "C2",
        f"exponent from {sizes[-2]:,} to {sizes[-1]:,} episodes at most {EXPONENT_LIMIT}",
        f"exponent {exponent:.2f}",
        reached=exponent <= EXPONENT_LIMIT,
    )


def _spread(result: Result, paths: list[Path], size: Size) -> None:
    """C3: two processes beside one, and the bytes of what they make."""
    trials = {
        f"{name} in {workers}": partial(work, workers)
        for workers in (1, WORKERS)
        for name, work in (
            ("evaluate", partial(evaluate_by_workers, paths)),
            ("fixed work", partial(fixed_work_by_workers, pieces=size.fixed_pieces)),
        )
    }
    taken = {name: seconds_of(runs) for name, runs in in_turn(trials, size.repeats).items()}
    speed_up, machine = (
        taken[f"{name} in 1"].median / taken[f"{name} in {WORKERS}"].median
        for name in ("evaluate", "fixed work")
    )
    say("comparing the bytes")
    same = digest_by_workers(paths, 1) == digest_by_workers(paths, WORKERS)
    found = "the same" if same else "DIFFERENT"
    result.table(
        "Processes",
        ("trial, processes", "seconds", "wavering"),
        [
            (name, f"{series.median:.2f}", f"{series.wavering:.0%}")
            for name, series in taken.items()
        ],
        "Processes are started before the clock runs. The fixed work shares nothing: what it gains"
        " is what the machine had to give.",
    )
    result.goal(
        "C3",
        f"{WORKERS} processes at least {SPEED_UP_LIMIT} x faster, the same bytes",
        f"{speed_up:.2f} x, fixed work {machine:.2f} x, bytes {found}",
        reached=speed_up >= SPEED_UP_LIMIT and same,
    )


if __name__ == "__main__":
    main()

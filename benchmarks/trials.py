"""Trials: pieces of work over stored parts, each fit to run in a process of its own.

Owns what is timed. Does not own the comparing (``benchmarks.close``).
"""

import cProfile
import hashlib
import pstats
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks.facts import AS_OF
from benchmarks.measure import Spent, Stopwatch, fixed_work, fresh_processes
from benchmarks.stored import read_part, scan_part
from billing.ledger.evaluate import evaluate
from billing.ledger.outcome import Outcome
from billing.rules.book import shipped_book

_FRAMES = ("periods", "events", "findings", "progress")
FIXED_PIECES = 16
_ROOT = Path(__file__).parent.parent


@dataclass(frozen=True)
class Cost:
    """A function in a profile."""

    function: str
    calls: int
    own_seconds: float
    seconds: float  # with what it calls


def outcome_of(path: Path) -> Outcome:
    """All rules and findings over one part."""
    return evaluate(read_part(path), shipped_book(), AS_OF, AS_OF)


def evaluate_parts(paths: Sequence[Path], threads: int = 1) -> Spent:
    """Read and evaluate part after part in so many threads, keeping nothing; counts the events.

    Parts know nothing of each other and numpy works outside the interpreter's lock, so threads of
    one process share the work.
    """
    shipped_book()
    with ThreadPoolExecutor(threads) as pool:
        watch = Stopwatch()
        return watch.spent(sum(pool.map(_count, paths)))


def scan_parts(paths: Sequence[Path]) -> Spent:
    """Read every number of every part."""
    watch = Stopwatch()
    return watch.spent(sum(scan_part(path) for path in paths))


def evaluate_by_workers(paths: Sequence[Path], workers: int) -> Spent:
    """The same by so many processes, started before the clock; each takes the next part."""
    with fresh_processes(workers) as pool:
        list(pool.map(_count, [paths[0]] * workers * 2))
        watch = Stopwatch()
        return watch.spent(sum(pool.map(_count, paths)))


def fixed_work_by_workers(workers: int, pieces: int = FIXED_PIECES) -> Spent:
    """Work that shares nothing, by so many processes: what the machine itself gives them."""
    with fresh_processes(workers) as pool:
        list(pool.map(_fixed_work, range(workers * 2)))
        watch = Stopwatch()
        return watch.spent(sum(pool.map(_fixed_work, range(pieces))))


def digest_by_workers(paths: Sequence[Path], workers: int) -> str:
    """SHA-256 over the outcomes of all parts in their order, computed by so many processes."""
    with fresh_processes(workers) as pool:
        return hashlib.sha256("".join(pool.map(_digest, paths)).encode()).hexdigest()


def profile_parts(paths: Sequence[Path]) -> list[Cost]:
    """Where ``evaluate`` spends its time, by function; reading the parts is left out."""
    outcome_of(paths[0])
    profiler = cProfile.Profile()
    for path in paths:
        facts, book = read_part(path), shipped_book()
        profiler.enable()
        evaluate(facts, book, AS_OF, AS_OF)
        profiler.disable()
    return costs_of(profiler)


def costs_of(profiler: cProfile.Profile) -> list[Cost]:
    """The functions of a profile, the one with most time of its own first."""
    stats: Any = pstats.Stats(profiler)
    costs = [
        Cost(_named(*where), calls, own, whole)
        for where, (_, calls, own, whole, _) in stats.stats.items()
    ]
    return sorted(costs, key=lambda cost: -cost.own_seconds)


def digest_of(outcome: Outcome) -> str:
    """SHA-256 over every column of every frame."""
    digest = hashlib.sha256()
    for name in _FRAMES:
        frame: pd.DataFrame = getattr(outcome, name)
        for column in frame.columns:
            digest.update(f"{name}.{column}\n".encode())
            digest.update(_bytes_of(frame[column]))
    return digest.hexdigest()


def _bytes_of(column: "pd.Series[Any]") -> bytes:
    if isinstance(column.dtype, pd.CategoricalDtype):
        vocabulary = "\0".join(map(str, column.cat.categories))
        return vocabulary.encode() + column.cat.codes.to_numpy().tobytes()
    if pd.api.types.is_numeric_dtype(column.dtype):
        return column.to_numpy().tobytes()
    return "\0".join(column.tolist()).encode()


def _count(path: Path) -> int:
    return len(outcome_of(path).events)


def _fixed_work(_piece: int) -> int:
    fixed_work()
    return 1


def _digest(path: Path) -> str:
    return digest_of(outcome_of(path))


def _named(file: str, line: int, function: str) -> str:
    """A function as a reader of the repository finds it, without this machine's folders."""
    path = Path(file)
    if path.is_relative_to(_ROOT):
        return f"{path.relative_to(_ROOT)}:{line} {function}"
    if "site-packages" in path.parts:
        inside = path.parts[path.parts.index("site-packages") + 1 :]
        return f"{'/'.join(inside)} {function}"
    return f"{path.name} {function}" if path.suffix == ".py" else function

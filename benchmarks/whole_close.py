"""The whole close through the store: load, evaluate, reconcile, post, export, and once more.

Owns goal C4, on SQLite and on PostgreSQL.
"""

import cProfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import TypeVar

from benchmarks.facts import AS_OF, facts_of, parts
from benchmarks.load import ENGINES, NOW, LoadedPractice, database_url, loaded_practice
from benchmarks.measure import Stopwatch, say
from benchmarks.result import Result
from benchmarks.trials import Cost, costs_of
from billing.ledger.evaluate import evaluate
from billing.rules.book import shipped_book
from rpm.actions.close_month import ClosedMonth, post_close
from rpm.actions.compute_close import ComputedClose, compute_close
from rpm.actions.export_close import ExportClose, ExportedClose, export_close
from rpm.store.engine import reading, transaction
from rpm.store.facts import facts_of as facts_of_store
from rpm.store.rule_books import book_of
from rpm.store.scope import Scope

MONTH = date(2026, 3, 1)
TIMES_EVALUATE = 5.0
RERUN_SHARE = 0.6
PROFILED_EPISODES = 1_000

T = TypeVar("T")


@dataclass(frozen=True)
class Stages:
    """Seconds of each stage of a close, of the same close again, and of loading alone."""

    load: float
    compute: float
    post: float
    export: float
    again: float
    lines: int

    @property
    def whole(self) -> float:
        """The close with its export."""
        return self.compute + self.post + self.export


def measure_whole_close(
    result: Result, episodes: int, repeats: int, engines: Sequence[str] = ENGINES
) -> None:
    """C4: stages on each engine beside ``evaluate`` over the same facts in memory."""
    evaluated = _evaluate_seconds(episodes, repeats)
    stages = {}
    for engine_name in engines:
        with _practice(engine_name, episodes) as practice:
            say(f"closing on {engine_name}")
            stages[engine_name] = _staged(practice)
    names = ("load", "compute", "post", "export", "whole", "again")
    rows = [
        (
            engine_name,
            *(f"{getattr(found, name):.2f}" for name in names),
            f"{found.whole / evaluated:.0f}",
            f"{found.lines:,}",
        )
        for engine_name, found in stages.items()
    ]
    result.table(
        f"The whole close of {episodes:,} episodes, seconds",
        ("engine", *names, "whole / evaluate", "lines"),
        rows,
        f"evaluate over the same facts in memory: {evaluated:.2f} s. Load alone is part of compute;"
        " again is the same close with nothing new.",
    )
    worst = max(found.whole / evaluated for found in stages.values())
    again = max(found.again / found.whole for found in stages.values())
    result.goal(
        "C4",
        f"the whole close at most {TIMES_EVALUATE:g} x evaluate, with nothing new at most"
        f" {RERUN_SHARE:g} x the first",
        f"at worst {worst:.0f} x evaluate, again {again:.2f} x the first, {episodes:,} episodes",
        reached=worst <= TIMES_EVALUATE and again <= RERUN_SHARE,
    )
    profiled = min(episodes, PROFILED_EPISODES)
    title = f"Where a close of {profiled:,} episodes on SQLite spends its time, profiled"
    result.profile(title, _profiled(profiled))


@contextmanager
def _practice(engine_name: str, episodes: int) -> Iterator[LoadedPractice]:
    with (
        TemporaryDirectory() as folder,
        database_url(engine_name, Path(folder)) as url,
        loaded_practice(url, parts(episodes)) as practice,
    ):
        yield practice


def _evaluate_seconds(episodes: int, repeats: int) -> float:
    book = shipped_book()
    kept = list(facts_of(episodes))
    taken = []
    for _ in range(repeats + 1):
        watch = Stopwatch()
        for facts in kept:
            evaluate(facts, book, AS_OF, AS_OF)
        taken.append(watch.seconds)
    return median(taken[1:])


def _staged(practice: LoadedPractice) -> Stages:
    load, _ = _timed(lambda: _load(practice))
    compute, computed = _timed(lambda: _compute(practice))
    post, closed = _timed(lambda: _post(practice, computed))
    export, exported = _timed(lambda: _export(practice, closed))
    again, repeated = _timed(lambda: _post(practice, _compute(practice)))
    if not repeated.repeated:
        raise AssertionError("the second close posted something")
    return Stages(load, compute, post, export, again, exported.lines)


def _profiled(episodes: int) -> list[Cost]:
    with _practice("sqlite", episodes) as practice:
        profiler = cProfile.Profile()
        profiler.enable()
        _export(practice, _post(practice, _compute(practice)))
        profiler.disable()
    return costs_of(profiler)


def _timed(work: Callable[[], T]) -> tuple[float, T]:
    watch = Stopwatch()
    made = work()
    return watch.seconds, made


def _load(practice: LoadedPractice) -> int:
    with reading(practice.engine) as db:
        book = book_of(db, practice.actor.organization_id)
        return len(facts_of_store(db, practice.actor.organization_id, book).facts.entries)


def _compute(practice: LoadedPractice) -> ComputedClose:
    with reading(practice.engine) as db:
        return compute_close(db, Scope.of(practice.actor), NOW, MONTH)


def _post(practice: LoadedPractice, computed: ComputedClose) -> ClosedMonth:
    with transaction(practice.engine) as db:
        return post_close(db, practice.actor, NOW, computed)


def _export(practice: LoadedPractice, closed: ClosedMonth) -> ExportedClose:
    with transaction(practice.engine) as db:
        return export_close(db, practice.actor, NOW, ExportClose(close_id=closed.close.id))

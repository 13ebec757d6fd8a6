"""Measuring: seconds, peak memory, repeats in turn, and how much the machine itself wavers.

Owns how a figure is taken. A trial runs in a process of its own, so that its peak memory is its
own; trials that are compared take turns, so that a slow spell of the machine meets them all.
"""

import multiprocessing
import time
from collections.abc import Callable, Hashable, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import ParamSpec, TypeVar

import numpy as np

_STATUS = Path("/proc/self/status")
_PROBE_ROUNDS = 40
_PROBE_NUMBERS = 1_000_000

P = ParamSpec("P")
T = TypeVar("T")
K = TypeVar("K", bound=Hashable)


@dataclass(frozen=True)
class Spent:
    """One run of a trial: time by the clock, time on a core, the process's peak, and a count."""

    seconds: float
    core_seconds: float
    peak_megabytes: float
    count: int = 0  # of what it made, to see that it made it


@dataclass(frozen=True)
class Series:
    """Repeats of one figure."""

    values: tuple[float, ...]

    @property
    def median(self) -> float:
        """The middle value."""
        return median(self.values)

    @property
    def p95(self) -> float:
        """The value that 95 of 100 do not exceed."""
        return sorted(self.values)[-(-len(self.values) * 95 // 100) - 1]

    @property
    def wavering(self) -> float:
        """Largest over smallest, less one."""
        return max(self.values) / min(self.values) - 1


class Stopwatch:
    """Runs from its making on."""

    def __init__(self) -> None:
        self._began, self._core = time.perf_counter(), time.process_time()

    def spent(self, count: int = 0) -> Spent:
        """What has gone by, and the peak memory of this process so far."""
        return Spent(
            time.perf_counter() - self._began,
            time.process_time() - self._core,
            peak_megabytes(),
            count,
        )

    @property
    def seconds(self) -> float:
        """Seconds by the clock."""
        return time.perf_counter() - self._began


def peak_megabytes() -> float:
    """The most memory this process has held at once, in units of 1,000,000 bytes."""
    for line in _STATUS.read_text(encoding="ascii").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024 / 1e6
    raise OSError("the system does not tell a process's peak memory")


def alone(work: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
    """The result of a call in a fresh process that nothing else has used."""
    with fresh_processes(1) as pool:
        return pool.submit(work, *arguments, **named).result()


def fresh_processes(workers: int) -> ProcessPoolExecutor:
    """A pool of processes forked from one that has only loaded the code of the trials."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["benchmarks.trials", "benchmarks.duck"])
    return ProcessPoolExecutor(max_workers=workers, mp_context=context)


def in_turn(trials: Mapping[str, Callable[[], Spent]], repeats: int) -> dict[str, list[Spent]]:
    """Each trial ``repeats`` times, one after the other in rounds, with the probe in each round."""
    found: dict[str, list[Spent]] = {name: [] for name in trials}
    for turn in range(repeats):
        for name, trial in trials.items():
            say(f"{name}, {turn + 1} of {repeats}")
            found[name].append(trial())
    return found


def seconds_of(runs: list[Spent]) -> Series:
    """The clock times of some runs."""
    return Series(tuple(run.seconds for run in runs))


def repeated(work: Callable[[], object], repeats: int, warm_up: int = 3) -> Series:
    """Milliseconds of a short piece of work, warm."""
    for _ in range(warm_up):
        work()
    values = []
    for _ in range(repeats):
        watch = Stopwatch()
        work()
        values.append(watch.seconds * 1000)
    return Series(tuple(values))


def repeated_in_turn(
    works: Mapping[K, Callable[[], object]], repeats: int, warm_up: int = 3
) -> dict[K, Series]:
    """Milliseconds of several short pieces of work, warm, taking turns."""
    for work in works.values():
        for _ in range(min(warm_up, repeats)):
            work()
    values: dict[K, list[float]] = {name: [] for name in works}
    for _ in range(repeats):
        for name, work in works.items():
            watch = Stopwatch()
            work()
            values[name].append(watch.seconds * 1000)
    return {name: Series(tuple(taken)) for name, taken in values.items()}


def fixed_work() -> None:
    """The same work every time, on one core."""
    numbers = np.random.default_rng(1).random(_PROBE_NUMBERS)
    for _ in range(_PROBE_ROUNDS):
        numbers.cumsum()


def machine_wavering(repeats: int = 5) -> Series:
    """Fixed work several times, in seconds: it differs by the machine only."""
    return Series(tuple(value / 1000 for value in repeated(fixed_work, repeats, 1).values))


def say(text: str) -> None:
    """Progress for whoever waits."""
    print(f"... {text}", flush=True)

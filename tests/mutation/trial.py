"""Trying mutants: each in a process of its own that imports the mutated module and runs tests.

Owns the processes, the order of tests and their limits. A mutant is killed by the first test that
fails, by a module or test file that can no longer be loaded, or by using far more time than the
tests need. The parent never imports ``billing``, so that a mutant also counts where a module is
loaded, cached or asked for its constants. Does not own which tests reach it (``reach``).
"""

import ast
import os
import resource
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType

import pytest

from mutation.mutants import Mutant, mutated

PYTEST = ("-q", "-x", "--noconftest", "-p", "no:cacheprovider", "-p", "_hypothesis_pytestplugin")
LEAST_CPU_SECONDS = 15
SLOWER_TIMES = 3
MEMORY_BYTES = 8 * 1024**3
BY_LOADING, BY_LIMIT = "loading", "time limit"
KILLERS_FIRST = 6


@dataclass(frozen=True)
class Verdict:
    """What became of a mutant: the test that killed it, or None when it survived."""

    mutant: Mutant
    killer: str | None


@dataclass
class Trials:
    """Tries mutants of a root folder, a few at a time, each by the likeliest killers first."""

    root: Path
    workers: int
    durations: dict[str, float]
    known: dict[str, str | None] = field(default_factory=dict)
    _killers: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    _running: dict[int, tuple[Mutant, int]] = field(default_factory=dict)

    def verdicts(self, plan: Sequence[tuple[Mutant, Sequence[str]]]) -> Iterator[Verdict]:
        """Each mutant's verdict as it comes; one that no test reaches survives untried."""
        for mutant, tests in plan:
            if not tests:
                yield Verdict(mutant, None)
                continue
            while len(self._running) >= self.workers:
                yield self._ended()
            self._start(mutant, self._in_turns(mutant, tests))
        while self._running:
            yield self._ended()

    def unmutated(self, tests: Sequence[str]) -> str | None:
        """The test that fails on the modules as they are; must be None for verdicts to count."""
        nothing = Mutant("", "", 0, 0, "", "", 0, 0)
        self._fork(nothing, None, [sorted(tests)])
        return self._ended().killer

    def _in_turns(self, mutant: Mutant, tests: Sequence[str]) -> list[list[str]]:
        """The test that killed it last time, those that killed most mutants near it, all others."""
        before = [test for test in (self.known.get(mutant.name),) if test in set(tests)]
        near = dict.fromkeys(
            test
            for place in _places(mutant)
            for test, _ in self._killers[place].most_common(KILLERS_FIRST)
        )
        likely = [test for test in near if test in set(tests) and test not in before]
        left = set(tests) - {*before, *likely}
        others = sorted(left, key=lambda test: (self.durations[test], test))
        return [turn for turn in (before, likely, others) if turn]

    def _start(self, mutant: Mutant, turns: list[list[str]]) -> None:
        path = self.root.joinpath(*mutant.module.split(".")).with_suffix(".py")
        wrong = Wrong(mutant.module, mutated(path.read_text(encoding="utf-8"), mutant))
        self._fork(mutant, wrong, turns)

    def _fork(self, mutant: Mutant, wrong: "Wrong | None", turns: list[list[str]]) -> None:
        reading, writing = os.pipe()
        sys.stdout.flush()
        process = os.fork()
        if process == 0:
            os.close(reading)
            seconds = sum(self.durations[test] for turn in turns for test in turn)
            limit = LEAST_CPU_SECONDS + int(SLOWER_TIMES * seconds)
            _try_and_exit(wrong, turns, writing, limit)
        os.close(writing)
        self._running[process] = (mutant, reading)

    def _ended(self) -> Verdict:
        process, status = os.wait()
        mutant, reading = self._running.pop(process)
        with os.fdopen(reading, encoding="utf-8") as pipe:
            told = pipe.read().strip()
        killer = _killer(os.waitstatus_to_exitcode(status), told)
        if killer and killer not in (BY_LOADING, BY_LIMIT):
            for place in _places(mutant):
                self._killers[place][killer] += 1
        return Verdict(mutant, killer)


def _places(mutant: Mutant) -> tuple[str, ...]:
    """The function, the module and the package that a mutant stands in."""
    package, _, _ = mutant.module.rpartition(".")
    return f"{mutant.module}.{mutant.function}", mutant.module, package


def _killer(exit_code: int, told: str) -> str | None:
    match exit_code:
        case pytest.ExitCode.OK:
            return None
        case pytest.ExitCode.TESTS_FAILED:
            return told or BY_LOADING
        case pytest.ExitCode.INTERRUPTED | pytest.ExitCode.NO_TESTS_COLLECTED:
            return BY_LOADING
        case signal if signal < 0:
            return BY_LIMIT
    raise RuntimeError(f"pytest ended with {exit_code}")


def _try_and_exit(
    wrong: "Wrong | None", turns: list[list[str]], report: int, cpu_seconds: int
) -> None:
    """In the child: load the mutant, run its tests, and leave without any clean-up."""
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_seconds, cpu_seconds + 5))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    code: int = pytest.ExitCode.INTERNAL_ERROR
    try:
        if wrong is not None:
            sys.meta_path.insert(0, wrong)
        for tests in turns:
            files = dict.fromkeys(test.split("::")[0] for test in tests)
            code = pytest.main([*PYTEST, *files], plugins=[_InOrder(tests, report)])
            if code != pytest.ExitCode.OK:
                break
    finally:
        os._exit(code)


class _InOrder:
    """Runs only these tests, in this order, and says which one failed."""

    def __init__(self, tests: list[str], report: int) -> None:
        self._rank = {test: rank for rank, test in enumerate(tests)}
        self._report = report

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Keep and order the tests that were chosen."""
        items[:] = [item for item in items if item.nodeid in self._rank]
        items.sort(key=lambda item: self._rank[item.nodeid])

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Tell the parent the test that saw the mutant."""
        if report.failed:
            os.write(self._report, f"{report.nodeid}\n".encode())


class Wrong(MetaPathFinder):
    """Gives a mutated module to whoever imports it."""

    def __init__(self, module: str, tree: ast.Module) -> None:
        self._module = module
        self._tree = tree

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The module's own place with a loader that knows other code."""
        if name != self._module:
            return None
        spec = PathFinder.find_spec(name, path)
        if spec is not None and spec.origin is not None:
            spec.loader = _Loader(name, spec.origin, compile(self._tree, spec.origin, "exec"))
        return spec


class _Loader(SourceFileLoader):
    def __init__(self, name: str, path: str, code: CodeType) -> None:
        super().__init__(name, path)
        self._mutated = code

    def get_code(self, fullname: str) -> CodeType:
        return self._mutated

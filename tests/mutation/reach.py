"""Which tests reach which lines, and how long they take: measured once before mutants are tried.

Owns running the tests under coverage with one context a test. Runs in a process of its own, which
leaves its findings in a file: the process that tries mutants must not import ``billing``.
"""

import json
import sys
import time
from collections import defaultdict
from collections.abc import Generator, Iterable, Iterator
from itertools import accumulate
from pathlib import Path

import coverage
import pytest

from mutation.mutants import Mutant

TESTS = ("tests/billing/ledger", "tests/billing/rules")
# Every mutant that survives costs the time of all tests that reach it: the long ones are left out.
LONGEST_SECONDS, ALL_SECONDS = 1.5, 8.0


class Reach:
    """Tests by line, as measured."""

    def __init__(self, path: Path) -> None:
        told = json.loads(path.read_text(encoding="utf-8"))
        self.durations: dict[str, float] = told["durations"]
        self._lines: dict[str, dict[str, list[str]]] = told["lines"]

    def tests_of(self, mutant: Mutant) -> list[str]:
        """Tests that run the mutant's statement; all of the module's where it runs at loading."""
        lines = self._lines.get(mutant.module, {})
        span = range(mutant.first_line, mutant.last_line + 1)
        tests = {test for line in span for test in lines.get(str(line), ())}
        if "" in tests or mutant.function == "module":
            tests.update(*lines.values())
        return self.share(tests & self.durations.keys())

    def share(self, tests: Iterable[str]) -> list[str]:
        """As many of the tests as the time allows: each function's shortest, to a like sum."""
        by_function: dict[str, list[tuple[float, str]]] = defaultdict(list)
        for test in tests:
            by_function[test.split("[")[0]].append((self.durations[test], test))
        ordered = sorted(
            (so_far, test)
            for took in map(sorted, by_function.values())
            for so_far, (_, test) in zip(accumulate(one for one, _ in took), took, strict=True)
        )
        spent = accumulate(self.durations[test] for _, test in ordered)
        return [
            test for (_, test), so_far in zip(ordered, spent, strict=True) if so_far <= ALL_SECONDS
        ]


class _Measured:
    """Names each test to coverage and keeps its time."""

    def __init__(self, measured: coverage.Coverage) -> None:
        self._measured = measured
        self.durations: dict[str, float] = {}

    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """What runs from here on is this test's."""
        self._measured.switch_context(item.nodeid)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, None, None]:
        """Keep the processor's time of the test: the clock's depends on who else works."""
        began = time.process_time()
        yield
        self.durations[item.nodeid] = time.process_time() - began


def _measure(root: Path, path: Path) -> int:
    measured = coverage.Coverage(
        data_file=None, source_pkgs=["billing.ledger", "billing.rules"], config_file=False
    )
    measured.start()
    plugin = _Measured(measured)
    code = pytest.main(
        ["-q", "--noconftest", "-p", "no:cacheprovider", "-p", "_hypothesis_pytestplugin", *TESTS],
        plugins=[plugin],
    )
    measured.stop()
    lines = dict(_lines(measured, root))
    kept = {test: took for test, took in plugin.durations.items() if took <= LONGEST_SECONDS}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"durations": kept, "lines": lines}), encoding="utf-8")
    return int(code)


def _lines(measured: coverage.Coverage, root: Path) -> Iterator[tuple[str, dict[int, list[str]]]]:
    data = measured.get_data()
    for file in data.measured_files():
        module = ".".join(Path(file).relative_to(root).with_suffix("").parts)
        yield module, data.contexts_by_lineno(file)


if __name__ == "__main__":
    sys.exit(_measure(Path.cwd(), Path(sys.argv[1])))

"""Promises in tests: how often each is tried, what was reached, and the page that tells it.

A test marked ``@pytest.mark.promise("R9")`` asks for the ``promised`` fixture, takes its counts
from it (few in ``make test``, all in ``make promises``) and says what it reached. With
``--promises-page`` the run writes the page and fails while a promise is not reached. A test marked
``alone`` tells of time: it runs before the others, by itself, and ``--promises-kept`` is the file
that brings its figures to the page.
"""

import json
import tomllib
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

PROMISES = Path(__file__).parent / "promises" / "promises.toml"
REACHED = "promise reached"
PREFACE = """\
# Promises

What the product promises, and what its tests reached. Written by `make promises` on {day}; do not
edit by hand. `make test` runs the same tests with smaller counts.

| promise | goal | reached | test |
|---|---|---|---|
"""


@dataclass
class Promised:
    """One test's share in a promise."""

    full: bool
    figures: list[str] = field(default_factory=list)

    def count(self, full: int, reduced: int) -> int:
        """How often to try: the promised figure, or fewer in the everyday run."""
        return full if self.full else reduced

    def reached(self, figure: str) -> None:
        """Say what was reached, in the words of the goal; only after it was seen to hold."""
        self.figures.append(figure)


def in_full(config: pytest.Config) -> bool:
    """Whether the run proves promises with their full counts."""
    return any(config.getoption(name) is not None for name in ("promises_page", "promises_kept"))


@pytest.fixture
def promised(request: pytest.FixtureRequest) -> Iterator[Promised]:
    """The share of a marked test in its promise; a test that never says what it reached fails."""
    marker = request.node.get_closest_marker("promise")
    assert marker is not None, "a promise's test is marked with the promise's number"
    share = Promised(full=in_full(request.config))
    yield share
    for figure in share.figures:
        request.node.user_properties.append((REACHED, (marker.args[0], figure)))


def pytest_addoption(parser: pytest.Parser) -> None:
    """The option of ``make promises``."""
    parser.addoption(
        "--promises-page",
        type=Path,
        help="run promises with their full counts and write this page",
    )
    parser.addoption(
        "--promises-kept",
        type=Path,
        help="run promises with their full counts; figures are kept in this file, or taken from it"
        " when the page is written",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Know the mark, and collect what is reached where the page is written."""
    config.addinivalue_line("markers", "promise(number): the promise that a test proves")
    config.addinivalue_line("markers", "alone: nothing else may run while this is measured")
    if in_full(config) and not hasattr(config, "workerinput"):
        page, kept = (config.getoption(name) for name in ("promises_page", "promises_kept"))
        config.pluginmanager.register(_Reached(page, kept))


class _Reached:
    """Collects what was reached, and writes the page or keeps it for the run that does."""

    def __init__(self, page: Path | None, kept: Path | None) -> None:
        self._page, self._kept = page, kept
        self._reached: dict[str, list[tuple[str, str]]] = defaultdict(list)
        self._broken: set[str] = set()
        if page is not None and kept is not None:
            before = json.loads(kept.read_text(encoding="utf-8"))
            self._broken.update(before["broken"])
            for number, figures in before["reached"].items():
                self._reached[number] += [(figure, test) for figure, test in figures]

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep the figures of a test that passed; a test that failed breaks its promise."""
        numbers = [name for name in report.keywords if name.startswith("promise-")]
        if report.failed:
            self._broken.update(numbers)
        if report.when == "teardown" and report.passed:
            for name, value in report.user_properties:
                if name == REACHED:
                    number, figure = value
                    self._reached[number].append((str(figure), report.nodeid))

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Write the page; a promise without a passing test fails the run."""
        if self._page is None:
            assert self._kept is not None
            told = {"reached": self._reached, "broken": sorted(self._broken)}
            self._kept.parent.mkdir(parents=True, exist_ok=True)
            self._kept.write_text(json.dumps(told), encoding="utf-8")
            return
        promises = tomllib.loads(PROMISES.read_text(encoding="utf-8"))
        rows = [self._row(number, one) for number, one in promises.items()]
        page = PREFACE.format(day=datetime.now(UTC).date()) + "".join(rows)
        self._page.write_text(page, encoding="utf-8")
        if any(not self._holds(number) for number in promises) and session.exitstatus == 0:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def _holds(self, number: str) -> bool:
        return bool(self._reached[number]) and f"promise-{number}" not in self._broken

    def _row(self, number: str, told: dict[str, str]) -> str:
        found = sorted(set(self._reached[number])) if self._holds(number) else []
        figures = "<br>".join(dict.fromkeys(figure for figure, _ in found)) or "**not reached**"
        tests = "<br>".join(dict.fromkeys(f"`{name.split('::')[0]}`" for _, name in found))
        return f"| {number} {told['promise']} | {told['goal']} | {figures} | {tests} |\n"


def pytest_itemcollected(item: pytest.Item) -> None:
    """Let a report tell which promise its test belongs to."""
    marker = item.get_closest_marker("promise")
    if marker is not None:
        item.keywords[f"promise-{marker.args[0]}"] = True

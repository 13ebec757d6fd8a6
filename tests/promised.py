"""Promises in tests: how often each is tried, what was reached, and the page that tells it.

A test marked ``@pytest.mark.promise("R9")`` asks for the ``promised`` fixture, takes its counts
from it (few in ``make test``, all in ``make promises``) and says what it reached. With
``--promises-page`` the run writes the page and fails while a promise is not reached.
"""

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


@pytest.fixture
def promised(request: pytest.FixtureRequest) -> Iterator[Promised]:
    """The share of a marked test in its promise; a test that never says what it reached fails."""
    marker = request.node.get_closest_marker("promise")
    assert marker is not None, "a promise's test is marked with the promise's number"
    share = Promised(full=request.config.getoption("promises_page") is not None)
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


def pytest_configure(config: pytest.Config) -> None:
    """Know the mark, and collect what is reached where the page is written."""
    config.addinivalue_line("markers", "promise(number): the promise that a test proves")
    if config.getoption("promises_page") is not None and not hasattr(config, "workerinput"):
        config.pluginmanager.register(_Page(config.getoption("promises_page")))


class _Page:
    """Collects what was reached and writes the page at the end of the run."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._reached: dict[str, list[tuple[str, str]]] = defaultdict(list)
        self._broken: set[str] = set()

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
        promises = tomllib.loads(PROMISES.read_text(encoding="utf-8"))
        rows = [self._row(number, one) for number, one in promises.items()]
        page = PREFACE.format(day=datetime.now(UTC).date()) + "".join(rows)
        self._path.write_text(page, encoding="utf-8")
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

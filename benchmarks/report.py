"""The page: kept results of the benchmarks as ``docs/performance.md``.

Owns the page's form. Run as ``python -m benchmarks.report`` after the benchmarks.
"""

import argparse
import os
import platform
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.measure import say
from benchmarks.result import RESULTS, Result, load_result, markdown_table

PAGE = Path("docs/performance.md")
NAMES = ("close", "dashboard")
WHERE_KEPT = ("intake", "coding", "devices", "remittances")
"""Measured by themselves (``python -m benchmarks.intake``), and told where they were."""
TITLES = {
    "intake": "The vendors' door",
    "close": "The calculation and the close",
    "dashboard": "The pages",
    "coding": "Coding visits",
    "devices": "The inventory of devices",
    "remittances": "Claims out, payments in",
}
PREFACE = """\
# Performance

What the ledger's work costs, measured by `make bench` and written by it; do not edit by hand.
Absolute figures drift with the machine and with what else it does, so most goals are ratios of
things measured in turn in one run. Times are by the clock unless a column says otherwise.
"""

MISSED = "\nWhere a goal is missed, a profile among the tables shows what costs the time."


def main(arguments: Sequence[str] | None = None) -> Path:
    """Write the page from the kept results; the path of the page."""
    options = _options().parse_args(arguments)
    kept = [options.results / f"{name}.json" for name in NAMES]
    missing = [path.name for path in kept if not path.exists()]
    if missing:
        sys.exit(f"run the benchmarks first: {', '.join(missing)} is missing")
    more = [options.results / f"{name}.json" for name in WHERE_KEPT]
    kept = [path for path in more if path.exists()] + kept
    page = page_of([load_result(path) for path in kept])
    options.page.write_text(page, encoding="utf-8")
    say(f"wrote {options.page}")
    written: Path = options.page
    return written


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.report", description=__doc__)
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--page", type=Path, default=PAGE)
    return parser


def page_of(results: Sequence[Result]) -> str:
    """The page as Markdown."""
    return "\n".join([PREFACE, f"Machine: {machine()}.", "", *_goals(results), *_parts(results)])


def machine() -> str:
    """The machine in general words."""
    gigabytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    python = ".".join(platform.python_version_tuple()[:2])
    return (
        f"{os.cpu_count()} shared cores, {gigabytes:.0f} GB of memory,"
        f" {platform.system()}, Python {python}"
    )


def _goals(results: Sequence[Result]) -> Iterator[str]:
    rows = [
        (goal.id, goal.asks, goal.measured, "yes" if goal.reached else "**no**")
        for result in results
        for goal in result.goals
    ]
    yield "## Goals\n"
    yield markdown_table(("goal", "asked", "measured", "reached"), rows)
    if any(not goal.reached for result in results for goal in result.goals):
        yield MISSED


def _parts(results: Sequence[Result]) -> Iterator[str]:
    for result in results:
        yield f"\n## {TITLES[result.name]}\n"
        yield f"Measured on {result.measured_on.isoformat()}, {result.size}.\n"
        yield "\n\n".join(result.how)
        for table in result.tables:
            yield f"\n### {table.title}\n"
            yield markdown_table(table.columns, table.rows)
            if table.note:
                yield f"\n{table.note}"
    yield ""


if __name__ == "__main__":
    main()

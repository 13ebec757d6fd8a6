"""Results: what a benchmark found, as tables and goals, on the terminal and kept for the page.

Owns their form. Does not own the page (``benchmarks.report``).
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from benchmarks.measure import machine_wavering
from benchmarks.trials import Cost

RESULTS = Path("var/bench")
_COSTS_SHOWN = 15


@dataclass(frozen=True)
class Table:
    """Figures of one kind."""

    title: str
    columns: tuple[str, ...]
    rows: list[tuple[str, ...]]
    note: str = ""


@dataclass(frozen=True)
class Goal:
    """What was asked, what was measured, and whether it is reached."""

    id: str
    asks: str
    measured: str
    reached: bool


@dataclass
class Result:
    """Everything one benchmark has to say."""

    name: str
    how: list[str]
    measured_on: date
    size: str
    tables: list[Table] = field(default_factory=list)
    goals: list[Goal] = field(default_factory=list)

    def table(
        self, title: str, columns: Sequence[str], rows: Sequence[Sequence[str]], note: str = ""
    ) -> None:
        """Add a table and show it."""
        added = Table(title, tuple(columns), [tuple(row) for row in rows], note)
        self.tables.append(added)
        print(f"\n{title}\n\n{markdown_table(added.columns, added.rows)}")
        if note:
            print(f"\n{note}")

    def goal(self, goal_id: str, asks: str, measured: str, *, reached: bool) -> None:
        """Add a goal and show it."""
        self.goals.append(Goal(goal_id, asks, measured, reached))
        print(f"\n{goal_id}: {measured} ({'reached' if reached else 'missed'}: {asks})")

    def profile(self, title: str, costs: Sequence[Cost]) -> None:
        """Add the functions that cost most."""
        whole = sum(cost.own_seconds for cost in costs) or 1.0
        rows = [
            (
                cost.function,
                str(cost.calls),
                f"{cost.own_seconds:.2f}",
                f"{cost.own_seconds / whole:.0%}",
                f"{cost.seconds:.2f}",
            )
            for cost in costs[:_COSTS_SHOWN]
        ]
        self.table(title, ("function", "calls", "own s", "share", "with calls s"), rows)

    def machine(self, load_before: float) -> None:
        """Add how busy the machine was and how much it wavers."""
        wavering = machine_wavering()
        self.table(
            "The machine",
            ("figure", "value"),
            [
                ("load average before the run", f"{load_before:.1f}"),
                ("fixed work on one core, median s", f"{wavering.median:.2f}"),
                ("fixed work, slowest over fastest of 5", f"{1 + wavering.wavering:.2f}"),
            ],
        )

    def save(self, folder: Path) -> Path:
        """Keep the result for the page."""
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{self.name}.json"
        values = asdict(self) | {"measured_on": self.measured_on.isoformat()}
        path.write_text(json.dumps(values, indent=2) + "\n", encoding="utf-8")
        return path


def load_result(path: Path) -> Result:
    """A kept result."""
    values: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return Result(
        name=values["name"],
        how=values["how"],
        measured_on=date.fromisoformat(values["measured_on"]),
        size=values["size"],
        tables=[
            Table(
                one["title"],
                tuple(one["columns"]),
                [tuple(row) for row in one["rows"]],
                one["note"],
            )
            for one in values["tables"]
        ],
        goals=[Goal(**one) for one in values["goals"]],
    )


def markdown_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table that reads well as text and as Markdown."""
    widths = [max(len(row[i]) for row in (columns, *rows)) for i in range(len(columns))]

    def line(cells: Sequence[str]) -> str:
        padded = (cell.ljust(width) for cell, width in zip(cells, widths, strict=True))
        return f"| {' | '.join(padded)} |"

    rule = f"|{'|'.join('-' * (width + 2) for width in widths)}|"
    return "\n".join([line(columns), rule, *map(line, rows)])

"""Facts on disk: one file a part, columns of whole numbers one after the other.

Owns the form. The same bytes are what ``evaluate`` reads, what DuckDB is filled from and what the
bare scan adds up.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pandas as pd

from benchmarks.facts import CODES, PAYERS, PROFILES, Part, facts_of_part
from billing.ledger.facts import (
    COVERAGE_COLUMNS,
    DEVICE_DAY_COLUMNS,
    ENTRY_COLUMNS,
    EPISODE_COLUMNS,
    GATE_COLUMNS,
    OTHER_COLUMNS,
    Facts,
)
from billing.ledger.kernels import Ints
from billing.rules.book import shipped_book

FRAMES: Mapping[str, Mapping[str, type]] = {
    "episodes": EPISODE_COLUMNS,
    "device_days": DEVICE_DAY_COLUMNS,
    "entries": ENTRY_COLUMNS,
    "gates": GATE_COLUMNS,
    "coverages": COVERAGE_COLUMNS,
    "others": OTHER_COLUMNS,
}


def write_part(folder: Path, part: Part) -> Path:
    """Make a part and write it; the path of its file."""
    path = folder / f"part-{part.number:04d}"
    facts = facts_of_part(part)
    with path.open("wb") as file:
        for frame, columns in FRAMES.items():
            values: pd.DataFrame = getattr(facts, frame)
            for column in columns:
                np.save(file, values[column].to_numpy())
    return path


def read_part(path: Path) -> Facts:
    """The facts of a part as written."""
    with path.open("rb") as file:
        frames = {
            frame: pd.DataFrame({column: _column(file) for column in columns}, copy=False)
            for frame, columns in FRAMES.items()
        }
    book = shipped_book()
    return Facts(
        **frames,
        payers=PAYERS,
        profiles=tuple(book.profile(name) for name in PROFILES),
        codes=CODES,
    )


def scan_part(path: Path) -> int:
    """The sum of every number of a part: the least that anything reading it must do."""
    with path.open("rb") as file:
        sums = [_column(file).sum(dtype=np.int64) for columns in FRAMES.values() for _ in columns]
    return int(sum(sums))


def part_paths(folder: Path) -> list[Path]:
    """The files of all parts, in order."""
    return sorted(folder.glob("part-*"))


def parts_in(folder: Path) -> Iterator[Facts]:
    """The facts of all parts, one at a time."""
    for path in part_paths(folder):
        yield read_part(path)


def _column(file: BinaryIO) -> Ints:
    column: Ints = np.load(file)
    return column

"""The rejects file: every refused row with its line and reason, to be mended and imported again.

Owns that file. A cell that a spreadsheet would run as a formula gets a leading apostrophe.
"""

import csv
import re
from collections.abc import Sequence
from pathlib import Path

from rpm.imports.read import Reject

_FORMULA = re.compile(r"[=+\-@\t\r]")
_NUMBER = re.compile(r"[-+]?\d+(\.\d+)?")


def write_rejects(path: Path, header: Sequence[str], rejects: Sequence[Reject]) -> None:
    """Write refused rows as CSV: line, reason, then the cells as they were, under their names."""
    width = max([len(header), *(len(reject.cells) for reject in rejects)])
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["line", "reason", *header, *[""] * (width - len(header))])
        for reject in rejects:
            _, _, field = reject.finding.where.partition(", ")
            cells = [*reject.cells, *[""] * (width - len(reject.cells))]
            rows.writerow([reject.line, f"{field}: {reject.finding.message}", *map(_inert, cells)])


def _inert(cell: str) -> str:
    dangerous = _FORMULA.match(cell) and not _NUMBER.fullmatch(cell)
    return f"'{cell}" if dangerous else cell

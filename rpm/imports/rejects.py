"""The rejects file: every refused row with its line and reason, to be mended and imported again.

Owns that file. It is written beside its place and stands there when it is whole; without refused
rows there is none. A cell that a spreadsheet would run as a formula gets a leading apostrophe.
"""

import csv
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rpm.imports.read import Reject
from rpm.imports.refusals import FileRefusedError

_FORMULA = re.compile(r"[=+\-@\t\r]")
_NUMBER = re.compile(r"[-+]?\d+(\.\d+)?")


class RejectsFile:
    """A rejects file being written: line, reason, then the cells under their names."""

    def __init__(self, path: Path, header: Sequence[str]) -> None:
        self.count = 0
        self._width = len(header)
        path.unlink(missing_ok=True)
        # a new file: a link put there is not followed
        self._file = path.open("x", encoding="utf-8", newline="")
        self._rows = csv.writer(self._file)
        self._rows.writerow(["line", "reason", *header])

    def add(self, reject: Reject) -> None:
        """Write one refused row."""
        _, _, field = reject.finding.where.partition(", ")
        cells = [*reject.cells, *[""] * (self._width - len(reject.cells))]
        reason = f"{field}: {reject.finding.message}"
        self._rows.writerow([reject.line, reason, *map(inert, cells)])
        self.count += 1

    def close(self) -> None:
        """Nothing more is written."""
        self._file.close()


@contextmanager
def writing_rejects(path: Path, header: Sequence[str]) -> Iterator[RejectsFile]:
    """A rejects file that appears at ``path`` at the end, in place of one of an earlier import.

    With nothing refused, or after an exception, nothing is left of it. FileRefusedError when no
    file can be written there.
    """
    draft = path.with_name(f".{path.name}.draft")
    try:
        rejects = RejectsFile(draft, header)
    except OSError:
        raise FileRefusedError("its rejects file cannot be written") from None
    try:
        yield rejects
        rejects.close()
        if rejects.count:
            draft.replace(path)
        else:
            path.unlink(missing_ok=True)
    finally:
        rejects.close()
        draft.unlink(missing_ok=True)


def inert(cell: str) -> str:
    """A cell that a spreadsheet would run as a formula, with an apostrophe before it."""
    dangerous = _FORMULA.match(cell) and not _NUMBER.fullmatch(cell)
    return f"'{cell}" if dangerous else cell

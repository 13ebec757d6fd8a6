"""A file in, rows and refusals out.

Owns going through the rows: filters, one record per row, one reason per refused row. Does not own
storing anything: the actions take the rows, and a second import of a file adds nothing there. A
file may be refused by its last row, so whoever stores rows surveys the file first.
"""

import hashlib
import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from billing.finding import Finding
from rpm.imports.cells import Cells, values_of
from rpm.imports.entries import EntryReader
from rpm.imports.profile import ImportProfile
from rpm.imports.readings import reading_row
from rpm.imports.records import CoverageRow, EpisodeRow, PatientRow, Row, ServiceRow
from rpm.imports.refusals import DateOrderError, FileRefusedError, RowRefusedError
from rpm.imports.rows import RawRow, Table, read_table
from rpm.imports.zones import Zones

_Builder = Callable[[int, Cells], Row]
_ORDERED_DAYS = {
    "coverages": (("from_day", "to_day"),),
    "episodes": (("opened_day", "last_day"), ("prior_auth_from_day", "prior_auth_to_day")),
}


@dataclass(frozen=True)
class Reject:
    """A row that was not taken: why, and its cells as they were."""

    finding: Finding
    line: int
    cells: tuple[str, ...]


@dataclass(frozen=True)
class Taken:
    """A row as the actions take it, and its cells as they were, should one of them refuse it."""

    record: Row
    cells: tuple[str, ...]


@dataclass(frozen=True)
class LeftOut:
    """A row that the profile's filters leave out."""

    line: int


Outcome = Taken | Reject | LeftOut
"""What became of one row of a file."""


@dataclass(frozen=True)
class OpenImport:
    """A file whose columns fit its profile; ``outcomes`` are read as they are asked for."""

    header: tuple[str, ...]
    outcomes: Iterator[Outcome]


@dataclass(frozen=True)
class Survey:
    """What a whole file holds, gone through once: nothing in it refuses the file."""

    header: tuple[str, ...]
    digest: str  # SHA-256 of the file
    rows: int
    rejects: int
    left_out: int


@contextmanager
def open_import(source: Path | bytes, profile: ImportProfile, zones: Zones) -> Iterator[OpenImport]:
    """A file by a profile whose options are filled in; it can be opened again and again.

    FileRefusedError, at once or while outcomes are read, when nothing of the file may be taken:
    another format, a missing column, or a date against the declared order. ``survey`` finds all of
    them.
    """
    with _opened(source) as file:
        table = read_table(file, profile)
        _check_columns(table.header, profile)
        yield OpenImport(table.header, _outcomes(table, profile, zones))


def survey(source: Path | bytes, profile: ImportProfile, zones: Zones) -> Survey:
    """Go through a file without keeping its rows; FileRefusedError as in ``open_import``."""
    rows = rejects = left_out = 0
    with open_import(source, profile, zones) as opened:
        for outcome in opened.outcomes:
            if isinstance(outcome, Reject):
                rejects += 1
            elif isinstance(outcome, LeftOut):
                left_out += 1
            else:
                rows += 1
    with _opened(source) as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return Survey(opened.header, digest, rows, rejects, left_out)


def _opened(source: Path | bytes) -> io.BytesIO | io.BufferedReader:
    if isinstance(source, bytes):
        return io.BytesIO(source)
    try:
        return source.open("rb")
    except OSError:
        raise FileRefusedError("cannot be opened") from None


def _outcomes(table: Table, profile: ImportProfile, zones: Zones) -> Iterator[Outcome]:
    build = _builder(profile, zones)
    for raw in table.rows:
        cells = dict(zip(table.header, raw.cells, strict=False))
        if not all(rule.holds(cells.get(rule.column, "")) for rule in profile.keep):
            yield LeftOut(raw.line)
            continue
        try:
            yield Taken(_record(raw, cells, len(table.header), build), raw.cells)
        except DateOrderError as error:
            raise FileRefusedError(str(error), raw.line) from None
        except RowRefusedError as error:
            yield rejected(raw.line, raw.cells, error.field, error.reason)


def rejected(line: int, cells: tuple[str, ...], field: str, reason: str) -> Reject:
    """The refusal of a row, for a field of ours (``row`` for the whole of it)."""
    return Reject(Finding("E_IMPORT_ROW", f"line {line}, {field}", reason), line, cells)


def _record(raw: RawRow, cells: Cells, width: int, build: _Builder) -> Row:
    if any(raw.cells[width:]):
        raise RowRefusedError("row", "has more cells than the header")
    return build(raw.line, cells)


def _check_columns(header: tuple[str, ...], profile: ImportProfile) -> None:
    """Every column the profile speaks of is there, once; a list of no rows has no columns."""
    if not header and profile.format in ("json", "jsonl"):
        return
    asked = [names for field, names in profile.columns.items() if field not in profile.optional]
    asked += [[rule.column] for rule in profile.keep]
    if profile.component:
        asked += [[value.column for part in profile.component for value in part.values]]
    for names in asked:
        if not set(names) & set(header):
            raise FileRefusedError(f"has no column {' or '.join(names)}")
    used = {name for names in (*asked, *profile.columns.values()) for name in names}
    if twice := sorted(name for name in used if header.count(name) > 1):
        raise FileRefusedError(f"has more than one column {', '.join(twice)}")


def _builder(profile: ImportProfile, zones: Zones) -> _Builder:
    if profile.kind == "readings":
        return lambda line, cells: reading_row(line, cells, profile, zones)
    if profile.kind == "entries":
        return EntryReader(profile, zones).row
    shapes: dict[str, Callable[..., Row]] = {
        "patients": PatientRow,
        "coverages": CoverageRow,
        "episodes": EpisodeRow,
        "services": ServiceRow,
    }
    shape = shapes[profile.kind]
    return lambda line, cells: shape(line=line, **_ordered(values_of(cells, profile), profile))


def _ordered(values: dict[str, Any], profile: ImportProfile) -> dict[str, Any]:
    for first, last in _ORDERED_DAYS.get(profile.kind, ()):
        if values[first] and values[last] and values[last] < values[first]:
            raise RowRefusedError(last, f"lies before {first}")
    return values

"""A file in, rows and refusals out.

Owns going through the rows: filters, one record per row, one reason per refused row. Does not own
storing anything: the actions take the rows, and a second import of a file adds nothing there.
"""

import hashlib
from collections.abc import Callable, Mapping
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
from rpm.imports.rows import RawRow, read_table
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
class Imported:
    """What a file holds: rows, refused rows, how many the filters left out, and its digest."""

    profile: ImportProfile
    rows: tuple[Row, ...]
    rejects: tuple[Reject, ...]
    left_out: int
    header: tuple[str, ...]
    digest: str  # SHA-256 of the file


def read_import(
    source: Path | bytes,
    profile: ImportProfile,
    zones: Zones,
    options: Mapping[str, str] | None = None,
) -> Imported:
    """Every row of a file by a profile.

    ``options`` fill the profile's ``{name}`` places (ProfileError). FileRefusedError when nothing
    may be taken: another format, a missing column, or a date against the declared order.
    """
    profile = profile.with_options(options or {})
    data = source if isinstance(source, bytes) else _content(source)
    table = read_table(data, profile)
    _check_columns(table.header, profile)
    build = _builder(profile, zones)
    rows: list[Row] = []
    rejects: list[Reject] = []
    left_out = 0
    for raw in table.rows:
        cells = dict(zip(table.header, raw.cells, strict=False))
        if not all(rule.holds(cells.get(rule.column, "")) for rule in profile.keep):
            left_out += 1
            continue
        try:
            rows.append(_record(raw, cells, len(table.header), build))
        except DateOrderError as error:
            raise FileRefusedError(str(error), raw.line) from None
        except RowRefusedError as error:
            finding = Finding("E_IMPORT_ROW", f"line {raw.line}, {error.field}", error.reason)
            rejects.append(Reject(finding, raw.line, raw.cells))
    digest = hashlib.sha256(data).hexdigest()
    return Imported(profile, tuple(rows), tuple(rejects), left_out, table.header, digest)


def _content(source: Path) -> bytes:
    try:
        return source.read_bytes()
    except OSError:
        raise FileRefusedError("cannot be opened") from None


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

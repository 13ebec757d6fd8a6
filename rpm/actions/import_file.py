"""Import a file: survey it, then record its rows chunk by chunk.

Owns the course of an import: nothing is taken of a file that is refused, every chunk is one
transaction, refused rows go to the rejects file, and memory does not grow with the file. Does not
own what becomes of a row (``import_chunk``).
"""

import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from pathlib import Path

from sqlalchemy.engine import Engine

from rpm.access import Actor
from rpm.actions.import_chunk import FileRead, import_chunk
from rpm.actions.import_row import RowRefused, RowResult
from rpm.errors import InvalidRequest
from rpm.imports.profile import ImportProfile
from rpm.imports.read import LeftOut, OpenImport, Reject, Taken, open_import, rejected, survey
from rpm.imports.records import Row
from rpm.imports.rejects import RejectsFile, writing_rejects
from rpm.imports.zones import Zones
from rpm.store.engine import reading, transaction
from rpm.store.queries.imports import patients_by_record_number
from rpm.store.queries.people import organization_of
from rpm.store.scope import Scope

_READINGS_AT_ONCE = 1_000
_ROWS_AT_ONCE = 200

Progress = Callable[[int, int], None]
"""Called with rows done and rows in all."""


@dataclass(frozen=True)
class ImportFile:
    """A file to import; the profile's options are filled in.

    With ``dry_run`` every chunk is undone again: only the rejects file is written.
    """

    path: Path
    profile_name: str
    profile: ImportProfile
    rejects_path: Path
    dry_run: bool = False


@dataclass
class Imported:
    """What became of a file's rows; ``remarks`` counts codes about the new ones."""

    rows: int = 0
    new: int = 0
    known: int = 0
    rejected: int = 0
    left_out: int = 0
    remarks: Counter[str] = field(default_factory=Counter)


class _Undone(Exception):  # noqa: N818 - not an error: it ends a transaction without its changes
    pass


def import_file(
    engine: Engine,
    actor: Actor,
    now: datetime,
    asked: ImportFile,
    progress: Progress | None = None,
) -> Imported:
    """Record what a file holds, once for ever: again the same file adds nothing.

    FileRefusedError before anything is taken when the file as a whole cannot be. ``Busy`` when
    another writer holds the database; what was recorded stays, and a second run adds the rest.
    """
    if os.path.realpath(asked.rejects_path) == os.path.realpath(asked.path):
        raise InvalidRequest("the rejects file cannot be the imported file itself")
    scope = Scope.of(actor)
    with reading(engine) as db:
        zone = organization_of(db, scope).timezone
        patients = patients_by_record_number(db, scope) if asked.profile.kind == "readings" else {}
    zones = Zones(zone, lambda number: patients[number].timezone if number in patients else None)
    found = survey(asked.path, asked.profile, zones)
    totals = {"rows": found.rows, "unreadable": found.rejects, "left_out": found.left_out}
    file = FileRead(asked.profile_name, asked.profile, found.digest, totals, patients)
    done = Imported(rows=found.rows + found.rejects, left_out=found.left_out)
    with (
        writing_rejects(asked.rejects_path, found.header) as rejects,
        open_import(asked.path, asked.profile, zones) as opened,
    ):
        for chunk in _chunks(opened, asked.profile.kind):
            rows = [outcome.record for outcome in chunk if isinstance(outcome, Taken)]
            results = _recorded(engine, actor, now, file, rows, asked.dry_run) if rows else []
            _tell(chunk, results, done, rejects)
            if progress is not None:
                progress(done.new + done.known + done.rejected, done.rows)
    return done


def _chunks(opened: OpenImport, kind: str) -> Iterator[list[Taken | Reject]]:
    kept = (outcome for outcome in opened.outcomes if not isinstance(outcome, LeftOut))
    size = _READINGS_AT_ONCE if kind == "readings" else _ROWS_AT_ONCE
    while chunk := list(islice(kept, size)):
        yield chunk


def _recorded(
    engine: Engine,
    actor: Actor,
    now: datetime,
    file: FileRead,
    rows: Sequence[Row],
    undo: bool,  # noqa: FBT001 - private, called once
) -> list[RowResult]:
    results: list[RowResult] = []
    with suppress(_Undone), transaction(engine) as db:
        results = import_chunk(db, actor, now, file, rows)
        if undo:
            raise _Undone
    return results


def _tell(
    chunk: Sequence[Taken | Reject],
    results: Sequence[RowResult],
    done: Imported,
    rejects: RejectsFile,
) -> None:
    """Count what became of a chunk; refused rows go to the rejects file in their order."""
    waiting = iter(results)
    for outcome in chunk:
        if isinstance(outcome, Reject):
            rejects.add(outcome)
            done.rejected += 1
            continue
        result = next(waiting)
        if isinstance(result, RowRefused):
            line = outcome.record.line
            rejects.add(rejected(line, outcome.cells, result.field, result.reason))
            done.rejected += 1
        else:
            done.new += result.new
            done.known += not result.new
            done.remarks.update(result.remarks)

"""Import some rows of a file: one transaction, whole or not at all.

Owns which action a kind of row goes through and the fact ``ImportRun`` that tells which file gave
what. Rows that say what is recorded already change nothing: a chunk of only such rows leaves no
trace. Does not own reading the file (``rpm.imports``) nor its rejects (``import_file``).
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlmodel import Session

from rpm.access import Actor, require
from rpm.actions.import_episodes import take_episode
from rpm.actions.import_people import take_coverage, take_patient
from rpm.actions.import_readings import judge_rows
from rpm.actions.import_row import ROW_ERRORS, RowRefused, RowResult, RowTaken
from rpm.actions.import_work import take_entry, take_service
from rpm.actions.reading_batch import Source
from rpm.actions.take_readings import write_batch
from rpm.ids import uuid7
from rpm.imports.profile import ImportProfile
from rpm.imports.records import EpisodeRow, ReadingRow, Row, ServiceRow
from rpm.store.chain import recording
from rpm.store.queries.imports import KnownPatient, ServiceContent
from rpm.store.queries.people import hold_organization
from rpm.store.scope import Scope
from rpm.store.tables.security import ImportRun

_TAKERS: dict[str, Callable[..., RowTaken]] = {
    "patients": take_patient,
    "coverages": take_coverage,
    "episodes": take_episode,
    "entries": take_entry,
}
_PERMISSIONS = {
    "patients": "patients:write",
    "coverages": "patients:write",
    "episodes": "episodes:write",
    "readings": "readings:write",
    "entries": "entries:write",
    "services": "services:write",
}


@dataclass(frozen=True)
class FileRead:
    """The file that rows come from: what ``ImportRun`` keeps of it, and what its rows need.

    ``totals`` counts rows of the whole file. ``seen`` counts its services across chunks.
    """

    profile_name: str
    profile: ImportProfile
    digest: str
    totals: Mapping[str, int]
    patients: Mapping[str, KnownPatient]
    seen: Counter[ServiceContent] = field(default_factory=Counter)


def import_chunk(
    db: Session, actor: Actor, now: datetime, file: FileRead, rows: Sequence[Row]
) -> list[RowResult]:
    """Record rows of one kind in their order; one result for each.

    A row is recorded whole or refused; a refused one leaves nothing. ``NotAllowed`` without the
    permission that the kind's action needs, also where all rows are known.
    """
    require(actor, _PERMISSIONS[file.profile.kind])
    hold_organization(db, Scope.of(actor))
    if file.profile.kind == "readings":
        return _readings(db, actor, now, file, [row for row in rows if isinstance(row, ReadingRow)])
    results: dict[int, RowResult] = {}
    for place, row in sorted(enumerate(rows), key=_order):
        results[place] = _one(db, actor, now, file, row)
    ordered = [results[place] for place in range(len(rows))]
    if any(isinstance(result, RowTaken) and result.new for result in ordered):
        run = _run(file, rows, ordered)
        run.id = uuid7(now)
        with recording(db, actor, now, "import.run", {"import_id": run.id}) as record:
            record.add(run)
    return ordered


def _order(placed: tuple[int, Row]) -> tuple[date, int]:
    """Episodes by their first day: a later one follows an earlier one; all else as it stands."""
    place, row = placed
    return (row.opened_day if isinstance(row, EpisodeRow) else date.min, place)


def _one(db: Session, actor: Actor, now: datetime, file: FileRead, row: Row) -> RowResult:
    try:
        with db.begin_nested():
            if isinstance(row, ServiceRow):
                return take_service(db, actor, now, row, file.seen)
            return _TAKERS[file.profile.kind](db, actor, now, row)
    except ROW_ERRORS as error:
        return RowRefused.by(error)


def _readings(
    db: Session, actor: Actor, now: datetime, file: FileRead, rows: Sequence[ReadingRow]
) -> list[RowResult]:
    run_id = uuid7(now)
    source = Source(file.profile.vendor, file.profile.account, import_id=run_id)
    judged = judge_rows(db, actor, now, source, rows, file.patients)
    if judged.is_new:
        with recording(db, actor, now, "import.run", {"import_id": run_id}) as record:
            run = _run(file, rows, judged.results)
            run.id = run_id
            record.add(run)
            write_batch(db, record, judged.batch)
    return judged.results


def _run(file: FileRead, rows: Sequence[Row], results: Sequence[RowResult]) -> ImportRun:
    taken = [result for result in results if isinstance(result, RowTaken)]
    new = sum(result.new for result in taken)
    counts: dict[str, Any] = {
        "first_line": rows[0].line,
        "last_line": rows[-1].line,
        "new": new,
        "known": len(taken) - new,
        "refused": len(results) - len(taken),
        "remarks": dict(Counter(remark for result in taken for remark in result.remarks)),
        "file": dict(file.totals),
    }
    return ImportRun(
        kind=file.profile.kind,
        profile=file.profile_name,
        file_digest=file.digest,
        counts=counts,
    )

"""Readiness: how far every enrolled patient is in the running periods, kept for quick lists.

Owns the projection's refresh (patients whose facts changed since, everyone when the day changed)
and its page query. Does not own the calculation: rows are what ``evaluate`` says for today. The
cost of a page does not grow with history.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, delete, func, insert, select, tuple_, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, col

from billing.days import day_number
from rpm.clock import local_day
from rpm.store.chain import chain_head
from rpm.store.changed_patients import changed_patients
from rpm.store.fact_rows import FactReader
from rpm.store.outcomes import Evaluated, FindingLine, ProgressLine, evaluated
from rpm.store.overlaps import EntryParts, overlapping_parts
from rpm.store.queries.people import organization_of
from rpm.store.scope import Scope
from rpm.store.selection import DEFAULT_PARTITION_PATIENTS, Patients, partitions
from rpm.store.tables.base import METADATA
from rpm.store.tables.ledger import ReadinessMark, ReadinessRow
from rpm.store.tables.people import Patient

STATES = ("held", "earned", "short", "out_of_reach")
"""Blocked by a finding; earns a code today; needs more and can still get it; cannot any more."""
SORTS = ("still_needed", "end_day", "name")
_SHOWN = ("family_name", "given_name", "record_number")
_LAST = date(9999, 12, 31)
_ROWS = METADATA.tables[str(ReadinessRow.__tablename__)]
_MARK = METADATA.tables[str(ReadinessMark.__tablename__)]


def is_fresh(db: Session, scope: Scope, now: datetime) -> bool:
    """Whether the projection says what the facts known now give for the practice's today."""
    mark = db.get(ReadinessMark, scope.organization_id)
    today = local_day(now, organization_of(db, scope).timezone)
    head = chain_head(db, scope.organization_id).number
    return mark is not None and mark.as_of == today and mark.computed_through == head


def refresh(db: Session, scope: Scope, now: datetime) -> int:
    """Compute anew what is no longer true; the number of patients looked at.

    Runs under a lock of its own: of two at once the second finds nothing left to do.
    """
    organization_id = scope.organization_id
    mark = _locked_mark(db, organization_id)
    head = chain_head(db, organization_id).number
    today = local_day(now, organization_of(db, scope).timezone)
    changed: Sequence[UUID] | None = None
    if mark.as_of == today:
        if mark.computed_through == head:
            return 0
        changed = changed_patients(db, organization_id, mark.computed_through)
    count = 0
    # for everyone the overlaps across patients are looked up once, for a few with each part
    everyone = changed is None or len(changed) > DEFAULT_PARTITION_PATIENTS
    shared = overlapping_parts(FactReader(db, organization_id)) if everyone else None
    for part in _parts(db, organization_id, changed):
        count += _recompute(db, organization_id, today, part, shared)
    values = {"computed_through": head, "as_of": today}
    where = _MARK.c.organization_id == organization_id
    db.connection().execute(update(_MARK).where(where).values(**values))
    return count


def _locked_mark(db: Session, organization_id: UUID) -> Any:
    connection = db.connection()
    insert_new: Any = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    never = {"computed_through": -1, "as_of": date(1970, 1, 1)}
    connection.execute(
        insert_new(_MARK).values(organization_id=organization_id, **never).on_conflict_do_nothing()
    )
    where = _MARK.c.organization_id == organization_id
    return connection.execute(select(_MARK).where(where).with_for_update()).one()


def _parts(
    db: Session, organization_id: UUID, changed: Sequence[UUID] | None
) -> Iterator[Patients]:
    if changed is None:
        yield from partitions(db, organization_id)
        return
    size = min(1_000, DEFAULT_PARTITION_PATIENTS)
    for start in range(0, len(changed), size):
        yield changed[start : start + size]


def _recompute(
    db: Session, organization_id: UUID, today: date, patients: Patients, shared: EntryParts | None
) -> int:
    found = evaluated(
        db, organization_id, as_of=today, known=today, patients=patients, shared=shared
    )
    connection = db.connection()
    patient_ids = found.loaded.patient_ids
    for start in range(0, len(patient_ids), 1_000):
        some = patient_ids[start : start + 1_000]
        connection.execute(
            delete(_ROWS).where(
                _ROWS.c.organization_id == organization_id, _ROWS.c.patient_id.in_(some)
            )
        )
    rows = list(_rows(organization_id, found))
    if rows:
        connection.execute(insert(_ROWS), rows)
    return len(patient_ids)


def _rows(organization_id: UUID, found: Evaluated) -> Iterator[dict[str, Any]]:
    payers = _payers(found)
    holds = _holds(found)
    position: dict[UUID, int] = {}
    for line in found.progress():
        codes = sorted({one.code for one in holds.get(line.episode_id, ()) if _concerns(one, line)})
        place = position[line.patient_id] = position.get(line.patient_id, -1) + 1
        yield {
            **line.model_dump(),
            "organization_id": organization_id,
            "position": place,
            "state": _state(line, codes),
            "payer_key": payers.get(line.patient_id, ""),
            "findings": codes,
        }


def _payers(found: Evaluated) -> dict[UUID, str]:
    """Who pays for each patient on the day; of several, the one recorded last."""
    frame, today = found.loaded.facts.coverages, day_number(found.as_of)
    held = frame[(frame["from_day"] <= today) & (frame["to_day"] >= today)]
    rows = zip(held["patient"].tolist(), held["payer"].tolist(), strict=True)
    return {found.loaded.patient_ids[row]: found.loaded.facts.payers[payer] for row, payer in rows}


def _holds(found: Evaluated) -> dict[UUID, list[FindingLine]]:
    """By episode, what blocks lines of its running periods."""
    open_periods = (found.outcome.periods["state"] == "open").to_numpy()
    frame = found.outcome.findings
    blocks = frame["code"].astype(str).str.startswith("E_") & (frame["code"] != "E_PERIOD_OPEN")
    here = frame[blocks.to_numpy() & open_periods[frame["period"].to_numpy(dtype="int64")]]
    by_episode: dict[UUID, list[FindingLine]] = {}
    for line in found.findings(here):
        by_episode.setdefault(line.episode_id, []).append(line)
    return by_episode


def _concerns(finding: FindingLine, line: ProgressLine) -> bool:
    return finding.concerns in {"", line.ladder, line.earned_code, line.next_code}


def _state(line: ProgressLine, holds: Iterable[str]) -> str:
    if list(holds):
        return "held"
    if line.earned_code and not line.needs_live:
        return "earned"
    return "short" if line.reachable or line.needs_live else "out_of_reach"


@dataclass(frozen=True)
class ReadinessFilter:
    """Which rows, in which order."""

    state: str | None = None
    ladder: str | None = None
    payer_key: str | None = None
    family_name: str | None = None  # its beginning
    sort: str = "still_needed"  # SORTS


@dataclass(frozen=True)
class ReadyPatient:
    """A row of the list, with the name of its patient."""

    row: ReadinessRow
    family_name: str
    given_name: str
    record_number: str

    def key(self, sort: str) -> tuple[Any, ...]:
        """Where the row stands in the list."""
        first: Any = self.row.still_needed
        if sort == "end_day":
            first = self.row.end_day or _LAST
        elif sort == "name":
            first = self.family_name
        return (first, self.row.patient_id, self.row.position)


def readiness_page(
    db: Session,
    scope: Scope,
    chosen: ReadinessFilter,
    *,
    after: tuple[Any, ...] | None = None,
    limit: int = 200,
) -> list[ReadyPatient]:
    """Rows of the projection as it stands; ``after`` is the key of the last row already seen."""
    order = (_sorted_by(chosen.sort), col(ReadinessRow.patient_id), col(ReadinessRow.position))
    statement = (
        select(ReadinessRow, *(col(getattr(Patient, name)) for name in _SHOWN))
        .join(
            Patient,
            (col(Patient.organization_id) == col(ReadinessRow.organization_id))
            & (col(Patient.id) == col(ReadinessRow.patient_id)),
        )
        .where(col(ReadinessRow.organization_id) == scope.organization_id, *_chosen(chosen))
        .order_by(*order)
        .limit(limit)
    )
    if after is not None:
        statement = statement.where(tuple_(*order) > tuple_(*after))
    return [ReadyPatient(*row) for row in db.execute(statement)]


def _sorted_by(sort: str) -> Any:
    if sort == "name":
        return col(Patient.family_name)
    if sort == "end_day":
        return func.coalesce(col(ReadinessRow.end_day), _LAST)
    return col(ReadinessRow.still_needed)


def _chosen(chosen: ReadinessFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [
        col(getattr(ReadinessRow, name)) == value
        for name in ("state", "ladder", "payer_key")
        if (value := getattr(chosen, name)) is not None
    ]
    if chosen.family_name is not None:
        beginning = func.lower(col(Patient.family_name))
        conditions.append(beginning.startswith(chosen.family_name.lower(), autoescape=True))
    return conditions

"""Refresh of readiness: the kept list is computed anew where facts or the day have changed.

Owns what is no longer true and the rows in its place: what ``evaluate`` says for today. Does not
own the calculation, nor the list's pages (``rpm.store.readiness``).
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from threading import Lock
from types import SimpleNamespace
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, delete, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Engine
from sqlmodel import Session

from billing.days import day_number
from rpm.clock import local_day
from rpm.store.chain import chain_head
from rpm.store.changed_patients import changed_patients
from rpm.store.engine import reading, transaction, within
from rpm.store.fact_rows import FactReader
from rpm.store.outcomes import Evaluated, FindingLine, ProgressLine, evaluated
from rpm.store.overlaps import overlapping_parts
from rpm.store.queries.people import organization_of
from rpm.store.scope import Scope
from rpm.store.selection import DEFAULT_PARTITION_PATIENTS, Patients, partitions
from rpm.store.standing import WITHOUT_RULES, standing_of
from rpm.store.tables.base import METADATA
from rpm.store.tables.ledger import ReadinessMark, ReadinessRow
from rpm.store.tables.worklist import WorklistRow

_NEVER = (-1, date(1970, 1, 1))
_PATIENTS_AT_ONCE = 1_000
_ROWS = METADATA.tables[str(ReadinessRow.__tablename__)]
_SUMS = METADATA.tables[str(WorklistRow.__tablename__)]
_MARK = METADATA.tables[str(ReadinessMark.__tablename__)]


def is_fresh(db: Session, scope: Scope, now: datetime) -> bool:
    """Whether the projection says what the facts known now give for the practice's today."""
    mark = db.get(ReadinessMark, scope.organization_id)
    today = local_day(now, organization_of(db, scope).timezone)
    head = chain_head(db, scope.organization_id).number
    return mark is not None and mark.as_of == today and mark.computed_through == head


@dataclass(frozen=True)
class _Plan:
    """What a refresh has to do, and the mark it starts from."""

    mark: tuple[int, date]  # computed through, as of
    head: int
    today: date
    changed: Sequence[UUID] | None  # None: everybody


@dataclass(frozen=True)
class _Computed:
    """Rows to put in the place of those of some patients."""

    patient_ids: list[UUID]
    rows: list[dict[str, Any]]
    sums: list[dict[str, Any]]


def refresh(engine: Engine, scope: Scope, now: datetime) -> int:
    """Compute anew what is no longer true; the number of patients looked at.

    Computing holds no lock of the database, so that others go on writing; the rows are then put in
    place in one transaction, unless somebody else did so meanwhile. In one process the second of
    two at once waits and finds nothing left to do.
    """
    engine = within(engine, scope.organization_id)
    with _one_at_a_time(scope.organization_id):
        with reading(engine) as db:
            plan = _planned(db, scope, now)
            if plan is None:
                return 0
            computed = _computed(db, scope.organization_id, plan)
        with transaction(engine) as db:
            return _put(db, scope.organization_id, plan, computed)


_COMPUTING: defaultdict[UUID, Lock] = defaultdict(Lock)
_COMPUTING_LOCK = Lock()


@contextmanager
def _one_at_a_time(organization_id: UUID) -> Iterator[None]:
    with _COMPUTING_LOCK:
        mine = _COMPUTING[organization_id]
    with mine:
        yield


def _planned(db: Session, scope: Scope, now: datetime) -> _Plan | None:
    """What is to be done; None when everything is as it should be."""
    organization_id = scope.organization_id
    mark = _mark_of(db.get(ReadinessMark, organization_id))
    head = chain_head(db, organization_id).number
    today = local_day(now, organization_of(db, scope).timezone)
    if mark == (head, today):
        return None
    same_day = mark[1] == today
    changed = changed_patients(db, organization_id, mark[0]) if same_day else None
    return _Plan(mark, head, today, changed)


def _mark_of(row: Any) -> tuple[int, date]:
    return _NEVER if row is None else (row.computed_through, row.as_of)


def _computed(db: Session, organization_id: UUID, plan: _Plan) -> _Computed:
    changed = plan.changed
    # for everyone the overlaps across patients are looked up once, for a few with each part
    everyone = changed is None or len(changed) > DEFAULT_PARTITION_PATIENTS
    shared = overlapping_parts(FactReader(db, organization_id)) if everyone else None
    computed = _Computed([], [], [])
    for part in _parts(db, organization_id, changed):
        found = evaluated(
            db, organization_id, as_of=plan.today, known=plan.today, patients=part, shared=shared
        )
        computed.patient_ids.extend(found.loaded.patient_ids)
        rows = list(readiness_rows(organization_id, found))
        computed.rows.extend(rows)
        computed.sums.extend(_sums(rows))
        computed.sums.extend(_unjudged(organization_id, found, {one["patient_id"] for one in rows}))
    return computed


def _parts(
    db: Session, organization_id: UUID, changed: Sequence[UUID] | None
) -> Iterator[Patients]:
    if changed is None:
        yield from partitions(db, organization_id)
        return
    for start in range(0, len(changed), _PATIENTS_AT_ONCE):
        yield changed[start : start + _PATIENTS_AT_ONCE]


def _put(db: Session, organization_id: UUID, plan: _Plan, computed: _Computed) -> int:
    """Put computed rows in place; 0 when the projection moved on since they were planned."""
    connection = db.connection()
    if _mark_of(_locked_mark(connection, organization_id)) != plan.mark:
        return 0
    everyone = plan.changed is None
    for table, rows in ((_ROWS, computed.rows), (_SUMS, computed.sums)):
        of_organization = table.c.organization_id == organization_id
        if everyone:
            connection.execute(delete(table).where(of_organization))
        for start in range(0, 0 if everyone else len(computed.patient_ids), _PATIENTS_AT_ONCE):
            some = computed.patient_ids[start : start + _PATIENTS_AT_ONCE]
            connection.execute(delete(table).where(of_organization, table.c.patient_id.in_(some)))
        if rows:
            connection.execute(insert(table), rows)
    values = {"computed_through": plan.head, "as_of": plan.today}
    connection.execute(
        update(_MARK).where(_MARK.c.organization_id == organization_id).values(**values)
    )
    return len(computed.patient_ids)


def _locked_mark(connection: Connection, organization_id: UUID) -> Any:
    insert_new: Any = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    never = {"computed_through": _NEVER[0], "as_of": _NEVER[1]}
    connection.execute(
        insert_new(_MARK).values(organization_id=organization_id, **never).on_conflict_do_nothing()
    )
    where = _MARK.c.organization_id == organization_id
    return connection.execute(select(_MARK).where(where).with_for_update()).one()


def readiness_rows(organization_id: UUID, found: Evaluated) -> Iterator[dict[str, Any]]:
    """The values of the readiness rows of the evaluated patients."""
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


def _sums(rows: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """One row for each patient: what is left to do."""
    by_patient: dict[UUID, list[dict[str, Any]]] = {}
    for values in rows:
        by_patient.setdefault(values["patient_id"], []).append(values)
    for patient_id, of_patient in by_patient.items():
        # plain values: table objects take far longer to make, and there are many
        standing = standing_of([SimpleNamespace(**values) for values in of_patient])
        first = of_patient[0]
        yield {
            **vars(standing),
            "organization_id": first["organization_id"],
            "patient_id": patient_id,
            "payer_key": first["payer_key"],
        }


def _unjudged(
    organization_id: UUID, found: Evaluated, judged: set[UUID]
) -> Iterator[dict[str, Any]]:
    """Patients in care whom no rule page judges today: they are held, not forgotten."""
    frame, today = found.loaded.facts.episodes, day_number(found.as_of)
    running = frame[(frame["opened_day"] <= today) & (frame["closed_day"] >= today)]
    payers = _payers(found)
    for row in sorted(set(running["patient"].tolist())):
        patient_id = found.loaded.patient_ids[row]
        if patient_id not in judged:
            yield {
                **vars(WITHOUT_RULES),
                "organization_id": organization_id,
                "patient_id": patient_id,
                "payer_key": payers.get(patient_id, ""),
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

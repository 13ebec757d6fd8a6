"""Reads of the ledger: closes, their rows and postings, and who a posted line is about.

Owns their SELECTs. Does not own computing (``rpm.store.outcomes``) nor files made of them.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from operator import itemgetter
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, Table, type_coerce
from sqlmodel import Session, col, select

from rpm.audit import GENESIS_HMAC, Anchor
from rpm.errors import NotFound
from rpm.store.close_rows import rows_in
from rpm.store.scope import Scope
from rpm.store.tables.base import METADATA
from rpm.store.tables.ledger import Close, CloseRow, Export, Posting
from rpm.store.tables.security import AuditEvent

_PATIENTS_AT_ONCE = 1_000
POSTING, PATIENT, EPISODE, COVERAGE, COVERAGE_END, PAYER, PRACTITIONER = (
    METADATA.tables[name]
    for name in (
        "posting",
        "patient",
        "episode",
        "coverage",
        "coverage_end",
        "payer",
        "practitioner",
    )
)

_OF_POSTING = tuple(
    name
    for name in POSTING.c.keys()  # noqa: SIM118 - no mapping
    if name not in {"organization_id", "close_id", "recorded_at", "audit_number"}
)
_OF_NAME = ("id", "record_number", "family_name", "given_name")
_OF_PATIENT = (*_OF_NAME, "birth_date", "sex")
_OF_EPISODE = ("id", "pos", "setting", "ordering_npi", "diagnosis_codes")
_OF_COVERAGE = ("id", "patient_id", "payer_id", "member_id", "from_day", "to_day")
_OF_PAYER = ("id", "key", "name", "edi_payer_id")


def closes_page(
    db: Session, scope: Scope, *, after: UUID | None = None, limit: int = 200
) -> Sequence[Close]:
    """Closes, the one made last first; ``after`` is the id of the last one already seen."""
    query = scope.rows(Close).order_by(col(Close.id).desc()).limit(limit)
    if after is not None:
        query = query.where(col(Close.id) < after)
    return db.exec(query).all()


def close_of_month(
    db: Session, scope: Scope, month_start_day: date, until_audit_number: int | None = None
) -> Close | None:
    """The close of a month that was made last; by an audit event at most if one is told."""
    rows = scope.rows(Close).where(col(Close.month_start_day) == month_start_day)
    if until_audit_number is not None:
        rows = rows.where(col(Close.audit_number) <= until_audit_number)
    return db.exec(rows.order_by(col(Close.ordinal).desc())).first()


def close_before(db: Session, scope: Scope, close: Close) -> Close | None:
    """The close of the same month that this one followed; None for the first."""
    return db.exec(
        scope.rows(Close).where(
            col(Close.month_start_day) == close.month_start_day,
            col(Close.ordinal) == close.ordinal - 1,
        )
    ).first()


def postings_page(
    db: Session,
    scope: Scope,
    *,
    close_id: UUID | None = None,
    patient_id: UUID | None = None,
    code: str | None = None,
    after: tuple[int, UUID] | None = None,
    limit: int = 200,
) -> Sequence[Posting]:
    """Postings in the order they were recorded, narrowed by close, patient or code.

    ``after`` is audit number and id of the last one already seen.
    """
    query = scope.rows(Posting).order_by(col(Posting.audit_number), col(Posting.id)).limit(limit)
    for column, wanted in (
        (col(Posting.close_id), close_id),
        (col(Posting.patient_id), patient_id),
        (col(Posting.code), code),
    ):
        if wanted is not None:
            query = query.where(column == wanted)
    if after is not None:
        number, row_id = after
        query = query.where(
            (col(Posting.audit_number) > number)
            | ((col(Posting.audit_number) == number) & (col(Posting.id) > row_id))
        )
    return db.exec(query).all()


def postings_of_close(db: Session, scope: Scope, close_id: UUID) -> Sequence[Any]:
    """The postings a close made, as plain rows: reversals first, then by key."""
    of_close = POSTING.c.close_id == close_id
    order = (POSTING.c.sign, POSTING.c.key, POSTING.c.ordinal)
    return _plain(db, scope, POSTING, _OF_POSTING, of_close, order=order)


def rows_of_close(
    db: Session, scope: Scope, close_id: UUID, kind: str | None = None
) -> Sequence[Mapping[str, Any]]:
    """The outcome rows a close kept, or those of one kind, in their order."""
    return [row for run in _runs_of_close(db, scope, close_id, kind) for row in rows_in(run)]


def columns_of_close(
    db: Session, scope: Scope, close_id: UUID, kind: str, names: Sequence[str]
) -> list[tuple[Any, ...]]:
    """Some columns of the rows of a kind that a close kept, in their order: for many rows."""
    found: list[tuple[Any, ...]] = []
    for run in _runs_of_close(db, scope, close_id, kind):
        if "columns" in run:
            places = itemgetter(*(run["columns"].index(name) for name in names))
            found += map(places, run["rows"])
        else:
            found.append(itemgetter(*names)(run))
    return found


def _runs_of_close(
    db: Session, scope: Scope, close_id: UUID, kind: str | None
) -> Iterator[Mapping[str, Any]]:
    runs = select(CloseRow.content).where(
        col(CloseRow.organization_id) == scope.organization_id,
        col(CloseRow.close_id) == close_id,
    )
    if kind is not None:
        runs = runs.where(type_coerce(CloseRow.content, JSON)["row"].as_string() == kind)
    yield from db.exec(runs.order_by(col(CloseRow.ordinal)))


def exports_of_close(db: Session, scope: Scope, close_id: UUID) -> Sequence[Export]:
    """The exports of a close, the first one first."""
    return db.exec(
        scope.rows(Export)
        .where(col(Export.close_id) == close_id)
        .order_by(col(Export.audit_number))
    ).all()


def anchor_of(db: Session, scope: Scope, number: int) -> Anchor:
    """The chain at an audit event; ``NotFound`` when there is no such event.

    Number 0 is the chain before its first event.
    """
    if number == 0:
        return Anchor(0, GENESIS_HMAC)
    event = db.get(AuditEvent, (scope.organization_id, number))
    if event is None:
        raise NotFound("there is no such audit event")
    return Anchor(event.number, event.hmac)


@dataclass(frozen=True)
class Insured:
    """A coverage with the last day that counts, and its payer."""

    coverage: Any  # row of Coverage
    payer: Any  # row of Payer
    last_day: date | None

    def holds(self, payer_key: str, day: date) -> bool:
        """Whether this is the payer and the day is covered."""
        begun: bool = self.coverage.from_day <= day
        return (
            self.payer.key == payer_key
            and begun
            and (self.last_day is None or day <= self.last_day)
        )


@dataclass(frozen=True)
class Parties:
    """Patients, episodes, coverages and practitioners behind some lines, as known at a close.

    Plain rows with those columns of their tables that lines show: there are many.
    """

    patients: dict[UUID, Any]
    episodes: dict[UUID, Any]
    insured: dict[UUID, list[Insured]]
    practitioners: dict[str, Any]  # by NPI


def parties_of(
    db: Session, scope: Scope, patient_ids: Sequence[UUID], until_audit_number: int
) -> Parties:
    """Who some patients' lines are about; later recorded coverages and ends are not looked at."""

    def known(table: Any) -> Any:
        return table.c.audit_number <= until_audit_number

    def rows(table: Table, columns: Sequence[str], *conditions: Any) -> Sequence[Any]:
        order = (table.c.audit_number, table.c.id)
        return _plain(db, scope, table, columns, *conditions, order=order)

    patients: dict[UUID, Any] = {}
    episodes: dict[UUID, Any] = {}
    insured: dict[UUID, list[Insured]] = {}
    payers = {row.id: row for row in rows(PAYER, _OF_PAYER)}
    ended = rows(COVERAGE_END, ("coverage_id", "last_day"), known(COVERAGE_END))
    ends = {row.coverage_id: row.last_day for row in ended}
    for start in range(0, len(patient_ids), _PATIENTS_AT_ONCE):
        some = list(patient_ids[start : start + _PATIENTS_AT_ONCE])
        patients |= {row.id: row for row in rows(PATIENT, _OF_PATIENT, PATIENT.c.id.in_(some))}
        of_some = EPISODE.c.patient_id.in_(some)
        episodes |= {row.id: row for row in rows(EPISODE, _OF_EPISODE, of_some)}
        held = COVERAGE.c.patient_id.in_(some)
        for row in rows(COVERAGE, _OF_COVERAGE, known(COVERAGE), held):
            last_day = ends.get(row.id, row.to_day)
            insured.setdefault(row.patient_id, []).append(
                Insured(row, payers[row.payer_id], last_day)
            )
    practitioners = rows(PRACTITIONER, ("id", "npi", "taxonomy"), known(PRACTITIONER))
    return Parties(patients, episodes, insured, {row.npi: row for row in practitioners})


def names_of(db: Session, scope: Scope, patient_ids: Sequence[UUID]) -> Iterator[Any]:
    """Id, names and record number of some patients, as plain rows in any order."""
    for start in range(0, len(patient_ids), _PATIENTS_AT_ONCE):
        some = list(patient_ids[start : start + _PATIENTS_AT_ONCE])
        yield from _plain(db, scope, PATIENT, _OF_NAME, PATIENT.c.id.in_(some))


def _plain(
    db: Session,
    scope: Scope,
    table: Table,
    columns: Sequence[str],
    *conditions: Any,
    order: Sequence[Any] = (),
) -> Sequence[Any]:
    """Some columns of a table's rows, without objects."""
    return db.execute(
        select(*(table.c[name] for name in columns))
        .where(table.c.organization_id == scope.organization_id, *conditions)
        .order_by(*order)
    ).all()

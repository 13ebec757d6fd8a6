"""Reads of claims: lists with what befell each, their lines and versions, numbers, and files.

Owns these SELECTs. Does not own where a claim stands: that is folded from its events
(``billing.claims.lifecycle``).
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlmodel import Session, col

from billing.claims.lifecycle import ClaimEvent, Kind, Standing, Status, standing
from rpm.store.queries.rows import latest_by
from rpm.store.scope import Scope
from rpm.store.tables.claims import (
    ClaimEventRecord,
    ClaimFile,
    ClaimLineRecord,
    ClaimRecord,
    ClaimVersion,
    NumberSequence,
)

_AT_ONCE = 500
History = tuple[tuple[Any, ...], ...]
"""What befell a claim, in order, without what tells its events apart."""


@dataclass(frozen=True)
class ClaimFilter:
    """Which claims a list shows; None for all."""

    from_day: date | None = None
    to_day: date | None = None
    payer_id: UUID | None = None
    patient_id: UUID | None = None
    close_id: UUID | None = None
    control_number: str | None = None


@dataclass(frozen=True)
class ListedClaim:
    """A claim as lists show it, with where it stands."""

    id: UUID
    control_number: str
    patient_id: UUID
    payer_id: UUID
    rendering_npi: str
    from_day: date
    to_day: date
    charge_cents: int
    standing: Standing


def take_numbers(db: Session, scope: Scope, name: str, count: int) -> int:
    """The first of ``count`` numbers of a sequence, none of which is ever given again.

    Inside a recording: the organization's lock is held, and an abort gives them back.
    """
    row = db.get(NumberSequence, (scope.organization_id, name))
    if row is None:
        row = NumberSequence(organization_id=scope.organization_id, name=name, last_number=0)
    first = row.last_number + 1
    row.last_number += count
    db.add(row)
    return first


def next_number(db: Session, scope: Scope, name: str) -> int:
    """The number that ``take_numbers`` would give next; the organization's lock is held."""
    row = db.get(NumberSequence, (scope.organization_id, name))
    return 1 if row is None else row.last_number + 1


def claim_with_number(db: Session, scope: Scope, control_number: str) -> ClaimRecord | None:
    """The claim of a patient control number."""
    rows = scope.rows(ClaimRecord).where(col(ClaimRecord.control_number) == control_number)
    return db.exec(rows).one_or_none()


def listed_claims(db: Session, scope: Scope, asked: ClaimFilter) -> list[ListedClaim]:
    """Claims by first day of service, then number, each with where it stands."""
    conditions = _conditions(scope, asked)
    columns = (
        *(ClaimRecord.id, ClaimRecord.control_number, ClaimRecord.patient_id),
        *(ClaimRecord.payer_id, ClaimRecord.rendering_npi, ClaimRecord.from_day),
        *(ClaimRecord.to_day, ClaimRecord.charge_cents),
    )
    rows = db.execute(
        select(*map(col, columns))
        .where(*conditions)
        .order_by(col(ClaimRecord.from_day), col(ClaimRecord.control_number))
    ).all()
    ids = select(col(ClaimRecord.id)).where(*conditions)
    standings = _standings(db, scope, col(ClaimEventRecord.claim_id).in_(ids))
    charges = _last_charges(db, scope, ids)
    return [
        ListedClaim(
            **(row._asdict() | {"charge_cents": charges.get(row.id, row.charge_cents)}),
            standing=standings[row.id],
        )
        for row in rows
    ]


def _conditions(scope: Scope, asked: ClaimFilter) -> list[Any]:
    told: list[tuple[Any, Any]] = [
        (col(ClaimRecord.payer_id), asked.payer_id),
        (col(ClaimRecord.patient_id), asked.patient_id),
        (col(ClaimRecord.close_id), asked.close_id),
        (col(ClaimRecord.control_number), asked.control_number),
    ]
    found = [col(ClaimRecord.organization_id) == scope.organization_id]
    found += [column == value for column, value in told if value is not None]
    if asked.from_day is not None:
        found.append(col(ClaimRecord.from_day) >= asked.from_day)
    if asked.to_day is not None:
        found.append(col(ClaimRecord.from_day) <= asked.to_day)
    return found


def _last_charges(db: Session, scope: Scope, ids: Any) -> dict[UUID, int]:
    """The charge of those claims that have a further version."""
    rows = db.execute(
        select(col(ClaimVersion.claim_id), col(ClaimVersion.charge_cents))
        .where(
            col(ClaimVersion.organization_id) == scope.organization_id,
            col(ClaimVersion.claim_id).in_(ids),
        )
        .order_by(col(ClaimVersion.attempt))
    )
    return {row.claim_id: row.charge_cents for row in rows}


def standings_of(db: Session, scope: Scope, claim_ids: Collection[UUID]) -> dict[UUID, Standing]:
    """Where some claims stand."""
    found: dict[UUID, Standing] = {}
    for some in in_parts(list(claim_ids)):
        found |= _standings(db, scope, col(ClaimEventRecord.claim_id).in_(some))
    return found


def _standings(db: Session, scope: Scope, *conditions: Any) -> dict[UUID, Standing]:
    """Where claims stand. Many have the same history but for its days: each is folded once."""
    events: dict[UUID, list[tuple[Any, ...]]] = {}
    names = ("number", "key", "kind", "attempt", "frequency", "paid_cents", "patient_cents")
    columns = (ClaimEventRecord.claim_id, *(getattr(ClaimEventRecord, name) for name in names))
    query = select(*map(col, columns)).where(
        col(ClaimEventRecord.organization_id) == scope.organization_id, *conditions
    )
    for claim_id, *told in db.execute(query):
        events.setdefault(claim_id, []).append(tuple(told))
    known: dict[History, Standing] = {}
    return {claim_id: standing_of_rows(some, known) for claim_id, some in events.items()}


def standing_of_rows(rows: Iterable[tuple[Any, ...]], known: dict[History, Standing]) -> Standing:
    """Where a claim stands: number, key, kind, attempt, frequency and money of its events.

    Number and key only order what the practice did, so the place in that order is enough. ``known``
    remembers each history.
    """
    history = tuple(one[2:] for one in sorted(rows))
    if history not in known:
        known[history] = standing(
            ClaimEvent(f"{place:09d}", Kind(kind), attempt, place, *rest)
            for place, (kind, attempt, *rest) in enumerate(history)
        )
    return known[history]


def events_of(db: Session, scope: Scope, claim_id: UUID) -> Sequence[ClaimEventRecord]:
    """Everything that befell a claim, in the order it was recorded."""
    return db.exec(
        scope.rows(ClaimEventRecord)
        .where(col(ClaimEventRecord.claim_id) == claim_id)
        .order_by(col(ClaimEventRecord.audit_number), col(ClaimEventRecord.id))
    ).all()


def folded(row: ClaimEventRecord) -> ClaimEvent:
    """An event as the lifecycle takes it."""
    return ClaimEvent(
        row.key,
        Kind(row.kind),
        row.attempt,
        row.number,
        row.frequency,
        row.paid_cents,
        row.patient_cents,
        row.on_day,
    )


def versions_of(db: Session, scope: Scope, claim_ids: Collection[UUID]) -> dict[UUID, ClaimVersion]:
    """The latest version of those of some claims that have one."""
    found: dict[UUID, ClaimVersion] = {}
    for some in in_parts(list(claim_ids)):
        found |= latest_by(db, scope, ClaimVersion, "claim_id", some)
    return found


def claims_of(db: Session, scope: Scope, claim_ids: Collection[UUID]) -> dict[UUID, ClaimRecord]:
    """Some claims by id."""
    found: dict[UUID, ClaimRecord] = {}
    for some in in_parts(list(claim_ids)):
        rows = scope.all_of(db, ClaimRecord, col(ClaimRecord.id).in_(some))
        found |= {row.id: row for row in rows}
    return found


def lines_of_claims(
    db: Session, scope: Scope, claim_ids: Collection[UUID]
) -> dict[UUID, list[ClaimLineRecord]]:
    """The lines of some claims in order of their numbers, those of corrections too."""
    found: dict[UUID, list[ClaimLineRecord]] = {}
    for some in in_parts(list(claim_ids)):
        rows = scope.all_of(db, ClaimLineRecord, col(ClaimLineRecord.claim_id).in_(some))
        for row in sorted(rows, key=lambda one: one.line_number):
            found.setdefault(row.claim_id, []).append(row)
    return found


def claims_standing(db: Session, scope: Scope, status: Status) -> list[UUID]:
    """Claims that stand so, in the order they were made."""
    found = _standings(db, scope)
    return sorted(key for key, one in found.items() if one.status is status)


def claims_in_file(db: Session, scope: Scope, file_id: UUID) -> list[UUID]:
    """Claims that wait in a file: it is the last thing the practice did with them."""
    written = scope.all_of(
        db,
        ClaimEventRecord,
        col(ClaimEventRecord.file_id) == file_id,
        col(ClaimEventRecord.kind) == Kind.WRITTEN,
    )
    ids = [row.claim_id for row in written]
    last: dict[UUID, ClaimEventRecord] = {}
    for some in in_parts(ids):
        own = scope.all_of(
            db,
            ClaimEventRecord,
            col(ClaimEventRecord.claim_id).in_(some),
            col(ClaimEventRecord.number) > 0,
        )
        last |= {row.claim_id: row for row in sorted(own, key=lambda one: one.number)}
    return [key for key in ids if last[key].kind == Kind.WRITTEN and last[key].file_id == file_id]


def files_page(
    db: Session, scope: Scope, *, after: UUID | None = None, limit: int = 50
) -> Sequence[ClaimFile]:
    """Files of claims, the one written last first."""
    query = scope.rows(ClaimFile).order_by(col(ClaimFile.id).desc()).limit(limit)
    if after is not None:
        query = query.where(col(ClaimFile.id) < after)
    return db.exec(query).all()


def in_parts(ids: Sequence[Any]) -> Iterator[Sequence[Any]]:
    """Ids in parts that one statement takes."""
    for start in range(0, len(ids), _AT_ONCE):
        yield ids[start : start + _AT_ONCE]

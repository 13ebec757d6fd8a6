"""Reads of answers: files received, remittances with their claims, and which claim a number names.

Owns these SELECTs. Does not own what an answer does to a claim (``rpm.actions.post_answers``).
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import Row as ResultRow
from sqlalchemy import func, select
from sqlmodel import Session, col

from billing.claims.lifecycle import Kind
from billing.claims.matching import Sending
from rpm.errors import NotFound
from rpm.store.queries.rows import latest_by
from rpm.store.scope import Scope
from rpm.store.tables.answers import (
    PatientPayment,
    ReceivedFile,
    ReceivedFileOutcome,
    Remittance,
    RemittanceClaim,
    RemittanceMatch,
)
from rpm.store.tables.claims import ClaimEventRecord, ClaimFile, ClaimRecord

_AT_ONCE = 500
POSTED, QUARANTINED, NEEDS_LOOK = "posted", "quarantined", "needs-look"
"""What became of a file: all of it posted; none of it readable; posted, and a person must look."""
STATES = (POSTED, QUARANTINED, NEEDS_LOOK)
FILE_COLUMNS = tuple(
    getattr(ReceivedFile, name)
    for name in ("id", "name", "source", "kind", "size_bytes", "recorded_at", "interchange_number")
)
"""All of a received file that lists show: never its content."""


@dataclass
class ClaimNamed:
    """A claim that answers name, with its sendings and the keys of what befell it already."""

    id: UUID
    patient_id: UUID
    control_number: str
    sendings: list[Sending] = field(default_factory=list)
    keys: set[str] = field(default_factory=set)


def file_with_digest(db: Session, scope: Scope, sha256: str) -> ReceivedFile | None:
    """The file of some bytes, if it came before."""
    return db.exec(scope.rows(ReceivedFile).where(col(ReceivedFile.sha256) == sha256)).first()


def outcomes_of(
    db: Session, scope: Scope, file_ids: Collection[UUID]
) -> dict[UUID, ReceivedFileOutcome]:
    """What became of some files; one that was never read is left out."""
    return latest_by(db, scope, ReceivedFileOutcome, "file_id", file_ids)


def files_page(
    db: Session, scope: Scope, *, after: UUID | None = None, limit: int = 50
) -> Sequence[ResultRow[Any]]:
    """Received files, the latest first, without their content."""
    query = (
        select(*map(col, FILE_COLUMNS))
        .where(col(ReceivedFile.organization_id) == scope.organization_id)
        .order_by(col(ReceivedFile.id).desc())
        .limit(limit)
    )
    if after is not None:
        query = query.where(col(ReceivedFile.id) < after)
    return db.execute(query).all()


def received_file(db: Session, scope: Scope, file_id: UUID) -> ResultRow[Any]:
    """A received file without its content; ``NotFound`` when it is not here."""
    columns = (*FILE_COLUMNS, ReceivedFile.interchange_sender, ReceivedFile.sha256)
    row = db.execute(
        select(*map(col, columns)).where(
            col(ReceivedFile.organization_id) == scope.organization_id,
            col(ReceivedFile.id) == file_id,
        )
    ).first()
    if row is None:
        raise NotFound("there is no such received file")
    return row


def remittances_of_file(db: Session, scope: Scope, file_id: UUID) -> Sequence[Remittance]:
    """The payments that a file told first."""
    return scope.all_of(db, Remittance, col(Remittance.file_id) == file_id)


def unread_files(db: Session, scope: Scope) -> Sequence[UUID]:
    """Files that were stored and never read: something stopped in between."""
    read = select(col(ReceivedFileOutcome.file_id)).where(
        col(ReceivedFileOutcome.organization_id) == scope.organization_id
    )
    query = (
        select(col(ReceivedFile.id))
        .where(
            col(ReceivedFile.organization_id) == scope.organization_id,
            col(ReceivedFile.id).not_in(read),
        )
        .order_by(col(ReceivedFile.id))
    )
    return db.execute(query).scalars().all()


def claims_named(
    db: Session, scope: Scope, control_numbers: Collection[str]
) -> dict[str, ClaimNamed]:
    """Claims by their patient control numbers; numbers of no claim are left out."""
    found: dict[str, ClaimNamed] = {}
    columns = (ClaimRecord.id, ClaimRecord.patient_id, ClaimRecord.control_number)
    for some in _parts(sorted(set(control_numbers))):
        query = select(*map(col, columns)).where(
            col(ClaimRecord.organization_id) == scope.organization_id,
            col(ClaimRecord.control_number).in_(some),
        )
        found.update((row[2], ClaimNamed(*row)) for row in db.execute(query))
    _add_events(db, scope, {one.id: one for one in found.values()})
    return found


def _add_events(db: Session, scope: Scope, by_id: dict[UUID, ClaimNamed]) -> None:
    columns = (
        *(ClaimEventRecord.claim_id, ClaimEventRecord.key, ClaimEventRecord.kind),
        *(ClaimEventRecord.attempt, ClaimEventRecord.frequency, ClaimEventRecord.on_day),
    )
    for some in _parts(list(by_id)):
        query = select(*map(col, columns)).where(
            col(ClaimEventRecord.organization_id) == scope.organization_id,
            col(ClaimEventRecord.claim_id).in_(some),
        )
        for claim_id, key, kind, *sending in db.execute(query):
            by_id[claim_id].keys.add(key)
            if kind == Kind.SENT:
                by_id[claim_id].sendings.append(Sending(*sending))


def sent_file(db: Session, scope: Scope, number: str) -> ClaimFile | None:
    """The file of claims that left under an interchange or group number."""
    if not number.isascii() or not number.isdigit() or len(number) > 9:
        return None
    query = scope.rows(ClaimFile).where(col(ClaimFile.interchange_number) == int(number))
    return db.exec(query.order_by(col(ClaimFile.id).desc()).limit(1)).first()


def files_before(db: Session, scope: Scope, limit: int = 200) -> Sequence[ClaimFile]:
    """The files that left last, the latest first."""
    query = scope.rows(ClaimFile).order_by(col(ClaimFile.id).desc()).limit(limit)
    return db.exec(query).all()


def remittance_told(db: Session, scope: Scope, payment_key: str) -> Remittance | None:
    """The latest telling of a payment."""
    query = scope.rows(Remittance).where(col(Remittance.payment_key) == payment_key)
    return db.exec(
        query.order_by(col(Remittance.audit_number).desc(), col(Remittance.id).desc()).limit(1)
    ).first()


def has_remittance(db: Session, scope: Scope, file_id: UUID, ordinal: int) -> bool:
    """Whether a set of a file was posted."""
    query = scope.rows(Remittance).where(
        col(Remittance.file_id) == file_id, col(Remittance.ordinal) == ordinal
    )
    return db.exec(query).first() is not None


def known_answers(db: Session, scope: Scope, keys: Collection[str]) -> dict[str, Any]:
    """Those of some answers to claims that are stored: id and claim of each, by key."""
    found: dict[str, Any] = {}
    columns = (RemittanceClaim.key, RemittanceClaim.id, RemittanceClaim.claim_id)
    for some in _parts(sorted(keys)):
        query = select(*map(col, columns)).where(
            col(RemittanceClaim.organization_id) == scope.organization_id,
            col(RemittanceClaim.key).in_(some),
        )
        found.update((row[0], row) for row in db.execute(query))
    return found


def matches_of(
    db: Session, scope: Scope, answer_ids: Collection[UUID]
) -> dict[UUID, RemittanceMatch]:
    """Who matched those of some answers that a person, or a later reading, matched."""
    found: dict[UUID, RemittanceMatch] = {}
    for some in _parts(list(answer_ids)):
        rows = scope.all_of(db, RemittanceMatch, col(RemittanceMatch.remittance_claim_id).in_(some))
        found |= {row.remittance_claim_id: row for row in rows}
    return found


def remittances_page(
    db: Session, scope: Scope, *, after: UUID | None = None, limit: int = 50
) -> Sequence[Remittance]:
    """Payments, the latest first; of one told several times the last telling."""
    query = (
        scope.rows(Remittance)
        .where(col(Remittance.id).not_in(_replaced(scope)))
        .order_by(col(Remittance.id).desc())
        .limit(limit)
    )
    if after is not None:
        query = query.where(col(Remittance.id) < after)
    return db.exec(query).all()


def _replaced(scope: Scope) -> Any:
    return select(col(Remittance.replaces_id)).where(
        col(Remittance.organization_id) == scope.organization_id,
        col(Remittance.replaces_id).is_not(None),
    )


def answers_in(
    db: Session, scope: Scope, remittance: Remittance, *, after: int = 0, limit: int = 100
) -> Sequence[RemittanceClaim]:
    """The claims of a payment in order, those of its earlier tellings too."""
    query = (
        scope.rows(RemittanceClaim)
        .join(
            Remittance,
            (col(Remittance.organization_id) == col(RemittanceClaim.organization_id))
            & (col(Remittance.id) == col(RemittanceClaim.remittance_id)),
        )
        .where(
            col(Remittance.payment_key) == remittance.payment_key,
            col(RemittanceClaim.ordinal) > after,
        )
        .order_by(col(RemittanceClaim.ordinal), col(RemittanceClaim.id))
        .limit(limit)
    )
    return db.exec(query).all()


def answers_to(db: Session, scope: Scope, claim_ids: Collection[UUID]) -> list[RemittanceClaim]:
    """What payers did with some claims, in the order it was recorded, matched ones too."""
    found: list[RemittanceClaim] = []
    for some in _parts(list(claim_ids)):
        matched = select(col(RemittanceMatch.remittance_claim_id)).where(
            col(RemittanceMatch.organization_id) == scope.organization_id,
            col(RemittanceMatch.claim_id).in_(some),
        )
        conditions = col(RemittanceClaim.claim_id).in_(some) | col(RemittanceClaim.id).in_(matched)
        found += scope.all_of(db, RemittanceClaim, conditions)
    return found


def unmatched(
    db: Session, scope: Scope, *, after: UUID | None = None, limit: int = 50
) -> Sequence[RemittanceClaim]:
    """Answers that name no claim of ours and that nobody matched yet, the oldest first."""
    query = scope.rows(RemittanceClaim).where(*_unmatched(scope)).limit(limit)
    if after is not None:
        query = query.where(col(RemittanceClaim.id) > after)
    return db.exec(query.order_by(col(RemittanceClaim.id))).all()


def _unmatched(scope: Scope) -> tuple[Any, ...]:
    matched = select(col(RemittanceMatch.remittance_claim_id)).where(
        col(RemittanceMatch.organization_id) == scope.organization_id
    )
    return (
        col(RemittanceClaim.organization_id) == scope.organization_id,
        col(RemittanceClaim.claim_id).is_(None),
        col(RemittanceClaim.id).not_in(matched),
    )


def unmatched_sum(db: Session, scope: Scope) -> tuple[int, int]:
    """How many answers name no claim of ours, and the cents they paid."""
    query = select(func.count(), func.coalesce(func.sum(RemittanceClaim.paid_cents), 0)).where(
        *_unmatched(scope)
    )
    count, cents = db.execute(query).one()
    return int(count), int(cents)


def payments_of(
    db: Session,
    scope: Scope,
    *,
    patient_id: UUID | None = None,
    claim_ids: Collection[UUID] | None = None,
) -> list[PatientPayment]:
    """Payments of a patient, or to some claims, in the order they were recorded."""
    if claim_ids is None:
        return list(scope.all_of(db, PatientPayment, col(PatientPayment.patient_id) == patient_id))
    found: list[PatientPayment] = []
    for some in _parts(list(claim_ids)):
        found += scope.all_of(db, PatientPayment, col(PatientPayment.claim_id).in_(some))
    return found


def _parts(ids: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for start in range(0, len(ids), _AT_ONCE):
        yield ids[start : start + _AT_ONCE]

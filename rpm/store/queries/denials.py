"""Reads of what payers answered to claims, and of the work on those that were not paid.

Owns these SELECTs. Does not own what is work (``billing.claims.denial``) nor the matching of
answers to claims: a row that names its claim, or that a person matched, is an answer to it.
"""

from collections.abc import Collection, Iterator, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlmodel import Session, col

from billing.claims.denial import Answer, Taken
from billing.claims.lifecycle import Kind
from rpm.store.queries.claims import ListedClaim, standings_of
from rpm.store.queries.rows import latest_by
from rpm.store.scope import Scope
from rpm.store.tables.answers import Remittance, RemittanceClaim, RemittanceMatch
from rpm.store.tables.claims import ClaimEventRecord, ClaimRecord, ClaimVersion
from rpm.store.tables.denials import (
    Appeal,
    AppealAnswer,
    Assignment,
    WorkNote,
    WriteOffDecision,
    WriteOffRequest,
)

_AT_ONCE = 500
_DECIDES_NOTHING = ("23", "25")
"""Statuses (CLP02) of what was sent on to another payer, and of an estimate."""
_ROOM = 1_000_000
"""Claims of one remittance at most, for the order of answers recorded together."""
_COLUMNS = (
    *("id", "claim_id", "attempt", "status_code", "is_reversal", "charge_cents", "paid_cents"),
    *("patient_cents", "payer_claim_number", "adjustments", "lines", "remarks"),
    *("audit_number", "ordinal", "remittance_id"),
)


def answers_of(db: Session, scope: Scope, claim_ids: Collection[UUID]) -> dict[UUID, list[Answer]]:
    """What remittances did with some claims, in the order they were posted."""
    found: dict[UUID, list[Answer]] = {}
    for some in _parts(list(claim_ids)):
        told = _told(db, scope, col(RemittanceClaim.claim_id).in_(some))
        rows = [(row.claim_id, row.attempt or 1, row) for row in told]
        matches = {
            match.remittance_claim_id: match
            for match in scope.all_of(db, RemittanceMatch, col(RemittanceMatch.claim_id).in_(some))
        }
        matched = _told(db, scope, col(RemittanceClaim.id).in_(matches)) if matches else []
        rows += [(matches[row.id].claim_id, matches[row.id].attempt, row) for row in matched]
        for claim_id, attempt, row in sorted(rows, key=lambda one: _order(one[2])):
            found.setdefault(claim_id, []).append(_answer(row, attempt))
    return found


def may_be_work(db: Session, scope: Scope) -> set[UUID]:
    """Claims that were ever rejected, answered without payment, taken back or appealed."""
    kinds = (Kind.REJECTED, Kind.FILE_REJECTED, Kind.REVERSED, Kind.APPEALED)
    unpaid = (col(ClaimEventRecord.kind) == Kind.REMITTED) & (col(ClaimEventRecord.paid_cents) <= 0)
    query = select(col(ClaimEventRecord.claim_id)).where(
        col(ClaimEventRecord.organization_id) == scope.organization_id,
        col(ClaimEventRecord.kind).in_(kinds) | unpaid,
    )
    return set(db.execute(query.distinct()).scalars())


def paid_sums(db: Session, scope: Scope, payer_id: UUID) -> dict[UUID, int]:
    """What came in for the claims of a payer that were paid, the patient's share with it."""
    paid = func.sum(ClaimEventRecord.paid_cents)
    query = (
        select(col(ClaimEventRecord.claim_id), paid + func.sum(ClaimEventRecord.patient_cents))
        .join(
            ClaimRecord,
            (col(ClaimRecord.organization_id) == scope.organization_id)
            & (col(ClaimRecord.id) == col(ClaimEventRecord.claim_id)),
        )
        .where(
            col(ClaimEventRecord.organization_id) == scope.organization_id,
            col(ClaimEventRecord.kind).in_((Kind.REMITTED, Kind.REVERSED)),
            col(ClaimRecord.payer_id) == payer_id,
        )
        .group_by(col(ClaimEventRecord.claim_id))
        .having(paid > 0)
    )
    return {row[0]: int(row[1]) for row in db.execute(query)}


def listed_by_id(db: Session, scope: Scope, claim_ids: Collection[UUID]) -> list[ListedClaim]:
    """Some claims with where each stands, in no order."""
    found: list[ListedClaim] = []
    names = (
        "id",
        "control_number",
        "patient_id",
        "payer_id",
        "rendering_npi",
        "from_day",
        "to_day",
    )
    columns = [col(getattr(ClaimRecord, name)) for name in (*names, "charge_cents")]
    for some in _parts(list(claim_ids)):
        standings, charges = standings_of(db, scope, some), _last_charges(db, scope, some)
        query = select(*columns).where(
            col(ClaimRecord.organization_id) == scope.organization_id,
            col(ClaimRecord.id).in_(some),
        )
        found += [
            ListedClaim(
                **{name: getattr(row, name) for name in names},
                charge_cents=charges.get(row.id, row.charge_cents),
                standing=standings[row.id],
            )
            for row in db.execute(query)
        ]
    return found


def _last_charges(db: Session, scope: Scope, claim_ids: Sequence[UUID]) -> dict[UUID, int]:
    """The charge of those claims that have a further version."""
    query = (
        select(col(ClaimVersion.claim_id), col(ClaimVersion.charge_cents))
        .where(
            col(ClaimVersion.organization_id) == scope.organization_id,
            col(ClaimVersion.claim_id).in_(claim_ids),
        )
        .order_by(col(ClaimVersion.attempt))
    )
    return {row.claim_id: row.charge_cents for row in db.execute(query)}


def recorded_by(answer: Answer) -> int:
    """The number of the audit event that recorded an answer."""
    return answer.order // _ROOM


def _order(row: Any) -> int:
    return int(row.audit_number) * _ROOM + int(row.ordinal)


def _told(db: Session, scope: Scope, condition: Any) -> Sequence[Any]:
    columns = [col(getattr(RemittanceClaim, name)) for name in _COLUMNS]
    query = (
        select(*columns, col(Remittance.payment_day), col(Remittance.trace_number))
        .join(
            Remittance,
            (col(Remittance.organization_id) == scope.organization_id)
            & (col(Remittance.id) == col(RemittanceClaim.remittance_id)),
        )
        .where(
            col(RemittanceClaim.organization_id) == scope.organization_id,
            col(RemittanceClaim.status_code).not_in(_DECIDES_NOTHING),
            condition,
        )
        .order_by(col(RemittanceClaim.audit_number), col(RemittanceClaim.ordinal))
    )
    return db.execute(query).all()


def _answer(row: Any, attempt: int) -> Answer:
    taken = [_taken(one, row.remarks, "") for one in row.adjustments]
    for line in row.lines:
        remarks = [*line.get("remarks", ()), *row.remarks]
        procedure = line.get("procedure", "")
        taken += [_taken(one, remarks, procedure) for one in line.get("adjustments", ())]
    return Answer(
        row.payment_day,
        attempt,
        _order(row),
        row.charge_cents,
        row.paid_cents,
        row.patient_cents,
        row.is_reversal,
        tuple(taken),
        row.payer_claim_number,
        row.status_code,
        row.trace_number,
    )


def _taken(told: Sequence[Any], remarks: Sequence[str], procedure: str) -> Taken:
    group, reason, cents = told
    return Taken(group, reason, cents or 0, tuple(dict.fromkeys(remarks)), procedure)


def assignments_of(
    db: Session, scope: Scope, claim_ids: Collection[UUID]
) -> dict[UUID, Assignment]:
    """Who has some claims, by claim."""
    found: dict[UUID, Assignment] = {}
    for some in _parts(list(claim_ids)):
        found |= latest_by(db, scope, Assignment, "claim_id", some)
    return found


def last_notes_of(db: Session, scope: Scope, claim_ids: Collection[UUID]) -> dict[UUID, WorkNote]:
    """The last note on some claims, by claim."""
    found: dict[UUID, WorkNote] = {}
    for some in _parts(list(claim_ids)):
        found |= latest_by(db, scope, WorkNote, "claim_id", some)
    return found


def notes_of(db: Session, scope: Scope, claim_id: UUID) -> Sequence[WorkNote]:
    """Every note on a claim, the first one first."""
    return db.exec(
        scope.rows(WorkNote)
        .where(col(WorkNote.claim_id) == claim_id)
        .order_by(col(WorkNote.audit_number), col(WorkNote.id))
    ).all()


def appeals_of(db: Session, scope: Scope, claim_id: UUID) -> Sequence[Appeal]:
    """Every appeal for a claim by level."""
    return db.exec(
        scope.rows(Appeal).where(col(Appeal.claim_id) == claim_id).order_by(col(Appeal.level))
    ).all()


def answers_to_appeals(
    db: Session, scope: Scope, appeal_ids: Collection[UUID]
) -> dict[UUID, AppealAnswer]:
    """What payers said to some appeals, by appeal."""
    return latest_by(db, scope, AppealAnswer, "appeal_id", list(appeal_ids))


def appeals_open(db: Session, scope: Scope, claim_ids: Collection[UUID]) -> dict[UUID, date | None]:
    """When the payer's answer is due, of those of some claims whose last appeal waits for one."""
    found: dict[UUID, date | None] = {}
    answered = select(col(AppealAnswer.appeal_id)).where(
        col(AppealAnswer.organization_id) == scope.organization_id
    )
    for some in _parts(list(claim_ids)):
        query = (
            select(col(Appeal.claim_id), col(Appeal.answer_due_on))
            .where(
                col(Appeal.organization_id) == scope.organization_id,
                col(Appeal.claim_id).in_(some),
                col(Appeal.id).not_in(answered),
            )
            .order_by(col(Appeal.level))
        )
        found |= {row.claim_id: row.answer_due_on for row in db.execute(query)}
    return found


def outcomes_of(db: Session, scope: Scope, claim_ids: Collection[UUID]) -> dict[UUID, AppealAnswer]:
    """What the payer said to the last appeal, of those of some claims where it said something."""
    found: dict[UUID, AppealAnswer] = {}
    for some in _parts(list(claim_ids)):
        query = (
            select(col(Appeal.claim_id), AppealAnswer)
            .join(
                AppealAnswer,
                (col(AppealAnswer.organization_id) == scope.organization_id)
                & (col(AppealAnswer.appeal_id) == col(Appeal.id)),
            )
            .where(
                col(Appeal.organization_id) == scope.organization_id,
                col(Appeal.claim_id).in_(some),
            )
            .order_by(col(Appeal.level))
        )
        found |= {row[0]: row[1] for row in db.execute(query)}
    return found


def written_off_by(db: Session, scope: Scope, claim_ids: Collection[UUID]) -> dict[UUID, int]:
    """The audit event that last wrote off something of those of some claims where one did."""
    found: dict[UUID, int] = {}
    for some in _parts(list(claim_ids)):
        query = (
            select(col(ClaimEventRecord.claim_id), col(ClaimEventRecord.audit_number))
            .where(
                col(ClaimEventRecord.organization_id) == scope.organization_id,
                col(ClaimEventRecord.claim_id).in_(some),
                col(ClaimEventRecord.kind) == Kind.WRITTEN_OFF,
            )
            .order_by(col(ClaimEventRecord.audit_number))
        )
        found |= {row.claim_id: row.audit_number for row in db.execute(query)}
    return found


def write_offs_waiting(
    db: Session, scope: Scope, claim_ids: Collection[UUID] | None = None
) -> dict[UUID, WriteOffRequest]:
    """Requests to write off that nobody decided, by claim; of all claims where none are named."""
    decided = select(col(WriteOffDecision.request_id)).where(
        col(WriteOffDecision.organization_id) == scope.organization_id
    )
    conditions = [col(WriteOffRequest.id).not_in(decided)]
    if claim_ids is not None:
        conditions.append(col(WriteOffRequest.claim_id).in_(claim_ids))
    return {row.claim_id: row for row in scope.all_of(db, WriteOffRequest, *conditions)}


def _parts(ids: Sequence[UUID]) -> Iterator[Sequence[UUID]]:
    for start in range(0, len(ids), _AT_ONCE):
        yield ids[start : start + _AT_ONCE]

"""What figures of claims are computed from: claims with all that befell them, and patients' money.

Owns these SELECTs. Does not own the figures (``billing.claims.figures``). Every event and answer
gets a day: where none was told, the practice's day of its recording.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlmodel import Session, col

from billing.claims.denial import Answer
from billing.claims.figures.story import ClaimFacts, PatientPaid
from billing.claims.lifecycle import ClaimEvent, Kind
from rpm.clock import local_day
from rpm.store.fact_rows import RawId, as_uuid, raw
from rpm.store.queries.denials import answers_of, recorded_by
from rpm.store.queries.people import organization_of
from rpm.store.scope import Scope
from rpm.store.tables.answers import PatientPayment, RemittanceClaim, RemittanceMatch
from rpm.store.tables.base import METADATA
from rpm.store.tables.claims import ClaimEventRecord, ClaimLineRecord, ClaimRecord, ClaimVersion
from rpm.store.tables.ledger import CmsTable, RulePage
from rpm.store.tables.monitoring import Episode, EpisodeEnd
from rpm.store.tables.people import Payer, PracticeSetting
from rpm.store.tables.security import AuditEvent

_AT_ONCE = 500
_READ = (
    *(ClaimRecord, ClaimVersion, ClaimLineRecord, ClaimEventRecord),
    *(RemittanceClaim, RemittanceMatch, PatientPayment),
    *(Payer, RulePage, CmsTable, PracticeSetting, Episode, EpisodeEnd),
)
"""Tables that figures are read from: facts, so that the last number tells whether any are new."""
_REJECTIONS = (Kind.REJECTED, Kind.FILE_REJECTED)
_EVENT = ("key", "kind", "attempt", "number", "frequency", "paid_cents", "patient_cents")


def recorded_through(db: Session, scope: Scope) -> tuple[int, ...]:
    """The last audit number of each table that figures are read from."""
    found = []
    for model in _READ:
        table = METADATA.tables[str(model.__tablename__)]
        query = select(func.coalesce(func.max(table.c.audit_number), 0)).where(
            table.c.organization_id == scope.organization_id
        )
        found.append(int(db.execute(query).scalar_one()))
    return tuple(found)


def figure_claims(db: Session, scope: Scope, since: date) -> list[ClaimFacts]:
    """Claims of services from a day on, with their events, answers and patients' payments."""
    zone = organization_of(db, scope).timezone
    of_these = (
        col(ClaimRecord.organization_id) == scope.organization_id,
        col(ClaimRecord.from_day) >= since,
    )
    columns = ("payer_id", "from_day", "charge_cents")
    rows = db.execute(
        select(
            _raw(ClaimRecord.id).label("id"),
            _raw(ClaimRecord.patient_id).label("patient_id"),
            *(col(getattr(ClaimRecord, name)) for name in columns),
        )
        .where(*of_these)
        .order_by(col(ClaimRecord.from_day), col(ClaimRecord.id))
    ).all()
    ids = select(col(ClaimRecord.id)).where(*of_these)
    payers = {payer.id: payer.key for payer in scope.all_of(db, Payer)}
    charges = _last_charges(db, scope, ids)
    procedures = _procedures(db, scope, ids)
    events = _events(db, scope, ids, zone)
    rejected_for = _rejected_for(db, scope, ids)
    by_id = {as_uuid(row.id): row.id for row in rows}
    answers = _dated(db, scope, answers_of(db, scope, list(by_id)), zone)
    answers_by_raw = {by_id[claim_id]: some for claim_id, some in answers.items()}
    paid = _paid(db, scope)
    return [
        ClaimFacts(
            id=row.id,
            patient=row.patient_id,
            payer=payers[row.payer_id],
            service_day=row.from_day,
            charge_cents=charges.get(row.id, row.charge_cents),
            procedures=tuple(procedures.get(row.id, ())),
            events=tuple(events.get(row.id, ())),
            answers=tuple(answers_by_raw.get(row.id, ())),
            patient_paid=tuple(paid.get(row.id, ())),
            rejected_for=tuple(rejected_for.get(row.id, ())),
        )
        for row in rows
    ]


def unnamed_payments(db: Session, scope: Scope) -> list[PatientPaid]:
    """Patients' payments that name no claim."""
    return _paid(db, scope).get(None, [])


def _paid(db: Session, scope: Scope) -> dict[RawId | None, list[PatientPaid]]:
    found: defaultdict[RawId | None, list[PatientPaid]] = defaultdict(list)
    query = select(
        _raw(PatientPayment.claim_id), col(PatientPayment.on_day), col(PatientPayment.cents)
    ).where(col(PatientPayment.organization_id) == scope.organization_id)
    for claim_id, on_day, cents in db.execute(query):
        found[claim_id].append(PatientPaid(on_day, cents))
    return dict(found)


def _last_charges(db: Session, scope: Scope, ids: Any) -> dict[RawId, int]:
    query = (
        select(_raw(ClaimVersion.claim_id), col(ClaimVersion.charge_cents))
        .where(
            col(ClaimVersion.organization_id) == scope.organization_id,
            col(ClaimVersion.claim_id).in_(ids),
        )
        .order_by(col(ClaimVersion.attempt))
    )
    return {row[0]: row[1] for row in db.execute(query)}


def _procedures(db: Session, scope: Scope, ids: Any) -> dict[RawId, dict[str, None]]:
    """The codes of each claim in the order of its lines, each once."""
    query = (
        select(_raw(ClaimLineRecord.claim_id), col(ClaimLineRecord.procedure))
        .where(
            col(ClaimLineRecord.organization_id) == scope.organization_id,
            col(ClaimLineRecord.claim_id).in_(ids),
        )
        .order_by(col(ClaimLineRecord.line_number))
    )
    found: defaultdict[RawId, dict[str, None]] = defaultdict(dict)
    for claim_id, procedure in db.execute(query):
        found[claim_id][procedure] = None
    return dict(found)


def _events(db: Session, scope: Scope, ids: Any, zone: str) -> dict[RawId, list[ClaimEvent]]:
    names = (*_EVENT, "on_day", "recorded_at")
    query = select(
        _raw(ClaimEventRecord.claim_id), *(col(getattr(ClaimEventRecord, name)) for name in names)
    ).where(
        col(ClaimEventRecord.organization_id) == scope.organization_id,
        col(ClaimEventRecord.claim_id).in_(ids),
    )
    kinds = {kind.value: kind for kind in Kind}
    found: defaultdict[RawId, list[ClaimEvent]] = defaultdict(list)
    for claim_id, key, kind, *rest, on_day, recorded_at in db.execute(query):
        attempt, number, frequency, paid_cents, patient_cents = rest
        day = on_day or local_day(recorded_at, zone)
        event = ClaimEvent(
            key, kinds[kind], attempt, number, frequency, paid_cents, patient_cents, day
        )
        found[claim_id].append(event)
    return dict(found)


def _rejected_for(db: Session, scope: Scope, ids: Any) -> dict[RawId, dict[str, None]]:
    """Category and status of rejections as bare codes, such as ``A7:562``, each once."""
    query = select(
        _raw(ClaimEventRecord.claim_id), col(ClaimEventRecord.kind), col(ClaimEventRecord.detail)
    ).where(
        col(ClaimEventRecord.organization_id) == scope.organization_id,
        col(ClaimEventRecord.claim_id).in_(ids),
        col(ClaimEventRecord.kind).in_(_REJECTIONS),
    )
    found: defaultdict[RawId, dict[str, None]] = defaultdict(dict)
    for claim_id, kind, detail in db.execute(query):
        told = [":".join(reason[:2]) for reason in detail.get("reasons", ()) if reason]
        for reason in told or [kind]:
            found[claim_id][reason] = None
    return dict(found)


def _dated(
    db: Session, scope: Scope, answers: Mapping[UUID, list[Answer]], zone: str
) -> dict[UUID, list[Answer]]:
    """Answers whose payment tells no day get that of their recording."""
    lacking = {recorded_by(one) for some in answers.values() for one in some if one.on_day is None}
    days: dict[int, date] = {}
    for numbers in _parts(sorted(lacking)):
        query = select(col(AuditEvent.number), col(AuditEvent.recorded_at)).where(
            col(AuditEvent.organization_id) == scope.organization_id,
            col(AuditEvent.number).in_(numbers),
        )
        days |= {number: local_day(at, zone) for number, at in db.execute(query)}
    if not days:
        return dict(answers)
    return {
        claim_id: [
            one if one.on_day is not None else replace(one, on_day=days[recorded_by(one)])
            for one in some
        ]
        for claim_id, some in answers.items()
    }


def _raw(column: Any) -> Any:
    return raw(column)


def _parts(numbers: Collection[int]) -> Iterator[Sequence[int]]:
    told = list(numbers)
    for start in range(0, len(told), _AT_ONCE):
        yield told[start : start + _AT_ONCE]

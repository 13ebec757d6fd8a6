"""Reads of what claims are made of: services on claims, lines that changed since, months left.

Owns these SELECTs. Does not own claims themselves (``rpm.store.queries.claims``) nor which lines
are services (``rpm.actions.claim_services``).
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import aliased
from sqlmodel import Session, col

from billing.claims.claim import VOID
from billing.claims.lifecycle import Kind
from rpm.store.queries.claims import in_parts
from rpm.store.scope import Scope
from rpm.store.tables.claims import ClaimEventRecord, ClaimLineRecord, ClaimVersion
from rpm.store.tables.coding import ServiceAuthorization, Visit
from rpm.store.tables.ledger import Close, Posting

_ON_FILE = "on_file"


def claimed_services(
    db: Session, scope: Scope, service_ids: Sequence[str], *, correctable: bool = False
) -> dict[str, UUID]:
    """Those of some services that are on a claim that was not withdrawn, each with its claim.

    ``correctable``: neither on one that a void takes back: what follows goes on a new claim.
    """
    found: dict[str, UUID] = {}
    for some in in_parts(service_ids):
        query = select(col(ClaimLineRecord.service_id), col(ClaimLineRecord.claim_id)).where(
            col(ClaimLineRecord.organization_id) == scope.organization_id,
            col(ClaimLineRecord.service_id).in_(some),
            col(ClaimLineRecord.claim_id).not_in(_withdrawn(scope)),
        )
        if correctable:
            query = query.where(col(ClaimLineRecord.claim_id).not_in(_taken_back(scope)))
        found |= {row.service_id: row.claim_id for row in db.execute(query)}
    return found


def _taken_back(scope: Scope) -> Any:
    return select(col(ClaimVersion.claim_id)).where(
        col(ClaimVersion.organization_id) == scope.organization_id,
        col(ClaimVersion.frequency) == VOID,
    )


def _withdrawn(scope: Scope) -> Any:
    return select(col(ClaimEventRecord.claim_id)).where(
        col(ClaimEventRecord.organization_id) == scope.organization_id,
        col(ClaimEventRecord.kind) == Kind.WITHDRAWN,
    )


def claimed_visits(db: Session, scope: Scope, visits: Sequence[Visit]) -> dict[UUID, UUID]:
    """Those of some visits that are on a claim or replace one that is, each with the claim.

    A claim that was withdrawn, or that a void takes back, is none.
    """
    first = {visit.id: visit.id for visit in visits}  # what each goes back to, and by whom
    going = {visit.replaces_id: visit.id for visit in visits if visit.replaces_id is not None}
    while going:
        first |= going
        rows = scope.all_of(db, Visit, col(Visit.id).in_(going))
        going = {row.replaces_id: going[row.id] for row in rows if row.replaces_id is not None}
    found: dict[UUID, UUID] = {}
    for some in in_parts(list(first)):
        query = select(col(ClaimLineRecord.visit_id), col(ClaimLineRecord.claim_id)).where(
            col(ClaimLineRecord.organization_id) == scope.organization_id,
            col(ClaimLineRecord.visit_id).in_(some),
            col(ClaimLineRecord.claim_id).not_in(_withdrawn(scope)),
            col(ClaimLineRecord.claim_id).not_in(_taken_back(scope)),
        )
        found |= {first[row.visit_id]: row.claim_id for row in db.execute(query)}
    return found


def reversed_lines(db: Session, scope: Scope) -> list[ClaimLineRecord]:
    """Lines on claims whose posting was taken back since."""
    back = aliased(Posting)
    rows = db.exec(
        scope.rows(ClaimLineRecord)
        .join(
            Posting,
            (col(Posting.organization_id) == col(ClaimLineRecord.organization_id))
            & (col(Posting.id) == col(ClaimLineRecord.posting_id)),
        )
        .join(
            back,
            (col(back.organization_id) == col(Posting.organization_id))
            & (col(back.key) == col(Posting.key))
            & (col(back.ordinal) == col(Posting.ordinal))
            & (col(back.sign) < 0),
        )
        .where(col(ClaimLineRecord.claim_id).not_in(_withdrawn(scope)))
    )
    return list(rows)


def visit_lines_on_claims(db: Session, scope: Scope) -> list[tuple[ClaimLineRecord, Visit]]:
    """Lines of visits that are on claims, each with its visit."""
    rows = db.execute(
        select(ClaimLineRecord, Visit)
        .join(
            Visit,
            (col(Visit.organization_id) == col(ClaimLineRecord.organization_id))
            & (col(Visit.id) == col(ClaimLineRecord.visit_id)),
        )
        .where(
            col(ClaimLineRecord.organization_id) == scope.organization_id,
            col(ClaimLineRecord.claim_id).not_in(_withdrawn(scope)),
        )
    )
    return [(row[0], row[1]) for row in rows]


def closed_months(db: Session, scope: Scope, limit: int) -> list[date]:
    """First days of the months that have a close, the latest first."""
    days = db.execute(
        select(col(Close.month_start_day))
        .where(col(Close.organization_id) == scope.organization_id)
        .distinct()
        .order_by(col(Close.month_start_day).desc())
        .limit(limit)
    )
    return list(days.scalars())


def visit_authorizations(
    db: Session, scope: Scope, patient_ids: Sequence[UUID]
) -> dict[UUID, list[ServiceAuthorization]]:
    """Authorizations on file of some patients, the newest first; replaced ones are left out."""
    found: dict[UUID, list[ServiceAuthorization]] = {}
    for some in in_parts(patient_ids):
        rows = scope.all_of(
            db, ServiceAuthorization, col(ServiceAuthorization.patient_id).in_(some)
        )
        replaced = {row.replaces_id for row in rows}
        for row in rows:
            if row.standing == _ON_FILE and row.id not in replaced:
                found.setdefault(row.patient_id, []).insert(0, row)
    return found


def reversed_postings(
    db: Session, scope: Scope, patient_ids: Collection[UUID]
) -> set[tuple[str, int]]:
    """Key and ordinal of every issue of some patients that was taken back."""
    found: set[tuple[str, int]] = set()
    for some in in_parts(sorted(patient_ids)):
        query = select(col(Posting.key), col(Posting.ordinal)).where(
            col(Posting.organization_id) == scope.organization_id,
            col(Posting.patient_id).in_(some),
            col(Posting.sign) < 0,
        )
        found.update((row.key, row.ordinal) for row in db.execute(query))
    return found


def closes_of_month(db: Session, scope: Scope, month_start_day: date) -> Sequence[Close]:
    """Every close of a month, the first one first."""
    return db.exec(
        scope.rows(Close)
        .where(col(Close.month_start_day) == month_start_day)
        .order_by(col(Close.ordinal))
    ).all()


@dataclass(frozen=True)
class Unclaimed:
    """A closed month whose standing lines are not all on claims."""

    month_start_day: date
    lines: int


def unclaimed_months(db: Session, scope: Scope) -> list[Unclaimed]:
    """How many standing lines of each closed month are on no claim."""
    own = scope.organization_id
    taken = (
        select(col(Posting.key), col(Posting.ordinal))
        .where(col(Posting.organization_id) == own, col(Posting.sign) < 0)
        .subquery()
    )
    claimed = select(col(ClaimLineRecord.posting_id)).where(
        col(ClaimLineRecord.organization_id) == own,
        col(ClaimLineRecord.posting_id).is_not(None),
        col(ClaimLineRecord.claim_id).not_in(_withdrawn(scope)),
    )
    rows = db.execute(
        select(col(Close.month_start_day), func.count())
        .select_from(Posting)
        .join(
            Close,
            (col(Close.organization_id) == own) & (col(Close.id) == col(Posting.close_id)),
        )
        .outerjoin(
            taken,
            (taken.c.key == col(Posting.key)) & (taken.c.ordinal == col(Posting.ordinal)),
        )
        .where(
            col(Posting.organization_id) == own,
            col(Posting.sign) > 0,
            taken.c.key.is_(None),
            col(Posting.id).not_in(claimed),
        )
        .group_by(col(Close.month_start_day))
        .order_by(col(Close.month_start_day))
    )
    return [Unclaimed(*row) for row in rows]

"""Reads of visits, of decisions about them, and of the facts around them.

Owns the filters and which row of several counts. Does not own coding (``billing.coding``).
"""

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlmodel import Session, col, func, select

from rpm.store.queries.rows import latest_by, page_of
from rpm.store.scope import Scope
from rpm.store.tables.coding import (
    CompactMember,
    EligibilityCheck,
    PractitionerAuthority,
    ServiceAuthorization,
    Visit,
    VisitDecision,
)
from rpm.store.tables.ledger import InteractionEntry
from rpm.store.tables.people import Practitioner, User

_MONITORING = ("RPM", "RTM")


def visit_correction(db: Session, scope: Scope, visit_id: UUID) -> Visit | None:
    """The row that replaces this visit, if any."""
    return db.exec(scope.rows(Visit).where(col(Visit.replaces_id) == visit_id)).one_or_none()


def visits_page(
    db: Session,
    scope: Scope,
    *,
    patient_id: UUID | None = None,
    payer: str | None = None,
    practitioner_id: UUID | None = None,
    from_day: date | None = None,
    to_day: date | None = None,
    standing: bool = False,
    after: UUID | None = None,
    limit: int = 200,
) -> Sequence[Visit]:
    """Visits and their corrections in the order they were recorded; both days are included.

    ``standing``: only those that nothing replaced and that were not withdrawn.
    """
    wanted: list[tuple[Any, Any]] = [
        (col(Visit.patient_id), patient_id),
        (col(Visit.payer), payer),
        (col(Visit.practitioner_id), practitioner_id),
    ]
    conditions = [column == value for column, value in wanted if value is not None]
    if from_day is not None:
        conditions.append(col(Visit.service_day) >= from_day)
    if to_day is not None:
        conditions.append(col(Visit.service_day) <= to_day)
    if standing:
        conditions += [col(Visit.withdrawn).is_(False), col(Visit.id).not_in(_replaced(scope))]
    return page_of(db, scope, Visit, *conditions, after=after, limit=limit)


def _replaced(scope: Scope) -> Any:
    return select(col(Visit.replaces_id)).where(
        col(Visit.organization_id) == scope.organization_id, col(Visit.replaces_id).is_not(None)
    )


def decisions_of(db: Session, scope: Scope, visit_ids: Sequence[UUID]) -> dict[UUID, VisitDecision]:
    """The decision that counts, by visit."""
    return latest_by(db, scope, VisitDecision, "visit_id", visit_ids)


def accepted_visits(
    db: Session, scope: Scope, first_day: date, last_day: date, until_audit_number: int
) -> list[tuple[Visit, VisitDecision]]:
    """Visits of some days that were accepted, as known up to an audit event, each with why.

    A visit that was replaced or withdrawn by then is left out, and so is one held since.
    """
    known = scope.all_of(
        db,
        Visit,
        col(Visit.service_day).between(first_day, last_day),
        col(Visit.audit_number) <= until_audit_number,
    )
    ids = [visit.id for visit in known]
    replaced = set(
        db.exec(
            select(col(Visit.replaces_id)).where(
                col(Visit.organization_id) == scope.organization_id,
                col(Visit.replaces_id).in_(ids),
                col(Visit.audit_number) <= until_audit_number,
            )
        )
    )
    decisions = db.exec(
        scope.rows(VisitDecision)
        .where(
            col(VisitDecision.visit_id).in_(ids),
            col(VisitDecision.audit_number) <= until_audit_number,
        )
        .order_by(col(VisitDecision.audit_number), col(VisitDecision.id))
    )
    latest = {decision.visit_id: decision for decision in decisions}
    return [
        (visit, latest[visit.id])
        for visit in known
        if not visit.withdrawn
        and visit.id not in replaced
        and visit.id in latest
        and latest[visit.id].accepted
    ]


def undecided_visits(db: Session, scope: Scope) -> int:
    """How many visits stand that nobody decided on."""
    decided = select(col(VisitDecision.visit_id)).where(
        col(VisitDecision.organization_id) == scope.organization_id
    )
    return db.exec(
        select(func.count())
        .select_from(Visit)
        .where(
            col(Visit.organization_id) == scope.organization_id,
            col(Visit.withdrawn).is_(False),
            col(Visit.id).not_in(_replaced(scope)),
            col(Visit.id).not_in(decided),
        )
    ).one()


def monitoring_seconds_on(
    db: Session, scope: Scope, patient_id: UUID, practitioner_id: UUID, day: date
) -> int:
    """Seconds of monitoring that a practitioner logged for a patient on a day, less reversals."""
    people = select(col(User.id)).where(
        col(User.organization_id) == scope.organization_id,
        col(User.practitioner_id) == practitioner_id,
    )
    total = db.exec(
        select(func.sum(col(InteractionEntry.duration_seconds))).where(
            col(InteractionEntry.organization_id) == scope.organization_id,
            col(InteractionEntry.patient_id) == patient_id,
            col(InteractionEntry.local_day) == day,
            col(InteractionEntry.work).in_(_MONITORING),
            col(InteractionEntry.actor_user_id).in_(people),
        )
    ).one()
    return int(total or 0)


def authorities_of(
    db: Session, scope: Scope, practitioner_id: UUID
) -> Sequence[PractitionerAuthority]:
    """A practitioner's licenses and privileges that no other row replaced."""
    rows = scope.all_of(
        db, PractitionerAuthority, col(PractitionerAuthority.practitioner_id) == practitioner_id
    )
    replaced = {row.replaces_id for row in rows}
    return [row for row in rows if row.id not in replaced]


def expiring_authorities(
    db: Session, scope: Scope, first_day: date, last_day: date
) -> list[tuple[PractitionerAuthority, str]]:
    """Active licenses and privileges that end in a span of days, with the practitioner's name.

    One that a later row replaced is left out.
    """
    renewed = select(col(PractitionerAuthority.replaces_id)).where(
        col(PractitionerAuthority.organization_id) == scope.organization_id,
        col(PractitionerAuthority.replaces_id).is_not(None),
    )
    rows = scope.all_of(
        db,
        PractitionerAuthority,
        col(PractitionerAuthority.active).is_(True),
        col(PractitionerAuthority.valid_to).between(first_day, last_day),
        col(PractitionerAuthority.id).not_in(renewed),
    )
    names = {row.practitioner_id: "" for row in rows}
    for practitioner_id in names:
        names[practitioner_id] = scope.get(db, Practitioner, practitioner_id).name
    found = [(row, names[row.practitioner_id]) for row in rows]
    return sorted(found, key=lambda one: (one[0].valid_to or date.max, one[1], one[0].id))


def compact_members(db: Session, scope: Scope) -> list[CompactMember]:
    """Of each state of each compact the row recorded last."""
    rows = scope.all_of(db, CompactMember)
    ordered = sorted(rows, key=lambda row: (row.audit_number, row.id))
    return list({(row.compact, row.jurisdiction): row for row in ordered}.values())


def eligibility_on(
    db: Session, scope: Scope, patient_id: UUID, payer: str, day: date
) -> EligibilityCheck | None:
    """The check of a payer recorded last whose days hold the day; None without one."""
    rows = scope.all_of(
        db,
        EligibilityCheck,
        col(EligibilityCheck.patient_id) == patient_id,
        col(EligibilityCheck.payer) == payer,
        *_valid_on(EligibilityCheck, day),
    )
    return max(rows, key=lambda row: (row.audit_number, row.id), default=None)


def authorizations_on(
    db: Session, scope: Scope, patient_id: UUID, payer: str, day: date
) -> Sequence[ServiceAuthorization]:
    """A patient's authorizations of a payer on a day that no other row replaced."""
    held = scope.all_of(
        db,
        ServiceAuthorization,
        col(ServiceAuthorization.patient_id) == patient_id,
        col(ServiceAuthorization.payer) == payer,
    )
    replaced = {row.replaces_id for row in held}
    return [
        row
        for row in held
        if row.id not in replaced
        and row.valid_from <= day
        and (row.valid_to is None or day <= row.valid_to)
    ]


def _valid_on(table: Any, day: date) -> list[Any]:
    return [
        col(table.valid_from) <= day,
        col(table.valid_to).is_(None) | (col(table.valid_to) >= day),
    ]

"""Reads of what claims need: of several rows the one recorded last counts.

Owns these SELECTs. Does not own how the values fill a claim (``rpm.actions.claim_services``).
"""

from collections.abc import Collection, Sequence
from typing import TypeVar
from uuid import UUID

from sqlmodel import Session, col

from billing.claims.charges import Charge, ChargeSchedule
from rpm.store.queries.rows import latest_by
from rpm.store.scope import Scope
from rpm.store.tables.base import Fact
from rpm.store.tables.claims import (
    CoverageDetail,
    PatientAddress,
    PayerBilling,
    PracticeBilling,
    PracticeCharge,
    PractitionerName,
)

F = TypeVar("F", bound=Fact)
_AT_ONCE = 500


def practice_billing(db: Session, scope: Scope) -> PracticeBilling | None:
    """How the practice stands on its claims; None before it is recorded."""
    rows = scope.rows(PracticeBilling).order_by(
        col(PracticeBilling.audit_number).desc(), col(PracticeBilling.id).desc()
    )
    return db.exec(rows.limit(1)).first()


def addresses_of(
    db: Session, scope: Scope, patient_ids: Sequence[UUID]
) -> dict[UUID, PatientAddress]:
    """Where some patients live."""
    return _latest(db, scope, PatientAddress, "patient_id", patient_ids)


def coverage_details(
    db: Session, scope: Scope, coverage_ids: Sequence[UUID]
) -> dict[UUID, CoverageDetail]:
    """What claims tell of some coverages."""
    return _latest(db, scope, CoverageDetail, "coverage_id", coverage_ids)


def practitioner_names(
    db: Session, scope: Scope, practitioner_ids: Collection[UUID]
) -> dict[UUID, PractitionerName]:
    """Names of some practitioners by their parts."""
    return _latest(db, scope, PractitionerName, "practitioner_id", list(practitioner_ids))


def payer_billings(
    db: Session, scope: Scope, payer_ids: Collection[UUID]
) -> dict[UUID, PayerBilling]:
    """How some payers are billed."""
    return _latest(db, scope, PayerBilling, "payer_id", list(payer_ids))


def _latest(
    db: Session, scope: Scope, table: type[F], parent: str, ids: Sequence[UUID]
) -> dict[UUID, F]:
    found: dict[UUID, F] = {}
    for start in range(0, len(ids), _AT_ONCE):
        found |= latest_by(db, scope, table, parent, ids[start : start + _AT_ONCE])
    return found


def charges(db: Session, scope: Scope) -> list[PracticeCharge]:
    """The charges that count, by code, modifier and first day."""
    rows = db.exec(
        scope.rows(PracticeCharge).order_by(
            col(PracticeCharge.audit_number), col(PracticeCharge.id)
        )
    )
    latest = {(row.procedure, row.modifier, row.from_day): row for row in rows}
    return [latest[key] for key in sorted(latest)]


def charge_schedule(db: Session, scope: Scope) -> ChargeSchedule:
    """The charges that count, to be looked up."""
    return ChargeSchedule(
        Charge(row.procedure, row.cents, row.from_day, row.to_day, row.modifier)
        for row in charges(db, scope)
    )

"""Accepted visits of a close's month, as known at the close: rows beside the monitoring lines.

Owns which visits these are and what became of each since the close before. Does not own the form
of the table (``billing.claims.visit_table``). A visit stays in the record of decisions; the ledger
posts nothing for it.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlmodel import Session

from billing.claims.visit_table import AS_BEFORE, NEW, TAKEN_BACK
from billing.coding.lines import Line, read_lines
from rpm.actions.compute_close import next_month
from rpm.store.queries.ledger import close_before
from rpm.store.queries.people import organization_of
from rpm.store.queries.visits import accepted_visits
from rpm.store.scope import Scope
from rpm.store.tables.coding import Visit, VisitDecision
from rpm.store.tables.ledger import Close
from rpm.store.tables.people import Patient, Practitioner

Accepted = tuple[Visit, VisitDecision]


def visit_lines(db: Session, scope: Scope, close: Close) -> list[Mapping[str, str]]:
    """The lines of accepted visits; one that the close before held and this one does not is
    there with negative units.
    """
    days = close.month_start_day, next_month(close.month_start_day) - timedelta(days=1)
    now = accepted_visits(db, scope, *days, close.audit_number)
    earlier = close_before(db, scope, close)
    before = accepted_visits(db, scope, *days, earlier.audit_number) if earlier else []
    known = {decision.id for _, decision in before}
    standing = {decision.id for _, decision in now}
    told = [(one, AS_BEFORE if one[1].id in known else NEW) for one in now]
    told += [(one, TAKEN_BACK) for one in before if one[1].id not in standing]
    ordered = sorted(told, key=lambda row: (row[0][0].service_day, row[0][1].id, row[1]))
    return list(_lines(db, scope, close, ordered))


def _lines(
    db: Session, scope: Scope, close: Close, told: Sequence[tuple[Accepted, str]]
) -> Iterator[Mapping[str, str]]:
    billing_npi = organization_of(db, scope).npi
    for (visit, decision), change in told:
        shared = {
            "batch_id": str(close.id),
            "visit_id": str(visit.id),
            "decision_id": str(decision.id),
            **_patient(db, scope, visit.patient_id),
            "payer": visit.payer,
            "rendering_npi": _npi(db, scope, visit.practitioner_id),
            "billing_npi": billing_npi,
            "dos": visit.service_day.isoformat(),
            "overruled": " ".join(sorted(one["edit"] for one in decision.overruled)),
            "change": change,
        }
        for line in read_lines(decision.chosen):
            yield {**shared, **_cells(line, -1 if change == TAKEN_BACK else 1)}


def _cells(line: Line, sign: int) -> dict[str, Any]:
    modifiers = {f"mod{place}": one for place, one in enumerate(line.modifiers[:4], start=1)}
    units = str(line.units * sign)
    return {"procedure": line.code, "pos": line.place or "", "units": units, **modifiers}


def _patient(db: Session, scope: Scope, patient_id: UUID) -> dict[str, str]:
    patient = scope.get(db, Patient, patient_id)
    return {
        "patient_id": patient.record_number,
        "patient_last": patient.family_name,
        "patient_first": patient.given_name,
        "patient_dob": patient.birth_date.isoformat(),
    }


def _npi(db: Session, scope: Scope, practitioner_id: UUID | None) -> str:
    if practitioner_id is None:
        return ""
    return scope.get(db, Practitioner, practitioner_id).npi

"""The worklist: patients with what is left to do, in the order in which to turn to them.

Owns the page, the counts beside it and the saved views of a user. Does not own what is left to do
(``rpm.store.standing``) nor bringing it up to date (``rpm.store.readiness_refresh``).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, func, select, tuple_
from sqlmodel import Session, col

from rpm.store.scope import Scope, patients_of_sites
from rpm.store.tables.ledger import ReadinessRow
from rpm.store.tables.people import Patient
from rpm.store.tables.worklist import SavedView, WorklistRow

CHOICES = ("all", "call", "no_contact", "readings", "held", "ready", "out_of_reach")
"""What of the list to show; a patient may need a call and readings."""
SORTS = ("next", "name", "due")
_SHOWN = ("family_name", "given_name", "record_number")
_LAST = date(9999, 12, 31)


@dataclass(frozen=True)
class WorklistFilter:
    """Which patients, in which order."""

    show: str = "all"  # CHOICES
    payer_key: str | None = None
    family_name: str | None = None  # its beginning
    site_id: UUID | None = None
    sort: str = "next"  # SORTS


@dataclass(frozen=True)
class WorklistPatient:
    """A patient of the list with the ladders behind the sum."""

    row: WorklistRow
    family_name: str
    given_name: str
    record_number: str
    ladders: Sequence[ReadinessRow] = ()

    def key(self, sort: str) -> tuple[Any, ...]:
        """Where the patient stands in the list."""
        first: Any = self.row.work_order
        if sort == "due":
            first = self.row.due_day or _LAST
        elif sort == "name":
            first = self.family_name
        return (first, self.row.patient_id)


def worklist_page(
    db: Session,
    scope: Scope,
    chosen: WorklistFilter,
    *,
    after: tuple[Any, ...] | None = None,
    limit: int = 50,
) -> list[WorklistPatient]:
    """Patients of the projection as it stands; ``after`` is the key of the last one seen."""
    order = (_sorted_by(chosen.sort), col(WorklistRow.patient_id))
    statement = (
        select(WorklistRow, *(col(getattr(Patient, name)) for name in _SHOWN))
        .join(
            Patient,
            (col(Patient.organization_id) == col(WorklistRow.organization_id))
            & (col(Patient.id) == col(WorklistRow.patient_id)),
        )
        .where(
            col(WorklistRow.organization_id) == scope.organization_id,
            *scope.of_sites(col(WorklistRow.patient_id)),
            *_chosen(scope, chosen),
        )
        .order_by(*order)
        .limit(limit)
    )
    if after is not None:
        statement = statement.where(tuple_(*order) > tuple_(*after))
    found = db.execute(statement).all()
    ladders = ladders_of(db, scope, [row.patient_id for row, *_ in found])
    return [
        WorklistPatient(row, family, given, number, ladders.get(row.patient_id, ()))
        for row, family, given, number in found
    ]


def ladders_of(
    db: Session, scope: Scope, patient_ids: Sequence[UUID]
) -> dict[UUID, list[ReadinessRow]]:
    """The readiness of some patients, in the order of their rows."""
    rows = db.execute(
        select(ReadinessRow)
        .where(
            col(ReadinessRow.organization_id) == scope.organization_id,
            col(ReadinessRow.patient_id).in_(patient_ids),
        )
        .order_by(col(ReadinessRow.patient_id), col(ReadinessRow.position))
    ).scalars()
    found: dict[UUID, list[ReadinessRow]] = {}
    for row in rows:
        found.setdefault(row.patient_id, []).append(row)
    return found


def worklist_counts(db: Session, scope: Scope, site_id: UUID | None = None) -> dict[str, int]:
    """How many patients of a site, or of all, each of ``CHOICES`` holds; nothing else counts."""
    flags = (WorklistRow.standing, WorklistRow.needs_call, WorklistRow.needs_readings)
    columns = [col(flag) for flag in (*flags, WorklistRow.lacks_live)]
    rows = db.execute(
        select(*columns, func.count())
        .where(
            col(WorklistRow.organization_id) == scope.organization_id,
            *scope.of_sites(col(WorklistRow.patient_id)),
            *_of_site(scope, site_id),
        )
        .group_by(*columns)
    )
    counts = dict.fromkeys(CHOICES, 0)
    for standing, needs_call, needs_readings, lacks_live, count in rows:
        counts["all"] += count
        counts["call"] += count * needs_call
        counts["readings"] += count * needs_readings
        counts["no_contact"] += count * lacks_live
        if standing in counts:
            counts[standing] += count
    return counts


def standing_row(db: Session, scope: Scope, patient_id: UUID) -> WorklistRow | None:
    """The sum of one patient; None for one who is in no program."""
    return db.get(WorklistRow, (scope.organization_id, patient_id))


def saved_views(db: Session, scope: Scope, user_id: UUID) -> Sequence[SavedView]:
    """The views that a user keeps, by name."""
    rows = scope.all_of(db, SavedView, col(SavedView.user_id) == user_id)
    return sorted(rows, key=lambda row: (row.name.casefold(), row.id))


def _sorted_by(sort: str) -> Any:
    if sort == "name":
        return col(Patient.family_name)
    if sort == "due":
        return func.coalesce(col(WorklistRow.due_day), _LAST)
    return col(WorklistRow.work_order)


def _of_site(scope: Scope, site_id: UUID | None) -> list[ColumnElement[bool]]:
    if site_id is None:
        return []
    found = patients_of_sites(scope.organization_id, [site_id])
    return [col(WorklistRow.patient_id).in_(found)]


def _chosen(scope: Scope, chosen: WorklistFilter) -> list[ColumnElement[bool]]:
    conditions = _of_site(scope, chosen.site_id)
    flags = {
        "call": WorklistRow.needs_call,
        "readings": WorklistRow.needs_readings,
        "no_contact": WorklistRow.lacks_live,
    }
    if chosen.show in flags:
        conditions.append(col(flags[chosen.show]).is_(True))
    elif chosen.show != "all":
        conditions.append(col(WorklistRow.standing) == chosen.show)
    if chosen.payer_key is not None:
        conditions.append(col(WorklistRow.payer_key) == chosen.payer_key)
    if chosen.family_name is not None:
        beginning = func.lower(col(Patient.family_name))
        conditions.append(beginning.startswith(chosen.family_name.lower(), autoescape=True))
    return conditions

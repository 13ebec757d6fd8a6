"""Readiness: how far every enrolled patient is in the running periods, kept for quick lists.

Owns the page query. Does not own the rows (``rpm.store.readiness_refresh``). The cost of a page
does not grow with history.
"""

from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, func, select, tuple_
from sqlmodel import Session, col

from rpm.store.scope import Scope
from rpm.store.tables.ledger import ReadinessRow
from rpm.store.tables.people import Patient

STATES = ("held", "earned", "short", "out_of_reach")
"""Blocked by a finding; earns a code today; needs more and can still get it; cannot any more."""
SORTS = ("still_needed", "end_day", "name")
_SHOWN = ("family_name", "given_name", "record_number")
_LAST = date(9999, 12, 31)


@dataclass(frozen=True)
class ReadinessFilter:
    """Which rows, in which order."""

    state: str | None = None
    ladder: str | None = None
    payer_key: str | None = None
    family_name: str | None = None  # its beginning
    sort: str = "still_needed"  # SORTS


@dataclass(frozen=True)
class ReadyPatient:
    """A row of the list, with the name of its patient."""

    row: ReadinessRow
    family_name: str
    given_name: str
    record_number: str

    def key(self, sort: str) -> tuple[Any, ...]:
        """Where the row stands in the list."""
        first: Any = self.row.still_needed
        if sort == "end_day":
            first = self.row.end_day or _LAST
        elif sort == "name":
            first = self.family_name
        return (first, self.row.patient_id, self.row.position)


def readiness_page(
    db: Session,
    scope: Scope,
    chosen: ReadinessFilter,
    *,
    after: tuple[Any, ...] | None = None,
    limit: int = 200,
) -> list[ReadyPatient]:
    """Rows of the projection as it stands; ``after`` is the key of the last row already seen."""
    order = (_sorted_by(chosen.sort), col(ReadinessRow.patient_id), col(ReadinessRow.position))
    statement = (
        select(ReadinessRow, *(col(getattr(Patient, name)) for name in _SHOWN))
        .join(
            Patient,
            (col(Patient.organization_id) == col(ReadinessRow.organization_id))
            & (col(Patient.id) == col(ReadinessRow.patient_id)),
        )
        .where(col(ReadinessRow.organization_id) == scope.organization_id, *_chosen(chosen))
        .order_by(*order)
        .limit(limit)
    )
    if after is not None:
        statement = statement.where(tuple_(*order) > tuple_(*after))
    return [ReadyPatient(*row) for row in db.execute(statement)]


def _sorted_by(sort: str) -> Any:
    if sort == "name":
        return col(Patient.family_name)
    if sort == "end_day":
        return func.coalesce(col(ReadinessRow.end_day), _LAST)
    return col(ReadinessRow.still_needed)


def _chosen(chosen: ReadinessFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [
        col(getattr(ReadinessRow, name)) == value
        for name in ("state", "ladder", "payer_key")
        if (value := getattr(chosen, name)) is not None
    ]
    if chosen.family_name is not None:
        beginning = func.lower(col(Patient.family_name))
        conditions.append(beginning.startswith(chosen.family_name.lower(), autoescape=True))
    return conditions

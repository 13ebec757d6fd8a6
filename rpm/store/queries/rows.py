"""Two ways of reading that most areas need: one page of rows, and the row that counts.

Owns the order of pages and the rule "recorded last counts". Does not own cursors (``rpm.web``).
"""

from collections.abc import Collection, Sequence
from typing import Any, TypeVar
from uuid import UUID

from sqlmodel import Session, col

from rpm.store.scope import Scope
from rpm.store.tables.base import Fact, TenantRow
from rpm.store.tables.people import Patient

T = TypeVar("T", bound=TenantRow)
F = TypeVar("F", bound=Fact)


def page_of(
    db: Session,
    scope: Scope,
    table: type[T],
    *conditions: Any,
    after: UUID | None = None,
    limit: int = 200,
) -> Sequence[T]:
    """At most ``limit`` rows that meet all conditions, in the order they were made.

    Of an actor who is limited to sites, rows of their patients. ``after`` is the id of the last row
    already seen; rows made meanwhile come on later pages.
    """
    whose = col(Patient.id) if table is Patient else getattr(table, "patient_id", None)
    of_sites = [] if whose is None else scope.of_sites(whose)
    query = scope.rows(table).where(*conditions, *of_sites).order_by(col(table.id)).limit(limit)
    if after is not None:
        query = query.where(col(table.id) > after)
    return db.exec(query).all()


def latest_by(
    db: Session, scope: Scope, table: type[F], parent: str, parent_ids: Collection[UUID]
) -> dict[UUID, F]:
    """For each parent the row that counts: the one recorded last. ``parent`` names the column."""
    if not parent_ids:
        return {}
    column = col(getattr(table, parent))
    rows = db.exec(
        scope.rows(table)
        .where(column.in_(parent_ids))
        .order_by(col(table.audit_number), col(table.id))
    )
    return {getattr(row, parent): row for row in rows}

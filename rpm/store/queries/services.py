"""Reads of services recorded beside ours: own ones and another practice's.

Owns the filters. Does not own what a service excludes (the rule pages).
"""

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlmodel import Session, col

from rpm.store.queries.rows import page_of
from rpm.store.scope import Scope
from rpm.store.tables.ledger import OtherService


def service_reversal(db: Session, scope: Scope, service_id: UUID) -> OtherService | None:
    """The row that takes this service back, if any."""
    return db.exec(
        scope.rows(OtherService).where(col(OtherService.reverses_id) == service_id)
    ).one_or_none()


def services_page(
    db: Session,
    scope: Scope,
    *,
    patient_id: UUID | None = None,
    code: str | None = None,
    own: bool | None = None,
    from_day: date | None = None,
    to_day: date | None = None,
    after: UUID | None = None,
    limit: int = 200,
) -> Sequence[OtherService]:
    """Services and their reversals in the order they were recorded; both days are included."""
    wanted: list[tuple[Any, Any]] = [
        (col(OtherService.patient_id), patient_id),
        (col(OtherService.code), code),
        (col(OtherService.own), own),
    ]
    conditions = [column == value for column, value in wanted if value is not None]
    if from_day is not None:
        conditions.append(col(OtherService.service_day) >= from_day)
    if to_day is not None:
        conditions.append(col(OtherService.service_day) <= to_day)
    return page_of(db, scope, OtherService, *conditions, after=after, limit=limit)

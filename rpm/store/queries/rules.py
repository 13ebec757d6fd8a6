"""Reads of the practice's own rule pages and of how each was activated.

Owns the join with the audit event that tells who and why. Does not own which pages count
(``rpm.store.rule_books``).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlmodel import Session, col, select

from rpm.store.scope import Scope
from rpm.store.tables.ledger import RulePage
from rpm.store.tables.security import AuditEvent


@dataclass(frozen=True)
class Activation:
    """A rule page of the practice, who activated it and why; when is the page's own time."""

    page: RulePage
    by: str
    reason: str | None


def rule_pages(db: Session, scope: Scope) -> Sequence[RulePage]:
    """The practice's own rule pages, in the order they were activated."""
    return scope.all_of(db, RulePage)


def activations(
    db: Session, scope: Scope, *, after: UUID | None = None, limit: int | None = None
) -> list[Activation]:
    """The practice's own rule pages with their activations, in order; ``after`` a page's row."""
    query = (
        select(RulePage, AuditEvent)
        .join(
            AuditEvent,
            (col(AuditEvent.organization_id) == col(RulePage.organization_id))
            & (col(AuditEvent.number) == col(RulePage.audit_number)),
        )
        .where(col(RulePage.organization_id) == scope.organization_id)
        .order_by(col(RulePage.id))
    )
    if after is not None:
        query = query.where(col(RulePage.id) > after)
    if limit is not None:
        query = query.limit(limit)
    rows: Sequence[Any] = db.exec(query).all()
    return [Activation(page, event.actor["name"], event.reason) for page, event in rows]

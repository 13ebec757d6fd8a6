"""Reads of running timers and of typed entries that wait for a second person.

Owns the look-ups. Does not own what a timer says (``rpm.timing``).
"""

from collections.abc import Sequence
from uuid import UUID

from sqlmodel import Session, col

from rpm.store.queries.rows import page_of
from rpm.store.scope import Scope
from rpm.store.tables.timers import ProposedEntry, Timer


def timer_of(db: Session, scope: Scope, user_id: UUID, *, hold: bool = False) -> Timer | None:
    """The timer of a person; ``hold``: nobody else changes it until the commit."""
    query = scope.rows(Timer).where(col(Timer.user_id) == user_id)
    return db.exec(query.with_for_update() if hold else query).one_or_none()


def running_timers(db: Session, scope: Scope) -> Sequence[Timer]:
    """Every timer of the practice that runs, as far as anybody looked."""
    return scope.all_of(db, Timer, col(Timer.since).is_not(None))


def oldest_timers(db: Session, scope: Scope, limit: int) -> Sequence[Timer]:
    """Timers of anybody in the practice, those that were started first; paused ones too."""
    query = scope.rows(Timer).where(*scope.of_sites(col(Timer.patient_id)))
    return db.exec(query.order_by(col(Timer.started_at), col(Timer.id)).limit(limit)).all()


def proposed_entries(
    db: Session,
    scope: Scope,
    *,
    state: str = "waiting",
    proposed_by: UUID | None = None,
    after: UUID | None = None,
    limit: int = 200,
) -> Sequence[ProposedEntry]:
    """Typed entries in a state, in the order they were proposed."""
    conditions = [col(ProposedEntry.state) == state]
    if proposed_by is not None:
        conditions.append(col(ProposedEntry.proposed_by) == proposed_by)
    return page_of(db, scope, ProposedEntry, *conditions, after=after, limit=limit)

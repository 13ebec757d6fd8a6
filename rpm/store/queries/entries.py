"""Reads of interaction entries, and of the months they may come too late for.

Owns the filters and the look for a person's other work. Does not own what overlaps (the action)
nor which seconds count (``billing.ledger``).
"""

from collections.abc import Collection, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from rpm.store.queries.rows import page_of
from rpm.store.scope import Scope
from rpm.store.tables.ledger import Close, InteractionEntry


def entries_with_client_ids(
    db: Session, scope: Scope, client_ids: Collection[UUID]
) -> Sequence[InteractionEntry]:
    """Entries by the ids that clients gave them."""
    return scope.all_of(db, InteractionEntry, col(InteractionEntry.client_id).in_(client_ids))


def entries_of_stop(
    db: Session, scope: Scope, user_id: UUID, client_id: UUID
) -> Sequence[InteractionEntry]:
    """What one stop of a person's timer recorded, by the id of its first entry; else nothing."""
    first = next(iter(entries_with_client_ids(db, scope, [client_id])), None)
    if first is None or (first.actor_user_id, first.origin) != (user_id, "timer"):
        return ()
    return scope.all_of(
        db,
        InteractionEntry,
        col(InteractionEntry.actor_user_id) == user_id,
        col(InteractionEntry.patient_id) == first.patient_id,
        col(InteractionEntry.recorded_at) == first.recorded_at,
        col(InteractionEntry.origin) == "timer",
    )


def entry_reversal(db: Session, scope: Scope, entry_id: UUID) -> InteractionEntry | None:
    """The entry that takes this one back, if any."""
    return db.exec(
        scope.rows(InteractionEntry).where(col(InteractionEntry.reverses_id) == entry_id)
    ).one_or_none()


def timed_entries_of_person(
    db: Session, scope: Scope, user_id: UUID | None, name: str, days: Collection[date]
) -> Sequence[InteractionEntry]:
    """Entries with a start that one person has on some days and that are not reversed.

    A person without an account (``user_id`` None) goes by name.
    """
    if user_id is not None:
        person = col(InteractionEntry.actor_user_id) == user_id
    else:
        person = col(InteractionEntry.actor_user_id).is_(None) & (
            col(InteractionEntry.actor_name) == name
        )
    reversal = aliased(InteractionEntry)
    reversed_ids = select(reversal.reverses_id).where(
        col(reversal.organization_id) == scope.organization_id,
        col(reversal.reverses_id).is_not(None),
        col(reversal.local_day).in_(days),
    )
    return scope.all_of(
        db,
        InteractionEntry,
        person,
        col(InteractionEntry.local_day).in_(days),
        col(InteractionEntry.start_second).is_not(None),
        col(InteractionEntry.reverses_id).is_(None),
        col(InteractionEntry.id).not_in(reversed_ids),
    )


def closed_months(db: Session, scope: Scope, months: Collection[date]) -> frozenset[date]:
    """Which of some months (their first days) have been closed."""
    return frozenset(
        db.exec(
            select(col(Close.month_start_day)).where(
                col(Close.organization_id) == scope.organization_id,
                col(Close.month_start_day).in_(months),
            )
        )
    )


def entries_page(
    db: Session,
    scope: Scope,
    *,
    patient_id: UUID | None = None,
    episode_id: UUID | None = None,
    actor_user_id: UUID | None = None,
    work: str | None = None,
    from_day: date | None = None,
    to_day: date | None = None,
    after: UUID | None = None,
    limit: int = 200,
) -> Sequence[InteractionEntry]:
    """Entries and their reversals in the order they were recorded; both days are included."""
    wanted: list[tuple[Any, Any]] = [
        (col(InteractionEntry.patient_id), patient_id),
        (col(InteractionEntry.episode_id), episode_id),
        (col(InteractionEntry.actor_user_id), actor_user_id),
        (col(InteractionEntry.work), work),
    ]
    conditions = _conditions(wanted, from_day, to_day)
    return page_of(db, scope, InteractionEntry, *conditions, after=after, limit=limit)


def latest_entries(
    db: Session,
    scope: Scope,
    *,
    actor_user_id: UUID | None = None,
    origin: str | None = None,
    from_day: date | None = None,
    to_day: date | None = None,
    before: UUID | None = None,
    limit: int = 200,
) -> Sequence[InteractionEntry]:
    """Entries and their reversals, recorded last first; ``before`` is the last one seen."""
    wanted: list[tuple[Any, Any]] = [
        (col(InteractionEntry.actor_user_id), actor_user_id),
        (col(InteractionEntry.origin), origin),
    ]
    query = scope.rows(InteractionEntry).where(*_conditions(wanted, from_day, to_day))
    query = query.where(*scope.of_sites(col(InteractionEntry.patient_id)))
    if before is not None:
        query = query.where(col(InteractionEntry.id) < before)
    return db.exec(query.order_by(col(InteractionEntry.id).desc()).limit(limit)).all()


def reversed_among(db: Session, scope: Scope, entry_ids: Collection[UUID]) -> frozenset[UUID]:
    """Which of some entries are taken back."""
    rows = scope.all_of(db, InteractionEntry, col(InteractionEntry.reverses_id).in_(entry_ids))
    return frozenset(row.reverses_id for row in rows if row.reverses_id is not None)


def _conditions(
    wanted: Sequence[tuple[Any, Any]], from_day: date | None, to_day: date | None
) -> list[Any]:
    conditions = [column == value for column, value in wanted if value is not None]
    if from_day is not None:
        conditions.append(col(InteractionEntry.local_day) >= from_day)
    if to_day is not None:
        conditions.append(col(InteractionEntry.local_day) <= to_day)
    return conditions

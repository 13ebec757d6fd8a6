"""What is to be known about stored entries: they are kept, and marked.

Owns the findings that an answer carries. Does not own what the ledger makes of them: it finds
overlaps by itself, whatever was said here.
"""

from collections.abc import Iterable, Sequence

from sqlmodel import Session

from billing.finding import Finding
from rpm.store.queries.entries import closed_months, timed_entries_of_person
from rpm.store.queries.episodes import episode_state
from rpm.store.scope import Scope
from rpm.store.tables.ledger import InteractionEntry

_OVERLAP = "the same person logged other work at this time; it counts once"
_AFTER_CLOSE = "the month is closed; the next close posts the difference"
_AFTER_END = "the episode had ended before this day"


def findings_of(
    db: Session, scope: Scope, entries: Sequence[InteractionEntry]
) -> tuple[Finding, ...]:
    """Findings about the pieces of one entry; ``where`` names the piece by its place."""
    return (
        *_overlaps(db, scope, entries),
        *late_findings(db, scope, entries),
        *_after_end(db, scope, entries),
    )


def late_findings(
    db: Session, scope: Scope, entries: Sequence[InteractionEntry]
) -> tuple[Finding, ...]:
    """``W_AFTER_CLOSE`` for each entry of a month that was closed before."""
    months = [entry.local_day.replace(day=1) for entry in entries]
    closed = closed_months(db, scope, set(months))
    return tuple(
        Finding("W_AFTER_CLOSE", f"entries.{place}.local_day", _AFTER_CLOSE)
        for place, month in enumerate(months)
        if month in closed
    )


def _overlaps(db: Session, scope: Scope, entries: Sequence[InteractionEntry]) -> Iterable[Finding]:
    one = entries[0]
    others = timed_entries_of_person(
        db, scope, one.actor_user_id, one.actor_name, {entry.local_day for entry in entries}
    )
    own = {entry.id for entry in entries}
    for place, entry in enumerate(entries):
        if any(other.id not in own and _overlap(entry, other) for other in others):
            yield Finding("W_TIME_OVERLAP_DEDUPED", f"entries.{place}.started_at", _OVERLAP)


def _overlap(one: InteractionEntry, other: InteractionEntry) -> bool:
    if one.local_day != other.local_day or one.start_second is None or other.start_second is None:
        return False
    return (
        one.start_second < other.start_second + other.duration_seconds
        and other.start_second < one.start_second + one.duration_seconds
    )


def _after_end(db: Session, scope: Scope, entries: Sequence[InteractionEntry]) -> Iterable[Finding]:
    episode_id = entries[0].episode_id
    if episode_id is None:
        return
    last_day = episode_state(db, scope, episode_id).last_day
    for place, entry in enumerate(entries):
        if last_day is not None and entry.local_day > last_day:
            yield Finding("W_TIME_AFTER_END", f"entries.{place}.local_day", _AFTER_END)

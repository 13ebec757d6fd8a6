"""Counts that tell whether a month is ready to be closed.

Owns their SELECTs: each is quick, whatever the size of the practice. Does not own what follows from
a count (``rpm.actions.close_checklist``).
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import func
from sqlmodel import Session, col, select

from rpm.store.queries.alerts import is_open_loss
from rpm.store.queries.connections import still_waits
from rpm.store.queries.ledger import exports_of_close
from rpm.store.scope import Scope
from rpm.store.tables.alerts import Alert
from rpm.store.tables.ledger import Close, ReadinessRow
from rpm.store.tables.monitoring import Delivery
from rpm.store.tables.people import Payer
from rpm.store.tables.timers import ProposedEntry, Timer


@dataclass(frozen=True)
class Waiting:
    """How much of each kind waits for a person."""

    dead_letters: int
    running_timers: int
    proposed_entries: int
    billed_losses: int  # alerts of billed lines that the next close takes back
    held_lines: int  # rows of the readiness list that a finding holds back


def waiting(db: Session, scope: Scope) -> Waiting:
    """What stands open now."""
    return Waiting(
        dead_letters=_count(db, scope, Delivery, still_waits(scope)),
        running_timers=_count(db, scope, Timer, col(Timer.since).is_not(None)),
        proposed_entries=_count(db, scope, ProposedEntry, col(ProposedEntry.state) == "waiting"),
        billed_losses=_count(db, scope, Alert, is_open_loss(scope)),
        held_lines=_count(db, scope, ReadinessRow, col(ReadinessRow.state) == "held"),
    )


def payer_keys(db: Session, scope: Scope) -> list[str]:
    """The payers of the practice by their keys."""
    return sorted(row.key for row in scope.all_of(db, Payer))


def is_exported(db: Session, scope: Scope, close: Close) -> bool:
    """Whether the files of a close were made at least once."""
    return bool(exports_of_close(db, scope, close.id))


def _count(db: Session, scope: Scope, table: Any, *conditions: Any) -> int:
    of_practice = col(table.organization_id) == scope.organization_id
    found = db.exec(select(func.count()).select_from(table).where(of_practice, *conditions))
    return int(found.one())

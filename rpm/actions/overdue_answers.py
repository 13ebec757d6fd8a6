"""Sent claims whose next answer is overdue, and files whose arrival is not known, as work.

Owns putting events and each clearinghouse's days together. Does not own the reckoning
(``billing.claims.clocks``, ``billing.claims.sending``). Nothing of it is stored: it follows from
the record whenever it is asked for.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlmodel import Session, col

from billing.claims.clocks import ClockDays, Overdue, overdue_answer
from billing.claims.lifecycle import Kind
from billing.claims.sending import Reach, reach
from rpm.access import Actor, require
from rpm.actions.practice_day import practice_today
from rpm.store.queries.claims import claims_of, folded
from rpm.store.queries.clearinghouses import (
    CLAIMS,
    claims_unanswered,
    clearinghouse_profiles,
    folded_steps,
    same_number_other_content,
    sent_files,
    steps_of,
)
from rpm.store.scope import Scope
from rpm.store.tables.claims import ClaimEventRecord, ClaimFile
from rpm.store.tables.transport import FileSending
from rpm.transport.profile import Profile

_AT_ONCE = 500


@dataclass(frozen=True)
class OverdueClaim:
    """A claim whose answer is overdue, and where it was sent."""

    claim_id: UUID
    control_number: str
    clearinghouse: str
    overdue: Overdue


@dataclass(frozen=True)
class UnsureFile:
    """A file whose arrival is not known, and the steps of its sendings."""

    file: ClaimFile
    steps: tuple[FileSending, ...]


@dataclass(frozen=True)
class ExchangeWork:
    """What a person has to look after between the practice and its clearinghouses."""

    overdue: list[OverdueClaim]
    unsure: list[UnsureFile]
    alarms: list[tuple[str, str]]
    """Interchanges that came with two contents: sender and number."""

    @property
    def count(self) -> int:
        """How many things there are to look after."""
        return len(self.overdue) + len(self.unsure) + len(self.alarms)


def exchange_work(db: Session, actor: Actor, now: datetime) -> ExchangeWork:
    """Everything, the longest overdue first."""
    require(actor, "claims:read")
    scope = Scope.of(actor)
    overdue = sorted(_overdue(db, scope, now), key=lambda one: -one.overdue.days_over)
    twice = same_number_other_content(db, scope)
    return ExchangeWork(
        overdue,
        list(_unsure(db, scope, now)),
        [(sender, number) for sender, number, _count in twice],
    )


def _overdue(db: Session, scope: Scope, now: datetime) -> Iterator[OverdueClaim]:
    today, profiles = practice_today(db, scope, now), clearinghouse_profiles(db, scope)
    waiting = claims_unanswered(db, scope)
    keys = {file.id: file.clearinghouse_key for file in sent_files(db, scope, [CLAIMS])}
    for start in range(0, len(waiting), _AT_ONCE):
        some = waiting[start : start + _AT_ONCE]
        events: dict[UUID, list[ClaimEventRecord]] = {}
        for row in scope.all_of(db, ClaimEventRecord, col(ClaimEventRecord.claim_id).in_(some)):
            events.setdefault(row.claim_id, []).append(row)
        claims = claims_of(db, scope, some)
        for claim_id, rows in events.items():
            sent = [row for row in rows if row.kind == Kind.SENT and row.file_id is not None]
            last = max(sent, key=lambda row: row.attempt, default=None)
            key = keys.get(last.file_id, "") if last is not None and last.file_id else ""
            found = overdue_answer(map(folded, rows), _days(profiles.get(key)), today)
            if found is not None:
                yield OverdueClaim(claim_id, claims[claim_id].control_number, key, found)


def _days(profile: Profile | None) -> ClockDays:
    if profile is None:
        return ClockDays()
    return ClockDays(
        profile.acknowledgment_days, profile.claim_acknowledgment_days, profile.remittance_days
    )


def _unsure(db: Session, scope: Scope, now: datetime) -> Iterator[UnsureFile]:
    begun = scope.all_of(db, FileSending)
    steps = steps_of(db, scope, {one.file_id for one in begun})
    unsure = [
        file_id
        for file_id, rows in steps.items()
        if reach(folded_steps(rows), now) is Reach.UNKNOWN
    ]
    for file in scope.all_of(db, ClaimFile, col(ClaimFile.id).in_(unsure)):
        yield UnsureFile(file, tuple(steps[file.id]))

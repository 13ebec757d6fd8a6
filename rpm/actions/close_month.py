"""Close a month: post what changed since the last close, exactly once.

Owns the claim, the rows a close writes and its totals. Does not own what is posted
(``rpm.actions.compute_close``). A rerun with nothing new posts nothing; of several closers at once
one posts and the others are given its close.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session

import rpm
from rpm.access import Actor, require
from rpm.actions.announce import announce
from rpm.actions.command import Command, Month, Reason
from rpm.actions.compute_close import ComputedClose, Progress, compute_close, latest_close
from rpm.collector import without_collector
from rpm.errors import Conflict
from rpm.store.chain import recording
from rpm.store.journal import Posted, posting_id
from rpm.store.queries.people import hold_organization
from rpm.store.scope import Scope
from rpm.store.tables.base import METADATA
from rpm.store.tables.ledger import Close, CloseClaim, CloseRow, Posting


class CloseMonth(Command):
    """The close of a calendar month that is over."""

    month: Month
    reason: Reason | None = None

    @property
    def month_start_day(self) -> date:
        """The first day of the month."""
        return date.fromisoformat(f"{self.month}-01")


@dataclass(frozen=True)
class ClosedMonth:
    """A close, and whether it was there already: then nothing was posted now."""

    close: Close
    repeated: bool


def close_month(
    db: Session,
    actor: Actor,
    now: datetime,
    command: CloseMonth,
    progress: Progress | None = None,
) -> ClosedMonth:
    """Compute and record the close of a month under the organization's lock.

    For a small practice or a test; where others must go on writing meanwhile, compute with
    ``compute_close`` on a reading session first and give the result to ``post_close``. Raises
    ``Conflict`` as ``compute_close`` does.
    """
    require(actor, "close:run")
    scope = Scope.of(actor)
    hold_organization(db, scope)
    computed = compute_close(db, scope, now, command.month_start_day, progress=progress)
    return post_close(db, actor, now, computed, command.reason)


@without_collector()
def post_close(
    db: Session,
    actor: Actor,
    now: datetime,
    computed: ComputedClose,
    reason: str | None = None,
) -> ClosedMonth:
    """Record a computed close; ``Conflict`` when another month was closed since it was computed."""
    require(actor, "close:run")
    scope = Scope.of(actor)
    if computed.repeats_latest and computed.latest_close is not None:
        return ClosedMonth(computed.latest_close, repeated=True)
    hold_organization(db, scope)
    latest = latest_close(db, scope)
    if _identity(latest) != _identity(computed.latest_close):
        if latest is not None and latest.month_start_day == computed.month_start_day:
            return ClosedMonth(latest, repeated=True)
        raise Conflict("another month was closed meanwhile; close this one again")
    if not _claim(db, computed, now):
        raise Conflict("this close is being made by another process")
    subject = {"month": computed.month_start_day.isoformat()[:7], "ordinal": computed.ordinal}
    with recording(db, actor, now, "close.month", subject, reason) as record:
        anchor = record.previous
        close = record.add(_close(computed, anchor.as_json()))
        record.subject["close_id"] = close.id
        record.add_values(
            CloseRow,
            (
                {"close_id": close.id, "ordinal": place, "content": run}
                for place, run in enumerate(computed.runs)
            ),
        )
        record.add_values(Posting, _postings(close, computed.postings))
        announce(db, scope, now, record, "month.closed", [{"close_id": close.id}])
    return ClosedMonth(close, repeated=False)


def _identity(close: Close | None) -> UUID | None:
    return None if close is None else close.id


def _claim(db: Session, computed: ComputedClose, now: datetime) -> bool:
    """Take the right to make this close; False when somebody else has it."""
    connection, claims = db.connection(), METADATA.tables[str(CloseClaim.__tablename__)]
    insert: Any = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    taken = connection.execute(
        insert(claims)
        .values(
            organization_id=computed.organization_id,
            month_start_day=computed.month_start_day,
            ordinal=computed.ordinal,
            claimed_at=now,
        )
        .on_conflict_do_nothing()
        .returning(claims.c.ordinal)
    )
    return taken.first() is not None


def _close(computed: ComputedClose, anchor: dict[str, Any]) -> Close:
    return Close(
        month_start_day=computed.month_start_day,
        ordinal=computed.ordinal,
        as_of=computed.as_of,
        known_day=computed.known_day,
        known_audit_number=computed.seen.number,
        product_version=rpm.__version__,
        rule_digests=dict(sorted(computed.rule_digests.items())),
        totals=totals_of(computed),
        outcome_digest=computed.outcome_digest,
        chain_anchor=anchor,
    )


def totals_of(computed: ComputedClose) -> dict[str, Any]:
    """What a close adds up to; amounts of reversals count against those of issues."""
    posted = [one for one, _ in computed.postings]
    known = [one.sign * one.amount_cents for one in posted if one.amount_cents is not None]
    return {
        "events": computed.events,
        "issued": sum(one.sign > 0 for one in posted),
        "reversed": sum(one.sign < 0 for one in posted),
        "units": sum(one.sign * one.units for one in posted),
        "amount_cents": sum(known),
        "amounts_unknown": len(posted) - len(known),
        "findings": dict(sorted(computed.findings.items())),
    }


def _postings(close: Close, posted: Iterable[tuple[Posted, str]]) -> Iterable[dict[str, Any]]:
    for one, reason in posted:
        row_id = posting_id(close.organization_id, one.key, one.ordinal, one.sign)
        yield {"id": row_id, "close_id": close.id, "reason": reason, **vars(one)}

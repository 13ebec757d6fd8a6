"""From where facts and rules are looked at: now, a close, or the end of an earlier day.

Owns the three. Does not own what is seen (``rpm.store.facts``).
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlmodel import Session

from rpm.clock import local_day, start_of_day
from rpm.errors import InvalidRequest
from rpm.store.queries.audit import last_number_before
from rpm.store.queries.people import organization_of
from rpm.store.scope import Scope
from rpm.store.tables.ledger import Close


@dataclass(frozen=True)
class SeenFrom:
    """The day that tells running periods from finished ones, and what is known of facts and rules.

    ``until_audit_number`` None: all facts recorded so far.
    """

    as_of: date
    known_day: date
    until_audit_number: int | None


def seen_now(db: Session, scope: Scope, now: datetime, as_of: date | None = None) -> SeenFrom:
    """All facts, the pages known today; as of the practice's today unless told."""
    today = local_day(now, organization_of(db, scope).timezone)
    return SeenFrom(as_of or today, today, None)


def seen_on(
    db: Session, scope: Scope, now: datetime, known_at: date | None, as_of: date | None = None
) -> SeenFrom:
    """What was known at the end of a day of the practice, or now when no day is told.

    As of that day unless told. ``InvalidRequest`` for a day that has not come.
    """
    if known_at is None:
        return seen_now(db, scope, now, as_of)
    zone = organization_of(db, scope).timezone
    if known_at > local_day(now, zone):
        raise InvalidRequest("known_at is a day that has not come")
    end = start_of_day(known_at + timedelta(days=1), zone)
    return SeenFrom(as_of or known_at, known_at, last_number_before(db, scope, end))


def seen_by_close(close: Close) -> SeenFrom:
    """What a close saw."""
    return SeenFrom(close.as_of, close.known_day, close.known_audit_number)

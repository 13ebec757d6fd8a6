"""The practice's today, and the refusal of days that are not over it.

Owns the one comparison that most actions need. Does not own zones (``rpm.clock``).
"""

from datetime import date, datetime

from sqlmodel import Session

from rpm.actions.command import refuse
from rpm.clock import local_day
from rpm.store.queries.people import organization_of
from rpm.store.scope import Scope


def practice_today(db: Session, scope: Scope, now: datetime) -> date:
    """The local day of the practice at an instant."""
    return local_day(now, organization_of(db, scope).timezone)


def refuse_future(field: str, day: date | None, today: date) -> None:
    """``InvalidRequest`` naming the field when the day has not come yet."""
    if day is not None and day > today:
        raise refuse(field, "E_IN_FUTURE", "this day has not come yet")


def refuse_backwards(field: str, first: date, last: date | None) -> None:
    """``InvalidRequest`` naming the field of the last day when it lies before the first."""
    if last is not None and last < first:
        raise refuse(field, "E_ENDS_BEFORE_START", "the last day lies before the first")

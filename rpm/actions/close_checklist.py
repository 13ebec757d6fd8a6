"""What to look at before a month is closed, and which months can be.

Owns the points of the list and their words. Does not own the counts
(``rpm.store.queries.checklist``). Nothing on the list stops a close: what is settled later is
posted by the next one.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlmodel import Session

from rpm.actions.compute_close import latest_close, next_month
from rpm.actions.practice_day import practice_today
from rpm.store.queries.checklist import is_exported, payer_keys, waiting
from rpm.store.queries.visits import undecided_visits
from rpm.store.rule_books import book_of
from rpm.store.scope import Scope
from rpm.store.tables.ledger import Close

_MOST_MONTHS = 12


@dataclass(frozen=True)
class Check:
    """A point of the list."""

    done: bool
    title: str
    told: str  # what stands open, or why it is done
    path: str  # of the page where it is settled; empty where there is none


def checklist(db: Session, scope: Scope) -> list[Check]:
    """The points of the list as they stand now."""
    found = waiting(db, scope)
    latest = latest_close(db, scope)
    points = [
        _counted(
            found.dead_letters,
            "Deliveries that could not be read",
            "they may hold readings that would count",
            "/admin/connections/dead-letters",
        ),
        _counted(
            found.running_timers, "Timers that run", "their minutes are not logged yet", "/time"
        ),
        _counted(
            found.proposed_entries,
            "Typed entries that wait for a second person",
            "they do not count before they are approved",
            "/time",
        ),
        _counted(
            found.billed_losses,
            "Billed lines that late facts take back",
            "this close reverses them: look at why before it does",
            "/alerts",
        ),
        _counted(
            found.held_lines,
            "Lines held back by a finding",
            "a paper or a live contact is missing",
            "/worklist",
        ),
        _counted(
            undecided_visits(db, scope),
            "Visits that nobody decided on",
            "their lines leave with no close, and their minutes still count as monitoring",
            "/visits",
        ),
        _ruled(db, scope),
    ]
    if latest is not None and not is_exported(db, scope, latest):
        month = latest.month_start_day
        told = f"the files of {month:%Y-%m} were never downloaded"
        path = f"/close/closes/{latest.id}"
        points.append(Check(done=False, title="The close before this one", told=told, path=path))
    return points


def _counted(count: int, title: str, told: str, path: str) -> Check:
    return Check(count == 0, title, f"{count:,}: {told}" if count else "none", path)


def _ruled(db: Session, scope: Scope) -> Check:
    known = set(book_of(db, scope.organization_id).payers)
    missing = [key for key in payer_keys(db, scope) if key not in known]
    told = f"no rule page for {', '.join(missing)}" if missing else "each payer has one"
    return Check(not missing, "Rule pages of your payers", told, "/admin/payers")


@dataclass(frozen=True)
class ClosableMonth:
    """A month that is over and may be closed: the next one, or the one closed last, again."""

    first_day: date
    latest: Close | None  # its close, where it has one


def closable_months(db: Session, scope: Scope, now: datetime) -> list[ClosableMonth]:
    """The latest month first; none while the practice's first month runs."""
    over = practice_today(db, scope, now).replace(day=1)
    latest = latest_close(db, scope)
    first = latest.month_start_day if latest is not None else _before(over)
    months = []
    while first < over and next_month(first) <= over:
        closed = latest is not None and latest.month_start_day == first
        months.append(ClosableMonth(first, latest if closed else None))
        first = next_month(first)
    return months[-_MOST_MONTHS:][::-1]


def _before(month_start_day: date) -> date:
    return (month_start_day - timedelta(days=1)).replace(day=1)

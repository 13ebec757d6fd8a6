"""Note what came of an answer without readings: where the run stands, and what a person must know.

Owns the alert of an account that is not notified of any more. Does not own what an answer means
(``devices.pull``).
"""

from datetime import datetime, timedelta

from sqlmodel import Session

from devices.pull import Noted
from rpm.access import system_actor
from rpm.actions.pull_accounts import HELD_FOR, Claim
from rpm.actions.raise_alerts import Cause, raise_alerts
from rpm.store.queries.people import hold_organization
from rpm.store.scope import Scope
from rpm.store.tables.alerts import Alert
from rpm.store.tables.pulls import PullAccount

NOTIFICATIONS = "notifications"
_ROUTE = ["practice_admin"]
_REPEATS = timedelta(hours=24)
_ESCALATES_MINUTES = 24 * 60


def note_pulled(db: Session, now: datetime, claim: Claim, noted: Noted) -> None:
    """The account from where the run stands; an alert, once a day, where something is told."""
    actor = system_actor(claim.account.organization_id, f"vendor {claim.connection.vendor}")
    scope = Scope.of(actor)
    hold_organization(db, scope)
    account = scope.get(db, PullAccount, claim.account.id)
    account.cursor, account.held_until = dict(noted.cursor), now + HELD_FOR
    db.add(account)
    if noted.told:
        raise_alerts(db, actor, now, [_cause(claim, noted.told, now)])


def _cause(claim: Claim, told: str, now: datetime) -> Cause:
    """Readings come late from now on: at night only."""
    alert = Alert(
        key=f"{NOTIFICATIONS}:{claim.account.id}:{now:%Y-%m-%d}",
        rule=NOTIFICATIONS,
        subject=NOTIFICATIONS,
        band="amber",
        level="alert",
        value=told,
        unit="",
        comparison="",
        limit_value="",
        detail={
            "connection_id": str(claim.connection.id),
            "vendor": claim.connection.vendor,
            "pull_account_id": str(claim.account.id),
        },
        told_from=now,
        route=_ROUTE,
        escalate_after_minutes=_ESCALATES_MINUTES,
    )
    return Cause(alert, _REPEATS)

"""Ordering a purge: how much may go today, one person's order, and another person's approval.

Owns who decides, and from which day on deliveries are old. Does not own what may go
(``rpm.store.purgeable``) nor the removal (``rpm.actions.run_purge``).
"""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlmodel import Session, col

from rpm.access import Actor, require
from rpm.actions.command import Command, Id, Reason
from rpm.actions.practice_day import practice_today
from rpm.actions.set_practice_setting import OFF, RETENTION_YEARS, SETTINGS
from rpm.clock import start_of_day
from rpm.errors import Conflict, NotAllowed
from rpm.store.chain import recording
from rpm.store.purgeable import Purgeable, purgeable
from rpm.store.queries.people import hold_organization, organization_of, practice_settings
from rpm.store.scope import Scope
from rpm.store.tables.retention import PurgeApproval, PurgeOrder

_FEBRUARY, _LEAP_DAY = 2, 29


class OrderPurge(Command):
    """Payloads that are older than the practice's retention are to go."""

    reason: Reason


class ApprovePurge(Command):
    """A second person agrees with an order."""

    order_id: Id


@dataclass(frozen=True)
class DryRun:
    """What a purge would remove now, and what would stay."""

    before_day: date
    found: Purgeable


def dry_run(db: Session, actor: Actor, now: datetime) -> DryRun:
    """What would go, changing nothing; ``Conflict`` while the practice has set no retention."""
    require(actor, "records:purge")
    scope = Scope.of(actor)
    before_day = oldest_kept_day(db, scope, now)
    return DryRun(before_day, older_than(db, scope, before_day))


def older_than(db: Session, scope: Scope, before_day: date) -> Purgeable:
    """What may go of deliveries that arrived before a day of the practice."""
    zone = organization_of(db, scope).timezone
    return purgeable(db, scope, start_of_day(before_day, zone))


def oldest_kept_day(db: Session, scope: Scope, now: datetime) -> date:
    """The first day whose deliveries are kept: today, so many years ago."""
    kept = practice_settings(db, scope).get(RETENTION_YEARS)
    years = SETTINGS[RETENTION_YEARS].default if kept is None else kept.value
    if years == OFF:
        raise Conflict("the practice has not set how long it keeps payloads")
    today = practice_today(db, scope, now)
    if (today.month, today.day) == (_FEBRUARY, _LEAP_DAY):
        today = today.replace(day=_LEAP_DAY - 1)
    return today.replace(year=today.year - int(years))


def order_purge(db: Session, actor: Actor, now: datetime, command: OrderPurge) -> PurgeOrder:
    """The order with what a dry run counts now.

    ``NotAllowed`` for an order that no person gives, ``Conflict`` when nothing may go.
    """
    require(actor, "records:purge")
    user_id = _person(actor)
    scope = Scope.of(actor)
    hold_organization(db, scope)
    found = dry_run(db, actor, now)
    if not found.found.free:
        raise Conflict("nothing is old enough that is not held")
    with recording(db, actor, now, "purge.order", reason=command.reason) as record:
        order = record.add(
            PurgeOrder(
                before_day=found.before_day,
                deliveries=len(found.found.free),
                held=found.found.held,
                ordered_by=user_id,
                reason=command.reason,
            )
        )
        record.subject["order_id"] = order.id
    return order


def approve_purge(db: Session, actor: Actor, now: datetime, command: ApprovePurge) -> PurgeApproval:
    """The approval; ``NotAllowed`` for who ordered, ``Conflict`` for a second approval."""
    require(actor, "records:purge")
    user_id = _person(actor)
    scope = Scope.of(actor)
    hold_organization(db, scope)
    order = scope.get(db, PurgeOrder, command.order_id)
    if order.ordered_by == user_id:
        raise NotAllowed("a purge needs two persons: somebody else approves it")
    if approval_of(db, scope, order.id) is not None:
        raise Conflict("the purge is approved already")
    with recording(db, actor, now, "purge.approve", {"order_id": order.id}) as record:
        return record.add(PurgeApproval(order_id=order.id, approved_by=user_id))


def approval_of(db: Session, scope: Scope, order_id: UUID) -> PurgeApproval | None:
    """The approval of an order, if there is one."""
    found = scope.all_of(db, PurgeApproval, col(PurgeApproval.order_id) == order_id)
    return found[0] if found else None


def _person(actor: Actor) -> UUID:
    if actor.user_id is None:
        raise NotAllowed("a purge is ordered and approved by persons")
    return actor.user_id

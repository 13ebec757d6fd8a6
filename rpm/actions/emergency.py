"""Emergency access: a person opens more than their role does, for a reason and a short while.

Owns how long, and what is recorded. Does not own what it opens (``rpm.access``). Nobody is asked
for leave; everything done under it carries its id in the audit trail, and administrators have a
report. It ends by itself: ``wall`` is the machine's time, which no demo moves.
"""

from datetime import datetime, timedelta

from sqlmodel import Session

from rpm.access import EMERGENCY_PERMISSIONS, Actor
from rpm.actions.command import Command, Reason
from rpm.errors import Conflict, NotAllowed
from rpm.store.chain import recording
from rpm.store.queries.people import hold_organization
from rpm.store.scope import Scope
from rpm.store.sign_ins import running_emergency
from rpm.store.tables.sign_ins import EmergencyAccess

EMERGENCY = timedelta(hours=4)
"""The longest; who needs more states a reason again."""


class TakeEmergencyAccess(Command):
    """More than the role opens, now."""

    reason: Reason


def take_emergency_access(
    db: Session, actor: Actor, now: datetime, wall: datetime, command: TakeEmergencyAccess
) -> EmergencyAccess:
    """The access, from now on for four hours.

    ``NotAllowed`` for whoever is not a person at a page, ``Conflict`` while one runs and for a role
    that opens as much already.
    """
    if actor.user_id is None or actor.sign_in_id is None:
        raise NotAllowed("emergency access is for people who are signed in")
    scope = Scope.of(actor)
    hold_organization(db, scope)
    if running_emergency(db, scope, actor.user_id, wall) is not None:
        raise Conflict("your emergency access runs already")
    if actor.permissions >= EMERGENCY_PERMISSIONS and actor.site_ids is None:
        raise Conflict("your role opens every chart already")
    with recording(
        db, actor, now, "emergency.take", {"user_id": actor.user_id}, command.reason
    ) as record:
        taken = record.add(
            EmergencyAccess(
                user_id=actor.user_id,
                reason=command.reason,
                from_at=wall,
                to_at=wall + EMERGENCY,
            )
        )
        record.subject["emergency_id"] = taken.id
    return taken

"""Reads of sign-ins, credentials and emergencies.

Owns the look-ups. Does not own what ends a sign-in (``rpm.store.sign_ins``).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlmodel import Session, col, func, select

from rpm.access import Actor
from rpm.store.scope import Scope
from rpm.store.sign_ins import IDLE, LONGEST
from rpm.store.tables.people import User
from rpm.store.tables.security import AuditEvent
from rpm.store.tables.sign_ins import (
    NO_PASSWORD,
    Credential,
    EmergencyAccess,
    Invitation,
    SignIn,
)

MOST_SHOWN = 50


def open_sign_ins(db: Session, scope: Scope, actor: Actor, wall: datetime) -> Sequence[SignIn]:
    """Where a person is signed in now, the newest first; fifty at most."""
    return db.exec(
        scope.rows(SignIn)
        .where(
            col(SignIn.user_id) == actor.user_id,
            col(SignIn.ended_at).is_(None),
            col(SignIn.seen_at) > wall - IDLE,
            col(SignIn.created_at) > wall - LONGEST,
        )
        .order_by(col(SignIn.created_at).desc())
        .limit(MOST_SHOWN)
    ).all()


@dataclass(frozen=True)
class AccessState:
    """How far a user's way in is: a credential, a link that waits, and when they were last here."""

    can_sign_in: bool
    invited_until: datetime | None
    seen_at: datetime | None


def access_states(
    db: Session, scope: Scope, user_ids: Sequence[UUID], wall: datetime
) -> dict[UUID, AccessState]:
    """The state of each of these users."""
    able = set(
        db.exec(
            select(Credential.user_id).where(
                col(Credential.organization_id) == scope.organization_id,
                col(Credential.user_id).in_(user_ids),
                col(Credential.password_hash) != NO_PASSWORD,
            )
        )
    )
    waiting = db.exec(
        select(Invitation.user_id, func.max(Invitation.expires_at))
        .where(
            col(Invitation.organization_id) == scope.organization_id,
            col(Invitation.user_id).in_(user_ids),
            col(Invitation.used_at).is_(None),
            col(Invitation.expires_at) > wall,
        )
        .group_by(col(Invitation.user_id))
    )
    links = dict(waiting.all())
    last = db.exec(
        select(SignIn.user_id, func.max(SignIn.seen_at))
        .where(
            col(SignIn.organization_id) == scope.organization_id,
            col(SignIn.user_id).in_(user_ids),
        )
        .group_by(col(SignIn.user_id))
    )
    seen = dict(last.all())
    return {one: AccessState(one in able, links.get(one), seen.get(one)) for one in user_ids}


def emergencies_page(
    db: Session, scope: Scope, after: int | None, limit: int
) -> Sequence[tuple[EmergencyAccess, User]]:
    """Emergency accesses and whose, the latest first; ``after`` an audit number."""
    conditions = [] if after is None else [col(EmergencyAccess.audit_number) < after]
    return db.exec(
        select(EmergencyAccess, User)
        .join(
            User,
            (col(User.organization_id) == col(EmergencyAccess.organization_id))
            & (col(User.id) == col(EmergencyAccess.user_id)),
        )
        .where(col(EmergencyAccess.organization_id) == scope.organization_id, *conditions)
        .order_by(col(EmergencyAccess.audit_number).desc())
        .limit(limit)
    ).all()


def events_of_emergency(
    db: Session, scope: Scope, taken: EmergencyAccess, after: int | None, limit: int
) -> Sequence[AuditEvent]:
    """What was done under an emergency access, in order; ``after`` an audit number."""
    return db.exec(
        select(AuditEvent)
        .where(
            col(AuditEvent.organization_id) == scope.organization_id,
            col(AuditEvent.number) > (after or taken.audit_number),
            col(AuditEvent.actor)["emergency_id"].as_string() == taken.id.hex,
        )
        .order_by(col(AuditEvent.number))
        .limit(limit)
    ).all()

"""Who is behind a signed-in browser, and the counting of tries.

Owns the look-up of sign-ins and the counters. Does not own signing in (``rpm.actions.sign_in``).
All instants are the machine's (``wall``): a demo's clock may stand still or leap.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import case, delete
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, col, select, update

from rpm.access import EMERGENCY_PERMISSIONS, ROLE_PERMISSIONS, Actor, token_hash
from rpm.errors import NotAuthentic
from rpm.store.engine import enter
from rpm.store.queries.sites import site_ids_of_user
from rpm.store.scope import Scope
from rpm.store.tables.base import METADATA
from rpm.store.tables.people import Organization, User
from rpm.store.tables.sign_ins import EmergencyAccess, SignIn, SignInTries

IDLE = timedelta(minutes=15)
"""A sign-in ends this long after the person's own last request."""
LONGEST = timedelta(hours=12)
"""A sign-in ends this long after it began, whatever happens."""
SEEN_GRAIN = timedelta(seconds=20)
"""The last request is noted this exactly: not every page needs a write."""
TRIES_WINDOW = timedelta(minutes=15)


@dataclass(frozen=True)
class SignedIn:
    """A person at a browser."""

    actor: Actor
    organization_name: str
    timezone: str
    seen_at: datetime
    ends_at: datetime
    emergency_until: datetime | None


def signed_in(session: Session, token: str, wall: datetime) -> SignedIn:
    """Who a cookie stands for; the rest of the transaction is for that person's organization.

    ``NotAuthentic`` when unknown, ended, idle too long or disabled.
    """
    found = session.exec(
        select(SignIn, User, Organization)
        .join(
            User,
            (col(User.organization_id) == col(SignIn.organization_id))
            & (col(User.id) == col(SignIn.user_id)),
        )
        .join(Organization, col(Organization.id) == col(SignIn.organization_id))
        .where(col(SignIn.token_hash) == token_hash(token))
    ).first()
    if found is None:
        raise NotAuthentic("sign in first")
    kept, user, organization = found
    is_over = kept.seen_at + IDLE <= wall or kept.created_at + LONGEST <= wall
    if kept.ended_at is not None or is_over or not user.active:
        raise NotAuthentic("you were signed out; sign in again")
    actor = Actor(
        organization_id=user.organization_id,
        user_id=user.id,
        token_id=None,
        role=user.role,
        permissions=ROLE_PERMISSIONS.get(user.role, frozenset()),
        name_for_audit=user.name,
        sign_in_id=kept.id,
    )
    enter(session, actor.organization_id)
    emergency = running_emergency(session, Scope.of(actor), user.id, wall)
    if emergency is not None:
        held = actor.permissions | EMERGENCY_PERMISSIONS
        actor = replace(actor, permissions=held, emergency_id=emergency.id)
    else:
        sites = site_ids_of_user(session, Scope.of(actor), user.id)
        actor = replace(actor, site_ids=sites)
    return SignedIn(
        actor=actor,
        organization_name=organization.name,
        timezone=organization.timezone,
        seen_at=kept.seen_at,
        ends_at=kept.created_at + LONGEST,
        emergency_until=emergency.to_at if emergency else None,
    )


def running_emergency(
    session: Session, scope: Scope, user_id: UUID, wall: datetime
) -> EmergencyAccess | None:
    """The emergency access of a user that runs at an instant; None when none does."""
    return session.exec(
        scope.rows(EmergencyAccess)
        .where(
            col(EmergencyAccess.user_id) == user_id,
            col(EmergencyAccess.from_at) <= wall,
            col(EmergencyAccess.to_at) > wall,
        )
        .order_by(col(EmergencyAccess.to_at).desc())
    ).first()


def note_seen(session: Session, actor: Actor, wall: datetime) -> None:
    """The person asked for something just now."""
    session.connection().execute(
        update(SignIn)
        .where(
            col(SignIn.organization_id) == actor.organization_id,
            col(SignIn.id) == actor.sign_in_id,
            col(SignIn.seen_at) < wall,
        )
        .values(seen_at=wall)
    )


def end_sign_ins(session: Session, scope: Scope, wall: datetime, *conditions: Any) -> None:
    """End the sign-ins of the organization that meet the conditions and are not over."""
    session.connection().execute(
        update(SignIn)
        .where(
            col(SignIn.organization_id) == scope.organization_id,
            col(SignIn.ended_at).is_(None),
            *conditions,
        )
        .values(ended_at=wall)
    )


def count_try(session: Session, key: str, wall: datetime) -> int:
    """Count one more try under a key; how many there are in the running window, this one too."""
    connection = session.connection()
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    table = METADATA.tables[str(SignInTries.__tablename__)]
    is_over = table.c.since <= wall - TRIES_WINDOW
    statement = (
        insert(table)
        .values(key=key, tries=1, since=wall)
        .on_conflict_do_update(
            index_elements=[table.c.key],
            set_={
                "tries": case((is_over, 1), else_=table.c.tries + 1),
                "since": case((is_over, wall), else_=table.c.since),
            },
        )
        .returning(table.c.tries)
    )
    return int(connection.execute(statement).scalar_one())


def take_back_try(session: Session, key: str) -> None:
    """One try under a key was no guess."""
    session.connection().execute(
        update(SignInTries)
        .where(col(SignInTries.key) == key, col(SignInTries.tries) > 0)
        .values(tries=SignInTries.tries - 1)
    )


def forget_tries(session: Session, keys: list[str], wall: datetime) -> None:
    """Tries under these keys, and all whose window is over, count no longer."""
    session.connection().execute(
        delete(SignInTries).where(
            col(SignInTries.key).in_(keys) | (col(SignInTries.since) <= wall - TRIES_WINDOW)
        )
    )

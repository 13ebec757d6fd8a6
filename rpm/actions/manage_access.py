"""Users and their API tokens: add, change, give, revoke.

Owns who may give what: nobody hands out more than the user's role has, nor more than the giver
holds. Does not own what a permission opens (``rpm.access``). Users and tokens are mutable rows;
every change leaves an audit event with its reason.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID

from pydantic import Field, StringConstraints
from sqlmodel import Session, col

from rpm.access import (
    LIMITED_ROLES,
    PERMISSIONS,
    ROLE_PERMISSIONS,
    Actor,
    new_token,
    permissions_of,
    require,
    token_hash,
)
from rpm.actions.command import Command, Id, Name, OneOf, Reason
from rpm.errors import Conflict, NotAllowed
from rpm.ids import uuid7
from rpm.store.chain import recording
from rpm.store.queries.people import hold_organization, user_with_email
from rpm.store.queries.sites import site_ids_of_user
from rpm.store.scope import Scope
from rpm.store.tables.people import ApiToken, Practitioner, User

MOST_TOKEN_DAYS = 3650
USUAL_TOKEN_DAYS = 90
Email = Annotated[
    str,
    StringConstraints(max_length=200, pattern=r"^[^@\s\x00-\x1f]+@[^@\s\x00-\x1f]+$"),
    Field(examples=["nora@practice.example"]),
]
Role = Annotated[str, OneOf(tuple(ROLE_PERMISSIONS))]
Permission = Annotated[str, OneOf(tuple(sorted(PERMISSIONS)))]


class AddUser(Command):
    """A person with access."""

    name: Name = Field(examples=["Nora Nurse"])
    email: Email
    role: Role = Field(examples=["clinical_staff"])
    practitioner_id: Id | None = None


class ChangeUser(Command):
    """Another role, or access taken away or given back; what is not named stays."""

    user_id: Id
    role: Role | None = None
    active: bool | None = None
    reason: Reason = Field(examples=["left the practice"])


class CreateToken(Command):
    """A bearer token for a user."""

    user_id: Id
    name: Name = Field(examples=["front desk import"])
    permissions: list[Permission] | None = Field(
        default=None, min_length=1, description="A part of the role's; all of them by default."
    )
    valid_days: int | None = Field(
        default=None, ge=1, le=MOST_TOKEN_DAYS, description="The installation's usual time if null."
    )


class RevokeToken(Command):
    """A token is no longer good."""

    token_id: Id
    reason: Reason = Field(examples=["laptop lost"])


@dataclass(frozen=True)
class NewToken:
    """A token's row, and its text: shown once, kept only as a hash."""

    token: ApiToken
    secret: str


def add_user(db: Session, actor: Actor, now: datetime, command: AddUser) -> User:
    """The new user; ``Conflict`` when the address belongs to a user."""
    require(actor, "users:manage")
    scope = Scope.of(actor)
    refuse_more_than_own(actor, ROLE_PERMISSIONS[command.role])
    if command.practitioner_id is not None:
        scope.get(db, Practitioner, command.practitioner_id)
    hold_organization(db, scope)
    if user_with_email(db, scope, command.email) is not None:
        raise Conflict("a user has this address")
    with recording(db, actor, now, "user.add") as record:
        user = record.add(User(**command.model_dump(), created_at=now))
        record.subject["user_id"] = user.id
    return user


def change_user(db: Session, actor: Actor, now: datetime, command: ChangeUser) -> User:
    """The user as it is now. ``Conflict`` for taking the last active administrator away."""
    require(actor, "users:manage")
    scope = Scope.of(actor)
    hold_organization(db, scope)
    user = scope.get(db, User, command.user_id)
    role = command.role or user.role
    active = user.active if command.active is None else command.active
    refuse_more_than_own(actor, ROLE_PERMISSIONS[role])
    if (role, active) != ("practice_admin", True) and _is_last_admin(db, scope, user.id):
        raise Conflict("the practice would have no administrator left")
    if role not in LIMITED_ROLES and site_ids_of_user(db, scope, user.id) is not None:
        raise Conflict("the user works at some sites only, and the role is of the whole practice")
    with recording(db, actor, now, "user.change", {"user_id": user.id}, command.reason):
        user.role, user.active = role, active
        db.add(user)
    return user


def create_token(
    db: Session,
    actor: Actor,
    now: datetime,
    command: CreateToken,
    usual_days: int = USUAL_TOKEN_DAYS,
) -> NewToken:
    """A new token and its text; good for ``usual_days`` unless the command says how long.

    ``NotAllowed`` for more than the user's role or the giver has; ``Conflict`` for an inactive
    user.
    """
    require(actor, "tokens:manage")
    user = Scope.of(actor).get(db, User, command.user_id)
    if not user.active:
        raise Conflict("the user has no access")
    if site_ids_of_user(db, Scope.of(actor), user.id) is not None:
        raise Conflict("the user works at some sites only, and a token is of the whole practice")
    permissions = permissions_of(user.role, command.permissions)
    refuse_more_than_own(actor, permissions)
    token = made_token(
        user, now, command.name, sorted(permissions), command.valid_days or usual_days
    )
    with recording(db, actor, now, "token.create", {"user_id": user.id}) as record:
        record.add(token.token)
        record.subject["token_id"] = token.token.id
    return token


def made_token(
    user: User, now: datetime, name: str, permissions: Sequence[str], valid_days: int
) -> NewToken:
    """A token that is not recorded yet."""
    secret = new_token()
    row = ApiToken(
        id=uuid7(now),
        user_id=user.id,
        token_hash=token_hash(secret),
        name=name,
        permissions=list(permissions),
        created_at=now,
        expires_at=now + timedelta(days=valid_days),
    )
    return NewToken(row, secret)


def revoke_token(db: Session, actor: Actor, now: datetime, command: RevokeToken) -> ApiToken:
    """The token, revoked from now on; ``Conflict`` when it was before."""
    require(actor, "tokens:manage")
    scope = Scope.of(actor)
    hold_organization(db, scope)
    token = scope.get(db, ApiToken, command.token_id)
    if token.revoked_at is not None:
        raise Conflict("the token is revoked already")
    with recording(db, actor, now, "token.revoke", {"token_id": token.id}, command.reason):
        token.revoked_at = now
        db.add(token)
    return token


def refuse_more_than_own(actor: Actor, permissions: frozenset[str]) -> None:
    """``NotAllowed`` for giving, or having power over, more than the actor holds."""
    if not permissions <= actor.permissions:
        raise NotAllowed("nobody can give more than they hold")


def _is_last_admin(db: Session, scope: Scope, user_id: UUID) -> bool:
    admins = scope.all_of(db, User, col(User.role) == "practice_admin", col(User.active).is_(True))
    return [admin.id for admin in admins] == [user_id]

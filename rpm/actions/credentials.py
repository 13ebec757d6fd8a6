"""What users sign in with: invited by a link that works once, chosen by themselves, taken away.

Owns invitations and credentials. Does not own users (``manage_access``) nor proofs
(``rpm.proofs``). ``wall`` is the machine's time, ``now`` the ledger's.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

from pydantic import StringConstraints
from sqlmodel import Session, col, select, update

from rpm.access import ROLE_PERMISSIONS, Actor, require, system_actor, token_hash
from rpm.actions.command import Command, Id, Reason, refuse
from rpm.actions.manage_access import refuse_more_than_own
from rpm.actions.sign_in import NewSignIn, start_sign_in, totp_place
from rpm.errors import Conflict, NotFound
from rpm.fields import decrypt_field, encrypt_field
from rpm.ids import uuid7
from rpm.keys import Keys
from rpm.proofs import (
    new_recovery_codes,
    new_totp_secret,
    recovery_hash,
    totp_step,
    weak_password,
)
from rpm.store.chain import recording
from rpm.store.engine import enter
from rpm.store.queries.people import hold_organization
from rpm.store.scope import Scope
from rpm.store.sign_ins import end_sign_ins
from rpm.store.tables.people import User
from rpm.store.tables.sign_ins import NO_PASSWORD, Credential, Invitation, SignIn

INVITED_FOR = timedelta(hours=72)
_TOKEN_BYTES = 32


class InviteUser(Command):
    """A user may choose a password and set up an app, anew or for the first time."""

    user_id: Id


class EndAccess(Command):
    """What a user signs in with is no longer good; a new invitation is needed."""

    user_id: Id
    reason: Reason


class AcceptInvitation(Command):
    """What an invited person chooses, with the first code of the app."""

    password: Annotated[str, StringConstraints(max_length=1000)]
    code: Annotated[str, StringConstraints(strip_whitespace=True, max_length=40)]


@dataclass(frozen=True)
class NewInvitation:
    """An invitation, and the text of its link: shown once, kept only as a hash."""

    invitation: Invitation
    secret: str


@dataclass(frozen=True)
class Invited:
    """Whom a link invites, and the secret that the app is to know."""

    invitation: Invitation
    user: User
    totp_secret: str


@dataclass(frozen=True)
class Accepted:
    """A sign-in of the person who accepted, and the recovery codes, shown this once."""

    made: NewSignIn
    recovery_codes: list[str]


def invite_user(
    db: Session, keys: Keys, actor: Actor, now: datetime, wall: datetime, command: InviteUser
) -> NewInvitation:
    """A link for three days; earlier ones of the user work no longer.

    ``Conflict`` for a user without access, ``NotAllowed`` for one who may do more than the giver.
    """
    user = _user_below(db, actor, command.user_id)
    if not user.active:
        raise Conflict("the user has no access: give it back first")
    secret = secrets.token_urlsafe(_TOKEN_BYTES)
    row_id = uuid7(wall)
    place = totp_place("invitation", user.organization_id, row_id)
    row = Invitation(
        id=row_id,
        user_id=user.id,
        token_hash=token_hash(secret),
        totp_secret_encrypted=encrypt_field(
            keys.field_encryption, new_totp_secret().encode(), place
        ),
        created_at=wall,
        expires_at=wall + INVITED_FOR,
    )
    subject = {"user_id": user.id, "invitation_id": row.id}
    with recording(db, actor, now, "user.invite", subject) as record:
        _use_up(db, user, wall)
        record.add(row)
    return NewInvitation(row, secret)


def _user_below(db: Session, actor: Actor, user_id: UUID) -> User:
    require(actor, "users:manage")
    scope = Scope.of(actor)
    hold_organization(db, scope)
    user = scope.get(db, User, user_id)
    refuse_more_than_own(actor, ROLE_PERMISSIONS[user.role])
    return user


def _use_up(db: Session, user: User, wall: datetime) -> None:
    db.connection().execute(
        update(Invitation)
        .where(
            col(Invitation.organization_id) == user.organization_id,
            col(Invitation.user_id) == user.id,
            col(Invitation.used_at).is_(None),
        )
        .values(used_at=wall)
    )


def invited(db: Session, keys: Keys, secret: str, wall: datetime) -> Invited:
    """Whom a link invites; ``NotFound`` when it is unknown, used or over."""
    found = db.exec(
        select(Invitation, User)
        .join(
            User,
            (col(User.organization_id) == col(Invitation.organization_id))
            & (col(User.id) == col(Invitation.user_id)),
        )
        .where(col(Invitation.token_hash) == token_hash(secret))
    ).first()
    if found is None:
        raise NotFound("the link is not known")
    row, user = found
    if row.used_at is not None or row.expires_at <= wall or not user.active:
        raise NotFound("the link was used or is over: ask for a new one")
    place = totp_place("invitation", row.organization_id, row.id)
    plain = decrypt_field(keys.field_encryption, row.totp_secret_encrypted, place).decode()
    return Invited(row, user, plain)


def refuse_weak(command: AcceptInvitation, found: Invited, wall: datetime) -> int:
    """The step of the app's code; ``InvalidRequest`` names a weak password or a wrong code."""
    why = weak_password(command.password, found.user.name, found.user.email)
    if why is not None:
        raise refuse("password", "weak", f"Choose another password: {why}")
    step = totp_step(found.totp_secret, command.code.replace(" ", ""), wall)
    if step is None:
        raise refuse("code", "wrong", "The code is not right: is the phone's clock?")
    return step


def accept_invitation(
    db: Session,
    keys: Keys,
    now: datetime,
    wall: datetime,
    secret: str,
    password_hash: str,
    step: int,
) -> Accepted:
    """The person's credential, and a first sign-in; all others of the person end.

    ``NotFound`` as ``invited``; ``Conflict`` when another user of the installation signs in with
    this address.
    """
    found = invited(db, keys, secret, wall)
    scope = Scope(found.user.organization_id, system_actor(found.user.organization_id, "invited"))
    enter(db, scope.organization_id)
    hold_organization(db, scope)
    found = invited(db, keys, secret, wall)
    user = found.user
    held = ROLE_PERMISSIONS[user.role]
    actor = Actor(user.organization_id, user.id, None, user.role, held, user.name)
    codes = give_credential(db, keys, actor, now, user, password_hash, found.totp_secret, step)
    _use_up(db, user, wall)
    end_sign_ins(db, scope, wall, col(SignIn.user_id) == user.id)
    return Accepted(start_sign_in(db, now, wall, user), codes)


def give_credential(
    db: Session,
    keys: Keys,
    actor: Actor,
    now: datetime,
    user: User,
    password_hash: str,
    totp_secret: str,
    used_step: int = 0,
) -> list[str]:
    """What the user signs in with from now on; the recovery codes, kept only as hashes.

    ``Conflict`` when another user of the installation signs in with this address.
    """
    login = user.email.lower()
    other = db.exec(select(Credential).where(col(Credential.login) == login)).first()
    if other is not None and (other.organization_id, other.user_id) != _key(user):
        raise Conflict("somebody signs in with this address already: a user needs one of their own")
    codes = new_recovery_codes()
    place = totp_place("credential", user.organization_id, user.id)
    values: dict[str, Any] = {
        "login": login,
        "password_hash": password_hash,
        "totp_secret_encrypted": encrypt_field(keys.field_encryption, totp_secret.encode(), place),
        "totp_last_step": used_step,
        "recovery_hashes": [recovery_hash(code) for code in codes],
        "changed_at": now,
    }
    with recording(db, actor, now, "user.credential", {"user_id": user.id}) as record:
        kept = db.get(Credential, _key(user))
        if kept is None:
            record.add(Credential(user_id=user.id, **values))
        else:
            kept.sqlmodel_update(values)
            db.add(kept)
    return codes


def end_access(
    db: Session, actor: Actor, now: datetime, wall: datetime, command: EndAccess
) -> None:
    """Password, app, codes, links and sign-ins of the user are no longer good."""
    user = _user_below(db, actor, command.user_id)
    with recording(db, actor, now, "user.reset", {"user_id": user.id}, command.reason):
        kept = db.get(Credential, _key(user))
        if kept is not None:
            kept.password_hash, kept.recovery_hashes = NO_PASSWORD, []
            db.add(kept)
        _use_up(db, user, wall)
        end_sign_ins(db, Scope.of(actor), wall, col(SignIn.user_id) == user.id)


def _key(user: User) -> tuple[UUID, UUID]:
    return (user.organization_id, user.id)

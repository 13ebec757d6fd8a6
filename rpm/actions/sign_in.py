"""Signing in: password and one-time code for a sign-in, with few tries and equal work.

Owns the three steps and the limits on tries. Does not own what proves a person (``rpm.proofs``) nor
the cookie. A try is counted before anything is compared, and comparing happens between two short
transactions, so that nobody waits for a hash. ``wall`` is the machine's time, ``now`` the ledger's.
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Annotated
from uuid import UUID

from pydantic import StringConstraints
from sqlmodel import Session, col, select

from rpm.access import ROLE_PERMISSIONS, Actor, system_actor, token_hash
from rpm.actions.command import Command
from rpm.errors import NotAuthentic, TooManyTries
from rpm.fields import decrypt_field, encrypt_field
from rpm.ids import uuid7
from rpm.keys import KeyRing, Keys
from rpm.proofs import new_totp_secret, password_matches, recovery_left, totp_step
from rpm.store.chain import recording
from rpm.store.engine import enter
from rpm.store.queries.people import hold_organization
from rpm.store.scope import Scope
from rpm.store.sign_ins import count_try, end_sign_ins, forget_tries, take_back_try
from rpm.store.tables.people import User
from rpm.store.tables.sign_ins import Credential, SignIn

MOST_TRIES_OF_NAME, MOST_TRIES_OF_SENDER = 10, 50
"""In a quarter of an hour; a person who signed in begins anew."""
WRONG = "the address, the password or the code is not right"
NOBODY = "credential.totp_secret_encrypted of nobody"
_TOKEN_BYTES = 32


class ProvePerson(Command):
    """What is typed to sign in."""

    address: Annotated[str, StringConstraints(strip_whitespace=True, max_length=200)]
    password: Annotated[str, StringConstraints(max_length=1000)]
    code: Annotated[str, StringConstraints(strip_whitespace=True, max_length=40)]


@dataclass(frozen=True)
class Kept:
    """What is kept of the person that a name may belong to; of nobody: the same, made up."""

    user: User | None
    password_hash: str | None
    totp_secret: str
    recovery_hashes: list[str]


@dataclass(frozen=True)
class Proof:
    """A right password with a code: of the app's step, or the recovery codes that are left."""

    user: User
    password_hash: str
    step: int | None
    recovery_left: list[str] | None


@dataclass(frozen=True)
class NewSignIn:
    """A sign-in and the text of its cookie: kept only as a hash."""

    sign_in: SignIn
    secret: str


def totp_place(kind: str, organization_id: UUID, row_id: UUID) -> str:
    """Where an app's secret stands, for its encryption."""
    return f"{kind}.totp_secret_encrypted {organization_id.hex} {row_id.hex}"


def begin_sign_in(
    db: Session, keys: Keys, wall: datetime, command: ProvePerson, sender: str
) -> Kept:
    """Count the try, and find who may be meant.

    ``TooManyTries`` when the name or the sender had too many; who exists cannot be told from it.
    """
    login = command.address.lower()
    limits = {
        _tries_key(keys, "name", login): MOST_TRIES_OF_NAME,
        _tries_key(keys, "sender", sender): MOST_TRIES_OF_SENDER,
    }
    counts = [(count_try(db, key, wall), limit) for key, limit in limits.items()]
    if any(count > limit for count, limit in counts):
        raise TooManyTries("there were too many tries: wait a quarter of an hour")
    found = db.exec(
        select(Credential, User)
        .join(
            User,
            (col(User.organization_id) == col(Credential.organization_id))
            & (col(User.id) == col(Credential.user_id)),
        )
        .where(col(Credential.login) == login)
    ).first()
    ring = keys.field_encryption
    if found is None:
        return Kept(
            None, None, _opened(ring, _of_nobody(ring.current_id, ring.current), NOBODY), []
        )
    credential, user = found
    place = totp_place("credential", credential.organization_id, credential.user_id)
    secret = _opened(ring, credential.totp_secret_encrypted, place)
    return Kept(user, credential.password_hash, secret, credential.recovery_hashes)


def count_sender(db: Session, keys: Keys, wall: datetime, sender: str) -> None:
    """Count a try of a sender who is sent elsewhere; ``TooManyTries`` when there were too many."""
    if count_try(db, _tries_key(keys, "elsewhere", sender), wall) > MOST_TRIES_OF_SENDER:
        raise TooManyTries("there were too many tries: wait a quarter of an hour")


def count_own_try(db: Session, keys: Keys, wall: datetime, login: str) -> None:
    """Count a try of somebody signed in to give the password again.

    ``TooManyTries`` when there were too many.
    """
    if count_try(db, _tries_key(keys, "own", login), wall) > MOST_TRIES_OF_NAME:
        raise TooManyTries("there were too many tries: wait a quarter of an hour")


def _tries_key(keys: Keys, kind: str, text: str) -> str:
    return hmac.digest(keys.secret, f"tries {kind} {text}".encode(), hashlib.sha256).hex()


def _opened(ring: KeyRing, sealed: bytes, place: str) -> str:
    return decrypt_field(ring, sealed, place).decode()


@lru_cache(maxsize=1)
def _of_nobody(key_id: str, key: bytes) -> bytes:
    """A secret of no app, to be opened where nobody has the name: as much work as any other."""
    return encrypt_field(KeyRing(key_id, {key_id: key}), new_totp_secret().encode(), NOBODY)


def proved(kept: Kept, command: ProvePerson, wall: datetime) -> Proof | None:
    """The proof, if all fits: every part is compared, whatever the others gave."""
    fits = password_matches(kept.password_hash, command.password)
    step = totp_step(kept.totp_secret, command.code.replace(" ", ""), wall)
    left = recovery_left(kept.recovery_hashes, command.code)
    if not fits or kept.user is None or kept.password_hash is None:
        return None
    if step is None and left is None:
        return None
    return Proof(kept.user, kept.password_hash, step, None if step is not None else left)


def refuse_sign_in(db: Session, now: datetime, kept: Kept) -> None:
    """Leave a trace of a wrong try, where there is a person to whom it belongs."""
    if kept.user is None:
        return
    actor = system_actor(kept.user.organization_id, "sign-in")
    with recording(db, actor, now, "sign_in.refuse", {"user_id": kept.user.id}):
        pass


def finish_sign_in(
    db: Session, keys: Keys, now: datetime, wall: datetime, proof: Proof, sender: str
) -> NewSignIn:
    """The sign-in. ``NotAuthentic`` when the code was used meanwhile or access was taken away.

    Of the sender only the tries that failed stay counted: a practice shares one address.
    """
    user_id, organization_id = proof.user.id, proof.user.organization_id
    scope = Scope(organization_id, system_actor(organization_id, "sign-in"))
    enter(db, organization_id)
    hold_organization(db, scope)
    credential = db.get(
        Credential, (organization_id, user_id), with_for_update=True, populate_existing=True
    )
    user = scope.get(db, User, user_id)
    if credential is None or not user.active or not _use(credential, proof):
        raise NotAuthentic(WRONG)
    db.add(credential)
    take_back_try(db, _tries_key(keys, "sender", sender))
    forget_tries(db, [_tries_key(keys, "name", credential.login)], wall)
    return start_sign_in(db, now, wall, user)


def _use(credential: Credential, proof: Proof) -> bool:
    """Take the proof's code out of use; False when it was used already or all was changed."""
    if not hmac.compare_digest(credential.password_hash, proof.password_hash):
        return False
    if proof.step is not None:
        is_new = proof.step > credential.totp_last_step
        credential.totp_last_step = max(proof.step, credential.totp_last_step)
        return is_new
    left = proof.recovery_left or []
    is_new = len(left) < len(credential.recovery_hashes)
    credential.recovery_hashes = left
    return is_new


def start_sign_in(db: Session, now: datetime, wall: datetime, user: User) -> NewSignIn:
    """A sign-in of a user whose proof was just seen, under a new random text."""
    secret = secrets.token_urlsafe(_TOKEN_BYTES)
    row = SignIn(
        id=uuid7(wall),
        user_id=user.id,
        token_hash=token_hash(secret),
        created_at=wall,
        seen_at=wall,
    )
    with recording(
        db, _actor(user, row.id), now, "sign_in.start", {"user_id": user.id, "sign_in_id": row.id}
    ) as record:
        record.add(row)
    return NewSignIn(row, secret)


def _actor(user: User, sign_in_id: UUID) -> Actor:
    held = ROLE_PERMISSIONS.get(user.role, frozenset())
    return Actor(user.organization_id, user.id, None, user.role, held, user.name, sign_in_id)


def sign_out(
    db: Session, actor: Actor, now: datetime, wall: datetime, *, everywhere: bool = False
) -> None:
    """End this sign-in, or all of the person's."""
    mine = col(SignIn.user_id) == actor.user_id
    condition = mine if everywhere else mine & (col(SignIn.id) == actor.sign_in_id)
    action = "sign_in.end_all" if everywhere else "sign_in.end"
    with recording(db, actor, now, action, {"user_id": actor.user_id}):
        end_sign_ins(db, Scope.of(actor), wall, condition)

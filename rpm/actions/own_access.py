"""What people change of their own way in: the password, the app for codes, the recovery codes.

Owns these changes, each behind the present password. Does not own signing in (``sign_in``) nor what
an administrator gives and takes (``credentials``). ``wall`` is the machine's time, ``now`` the
ledger's. Comparing happens between two short transactions, as in signing in.
"""

import base64
import binascii
import hmac
from datetime import datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

from pydantic import StringConstraints
from sqlmodel import Session, col

from rpm.access import Actor
from rpm.actions.command import Command, refuse
from rpm.actions.sign_in import count_own_try, totp_place
from rpm.errors import Conflict, NotAllowed, NotFound, NotReady
from rpm.fields import decrypt_field, encrypt_field
from rpm.keys import Keys
from rpm.proofs import new_recovery_codes, recovery_hash, totp_step, weak_password
from rpm.store.chain import recording
from rpm.store.queries.people import hold_organization
from rpm.store.scope import Scope
from rpm.store.sign_ins import end_sign_ins
from rpm.store.tables.people import User
from rpm.store.tables.sign_ins import Credential, SignIn

OFFERED_FOR = timedelta(minutes=15)
"""How long the key that a page shows for an app may be confirmed."""
Secret = Annotated[str, StringConstraints(min_length=1, max_length=1000)]


class ChangePassword(Command):
    """Another password, and the present one."""

    present: Secret
    password: Secret


class RenewCodes(Command):
    """New recovery codes; the earlier ones are good no longer."""

    present: Secret


class ChangeApp(Command):
    """Another app for codes: the key that it was shown, sealed, and the first code it gives."""

    present: Secret
    offered: Annotated[str, StringConstraints(max_length=400)]
    code: Annotated[str, StringConstraints(strip_whitespace=True, max_length=40)]


def begin_change(db: Session, keys: Keys, wall: datetime, actor: Actor) -> str:
    """Count a try, and give the hash of the present password, to be compared outside.

    ``TooManyTries`` when there were too many: an open browser is no way to guess a password.
    ``NotAllowed`` for who signs in without one.
    """
    kept = db.get(Credential, _key(actor))
    if kept is None:
        raise NotAllowed("you sign in without a password of this practice")
    count_own_try(db, keys, wall, kept.login)
    return kept.password_hash


def refuse_weak_password(db: Session, actor: Actor, password: str) -> None:
    """``InvalidRequest`` names why a password would be guessed."""
    user = Scope.of(actor).get(db, User, _key(actor)[1])
    why = weak_password(password, user.name, user.email)
    if why is not None:
        raise refuse("password", "weak", f"Choose another password: {why}")


def change_password(
    db: Session, actor: Actor, now: datetime, wall: datetime, seen_hash: str, new_hash: str
) -> None:
    """The new password holds; every other browser of the person is signed out."""
    kept = _held(db, actor, seen_hash)
    with recording(db, actor, now, "user.password", _subject(actor)):
        _change(db, kept, now, password_hash=new_hash)
        others = (col(SignIn.user_id) == actor.user_id) & (col(SignIn.id) != actor.sign_in_id)
        end_sign_ins(db, Scope.of(actor), wall, others)


def renew_codes(db: Session, actor: Actor, now: datetime, seen_hash: str) -> list[str]:
    """The new recovery codes, kept only as hashes."""
    kept = _held(db, actor, seen_hash)
    codes = new_recovery_codes()
    with recording(db, actor, now, "user.recovery_codes", _subject(actor)):
        _change(db, kept, now, recovery_hashes=[recovery_hash(code) for code in codes])
    return codes


def offer(keys: Keys, actor: Actor, wall: datetime, totp_secret: str) -> str:
    """A key for an app as the page carries it: sealed, for this person and for a while."""
    content = f"{int(wall.timestamp())} {totp_secret}".encode()
    sealed = encrypt_field(keys.field_encryption, content, _offer_place(actor))
    return base64.urlsafe_b64encode(sealed).decode()


def offered(keys: Keys, actor: Actor, wall: datetime, text: str) -> str | None:
    """The key that was offered; None for what was not, or too long ago."""
    try:
        sealed = base64.urlsafe_b64decode(text.encode())
        content = decrypt_field(keys.field_encryption, sealed, _offer_place(actor)).decode()
    except (NotReady, binascii.Error, ValueError):
        return None
    at, _, secret = content.partition(" ")
    age = wall.timestamp() - int(at)
    return secret if 0 <= age <= OFFERED_FOR.total_seconds() else None


def change_app(
    db: Session,
    keys: Keys,
    actor: Actor,
    now: datetime,
    wall: datetime,
    seen_hash: str,
    totp_secret: str,
    code: str,
) -> None:
    """Codes of the new app are good from now on, those of the earlier one no longer.

    ``InvalidRequest`` when the code is not the new app's.
    """
    step = totp_step(totp_secret, code.replace(" ", ""), wall)
    if step is None:
        raise refuse("code", "wrong", "The code is not right: is the phone's clock?")
    kept = _held(db, actor, seen_hash)
    place = totp_place("credential", kept.organization_id, kept.user_id)
    sealed = encrypt_field(keys.field_encryption, totp_secret.encode(), place)
    with recording(db, actor, now, "user.app", _subject(actor)):
        _change(db, kept, now, totp_secret_encrypted=sealed, totp_last_step=step)


def end_own_sign_in(
    db: Session, actor: Actor, now: datetime, wall: datetime, sign_in_id: UUID
) -> None:
    """Sign one browser of one's own out; ``NotFound`` for anybody else's."""
    scope = Scope.of(actor)
    if scope.get(db, SignIn, sign_in_id).user_id != actor.user_id:
        raise NotFound("there is no such sign_in")
    subject = {**_subject(actor), "sign_in_id": sign_in_id}
    with recording(db, actor, now, "sign_in.end", subject):
        end_sign_ins(db, scope, wall, col(SignIn.id) == sign_in_id)


def _held(db: Session, actor: Actor, seen_hash: str) -> Credential:
    """What the person signs in with, locked; ``Conflict`` when it changed since it was seen."""
    hold_organization(db, Scope.of(actor))
    kept = db.get(Credential, _key(actor), with_for_update=True, populate_existing=True)
    if kept is None or not hmac.compare_digest(kept.password_hash, seen_hash):
        raise Conflict("your way in was changed meanwhile: begin again")
    return kept


def _change(db: Session, kept: Credential, now: datetime, **values: Any) -> None:
    kept.sqlmodel_update({**values, "changed_at": now})
    db.add(kept)


def _offer_place(actor: Actor) -> str:
    organization_id, user_id = _key(actor)
    return f"offered app {organization_id.hex} {user_id.hex}"


def _subject(actor: Actor) -> dict[str, Any]:
    return {"user_id": actor.user_id}


def _key(actor: Actor) -> tuple[UUID, UUID]:
    if actor.user_id is None:
        raise NotAllowed("only a person has a way in of their own")
    return actor.organization_id, actor.user_id

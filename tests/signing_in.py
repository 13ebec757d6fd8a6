"""People of a practice who can sign in, and browsers that are signed in as they are.

``person_of`` makes a user with a password and an app; ``cookie_of`` signs one in without the form,
by the same action, for tests of other pages.
"""

from dataclasses import dataclass
from datetime import datetime
from functools import cache
from uuid import uuid4

from sqlalchemy.engine import Engine

from rpm.access import ROLE_PERMISSIONS, Actor
from rpm.actions.credentials import give_credential
from rpm.actions.manage_access import AddUser, add_user
from rpm.actions.sign_in import NewSignIn, start_sign_in
from rpm.keys import Keys
from rpm.proofs import hash_password, new_totp_secret, totp_code
from rpm.store.engine import transaction
from rpm.store.scope import Scope
from rpm.store.tables.people import User

PASSWORD = "orchard-violin-72"
COOKIE = "rpm-ledger"
FORM_HEADERS = {"Sec-Fetch-Site": "same-origin", "Accept": "text/html"}
"""What a browser sends along with a form of our own page."""


@cache
def _hash() -> str:
    return hash_password(PASSWORD)


@dataclass(frozen=True)
class Person:
    """Someone with a password and an app for codes."""

    actor: Actor
    address: str
    secret: str

    def code(self, wall: datetime) -> str:
        """What the app shows at an instant."""
        return totp_code(self.secret, wall)


def person_of(engine: Engine, keys: Keys, admin: Actor, now: datetime, role: str) -> Person:
    """A new user of the administrator's practice in a role, who can sign in."""
    address = f"{role}-{uuid4().hex[:8]}@practice.example"
    name = f"Pat {role.replace('_', ' ').title()}"
    secret = new_totp_secret()
    with transaction(engine) as db:
        user = add_user(db, admin, now, AddUser(name=name, email=address, role=role))
        give_credential(db, keys, admin, now, user, _hash(), secret)
    held = ROLE_PERMISSIONS[role]
    actor = Actor(user.organization_id, user.id, None, role, held, name)
    return Person(actor, address, secret)


def cookie_of(engine: Engine, actor: Actor, now: datetime) -> str:
    """The text of the cookie of a browser that is signed in as a user from now on."""
    return signed_in(engine, actor, now).secret


def signed_in(engine: Engine, actor: Actor, now: datetime) -> NewSignIn:
    """A sign-in of a user, without the form."""
    assert actor.user_id is not None
    with transaction(engine) as db:
        user = Scope.of(actor).get(db, User, actor.user_id)
        return start_sign_in(db, now, now, user)

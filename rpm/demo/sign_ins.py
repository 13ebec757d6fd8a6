"""Who may sign in to the demo's pages: one password, and an app for codes for each person.

Owns the password and the apps' secrets, in the demo's memory. Does not own the people
(``practice``) nor signing in (``rpm.actions.sign_in``). Codes go by the machine's clock.
"""

import secrets
from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

from rpm.access import system_actor
from rpm.actions.credentials import give_credential
from rpm.demo.memory import Memory
from rpm.demo.play import Demo
from rpm.demo.practice import ADMIN, WORKERS, Worker
from rpm.keys import load_keys
from rpm.proofs import STEP_SECONDS, hash_password, new_totp_secret, totp_code
from rpm.store.engine import transaction
from rpm.store.queries.people import user_with_email
from rpm.store.scope import Scope

PASSWORD = "sign_in_password"  # noqa: S105 - the name under which memory keeps it
PEOPLE = (ADMIN, *WORKERS)
_PASSWORD_BYTES = 9


def give_sign_ins(demo: Demo) -> None:
    """Everybody who works in the demo can sign in; who can already keeps what they have."""
    waiting = [one for one in PEOPLE if _name(one) not in demo.memory]
    if not waiting:
        return
    if PASSWORD not in demo.memory:
        demo.memory.remember(**{PASSWORD: secrets.token_urlsafe(_PASSWORD_BYTES)})
    hashed = hash_password(demo.memory[PASSWORD])
    made = {one.key: new_totp_secret() for one in waiting}
    actor = system_actor(UUID(demo.memory["organization"]), "rpm-ledger demo")
    keys, now = load_keys(demo.settings), demo.clock.now()
    with transaction(demo.engine) as db:
        for one in waiting:
            user = user_with_email(db, Scope.of(actor), one.email)
            if user is not None:
                give_credential(db, keys, actor, now, user, hashed, made[one.key])
    demo.memory.remember(**{_name(one): made[one.key] for one in waiting})


def _name(worker: Worker) -> str:
    return f"app:{worker.key}"


def sign_in_lines(memory: Memory, wall: datetime) -> Iterator[str]:
    """Who signs in with what, and the code that each app shows at an instant."""
    left = STEP_SECONDS - int(wall.timestamp()) % STEP_SECONDS
    known = [one for one in PEOPLE if _name(one) in memory]
    if not known:
        yield "Nobody can sign in to this demo yet."
        return
    yield f"Password of everybody: {memory[PASSWORD]}"
    yield f"One-time codes of the next {left} to {left + STEP_SECONDS} seconds, each good once:"
    yield ""
    width = max(len(one.email) for one in known)
    for one in known:
        code = totp_code(memory[_name(one)], wall)
        yield f"  {one.email:<{width}}  {code}  {one.name}, {one.role.replace('_', ' ')}"

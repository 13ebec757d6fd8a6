"""Reads of sign-ins, credentials and emergencies.

Owns the look-ups. Does not own what ends a sign-in (``rpm.store.sign_ins``).
"""

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import Session, col

from rpm.access import Actor
from rpm.store.scope import Scope
from rpm.store.sign_ins import IDLE, LONGEST
from rpm.store.tables.sign_ins import SignIn

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

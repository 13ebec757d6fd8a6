"""Whose rows a query may see, and who is behind a token.

Owns the scope that every query takes, and the look-up of tokens. Does not own permissions
(``rpm.access``).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

from sqlmodel import Session, col, select, update
from sqlmodel.sql.expression import SelectOfScalar

from rpm.access import ROLE_PERMISSIONS, Actor, token_hash
from rpm.errors import NotAuthentic, NotFound
from rpm.store.tables.base import TenantRow
from rpm.store.tables.people import ApiToken, User

T = TypeVar("T", bound=TenantRow)

_LAST_USE_GRAIN = timedelta(minutes=1)


@dataclass(frozen=True)
class Scope:
    """One organization, seen by one actor. No query of the store goes without."""

    organization_id: UUID
    actor: Actor

    @classmethod
    def of(cls, actor: Actor) -> "Scope":
        """What an actor may see: the own organization."""
        return cls(actor.organization_id, actor)

    def rows(self, table: type[T]) -> SelectOfScalar[T]:
        """All rows of a table in this organization; narrow it further."""
        return select(table).where(col(table.organization_id) == self.organization_id)

    def get(self, session: Session, table: type[T], row_id: UUID) -> T:
        """One row; ``NotFound`` also when it belongs to another organization."""
        row = session.get(table, (self.organization_id, row_id))
        if row is None:
            raise NotFound(f"there is no such {table.__tablename__}")
        return row

    def all_of(self, session: Session, table: type[T], *conditions: Any) -> Sequence[T]:
        """Rows of a table that meet all conditions, in the order they were made."""
        return session.exec(self.rows(table).where(*conditions).order_by(col(table.id))).all()


def actor_of_token(session: Session, token: str, now: datetime) -> Actor:
    """The actor behind a bearer token; ``NotAuthentic`` when unknown, expired or revoked."""
    found = session.exec(
        select(ApiToken, User)
        .join(
            User,
            (col(User.organization_id) == col(ApiToken.organization_id))
            & (col(User.id) == col(ApiToken.user_id)),
        )
        .where(col(ApiToken.token_hash) == token_hash(token))
    ).first()
    if found is None:
        raise NotAuthentic("the token is not known")
    kept, user = found
    if kept.revoked_at is not None or kept.expires_at <= now or not user.active:
        raise NotAuthentic("the token is no longer valid")
    held = frozenset(kept.permissions) & ROLE_PERMISSIONS.get(user.role, frozenset())
    return Actor(kept.organization_id, user.id, kept.id, user.role, held, user.name)


def note_token_use(session: Session, actor: Actor, now: datetime) -> None:
    """Remember when a token was last used, to the minute: not every request needs a write."""
    session.connection().execute(
        update(ApiToken)
        .where(
            col(ApiToken.organization_id) == actor.organization_id,
            col(ApiToken.id) == actor.token_id,
            col(ApiToken.last_used_at).is_(None)
            | (col(ApiToken.last_used_at) < now - _LAST_USE_GRAIN),
        )
        .values(last_used_at=now)
    )

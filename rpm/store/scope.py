"""Whose rows a query may see, and who is behind a token.

Owns the scope that every query takes: the organization, and the sites within it where an actor is
limited to some; and the look-up of tokens. Does not own permissions (``rpm.access``).
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, exists
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select, update
from sqlmodel.sql.expression import SelectOfScalar

from rpm.access import ROLE_PERMISSIONS, Actor, token_hash
from rpm.errors import NotAuthentic, NotFound
from rpm.store.tables.base import TenantRow
from rpm.store.tables.people import ApiToken, Patient, User
from rpm.store.tables.sites import PatientSite

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
        if row is None or not self._is_of_sites(session, row):
            raise NotFound(f"there is no such {table.__tablename__}")
        return row

    def of_sites(self, patient_id: Any) -> list[ColumnElement[bool]]:
        """Conditions that a column names patients of the actor's sites; none for all sites.

        What is listed for people takes them; what is computed, and what must be the only one of
        its kind, looks at the whole practice.
        """
        if self.actor.site_ids is None:
            return []
        return [patient_id.in_(patients_of_sites(self.organization_id, self.actor.site_ids))]

    def _is_of_sites(self, session: Session, row: TenantRow) -> bool:
        patient_id = row.id if isinstance(row, Patient) else getattr(row, "patient_id", None)
        if self.actor.site_ids is None or patient_id is None:
            return True
        mine = patients_of_sites(self.organization_id, self.actor.site_ids)
        found = session.exec(mine.where(col(PatientSite.patient_id) == patient_id)).first()
        return found is not None

    def all_of(self, session: Session, table: type[T], *conditions: Any) -> Sequence[T]:
        """Rows of a table that meet all conditions, in the order they were made."""
        return session.exec(self.rows(table).where(*conditions).order_by(col(table.id))).all()


def patients_of_sites(organization_id: UUID, site_ids: Collection[UUID]) -> SelectOfScalar[UUID]:
    """The patients who belong to one of these sites now."""
    return select(PatientSite.patient_id).where(
        col(PatientSite.organization_id) == organization_id,
        col(PatientSite.site_id).in_(site_ids),
        counts_now(),
    )


def counts_now() -> ColumnElement[bool]:
    """That no later row says where the patient belongs."""
    later = aliased(PatientSite)
    return ~exists().where(
        col(later.organization_id) == col(PatientSite.organization_id),
        col(later.patient_id) == col(PatientSite.patient_id),
        col(later.audit_number) > col(PatientSite.audit_number),
    )


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

"""Pulls: accounts that are asked for their readings, and the notifications that ask.

Owns these statements. Does not own what is done with an account (``rpm.actions.pull_accounts``).
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import or_, update
from sqlmodel import Session, col
from sqlmodel.sql.expression import SelectOfScalar

from rpm.store.scope import Scope
from rpm.store.tables.monitoring import Connection, Delivery
from rpm.store.tables.pulls import PullAccount

APPLICATION = ""
"""The subject of the row that holds the practice's own application at the vendor."""
_DELIVERIES_AT_ONCE = 500


def account_of(db: Session, scope: Scope, connection_id: UUID, subject: str) -> PullAccount | None:
    """An account of a connection, or its application; None when it is not known."""
    return db.exec(
        scope.rows(PullAccount).where(
            col(PullAccount.connection_id) == connection_id, col(PullAccount.subject) == subject
        )
    ).first()


def accounts_of(
    db: Session, scope: Scope, connection_id: UUID | None = None
) -> Sequence[PullAccount]:
    """The accounts of a connection, or of all, without applications and what is retired."""
    statement = _open_accounts(scope).where(col(PullAccount.subject) != APPLICATION)
    if connection_id is not None:
        statement = statement.where(col(PullAccount.connection_id) == connection_id)
    return db.exec(statement.order_by(col(PullAccount.id))).all()


def applications(db: Session, scope: Scope) -> Sequence[PullAccount]:
    """The applications of connections that are not retired."""
    return db.exec(
        _open_accounts(scope)
        .where(col(PullAccount.subject) == APPLICATION)
        .order_by(col(PullAccount.id))
    ).all()


def due_accounts(db: Session, scope: Scope, now: datetime) -> Sequence[PullAccount]:
    """Accounts that have something to fetch and may be asked now, the longest waiting first."""
    return db.exec(
        _open_accounts(scope)
        .where(
            col(PullAccount.subject) != APPLICATION,
            col(PullAccount.asked_at).is_not(None),
            col(PullAccount.stopped).is_(False),
            or_(col(PullAccount.retry_at).is_(None), col(PullAccount.retry_at) <= now),
            or_(col(PullAccount.held_until).is_(None), col(PullAccount.held_until) <= now),
        )
        .order_by(col(PullAccount.asked_at), col(PullAccount.id))
    ).all()


def pushed_since(
    db: Session, scope: Scope, connection_id: UUID, audit_number: int
) -> Sequence[Delivery]:
    """Deliveries of a connection recorded after an audit event, in their order."""
    return db.exec(
        scope.rows(Delivery)
        .where(
            col(Delivery.connection_id) == connection_id,
            col(Delivery.audit_number) > audit_number,
        )
        .order_by(col(Delivery.audit_number))
        .limit(_DELIVERIES_AT_ONCE)
    ).all()


def hold_account(
    db: Session, scope: Scope, account_id: UUID, holder: UUID, now: datetime, until: datetime
) -> bool:
    """Take an account for one holder, unless another one has it still."""
    done = db.connection().execute(
        update(PullAccount)
        .where(
            col(PullAccount.organization_id) == scope.organization_id,
            col(PullAccount.id) == account_id,
            or_(
                col(PullAccount.held_until).is_(None),
                col(PullAccount.held_until) <= now,
                col(PullAccount.holder) == holder,
            ),
        )
        .values(holder=holder, held_until=until)
    )
    return done.rowcount == 1


def _open_accounts(scope: Scope) -> SelectOfScalar[PullAccount]:
    return (
        scope.rows(PullAccount)
        .join(
            Connection,
            (col(Connection.organization_id) == col(PullAccount.organization_id))
            & (col(Connection.id) == col(PullAccount.connection_id)),
        )
        .where(col(Connection.retired_at).is_(None))
    )

"""Reads of what other systems proposed: what waits, what could not be read, whose door it is.

Owns these SELECTs. Does not own answers (``rpm.actions.answer_proposal``).
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlmodel import Session, col, func, select

from rpm.access import token_hash
from rpm.store.scope import Scope
from rpm.store.tables.proposals import InboundMessage, Proposal, ProposalAnswer, VisitPlatform

READ, QUARANTINED = "read", "quarantined"


def waiting_proposals(
    db: Session, scope: Scope, *, after: UUID | None = None, limit: int = 50
) -> Sequence[Proposal]:
    """Proposals that nobody answered, the longest waiting first."""
    query = (
        scope.rows(Proposal)
        .where(col(Proposal.id).not_in(_answered(scope)))
        .order_by(col(Proposal.id))
        .limit(limit)
    )
    if after is not None:
        query = query.where(col(Proposal.id) > after)
    return db.exec(query).all()


def count_waiting(db: Session, scope: Scope) -> int:
    """How many proposals wait for a person."""
    return db.exec(
        select(func.count())
        .select_from(Proposal)
        .where(
            col(Proposal.organization_id) == scope.organization_id,
            col(Proposal.id).not_in(_answered(scope)),
        )
    ).one()


def _answered(scope: Scope) -> Any:
    return select(col(ProposalAnswer.proposal_id)).where(
        col(ProposalAnswer.organization_id) == scope.organization_id
    )


def answer_of(db: Session, scope: Scope, proposal_id: UUID) -> ProposalAnswer | None:
    """What a person answered, if anybody did."""
    return db.exec(
        scope.rows(ProposalAnswer).where(col(ProposalAnswer.proposal_id) == proposal_id)
    ).one_or_none()


def message_with_digest(db: Session, scope: Scope, sha256: str) -> InboundMessage | None:
    """A message that came before, by its content."""
    return db.exec(
        scope.rows(InboundMessage).where(col(InboundMessage.sha256) == sha256)
    ).one_or_none()


def messages_of(db: Session, scope: Scope, ids: Sequence[UUID]) -> dict[UUID, InboundMessage]:
    """Some messages by id."""
    rows = scope.all_of(db, InboundMessage, col(InboundMessage.id).in_(ids))
    return {row.id: row for row in rows}


def quarantined_messages(
    db: Session, scope: Scope, *, after: UUID | None = None, limit: int = 50
) -> Sequence[InboundMessage]:
    """Messages that could not be read, or not wholly, the last first."""
    query = (
        scope.rows(InboundMessage)
        .where(col(InboundMessage.state) == QUARANTINED)
        .order_by(col(InboundMessage.id).desc())
        .limit(limit)
    )
    if after is not None:
        query = query.where(col(InboundMessage.id) < after)
    return db.exec(query).all()


def platform_of_token(db: Session, token: str) -> VisitPlatform | None:
    """The telehealth platform whose address this is, unless it was retired; before any scope."""
    return db.exec(
        select(VisitPlatform).where(
            col(VisitPlatform.token_hash) == token_hash(token),
            col(VisitPlatform.retired_at).is_(None),
        )
    ).one_or_none()

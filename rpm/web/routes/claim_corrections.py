"""Corrections that the record asks for: lines on claims that were taken back or changed since.

Owns the addresses and what is shown. Does not own what is proposed (``rpm.actions``).
"""

from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field

from rpm.access import Actor
from rpm.actions.claim_corrections import (
    AcceptCorrection,
    Correction,
    Proposal,
    accept_correction,
    proposals,
)
from rpm.store.scope import Scope
from rpm.web.deps import PROBLEMS, Db, Now, ReadDb, area_router, permit

router = area_router("Claims")


class ProposalOut(BaseModel):
    """A claim that no longer says what the record says."""

    claim_id: UUID
    control_number: str
    status: str
    correction: Correction = Field(description="`wait`: for an answer, or its file's discarding.")
    gone: list[str] = Field(description="Services whose lines were taken back.")
    added: list[str] = Field(description="Services that take their place.")
    payer_claim_number: str


@router.get(
    "/claim-corrections",
    summary="List corrections that the record asks for",
    description="Claims whose lines were taken back or changed since, each with what is proposed.",
    operation_id="list_claim_corrections",
    responses=PROBLEMS,
)
def listed(db: ReadDb, actor: Annotated[Actor, permit("claims:read")]) -> list[ProposalOut]:
    """The proposals."""
    return [_shown(one) for one in proposals(db, Scope.of(actor))]


@router.post(
    "/claim-corrections",
    summary="Make a correction that the record asks for",
    description="A named person's word; a rebuilt, replacing or voiding version waits for release.",
    operation_id="accept_claim_correction",
    responses=PROBLEMS,
)
def accept(
    db: Db,
    now: Now,
    actor: Annotated[Actor, permit("claims:write")],
    command: AcceptCorrection,
) -> ProposalOut:
    """What was made."""
    return _shown(accept_correction(db, actor, now, command))


def _shown(one: Proposal) -> ProposalOut:
    return ProposalOut(
        claim_id=one.current.row.id,
        control_number=one.current.row.control_number,
        status=one.current.standing.status,
        correction=one.correction,
        gone=[row.service_id for row in one.gone],
        added=[service.id for service, _ in one.added],
        payer_claim_number=one.payer_claim_number,
    )

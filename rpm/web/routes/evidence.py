"""Evidence packs over HTTP: of a posting, and of a close, as a file to check or to read.

Owns the addresses and how many postings one answer holds. Does not own packs (``rpm.actions``) nor
their look on paper (``rpm.documents``).
"""

from typing import Annotated
from uuid import UUID

from fastapi import Request, Response

from rpm.access import Actor
from rpm.actions import evidence_model
from rpm.actions.evidence_pack import EvidencePack, close_pack, posting_pack, record_pack
from rpm.documents.evidence import evidence_pdf
from rpm.store.engine import transaction
from rpm.store.scope import Scope
from rpm.web.deps import PROBLEMS, Now, ReadDb, area_router, permit
from rpm.web.running import engine_of

router = area_router("Evidence")
MOST_POSTINGS = 1_000
"""Postings of a close in one answer; the command writes packs of any size."""
MOST_ON_PAPER = 100
"""The same of a PDF, which takes far longer to make."""
PDF = "application/pdf"
_AS_PDF = {**PROBLEMS, 200: {"description": "The document.", "content": {PDF: {}}}}


@router.get(
    "/postings/{posting_id}/evidence",
    summary="Give the evidence pack of a posting",
    description="All that an auditor needs to recompute the posting, as its close saw it: a"
    " document with digests, checked by `rpm-ledger evidence verify`. Giving it out is recorded.",
    operation_id="posting_evidence",
    response_model=evidence_model.EvidencePack,
    responses=PROBLEMS,
)
def posting_evidence(
    request: Request,
    db: ReadDb,
    now: Now,
    actor: Annotated[Actor, permit("ledger:read")],
    posting_id: UUID,
) -> Response:
    """The pack."""
    return given_to_check(request, actor, now, posting_pack(db, Scope.of(actor), now, posting_id))


@router.get(
    "/closes/{close_id}/evidence",
    summary="Give the evidence pack of a close",
    description="All its postings, reversals with what they reverse, and the totals. A close of"
    " more than 1,000 postings is refused: `rpm-ledger evidence pack` writes it. Giving it out is"
    " recorded.",
    operation_id="close_evidence",
    response_model=evidence_model.EvidencePack,
    responses=PROBLEMS,
)
def close_evidence(
    request: Request,
    db: ReadDb,
    now: Now,
    actor: Annotated[Actor, permit("export:run")],
    close_id: UUID,
) -> Response:
    """The pack."""
    made = close_pack(db, Scope.of(actor), now, close_id, at_most=MOST_POSTINGS)
    return given_to_check(request, actor, now, made)


@router.get(
    "/postings/{posting_id}/evidence.pdf",
    summary="Give the evidence pack of a posting on paper",
    description="The same pack as a PDF to read: what was billed, days, minutes, contacts, papers,"
    " the rule with its sources, digests. Giving it out is recorded.",
    operation_id="posting_evidence_pdf",
    response_class=Response,
    responses=_AS_PDF,
)
def posting_evidence_pdf(
    request: Request,
    db: ReadDb,
    now: Now,
    actor: Annotated[Actor, permit("ledger:read")],
    posting_id: UUID,
) -> Response:
    """The document."""
    return given_on_paper(request, actor, now, posting_pack(db, Scope.of(actor), now, posting_id))


@router.get(
    "/closes/{close_id}/evidence.pdf",
    summary="Give the evidence pack of a close on paper",
    description="The same pack as a PDF to read. A close of more than 100 postings is refused:"
    " `rpm-ledger evidence pack --pdf` writes it. Giving it out is recorded.",
    operation_id="close_evidence_pdf",
    response_class=Response,
    responses=_AS_PDF,
)
def close_evidence_pdf(
    request: Request,
    db: ReadDb,
    now: Now,
    actor: Annotated[Actor, permit("export:run")],
    close_id: UUID,
) -> Response:
    """The document."""
    made = close_pack(db, Scope.of(actor), now, close_id, at_most=MOST_ON_PAPER)
    return given_on_paper(request, actor, now, made)


def given_on_paper(request: Request, actor: Actor, now: Now, pack: EvidencePack) -> Response:
    """A pack as a PDF for download; that it was given out is recorded."""
    document = evidence_pdf(pack.content)
    _record(request, actor, now, pack)
    named = f'attachment; filename="{pack.pdf_name}"'
    return Response(document, media_type=PDF, headers={"Content-Disposition": named})


def given_to_check(request: Request, actor: Actor, now: Now, pack: EvidencePack) -> Response:
    """A pack as the document that can be checked; that it was given out is recorded."""
    _record(request, actor, now, pack)
    return Response(pack.data, media_type="application/json")


def _record(request: Request, actor: Actor, now: Now, pack: EvidencePack) -> None:
    # computed on a reading session, so that deliveries are taken meanwhile
    with transaction(engine_of(request, actor)) as writing:
        record_pack(writing, actor, now, pack)

"""Closes, their postings and exports, and the verification of the record.

Owns the addresses and what is shown. Does not own closing, exporting or verifying
(``rpm.actions``).
"""

from datetime import date
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query, Request
from pydantic import BaseModel, Field

from rpm.access import Actor
from rpm.actions.billed_changes import BilledChange, billed_changes
from rpm.actions.close_month import CloseMonth, post_close
from rpm.actions.command import Command, ProcedureCode
from rpm.actions.compute_close import compute_close
from rpm.actions.export_close import ExportClose, export_close
from rpm.actions.verify import verify_record
from rpm.audit import Anchor
from rpm.store.engine import transaction
from rpm.store.queries.ledger import closes_page, postings_page
from rpm.store.scope import Scope
from rpm.store.tables.ledger import Close, Posting
from rpm.web.deps import PROBLEMS, Db, Now, Page, Paging, ReadDb, area_router, permit
from rpm.web.routes.readings import after_id
from rpm.web.running import engine_of
from rpm.web.shown import ShownFact, ShownFinding, shown_findings

router = area_router("Closes")


class CloseOut(ShownFact):
    """A month closed: what was known, under which rules, and the totals."""

    month_start_day: date = Field(examples=["2026-01-01"])
    ordinal: int = Field(description="1 for the first close of the month.", examples=[1])
    as_of: date = Field(examples=["2026-02-01"])
    known_day: date = Field(description="Rule pages known on this day judged.")
    known_audit_number: int = Field(description="Facts recorded up to this event were seen.")
    product_version: str
    rule_digests: dict[str, str] = Field(description="Digest of each rule page that judged.")
    totals: dict[str, Any] = Field(
        description="Issued and reversed lines, units, known amounts in cents, findings by code."
    )
    outcome_digest: str
    chain_anchor: dict[str, Any] = Field(description="Head of the audit chain before this close.")


class ClosedOut(BaseModel):
    """A close, and whether it was there already."""

    close: CloseOut
    repeated: bool = Field(description="True: nothing was new, so nothing was posted now.")


class PostingOut(ShownFact):
    """A posted event (sign 1) or the reversal of one (sign -1)."""

    close_id: UUID
    key: str
    ordinal: int = Field(description="Counts issues of the key.")
    sign: int
    patient_id: UUID
    episode_id: UUID | None
    code: str = Field(examples=["99454"])
    units: int
    service_day: date
    period_start_day: date
    period_end_day: date
    payer_key: str
    rule_page_id: str
    amount_cents: int | None = Field(description="For all units; null: not known.")
    amount_status: str
    reason: str | None
    evidence_digest: str


class ExportOut(BaseModel):
    """An export: its manifest and its files."""

    id: UUID
    folder: str = Field(description="Name for a folder to keep the files in.")
    manifest: dict[str, Any]
    files: dict[str, str] = Field(description="Text of each file (UTF-8) by name.")


class AnchorIn(Command):
    """A chain head kept outside, such as that of an export's manifest."""

    number: int = Field(ge=0)
    hmac: str = Field(pattern="^[0-9a-f]{64}$")


class Verify(Command):
    """What to hold the record against, besides itself."""

    anchors: list[AnchorIn] = Field(default=[], max_length=100)


class VerifiedOut(BaseModel):
    """Whether the record fits, and what does not."""

    fits: bool
    findings: list[ShownFinding]


@router.post(
    "/closes",
    status_code=201,
    summary="Close a month",
    description="Posts what changed since the last close. A month that is not over is a conflict; a"
    " rerun with nothing new gives the close that is there.",
    operation_id="close_month",
    response_model=ClosedOut,
    responses=PROBLEMS,
)
def close(
    request: Request,
    db: ReadDb,
    now: Now,
    actor: Annotated[Actor, permit("close:run")],
    command: CloseMonth,
) -> ClosedOut:
    """The close."""
    # computed on a reading session, so that deliveries are taken meanwhile
    computed = compute_close(db, Scope.of(actor), now, command.month_start_day)
    with transaction(engine_of(request, actor)) as writing:
        closed = post_close(writing, actor, now, computed, command.reason)
        shown = CloseOut.model_validate(closed.close)
    return ClosedOut(close=shown, repeated=closed.repeated)


@router.get(
    "/closes",
    summary="List closes",
    description="The one made last first.",
    operation_id="list_closes",
    response_model=Page[CloseOut],
    responses=PROBLEMS,
)
def list_closes(
    db: ReadDb, actor: Annotated[Actor, permit("ledger:read")], paging: Paging
) -> Page[Close]:
    """A page of closes."""
    rows = closes_page(db, Scope.of(actor), after=after_id(paging), limit=paging.fetch)
    return paging.page(rows, lambda row: (row.id,))


@router.get(
    "/closes/{close_id}",
    summary="Show a close",
    description="What was known, under which rules, and the totals.",
    operation_id="show_close",
    response_model=CloseOut,
    responses=PROBLEMS,
)
def show_close(db: ReadDb, actor: Annotated[Actor, permit("ledger:read")], close_id: UUID) -> Close:
    """The close."""
    return Scope.of(actor).get(db, Close, close_id)


@router.post(
    "/closes/{close_id}/export",
    status_code=201,
    summary="Export a close",
    description="The service-line table, the summary as text and HTML, and the manifest. The same"
    " close always gives the same bytes; each export is recorded.",
    operation_id="export_close",
    response_model=ExportOut,
    responses=PROBLEMS,
)
def export(
    db: Db, now: Now, actor: Annotated[Actor, permit("export:run")], close_id: UUID
) -> ExportOut:
    """The files."""
    exported = export_close(db, actor, now, ExportClose(close_id=close_id))
    return ExportOut(
        id=exported.export.id,
        folder=exported.folder,
        manifest=exported.export.manifest,
        files={name: content.decode() for name, content in exported.files.items()},
    )


@router.get(
    "/postings",
    summary="List postings",
    description="The journal in the order it was recorded, narrowed by close, patient or code.",
    operation_id="list_postings",
    response_model=Page[PostingOut],
    responses=PROBLEMS,
)
def list_postings(
    db: ReadDb,
    actor: Annotated[Actor, permit("ledger:read")],
    paging: Paging,
    close_id: Annotated[UUID | None, Query(description="Of one close.")] = None,
    patient_id: Annotated[UUID | None, Query(description="Of one patient.")] = None,
    code: Annotated[ProcedureCode | None, Query(description="Of one code.")] = None,
) -> Page[Posting]:
    """A page of postings."""
    after = None
    if paging.after is not None:
        number, row_id = paging.after
        after = (int(str(number)), UUID(str(row_id)))
    rows = postings_page(
        db,
        Scope.of(actor),
        close_id=close_id,
        patient_id=patient_id,
        code=code,
        after=after,
        limit=paging.fetch,
    )
    return paging.page(rows, lambda row: (row.audit_number, row.id))


@router.get(
    "/billed-changes",
    summary="List billed lines that the facts known now give otherwise",
    description="What the next close would post about periods that are closed already, because"
    " readings or minutes came late, were corrected or taken out. Nothing is changed by looking.",
    operation_id="list_billed_changes",
    response_model=Page[BilledChange],
    responses=PROBLEMS,
)
def list_billed_changes(
    db: ReadDb, now: Now, actor: Annotated[Actor, permit("ledger:read")], paging: Paging
) -> Page[BilledChange]:
    """A page of changes."""
    after = None if paging.after is None else (paging.after[0], paging.after[1])
    found = [
        one
        for one in billed_changes(db, Scope.of(actor), now)
        if after is None or one.place > after
    ]
    return paging.page(found[: paging.fetch], lambda one: one.place)


@router.post(
    "/verify",
    summary="Verify the record",
    description="Walks the audit chain, counts device days anew and computes every close again.",
    operation_id="verify_record",
    response_model=VerifiedOut,
    responses=PROBLEMS,
)
def verify(
    db: ReadDb, actor: Annotated[Actor, permit("audit:read")], command: Verify
) -> VerifiedOut:
    """What does not fit."""
    anchors = [Anchor(one.number, one.hmac) for one in command.anchors]
    found = verify_record(db, actor, anchors)
    return VerifiedOut(fits=not found, findings=shown_findings(found))

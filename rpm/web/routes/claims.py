"""Claims: previewed, assembled, held, released, and written into files.

Owns the addresses and what is shown. Does not own what becomes a claim (``rpm.actions``), nor
sending and answers.
"""

from datetime import date
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel, Field
from sqlmodel import Session, col

from rpm.access import Actor
from rpm.actions.assemble_claims import (
    AssembleClaims,
    Preview,
    assemble_claims,
    preview_claims,
)
from rpm.actions.claim_events import current_claim
from rpm.actions.command import Command
from rpm.actions.release_claims import (
    Decided,
    HoldClaims,
    ReleaseClaims,
    hold_claims,
    release_claims,
)
from rpm.actions.write_claim_file import DiscardFile, discard_claim_file, write_claim_file
from rpm.store.queries.claims import events_of, files_page, standings_of
from rpm.store.queries.rows import page_of
from rpm.store.scope import Scope
from rpm.store.tables.claims import ClaimFile, ClaimRecord
from rpm.web.deps import PROBLEMS, Db, Now, Page, Paging, ReadDb, area_router, permit
from rpm.web.routes.readings import after_id
from rpm.web.shown import ShownFact, ShownFinding, shown_findings

router = area_router("Claims")

Reader = Annotated[Actor, permit("claims:read")]
Writer = Annotated[Actor, permit("claims:write")]
Releaser = Annotated[Actor, permit("claims:release")]


class ClaimOut(BaseModel):
    """A claim and where it stands."""

    id: UUID
    control_number: str = Field(description="Comes back with every answer.")
    patient_id: UUID
    payer_id: UUID
    close_id: UUID | None
    rendering_npi: str
    from_day: date
    to_day: date
    charge_cents: int
    status: str = Field(description="Folded from the claim's events.", examples=["released"])
    attempt: int
    paid_cents: int
    patient_cents: int


class ClaimEventOut(ShownFact):
    """Something that befell a claim."""

    kind: str
    attempt: int
    frequency: str
    paid_cents: int
    patient_cents: int
    on_day: date | None
    user_id: UUID | None
    reason: str | None
    file_id: UUID | None


class WholeClaimOut(BaseModel):
    """A claim with its content and its history."""

    claim: ClaimOut
    content: dict[str, Any] = Field(description="As it would leave now.")
    events: list[ClaimEventOut]


class HeldOut(BaseModel):
    """A service that is on no claim, and why."""

    service_id: str
    patient_id: UUID
    findings: list[ShownFinding]


class PreviewOut(BaseModel):
    """What assembling gives."""

    month: str
    claims: int
    lines: int
    charge_cents: int
    held: list[HeldOut]


class AssembledOut(BaseModel):
    """The claims that were made, and what is held."""

    claim_ids: list[UUID]
    preview: PreviewOut


class RefusedOut(BaseModel):
    """A claim that stays where it stands, and why."""

    claim_id: UUID
    findings: list[ShownFinding]


class DecidedOut(BaseModel):
    """What became of the claims that were asked for."""

    done: list[UUID]
    waiting: list[UUID] = Field(description="For a second person.")
    refused: list[RefusedOut]


class WriteFile(Command):
    """A file of what is released for a clearinghouse."""

    clearinghouse_key: Annotated[str, Field(max_length=40)] = Field(
        default="", description="Left out: the practice's only one."
    )


class ClaimFileOut(ShownFact):
    """A file of claims; its content is fetched by the transport."""

    kind: str
    interchange_number: int | None
    name: str
    sha256: str
    clearinghouse_key: str
    usage: str
    claim_count: int
    charge_cents: int


class WrittenOut(BaseModel):
    """The file, or what stopped it; then its claims stay released."""

    file: ClaimFileOut | None
    findings: list[ShownFinding]


class DiscardedOut(BaseModel):
    """Claims that are released again."""

    claim_ids: list[UUID]


@router.post(
    "/claims/preview",
    summary="Preview claims",
    description="What assembling a closed month or one close would give now. Stores nothing.",
    operation_id="preview_claims",
    responses=PROBLEMS,
)
def preview(db: ReadDb, actor: Reader, command: AssembleClaims) -> PreviewOut:
    """The preview."""
    return _preview(preview_claims(db, actor, command))


def _preview(found: Preview) -> PreviewOut:
    return PreviewOut(
        month=f"{found.month_start_day:%Y-%m}",
        claims=len(found.assembled.claims),
        lines=sum(len(one.service_ids) for one in found.assembled.claims),
        charge_cents=found.charge_cents,
        held=[
            HeldOut(
                service_id=one.service_id,
                patient_id=found.billable.sources[one.service_id].patient_id,
                findings=shown_findings(one.findings),
            )
            for one in found.assembled.held
        ],
    )


@router.post(
    "/claims/assemble",
    summary="Assemble claims",
    description="Records the claims that can be written; done again it makes those of what was"
    " mended or posted since, and never one twice.",
    operation_id="assemble_claims",
    responses=PROBLEMS,
)
def assemble(db: Db, now: Now, actor: Writer, command: AssembleClaims) -> AssembledOut:
    """The claims."""
    made = assemble_claims(db, actor, now, command)
    return AssembledOut(claim_ids=[row.id for row in made.claims], preview=_preview(made.preview))


@router.get(
    "/claims",
    summary="List claims",
    description="In the order they were made, each with where it stands now.",
    operation_id="list_claims",
    response_model=Page[ClaimOut],
    responses=PROBLEMS,
)
def claims(
    db: ReadDb,
    actor: Reader,
    paging: Paging,
    patient_id: Annotated[UUID | None, Query(description="Only this patient's.")] = None,
    close_id: Annotated[UUID | None, Query(description="Only of this close.")] = None,
) -> Page[ClaimOut]:
    """One page."""
    scope = Scope.of(actor)
    told = ((col(ClaimRecord.patient_id), patient_id), (col(ClaimRecord.close_id), close_id))
    conditions = [column == value for column, value in told if value is not None]
    rows = page_of(db, scope, ClaimRecord, *conditions, after=after_id(paging), limit=paging.fetch)
    return paging.page(_shown(db, scope, rows), lambda row: (row.id,))


def _shown(db: Session, scope: Scope, rows: Any) -> list[ClaimOut]:
    standings = standings_of(db, scope, [row.id for row in rows])
    return [
        ClaimOut(
            **row.model_dump(include=set(ClaimOut.model_fields)),
            status=standings[row.id].status,
            attempt=standings[row.id].attempt,
            paid_cents=standings[row.id].paid_cents,
            patient_cents=standings[row.id].patient_cents,
        )
        for row in rows
    ]


@router.get(
    "/claims/{claim_id}",
    summary="Show a claim",
    description="Its content as it would leave now, and everything that befell it.",
    operation_id="show_claim",
    responses=PROBLEMS,
)
def claim(db: ReadDb, actor: Reader, claim_id: UUID) -> WholeClaimOut:
    """The claim."""
    scope = Scope.of(actor)
    current = current_claim(db, scope, claim_id)
    (shown,) = _shown(db, scope, [current.row])
    shown.charge_cents = current.charge_cents
    return WholeClaimOut(
        claim=shown,
        content=dict((current.version or current.row).content),
        events=[ClaimEventOut.model_validate(row) for row in events_of(db, scope, claim_id)],
    )


@router.post(
    "/claims/release",
    summary="Release claims",
    description="A named person lets claims leave; above the practice's amount a second one must."
    " A claim with an error stays, with its findings.",
    operation_id="release_claims",
    responses=PROBLEMS,
)
def release(db: Db, now: Now, actor: Releaser, command: ReleaseClaims) -> DecidedOut:
    """What became of each."""
    return _decided(release_claims(db, actor, now, command))


@router.post(
    "/claims/hold",
    summary="Hold claims",
    description="Claims that did not leave yet stay, for a reason.",
    operation_id="hold_claims",
    responses=PROBLEMS,
)
def hold(db: Db, now: Now, actor: Releaser, command: HoldClaims) -> DecidedOut:
    """What became of each."""
    return _decided(hold_claims(db, actor, now, command))


def _decided(found: Decided) -> DecidedOut:
    return DecidedOut(
        done=found.done,
        waiting=found.waiting,
        refused=[
            RefusedOut(claim_id=one.claim_id, findings=shown_findings(one.findings))
            for one in found.refused
        ],
    )


@router.post(
    "/claim-files",
    summary="Write a claim file",
    description="Released claims of one clearinghouse into an 837P that waits to be sent; nothing"
    " is kept unless validator, own reader and scrub agree.",
    operation_id="write_claim_file",
    responses=PROBLEMS,
)
def write(db: Db, now: Now, actor: Releaser, command: WriteFile) -> WrittenOut:
    """The file, or what stops it."""
    written = write_claim_file(db, actor, now, command.clearinghouse_key)
    if isinstance(written, ClaimFile):
        return WrittenOut(file=ClaimFileOut.model_validate(written), findings=[])
    return WrittenOut(file=None, findings=shown_findings(written))


@router.get(
    "/claim-files",
    summary="List claim files",
    description="Files of claims, the one written last first.",
    operation_id="list_claim_files",
    response_model=Page[ClaimFileOut],
    responses=PROBLEMS,
)
def files(db: ReadDb, actor: Reader, paging: Paging) -> Page[ClaimFile]:
    """One page."""
    rows = files_page(db, Scope.of(actor), after=after_id(paging), limit=paging.fetch)
    return paging.page(rows, lambda row: (row.id,))


@router.post(
    "/claim-files/discard",
    summary="Discard a claim file",
    description="A file that was surely not sent is never sent; its claims are released again.",
    operation_id="discard_claim_file",
    responses=PROBLEMS,
)
def discard(db: Db, now: Now, actor: Releaser, command: DiscardFile) -> DiscardedOut:
    """The claims."""
    return DiscardedOut(claim_ids=discard_claim_file(db, actor, now, command))

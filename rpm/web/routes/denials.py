"""Denials over HTTP: the queue, one claim as work, and every step a person may take.

Owns the addresses and what is shown. Does not own what is work (``rpm.actions.denial_queue``) nor
the steps. Each step is a command that names its claim.
"""

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Query, Response

from rpm.access import Actor
from rpm.actions.appeal_claim import (
    AnswerAppeal,
    AppealClaim,
    answer_appeal,
    appeal_claim,
    draft_appeal,
)
from rpm.actions.correct_claim import CorrectClaim, correct_claim
from rpm.actions.denial_panel import denial_panel
from rpm.actions.denial_queue import Asked, all_items, causes, denial_queue
from rpm.actions.practice_day import practice_today
from rpm.actions.work_denials import AssignClaims, NoteClaim, assign_claims, note_claim
from rpm.actions.write_off import DecideWriteOff, WriteOffClaim, decide_write_off, write_off_claim
from rpm.store.scope import Scope
from rpm.store.tables.claims import ClaimVersion
from rpm.store.tables.denials import Appeal, AppealAnswer, Assignment, WorkNote, WriteOffDecision
from rpm.web.denials_shown import (
    AppealAnswerOut,
    AppealOut,
    AssignmentOut,
    CauseOut,
    DecisionOut,
    DeniedOut,
    DraftOut,
    NoteOut,
    PanelOut,
    PartOut,
    VersionOut,
    WrittenOffOut,
    shown_cause,
    shown_denied,
)
from rpm.web.deps import PROBLEMS, Db, Now, Page, Paging, ReadDb, area_router, permit

router = area_router("Denials")

Reader = Annotated[Actor, permit("claims:read")]
Writer = Annotated[Actor, permit("claims:write")]
Releaser = Annotated[Actor, permit("claims:release")]
PDF = "application/pdf"
_AS_PDF: dict[int | str, dict[str, Any]] = {
    **PROBLEMS,
    200: {"description": "The document.", "content": {PDF: {}}},
}


@router.get(
    "/denials",
    summary="List claims to be worked",
    description="Derived from answers whenever it is asked for, so that nothing is forgotten.",
    operation_id="list_denials",
    response_model=Page[DeniedOut],
    responses=PROBLEMS,
)
def list_denials(
    db: ReadDb,
    now: Now,
    actor: Reader,
    paging: Paging,
    work: Annotated[str, Query(max_length=20)] = "",
    group: Annotated[str, Query(max_length=20)] = "",
    payer_id: UUID | None = None,
    person: Annotated[
        str, Query(max_length=40, description="A user's id, or `nobody`; empty: everyone.")
    ] = "",
    due: Annotated[Literal["", "past", "month"], Query()] = "",
    sort: Annotated[Literal["deadline", "amount", "answered", "follow-up"], Query()] = "deadline",
) -> Page[DeniedOut]:
    """A page of the queue."""
    scope = Scope.of(actor)
    asked = Asked(work, group, payer_id, person, due, sort)
    items = list(denial_queue(db, scope, practice_today(db, scope, now), asked).items)
    if paging.after is not None:
        places = {item.claim.id: place for place, item in enumerate(items)}
        items = items[places.get(UUID(str(paging.after[0])), -1) + 1 :]
    shown = [shown_denied(item) for item in items[: paging.fetch]]
    return paging.page(shown, lambda one: (one.claim_id,))


@router.get(
    "/denials/causes",
    summary="Count the reasons of denials",
    description="Most claims first, with the edits, findings and checks that look for each.",
    operation_id="denial_causes",
    responses=PROBLEMS,
)
def list_causes(db: ReadDb, actor: Reader) -> list[CauseOut]:
    """The reasons."""
    return [shown_cause(one) for one in causes(all_items(db, Scope.of(actor)))]


@router.get(
    "/denials/{claim_id}",
    summary="Show a claim as work",
    description="Why, until when, what looks for it, and what was done.",
    operation_id="show_denial",
    responses=PROBLEMS,
)
def show(db: ReadDb, actor: Reader, claim_id: UUID) -> PanelOut:
    """The panel."""
    panel = denial_panel(db, Scope.of(actor), claim_id)
    answers = [one.answer for one in panel.appeals if one.answer is not None]
    return PanelOut(
        denied=None if panel.item is None else shown_denied(panel.item),
        edits=[edit.id for hint in panel.hints for edit in hint.edits],
        findings=[finding.code for hint in panel.hints for finding in hint.findings],
        notes=[NoteOut.model_validate(one) for one in panel.notes],
        appeals=[AppealOut.model_validate(one.appeal) for one in panel.appeals],
        appeal_answers=[AppealAnswerOut.model_validate(one) for one in answers],
    )


@router.post(
    "/denials/assign",
    status_code=201,
    summary="Give claims to a person",
    description="The latest assignment counts; without a person they are nobody's again.",
    operation_id="assign_claims",
    response_model=list[AssignmentOut],
    responses=PROBLEMS,
)
def assign(db: Db, now: Now, actor: Writer, command: AssignClaims) -> list[Assignment]:
    """The assignments."""
    return list(assign_claims(db, actor, now, command))


@router.post(
    "/denials/notes",
    status_code=201,
    summary="Note what was found or done",
    description="With a day to look again, where there is one.",
    operation_id="note_claim",
    response_model=NoteOut,
    responses=PROBLEMS,
)
def note(db: Db, now: Now, actor: Writer, command: NoteClaim) -> WorkNote:
    """The note."""
    return note_claim(db, actor, now, command)


@router.post(
    "/denials/corrections",
    status_code=201,
    summary="Correct a claim",
    description="A replacement (7) or void (8) under the payer's number of the claim; anew (1)"
    " where no payer judged it. It waits for its release. What would be rejected is refused.",
    operation_id="correct_claim",
    response_model=VersionOut,
    responses=PROBLEMS,
)
def correct(db: Db, now: Now, actor: Writer, command: CorrectClaim) -> ClaimVersion:
    """The new version."""
    return correct_claim(db, actor, now, command)


@router.get(
    "/denials/{claim_id}/appeal-draft",
    summary="Draft an appeal",
    description="A letter from the record, to be read and changed by a person.",
    operation_id="draft_appeal",
    responses=PROBLEMS,
)
def draft(db: ReadDb, now: Now, actor: Writer, claim_id: UUID) -> DraftOut:
    """The draft."""
    made = draft_appeal(db, Scope.of(actor), now, claim_id)
    parts = [PartOut(title=one.title, missing=one.missing) for one in made.parts]
    return DraftOut(letter=made.letter, level=made.level, parts=parts)


@router.post(
    "/denials/appeals",
    status_code=201,
    summary="Record an appeal",
    description="Makes the packet (letter, remittance excerpt, evidence) and keeps every byte. The"
    " product sends nothing.",
    operation_id="appeal_claim",
    response_model=AppealOut,
    responses=PROBLEMS,
)
def appeal(db: Db, now: Now, actor: Writer, command: AppealClaim) -> Appeal:
    """The appeal."""
    return appeal_claim(db, actor, now, command)


@router.get(
    "/denials/appeals/{appeal_id}/packet.pdf",
    summary="Give an appeal's packet",
    description="The document as it was made, every byte of it.",
    operation_id="appeal_packet",
    response_class=Response,
    responses=_AS_PDF,
)
def packet(db: ReadDb, actor: Reader, appeal_id: UUID) -> Response:
    """The document."""
    return Response(Scope.of(actor).get(db, Appeal, appeal_id).packet, media_type=PDF)


@router.post(
    "/denials/appeals/answers",
    status_code=201,
    summary="Record the outcome of an appeal",
    description="What the payer said. Money comes with a remittance, not with this.",
    operation_id="answer_appeal",
    response_model=AppealAnswerOut,
    responses=PROBLEMS,
)
def answer(db: Db, now: Now, actor: Writer, command: AnswerAppeal) -> AppealAnswer:
    """The outcome."""
    return answer_appeal(db, actor, now, command)


@router.post(
    "/denials/write-offs",
    status_code=201,
    summary="Write off what was refused",
    description="Above the practice's amount a second person must agree first.",
    operation_id="write_off_claim",
    responses=PROBLEMS,
)
def write_off(db: Db, now: Now, actor: Writer, command: WriteOffClaim) -> WrittenOffOut:
    """Done, or waiting."""
    made = write_off_claim(db, actor, now, command)
    return WrittenOffOut(
        written_off=made.event is not None,
        request_id=None if made.request is None else made.request.id,
    )


@router.post(
    "/denials/write-offs/decisions",
    status_code=201,
    summary="Agree to a write-off, or decline it",
    description="By another person than the one who asked.",
    operation_id="decide_write_off",
    response_model=DecisionOut,
    responses=PROBLEMS,
)
def decide(db: Db, now: Now, actor: Releaser, command: DecideWriteOff) -> WriteOffDecision:
    """The decision."""
    return decide_write_off(db, actor, now, command)

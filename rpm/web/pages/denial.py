"""One denied claim: why, until when, what helps, and every step a person may take.

Owns this screen and its forms. Does not own the steps (``rpm.actions``) nor the queue
(``rpm.web.pages.denials``).
"""

import re
from collections.abc import Callable
from typing import Annotated, Any
from uuid import UUID

from fastapi import Form, Request
from fastapi.responses import Response
from sqlmodel import Session

from rpm.access import Actor
from rpm.actions.appeal_claim import (
    AnswerAppeal,
    AppealClaim,
    answer_appeal,
    appeal_claim,
    draft_appeal,
)
from rpm.actions.correct_claim import CorrectClaim, correct_claim
from rpm.actions.denial_panel import Panel, denial_panel
from rpm.actions.denial_queue import group_title
from rpm.actions.practice_day import practice_today
from rpm.actions.work_denials import AssignClaims, NoteClaim, assign_claims, note_claim
from rpm.actions.write_off import DecideWriteOff, WriteOffClaim, decide_write_off, write_off_claim
from rpm.errors import Conflict, InvalidRequest, NotAllowed
from rpm.store.queries.people import names_of_patients
from rpm.store.scope import Scope
from rpm.store.tables.denials import Appeal, WriteOffRequest
from rpm.web.pages.denial_words import (
    OUTCOME_CHOICES,
    WORK_TONES,
    WORK_WORDS,
    due_tone,
    event_reasons,
    reason_words,
)
from rpm.web.pages.denials import ADDRESS, Reader, Writer, people
from rpm.web.pages.form_values import FormValues
from rpm.web.pages.shell import (
    Now,
    PageDb,
    PageReadDb,
    form_errors,
    page_permit,
    page_router,
    read_form,
    render,
    see_other,
)

router = page_router()

Releaser = Annotated[Actor, page_permit("claims:release")]
PDF = "application/pdf"
_SEPARATORS = re.compile(r"[\s,;]+")
_Act = Callable[..., Any]


@router.get(f"{ADDRESS}/{{claim_id}}")
def denial(request: Request, db: PageReadDb, now: Now, actor: Reader, claim_id: UUID) -> Response:
    """The claim as work."""
    return _shown(request, db, now, actor, claim_id, {}, {})


@router.post(f"{ADDRESS}/{{claim_id}}/assign")
def assign(
    request: Request, db: PageDb, now: Now, actor: Writer, claim_id: UUID, values: FormValues
) -> Response:
    """Give it to a person, or to nobody."""
    asked = {"claim_ids": [str(claim_id)], "user_id": values.get("user_id")}
    act = (AssignClaims, asked, assign_claims, "The claim is given.")
    return _done(request, db, now, actor, claim_id, values, act)


@router.post(f"{ADDRESS}/{{claim_id}}/note")
def note(
    request: Request, db: PageDb, now: Now, actor: Writer, claim_id: UUID, values: FormValues
) -> Response:
    """Say what was found, and when to look again."""
    asked = {
        "claim_id": str(claim_id),
        "note": values.get("note", "").strip(),
        "follow_up_on": values.get("follow_up_on"),
    }
    act = (NoteClaim, asked, note_claim, "The note is kept.")
    return _done(request, db, now, actor, claim_id, values, act)


@router.post(f"{ADDRESS}/{{claim_id}}/correct")
def correct(
    request: Request, db: PageDb, now: Now, actor: Writer, claim_id: UUID, values: FormValues
) -> Response:
    """Change the claim; it waits for its release then."""
    changes = _changes(denial_panel(db, Scope.of(actor), claim_id), values)
    told = "The corrected claim is assembled and waits for its release."
    act = (CorrectClaim, {"claim_id": str(claim_id), **changes}, correct_claim, told)
    return _done(request, db, now, actor, claim_id, values, act)


@router.post(f"{ADDRESS}/{{claim_id}}/write-off")
def write_off(
    request: Request, db: PageDb, now: Now, actor: Writer, claim_id: UUID, values: FormValues
) -> Response:
    """Give up what was refused, or ask a second person to agree."""
    asked = {"claim_id": str(claim_id), "reason": values.get("write_off_reason", "").strip()}
    renamed = {"reason": "write_off_reason"}
    told = "It is written off, or waits for a second person above the practice's amount."
    act = (WriteOffClaim, asked, write_off_claim, told)
    return _done(request, db, now, actor, claim_id, values, act, renamed)


@router.post(f"{ADDRESS}/write-offs/{{request_id}}")
def decide(
    request: Request,
    db: PageDb,
    now: Now,
    actor: Releaser,
    request_id: UUID,
    decision: Annotated[str, Form()] = "",
    note: Annotated[str, Form()] = "",
) -> Response:
    """The second person's word."""
    asked = Scope.of(actor).get(db, WriteOffRequest, request_id)
    command = DecideWriteOff(
        request_id=request_id, approved=decision == "approve", note=note.strip()[:4_000] or None
    )
    told = "It is written off." if command.approved else "The request is declined."
    try:
        decide_write_off(db, actor, now, command)
    except (Conflict, NotAllowed) as error:
        told = _sentence(error.message)
    return see_other(request, f"{ADDRESS}/{asked.claim_id}", told)


@router.get(f"{ADDRESS}/{{claim_id}}/appeal")
def draft(request: Request, db: PageReadDb, now: Now, actor: Writer, claim_id: UUID) -> Response:
    """The letter to be read and changed."""
    made = draft_appeal(db, Scope.of(actor), now, claim_id)
    return _letter(request, db, now, actor, claim_id, {"letter": made.letter}, {})


@router.post(f"{ADDRESS}/{{claim_id}}/appeal")
def appeal(
    request: Request, db: PageDb, now: Now, actor: Writer, claim_id: UUID, values: FormValues
) -> Response:
    """Make the packet and record the appeal."""
    names = ("letter", "sent_on", "answer_due_on")
    asked = {"claim_id": str(claim_id), **{name: values.get(name) for name in names}}
    asked["letter"] = (asked["letter"] or "").replace("\r\n", "\n")
    command, errors = read_form(AppealClaim, asked)
    if command is not None:
        try:
            appeal_claim(db, actor, now, command)
            told = "The appeal is recorded. Its packet is ready to be sent."
            return see_other(request, f"{ADDRESS}/{claim_id}", told)
        except InvalidRequest as error:
            errors = form_errors(error)
        except Conflict as error:
            return see_other(request, f"{ADDRESS}/{claim_id}", _sentence(error.message))
    return _letter(request, db, now, actor, claim_id, values, errors)


@router.post(f"{ADDRESS}/appeals/{{appeal_id}}/answer")
def answer(
    request: Request, db: PageDb, now: Now, actor: Writer, appeal_id: UUID, values: FormValues
) -> Response:
    """Record what the payer said."""
    claim_id = Scope.of(actor).get(db, Appeal, appeal_id).claim_id
    asked = {
        "appeal_id": str(appeal_id),
        "outcome": values.get("outcome"),
        "on_day": values.get("on_day"),
        "note": values.get("answer_note", "").strip(),
    }
    renamed = {"note": "answer_note"}
    act = (AnswerAppeal, asked, answer_appeal, "The outcome is recorded.")
    return _done(request, db, now, actor, claim_id, values, act, renamed)


@router.get(f"{ADDRESS}/appeals/{{appeal_id}}/packet.pdf")
def packet(db: PageReadDb, actor: Reader, appeal_id: UUID) -> Response:
    """The packet as it was made, every byte."""
    row = Scope.of(actor).get(db, Appeal, appeal_id)
    named = f'attachment; filename="appeal-{row.packet_sha256[:12]}.pdf"'
    return Response(row.packet, media_type=PDF, headers={"Content-Disposition": named})


def _done(
    request: Request,
    db: Session,
    now: Any,
    actor: Actor,
    claim_id: UUID,
    values: dict[str, str],
    act: tuple[Any, dict[str, Any], _Act, str],
    renamed: dict[str, str] | None = None,
) -> Response:
    """Do what a form asks and come back, or show the screen again with what is wrong."""
    kind, asked, action, told = act
    command, errors = read_form(kind, asked)
    if command is not None:
        try:
            action(db, actor, now, command)
            return see_other(request, f"{ADDRESS}/{claim_id}", told)
        except InvalidRequest as error:
            errors = form_errors(error)
        except Conflict as error:
            errors = {"": _sentence(error.message)}
    errors = {(renamed or {}).get(name, name): text for name, text in errors.items()}
    return _shown(request, db, now, actor, claim_id, values, errors)


def _shown(
    request: Request,
    db: Session,
    now: Any,
    actor: Actor,
    claim_id: UUID,
    values: dict[str, str],
    errors: dict[str, str],
) -> Response:
    scope = Scope.of(actor)
    panel = denial_panel(db, scope, claim_id)
    users = people(db, scope)
    return render(
        request,
        "denial.html.j2",
        422 if errors else 200,
        panel=panel,
        item=panel.item,
        claim=panel.claim,
        patient=names_of_patients(db, scope, [panel.current.row.patient_id]),
        values=values,
        errors=errors,
        users=users,
        user_names=dict(users),
        today=practice_today(db, scope, now),
        work_words=WORK_WORDS,
        work_tones=WORK_TONES,
        outcomes=OUTCOME_CHOICES,
        due_tone=due_tone,
        group_title=group_title,
        reason_words=reason_words,
        event_reasons=event_reasons,
    )


def _letter(
    request: Request,
    db: Session,
    now: Any,
    actor: Actor,
    claim_id: UUID,
    values: dict[str, str],
    errors: dict[str, str],
) -> Response:
    scope = Scope.of(actor)
    made = draft_appeal(db, scope, now, claim_id)
    return render(
        request,
        "denial_appeal.html.j2",
        422 if errors else 200,
        claim_id=claim_id,
        draft=made,
        values=values,
        errors=errors,
        today=practice_today(db, scope, now),
    )


def _changes(panel: Panel, values: dict[str, str]) -> dict[str, Any]:
    """What of a filled-in form differs from the claim."""
    claim = panel.claim
    told = {name: text.strip() for name, text in values.items()}
    found: dict[str, Any] = {"reason": told.get("reason", "")}
    for name, now in (
        ("place", claim.place),
        ("member_id", claim.coverage.member_id),
        ("prior_authorization", claim.prior_authorization),
    ):
        if told.get(name, now) != now:
            found[name] = told[name]
    diagnoses = _codes(told.get("diagnoses", " ".join(claim.diagnoses)))
    if diagnoses != list(claim.diagnoses):
        found["diagnoses"] = diagnoses
    lines = []
    for number, line in enumerate(claim.lines, start=1):
        given = {
            name.removeprefix(f"line{number}-"): text
            for name, text in told.items()
            if name.startswith(f"line{number}-")
        }
        change: dict[str, Any] = {}
        if given.get("procedure", line.procedure) != line.procedure:
            change["procedure"] = given["procedure"].upper()
        modifiers = _codes(given.get("modifiers", " ".join(line.modifiers)))
        if modifiers != list(line.modifiers):
            change["modifiers"] = modifiers
        if given.get("units", str(line.units)) != str(line.units):
            change["units"] = int(given["units"]) if given["units"].isdecimal() else 0
        if change:
            lines.append({"line": number, **change})
    return {**found, "lines": lines} if lines else found


def _codes(text: str) -> list[str]:
    return [code.upper().replace(".", "") for code in _SEPARATORS.split(text) if code]


def _sentence(message: str) -> str:
    return f"{message[:1].upper()}{message[1:]}."

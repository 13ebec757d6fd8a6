"""The form of a visit: filled in while its coding is shown beside it, recorded, corrected.

Owns these screens. Does not own the acts (``rpm.actions.record_visit``) nor a visit's own page
(``rpm.web.pages.visits``). What is typed is coded by a POST: addresses hold no facts.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Request
from fastapi.responses import Response
from sqlmodel import Session

from billing.coding.encounter_text import STATES
from billing.coding.specialties import before_signing, shipped_specialties
from rpm.access import Actor
from rpm.actions.coded_visits import coder, completed
from rpm.actions.practice_day import practice_today
from rpm.actions.record_visit import CorrectVisit, RecordVisit, correct_visit, record_visit
from rpm.actions.visit_facts import VisitFacts, encounter_of, lines_of
from rpm.errors import Conflict, InvalidRequest
from rpm.store.scope import Scope
from rpm.store.tables.coding import Visit
from rpm.store.tables.people import Patient, Practitioner
from rpm.web.coding_shown import ShownCoding, shown_coding
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
from rpm.web.pages.visit_words import (
    CHOICES,
    STATUS_TONES,
    STATUS_WORDS,
    WEIGHT_TONES,
    facts_of_form,
    form_field,
    form_of_facts,
)

router = page_router()

Recorder = Annotated[Actor, page_permit("services:write")]
WORDS = {
    "tones": STATUS_TONES,
    "status_words": STATUS_WORDS,
    "weights": WEIGHT_TONES,
}
TELLING = (
    *("service", "level_basis", "mdm", "total_minutes", "discussion_minutes", "minutes_therapy"),
    *("minutes_e_visit", "minutes_econsult", "reply_hours", "code_chosen", "submitted", "more"),
)
"""Fields that tell what was done: while all are empty there is nothing to code."""
_STATES = (("", "not told"), *((one, one) for one in sorted(STATES)))


@router.get("/patients/{patient_id}/visits/new")
def new(request: Request, db: PageReadDb, now: Now, actor: Recorder, patient_id: UUID) -> Response:
    """The empty form, with today and an established patient at home by video."""
    scope = Scope.of(actor)
    patient = scope.get(db, Patient, patient_id)
    values = {
        "payer": "MCR",
        "dos": practice_today(db, scope, now).isoformat(),
        "provider_type": "MD",
        "provider_site": "OFFICE",
        "patient_location": "HOME",
        "modality": "AV",
        "patient_status": "EST",
    }
    return _form(request, db, scope, patient, values, {})


@router.post("/patients/{patient_id}/visits/check")
def check(
    request: Request,
    db: PageReadDb,
    now: Now,
    actor: Recorder,
    patient_id: UUID,
    values: FormValues,
) -> Response:
    """The part of the page that tells how the facts typed so far are coded."""
    scope = Scope.of(actor)
    scope.get(db, Patient, patient_id)
    if not any(values.get(name, "").strip() for name in TELLING):
        return render(request, "visit_check.html.j2", coding=None, missing={}, specialty=None)
    coding, errors = _coded(db, scope, now, patient_id, values)
    specialty = shipped_specialties().get(values.get("specialty", ""))
    asked = []
    if specialty is not None and coding is not None:
        asked = list(before_signing(specialty, {one.edit for one in coding.edits}))
    return render(
        request,
        "visit_check.html.j2",
        coding=coding,
        missing=errors,
        specialty=specialty,
        asked=asked,
        **WORDS,
    )


def _coded(
    db: Session, scope: Scope, now: datetime, patient_id: UUID, values: Mapping[str, str]
) -> tuple[ShownCoding | None, dict[str, str]]:
    facts, errors = read_form(VisitFacts, facts_of_form(values))
    if facts is None:
        return None, errors
    row = facts.row()
    try:
        submitted = lines_of(row.pop("submitted", None))
        encounter = completed(
            db, scope, encounter_of(row), patient_id, _practitioner(db, scope, values)
        )
    except InvalidRequest as error:
        return None, _errors(error)
    today = practice_today(db, scope, now)
    return shown_coding(coder(db, scope, today).code(encounter, submitted), today), {}


def _practitioner(db: Session, scope: Scope, values: Mapping[str, str]) -> UUID | None:
    """The practitioner chosen; None for none, or one that is not of this practice."""
    wanted = values.get("practitioner_id", "")
    held = {str(row.id): row.id for row in scope.all_of(db, Practitioner)}
    return held.get(wanted)


@router.post("/patients/{patient_id}/visits/new")
def record(
    request: Request,
    db: PageDb,
    now: Now,
    actor: Recorder,
    patient_id: UUID,
    values: FormValues,
) -> Response:
    """Record the visit and open its page."""
    scope = Scope.of(actor)
    patient = scope.get(db, Patient, patient_id)
    facts, errors = read_form(VisitFacts, facts_of_form(values))
    if facts is not None:
        person = _practitioner(db, scope, values)
        command = RecordVisit(patient_id=patient_id, practitioner_id=person, facts=facts)
        try:
            visit = record_visit(db, actor, now, command)
        except InvalidRequest as error:
            errors = _errors(error)
        else:
            return see_other(request, f"/visits/{visit.id}", "The visit is recorded.")
    return _form(request, db, scope, patient, values, errors)


def _errors(error: InvalidRequest) -> dict[str, str]:
    """What was refused, by the field of the form it stands in."""
    return {form_field(where): message for where, message in form_errors(error).items()}


@router.get("/visits/{visit_id}/correct")
def correct_form(request: Request, db: PageReadDb, actor: Recorder, visit_id: UUID) -> Response:
    """The form with the facts as they are kept."""
    scope = Scope.of(actor)
    visit = scope.get(db, Visit, visit_id)
    patient = scope.get(db, Patient, visit.patient_id)
    values = form_of_facts(visit.facts, visit.submitted)
    values["practitioner_id"] = str(visit.practitioner_id or "")
    return _form(request, db, scope, patient, values, {}, visit)


@router.post("/visits/{visit_id}/correct")
def correct(
    request: Request,
    db: PageDb,
    now: Now,
    actor: Recorder,
    visit_id: UUID,
    values: FormValues,
) -> Response:
    """Replace the visit by what the form tells, or withdraw it."""
    scope = Scope.of(actor)
    visit = scope.get(db, Visit, visit_id)
    withdraw = values.get("withdraw") == "yes"
    facts, errors = (None, {}) if withdraw else read_form(VisitFacts, facts_of_form(values))
    if not errors:
        person = _practitioner(db, scope, values)
        content: dict[str, Any] = {
            "visit_id": visit_id,
            "practitioner_id": person,
            "facts": facts,
            "reason": values.get("reason", ""),
        }
        command, errors = read_form(CorrectVisit, content)
        if command is not None:
            try:
                row = correct_visit(db, actor, now, command)
            except InvalidRequest as error:
                errors = _errors(error)
            except Conflict as error:
                errors = {"": error.message}
            else:
                told = "The visit is withdrawn." if withdraw else "The visit is corrected."
                return see_other(request, f"/visits/{row.id}", told)
    patient = scope.get(db, Patient, visit.patient_id)
    return _form(request, db, scope, patient, values, errors, visit)


def _form(
    request: Request,
    db: Session,
    scope: Scope,
    patient: Patient,
    values: Mapping[str, str],
    errors: Mapping[str, str],
    corrects: Visit | None = None,
) -> Response:
    people, sets = [("", "not told")], shipped_specialties()
    people += [(str(row.id), row.name) for row in scope.all_of(db, Practitioner)]
    return render(
        request,
        "visit_form.html.j2",
        422 if errors else 200,
        patient=patient,
        values={name: values.get(name, "") for name in (*_NAMES, *values)},
        errors=errors,
        choices=CHOICES,
        states=_STATES,
        people=people,
        specialties=[("", "none"), *((one.name, one.title) for one in sets.values())],
        corrects=corrects,
        coding=None,
        missing={},
        specialty=None,
        asked=[],
        **WORDS,
    )


_NAMES = (
    *("payer", "state", "dos", "provider_type", "provider_site", "patient_location", "modality"),
    *("patient_status", "level_basis", "mdm", "total_minutes", "discussion_minutes"),
    *("service", "code_chosen", "facility", "minutes_therapy", "minutes_e_visit"),
    *("minutes_econsult", "reply_hours", "consent", "video_capable", "audio_reason"),
    *("more", "submitted", "practitioner_id", "reason", "specialty"),
)
"""Every field of the form, so that the template finds each."""

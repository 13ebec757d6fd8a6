"""Proposals of other systems: what waits, each beside what is recorded, and a person's answer.

Owns these screens. Does not own the acts (``rpm.actions.answer_proposal``) nor reading messages.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query, Request
from fastapi.responses import Response
from sqlmodel import Session, col

from billing.claims.inbound.proposed import COVERAGE, FIELDS, PATIENT, VISIT
from billing.coding.encounter_text import STATES
from rpm.access import Actor
from rpm.actions.answer_proposal import (
    AcceptCoverage,
    AcceptPatient,
    AcceptVisit,
    DismissProposal,
    accept_coverage,
    accept_patient,
    accept_visit,
    dismiss_proposal,
)
from rpm.actions.register_patient import SEXES
from rpm.actions.visit_facts import VisitFacts
from rpm.clock import local_day
from rpm.errors import Conflict, InvalidRequest
from rpm.store.queries.billing import addresses_of
from rpm.store.queries.people import (
    coverages_of,
    organization_of,
    patient_with_record_number,
    practitioner_with_npi,
)
from rpm.store.queries.proposals import (
    answer_of,
    messages_of,
    quarantined_messages,
    waiting_proposals,
)
from rpm.store.scope import Scope
from rpm.store.tables.coding import Visit
from rpm.store.tables.people import Patient, Payer, Practitioner
from rpm.store.tables.proposals import Proposal
from rpm.web.pages.form_values import FormValues
from rpm.web.pages.paging import page_of_list
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
from rpm.web.pages.visit_words import CHOICES, facts_of_form, form_field

router = page_router()

ADDRESS = "/proposals"
Reader = Annotated[Actor, page_permit("patients:read")]
Writer = Annotated[Actor, page_permit("patients:write")]
Recorder = Annotated[Actor, page_permit("services:write")]
_ROWS = 25
_QUARANTINED = 25
LABELS = {
    "family_name": "Family name",
    "given_name": "Given name",
    "birth_date": "Birth date",
    "sex": "Sex",
    "street": "Street",
    "street_more": "Further line",
    "city": "City",
    "state": "State",
    "postal_code": "Postal code",
    "phone": "Phone",
    "payer_name": "Payer",
    "payer_id": "Payer's id there",
    "member_id": "Member id",
    "group_number": "Group",
    "from_day": "From",
    "to_day": "To",
    "visit_id": "Visit's id there",
    "started_at": "Began",
    "ended_at": "Ended",
    "practitioner_npi": "Practitioner's NPI",
    "modality": "How it was held",
}
KIND_WORDS = {PATIENT: "Patient", COVERAGE: "Coverage", VISIT: "Visit"}
SOURCE_WORDS = {
    "adt-file": "ADT message, file",
    "adt-mllp": "ADT message",
    "fhir": "FHIR resource",
    "visit-event": "telehealth platform",
}


@dataclass(frozen=True)
class Compared:
    """A value as proposed, and as recorded; empty where nothing is."""

    label: str
    proposed: str
    recorded: str

    @property
    def differs(self) -> bool:
        """Whether both say something, and not the same."""
        return bool(self.proposed and self.recorded and self.proposed != self.recorded)


@router.get(ADDRESS)
def proposals(
    request: Request,
    db: PageReadDb,
    actor: Reader,
    cursor: Annotated[str, Query(max_length=2_000)] = "",
) -> Response:
    """What waits for a person, the longest waiting first, and messages that cannot be read."""
    scope = Scope.of(actor)
    paging = page_of_list(request, actor, "proposals", {}, cursor or None, _ROWS)
    after = None if paging.after is None else UUID(str(paging.after[0]))
    rows = waiting_proposals(db, scope, after=after, limit=paging.fetch)
    page: Any = paging.page(rows, lambda row: (row.id,))
    messages = messages_of(db, scope, [row.message_id for row in page.items])
    return render(
        request,
        "proposals.html.j2",
        rows=[(row, messages[row.message_id]) for row in page.items],
        next_cursor=page.next_cursor,
        is_first=not cursor,
        quarantined=[] if cursor else quarantined_messages(db, scope, limit=_QUARANTINED),
        kinds=KIND_WORDS,
        sources=SOURCE_WORDS,
    )


@router.get(f"{ADDRESS}/{{change_id}}")
def proposal(request: Request, db: PageReadDb, actor: Reader, change_id: UUID) -> Response:
    """One proposal beside what is recorded."""
    return _page(request, db, Scope.of(actor), change_id, None, {})


@router.post(f"{ADDRESS}/{{change_id}}/dismiss")
def dismiss(
    request: Request, db: PageDb, now: Now, actor: Writer, change_id: UUID, values: FormValues
) -> Response:
    """Nothing is recorded of it."""
    content = {"proposal_id": change_id, "reason": values.get("reason", "").strip()}
    command, errors = read_form(DismissProposal, content)
    if command is None:
        return _page(request, db, Scope.of(actor), change_id, values, errors)
    return _acted(
        request, db, actor, change_id, values, lambda: dismiss_proposal(db, actor, now, command)
    )


@router.post(f"{ADDRESS}/{{change_id}}/patient")
def patient(
    request: Request, db: PageDb, now: Now, actor: Writer, change_id: UUID, values: FormValues
) -> Response:
    """Register the patient, or record the address."""
    names = FIELDS[PATIENT]
    content = {"proposal_id": change_id} | {one: values.get(one, "").strip() for one in names}
    command, errors = read_form(AcceptPatient, content)
    if command is None:
        return _page(request, db, Scope.of(actor), change_id, values, errors)
    return _acted(
        request, db, actor, change_id, values, lambda: accept_patient(db, actor, now, command)
    )


@router.post(f"{ADDRESS}/{{change_id}}/coverage")
def coverage(
    request: Request, db: PageDb, now: Now, actor: Writer, change_id: UUID, values: FormValues
) -> Response:
    """Record the coverage."""
    names = ("payer_id", "member_id", "from_day", "to_day")
    content = {"proposal_id": change_id} | {one: values.get(one, "").strip() for one in names}
    command, errors = read_form(AcceptCoverage, content)
    if command is None:
        return _page(request, db, Scope.of(actor), change_id, values, errors)
    return _acted(
        request, db, actor, change_id, values, lambda: accept_coverage(db, actor, now, command)
    )


@router.post(f"{ADDRESS}/{{change_id}}/visit")
def visit(
    request: Request, db: PageDb, now: Now, actor: Recorder, change_id: UUID, values: FormValues
) -> Response:
    """Record the visit."""
    facts, errors = read_form(VisitFacts, facts_of_form(values))
    who, more = read_form(
        AcceptVisit,
        {
            "proposal_id": change_id,
            "practitioner_id": values.get("practitioner_id", ""),
            "facts": facts,
        },
    )
    if facts is None or who is None:
        return _page(request, db, Scope.of(actor), change_id, values, errors or more)
    return _acted(request, db, actor, change_id, values, lambda: accept_visit(db, actor, now, who))


def _acted(
    request: Request,
    db: Session,
    actor: Actor,
    change_id: UUID,
    values: Mapping[str, str],
    act: Callable[[], Any],
) -> Response:
    try:
        answer = act()
    except InvalidRequest as error:
        errors = {form_field(name): text for name, text in form_errors(error).items()}
    except Conflict as error:
        errors = {"": error.message[:1].upper() + error.message[1:] + "."}
    else:
        told = "The proposal is accepted." if answer.accepted else "The proposal is dismissed."
        return see_other(request, ADDRESS, told)
    db.rollback()
    return _page(request, db, Scope.of(actor), change_id, values, errors)


def _page(
    request: Request,
    db: Session,
    scope: Scope,
    change_id: UUID,
    values: Mapping[str, str] | None,
    errors: dict[str, str],
) -> Response:
    row = scope.get(db, Proposal, change_id)
    known = patient_with_record_number(db, scope, row.record_number)
    zone = organization_of(db, scope).timezone
    return render(
        request,
        "proposal.html.j2",
        422 if errors else 200,
        row=row,
        kind=KIND_WORDS[row.kind],
        message=messages_of(db, scope, [row.message_id])[row.message_id],
        sources=SOURCE_WORDS,
        known=known,
        compared=_compared(db, scope, row, known),
        visits=_visits(db, scope, row, known, zone),
        answer=answer_of(db, scope, row.id),
        # a field that neither the message nor the form told is empty
        values=defaultdict(str, _first_values(db, scope, row, zone) if values is None else values),
        errors=errors,
        sexes=[(one, word) for one, word in zip(SEXES, ("female", "male", "unknown"), strict=True)],
        payers=[("", "choose"), *((one.id, one.name) for one in scope.all_of(db, Payer))],
        people=[("", "not told"), *((one.id, one.name) for one in scope.all_of(db, Practitioner))],
        states=[("", "not told"), *((one, one) for one in sorted(STATES))],
        choices=CHOICES,
    )


def _compared(db: Session, scope: Scope, row: Proposal, known: Patient | None) -> list[Compared]:
    recorded = {} if known is None else _recorded(db, scope, row.kind, known)
    return [
        Compared(LABELS[name], row.content.get(name, ""), recorded.get(name, ""))
        for name in FIELDS[row.kind]
        if row.content.get(name) or recorded.get(name)
    ]


def _recorded(db: Session, scope: Scope, kind: str, known: Patient) -> dict[str, str]:
    """What is recorded under the names of a proposal."""
    if kind == PATIENT:
        lives = addresses_of(db, scope, [known.id]).get(known.id)
        told = {name: getattr(known, name, None) for name in FIELDS[kind]}
        if lives is not None:
            told |= {name: getattr(lives, name) for name in FIELDS[kind] if hasattr(lives, name)}
        return {name: str(value) for name, value in told.items() if value}
    if kind == COVERAGE:
        states = coverages_of(db, scope, known.id)
        if not states:
            return {}
        last = states[-1]
        payer = scope.get(db, Payer, last.coverage.payer_id)
        return {
            "payer_name": payer.name,
            "payer_id": payer.edi_payer_id or payer.key,
            "member_id": last.coverage.member_id,
            "from_day": last.coverage.from_day.isoformat(),
            "to_day": last.last_day.isoformat() if last.last_day else "",
        }
    return {}


def _day(row: Proposal, zone: str) -> str:
    """The practice's day on which a proposed visit began; empty when it is not told."""
    started = row.content.get("started_at", "")
    return local_day(datetime.fromisoformat(started), zone).isoformat() if started else ""


def _visits(
    db: Session, scope: Scope, row: Proposal, known: Patient | None, zone: str
) -> list[Visit]:
    """Visits of the patient on the day of a proposed one: it may be recorded already."""
    day = _day(row, zone)
    if row.kind != VISIT or known is None or not day:
        return []
    on_day = scope.all_of(db, Visit, col(Visit.patient_id) == known.id)
    return [one for one in on_day if one.service_day.isoformat() == day]


def _first_values(db: Session, scope: Scope, row: Proposal, zone: str) -> dict[str, str]:
    """The form as it is first shown: what is proposed, and nothing else."""
    values = dict(row.content)
    if row.kind == COVERAGE:
        wanted = {values.pop("payer_id", ""), values.get("payer_name", "")} - {""}
        fitting = [
            one for one in scope.all_of(db, Payer) if wanted & {one.edi_payer_id, one.key, one.name}
        ]
        values["payer_id"] = str(fitting[0].id) if len(fitting) == 1 else ""
    if row.kind == VISIT:
        who = practitioner_with_npi(db, scope, values.get("practitioner_npi", ""))
        values |= {"dos": _day(row, zone), "practitioner_id": str(who.id) if who else ""}
    return values

"""What claims need of a patient: the address, and what they tell of each coverage.

Owns this screen. Does not own the facts (``rpm.actions.record_billing``) nor coverages themselves.
"""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Request
from fastapi.responses import Response
from sqlmodel import Session

from billing.claims.claim import SELF
from rpm.access import Actor
from rpm.actions.record_billing import (
    RecordCoverageDetail,
    RecordPatientAddress,
    Subscriber,
    record_coverage_detail,
    record_patient_address,
)
from rpm.store.queries.billing import addresses_of, coverage_details
from rpm.store.queries.people import coverages_of
from rpm.store.scope import Scope
from rpm.store.tables.claims import CoverageDetail
from rpm.store.tables.people import Patient, Payer
from rpm.web.pages.form_values import FormValues
from rpm.web.pages.shell import (
    Now,
    PageDb,
    PageReadDb,
    page_permit,
    page_router,
    read_form,
    render,
    see_other,
)

router = page_router()

Reader = Annotated[Actor, page_permit("patients:read")]
Registrar = Annotated[Actor, page_permit("patients:write")]
_ADDRESS = ("street", "street_more", "city", "state", "postal_code", "phone")
_DETAIL = ("rank", "group_number", "group_name", "relationship")
_SUBSCRIBER = tuple(Subscriber.model_fields)
RANKS = (("P", "primary"), ("S", "secondary"), ("T", "tertiary"))
RELATIONSHIPS = (
    (SELF, "the patient"),
    ("01", "the spouse"),
    ("19", "a parent (the patient is the child)"),
    ("G8", "another person"),
)
Words = dict[str, str]


@router.get("/patients/{patient_id}/billing")
def billing(request: Request, db: PageReadDb, actor: Reader, patient_id: UUID) -> Response:
    """Address and coverages, with their forms."""
    return _page(request, db, actor, patient_id, {}, {})


def _page(
    request: Request, db: Session, actor: Actor, patient_id: UUID, values: Words, errors: Words
) -> Response:
    scope = Scope.of(actor)
    patient = scope.get(db, Patient, patient_id)
    address = addresses_of(db, scope, [patient_id]).get(patient_id)
    states = coverages_of(db, scope, patient_id)
    details = coverage_details(db, scope, [one.coverage.id for one in states])
    known = {name: str(getattr(address, name)) for name in _ADDRESS} if address else {}
    return render(
        request,
        "patient_billing.html.j2",
        422 if errors else 200,
        patient=patient,
        address=address,
        values=dict.fromkeys(_ADDRESS, "") | known | values,
        errors=errors,
        coverages=[(one, _shown(details.get(one.coverage.id))) for one in states],
        payers={row.id: row.name for row in scope.all_of(db, Payer)},
        ranks=RANKS,
        relationships=RELATIONSHIPS,
    )


def _shown(detail: CoverageDetail | None) -> Words:
    """What is recorded of a coverage, as the form's values."""
    shown = {"rank": "P", "relationship": SELF, "group_number": "", "group_name": ""}
    shown |= dict.fromkeys(_SUBSCRIBER, "")
    if detail is None:
        return shown
    shown |= {name: getattr(detail, name) for name in _DETAIL}
    return shown | {name: str(text) for name, text in (detail.subscriber or {}).items()}


@router.post("/patients/{patient_id}/billing/address")
def set_address(
    request: Request, db: PageDb, now: Now, actor: Registrar, patient_id: UUID, values: FormValues
) -> Response:
    """Where the patient lives."""
    told = {name: values.get(name, "").strip() for name in _ADDRESS}
    given = {**told, "state": told["state"].upper(), "patient_id": patient_id}
    command, errors = read_form(RecordPatientAddress, given)
    if command is None:
        return _page(request, db, actor, patient_id, told, errors)
    record_patient_address(db, actor, now, command)
    return see_other(request, f"/patients/{patient_id}/billing", told="The address is recorded.")


@router.post("/patients/{patient_id}/billing/coverages/{coverage_id}")
def set_detail(
    request: Request,
    db: PageDb,
    now: Now,
    actor: Registrar,
    patient_id: UUID,
    coverage_id: UUID,
    values: FormValues,
) -> Response:
    """What claims tell of a coverage."""
    Scope.of(actor).get(db, Patient, patient_id)
    told = {name: values.get(name, "").strip() for name in (*_DETAIL, *_SUBSCRIBER)}
    given: dict[str, Any] = {name: told[name] for name in _DETAIL} | {"coverage_id": coverage_id}
    if told["relationship"] != SELF:
        person = {name: told[name] for name in _SUBSCRIBER if told[name]}
        if "state" in person:
            person["state"] = person["state"].upper()
        given["subscriber"] = person
    command, errors = read_form(RecordCoverageDetail, given)
    if command is None:
        return _page(request, db, actor, patient_id, {}, {f"coverage-{coverage_id}": _told(errors)})
    record_coverage_detail(db, actor, now, command)
    return see_other(request, f"/patients/{patient_id}/billing", told="The coverage is recorded.")


def _told(errors: Words) -> str:
    return "; ".join(f"{name}: {text}" if name else text for name, text in errors.items())

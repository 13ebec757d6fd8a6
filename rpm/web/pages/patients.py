"""Patients: the list, finding one by name or record number, and registering a new one.

Owns these screens. Does not own the acts (``rpm.actions.register_patient``). What is looked for
comes in the body of a form: addresses end up in logs.
"""

from typing import Annotated, Any

from fastapi import Form, Request
from fastapi.responses import Response
from sqlmodel import Session

from rpm.access import Actor
from rpm.actions.register_patient import SEXES, RegisterPatient, register_patient
from rpm.errors import Conflict, InvalidRequest
from rpm.store.queries.people import organization_of, patients_page
from rpm.store.scope import Scope
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

router = page_router()

ADDRESS = "/patients"
SEX_WORDS = {"F": "female", "M": "male", "U": "not recorded"}
Reader = Annotated[Actor, page_permit("patients:read")]
Registrar = Annotated[Actor, page_permit("patients:write")]


@router.get(ADDRESS)
def patients(request: Request, db: PageReadDb, actor: Reader, cursor: str = "") -> Response:
    """All patients, a page at a time."""
    return _list(request, db, actor, "", "", cursor)


@router.post(f"{ADDRESS}/search")
def search(
    request: Request,
    db: PageReadDb,
    actor: Reader,
    family_name: Annotated[str, Form(max_length=200)] = "",
    record_number: Annotated[str, Form(max_length=200)] = "",
    cursor: Annotated[str, Form()] = "",
) -> Response:
    """Those whose family name begins like this, or the one under a record number."""
    return _list(request, db, actor, family_name.strip(), record_number.strip(), cursor)


@router.get(f"{ADDRESS}/new")
def new(request: Request, db: PageReadDb, actor: Registrar) -> Response:
    """The form for a new patient."""
    return _form(request, db, actor, {"sex": "U"}, {})


@router.post(f"{ADDRESS}/new")
def register(
    request: Request,
    db: PageDb,
    now: Now,
    actor: Registrar,
    record_number: Annotated[str, Form()] = "",
    family_name: Annotated[str, Form()] = "",
    given_name: Annotated[str, Form()] = "",
    birth_date: Annotated[str, Form()] = "",
    sex: Annotated[str, Form()] = "U",
    timezone: Annotated[str, Form()] = "",
) -> Response:
    """Register the patient, and go on to the enrollment."""
    values = {
        "record_number": record_number,
        "family_name": family_name,
        "given_name": given_name,
        "birth_date": birth_date,
        "sex": sex,
        "timezone": timezone,
    }
    command, errors = read_form(RegisterPatient, values)
    if command is None:
        return _form(request, db, actor, values, errors)
    try:
        patient = register_patient(db, actor, now, command)
    except InvalidRequest as error:
        return _form(request, db, actor, values, form_errors(error))
    except Conflict as error:
        return _form(request, db, actor, values, {"record_number": _sentence(error)})
    return see_other(request, f"{ADDRESS}/{patient.id}/enrollment", "The patient is registered.")


def _sentence(error: Conflict) -> str:
    return error.message[:1].upper() + error.message[1:]


def _list(
    request: Request, db: Session, actor: Actor, family_name: str, record_number: str, cursor: str
) -> Response:
    asked: dict[str, str | None] = {"name": family_name, "number": record_number}
    paging = page_of_list(request, actor, "patients", asked, cursor)
    rows = patients_page(
        db,
        Scope.of(actor),
        family_name=family_name or None,
        record_number=record_number or None,
        after=paging.after[0] if paging.after else None,  # type: ignore[arg-type]  # an id, sealed by us
        limit=paging.fetch,
    )
    page: Any = paging.page(rows, lambda row: (row.id,))
    return render(
        request,
        "patients.html.j2",
        rows=page.items,
        next_cursor=page.next_cursor,
        is_first=not cursor,
        family_name=family_name,
        record_number=record_number,
    )


def _form(
    request: Request, db: Session, actor: Actor, values: dict[str, str], errors: dict[str, str]
) -> Response:
    return render(
        request,
        "patient_new.html.j2",
        422 if errors else 200,
        values=values,
        errors=errors,
        sexes=[(sex, SEX_WORDS[sex]) for sex in SEXES],
        practice_zone=organization_of(db, Scope.of(actor)).timezone,
    )

"""What claims need of the practice: billing identity, practitioners' names, payers, charges.

Owns these screens. Does not own the facts (``rpm.actions.record_billing``, ``load_charges``) nor
what claims need of a patient (``patient_billing``).
"""

from typing import Annotated, Any
from uuid import UUID

from fastapi import File, Form, Query, Request, UploadFile
from fastapi.responses import Response
from sqlmodel import Session

from billing.money import text_to_cents
from rpm.access import Actor
from rpm.actions.load_charges import LoadCharges, SetCharge, load_charges, set_charge
from rpm.actions.record_billing import (
    RecordPractitionerName,
    SetPayerBilling,
    SetPracticeBilling,
    record_practitioner_name,
    set_payer_billing,
    set_practice_billing,
)
from rpm.errors import InvalidRequest
from rpm.imports.read import Reject
from rpm.store.queries.billing import (
    charges,
    payer_billings,
    practice_billing,
    practitioner_names,
)
from rpm.store.scope import Scope
from rpm.store.tables.claims import PracticeCharge
from rpm.store.tables.people import Payer, Practitioner
from rpm.web.pages.claim_words import BILLING, CHARGES, PAYERS
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

router = page_router()

Reader = Annotated[Actor, page_permit("claims:read")]
Writer = Annotated[Actor, page_permit("claims:write")]
_IDENTITY = tuple(SetPracticeBilling.model_fields)
_PAYER = tuple(name for name in SetPayerBilling.model_fields if name != "payer_id")
_NUMBERS = ("timely_filing_days", "appeal_days")
_MOST_REJECTS = 100
Words = dict[str, str]


@router.get(BILLING)
def identity(request: Request, db: PageReadDb, actor: Reader) -> Response:
    """How the practice stands on its claims, and its practitioners by name."""
    return _identity(request, db, actor, {}, {})


def _identity(
    request: Request, db: Session, actor: Actor, values: Words, errors: Words
) -> Response:
    scope = Scope.of(actor)
    row = practice_billing(db, scope)
    known = {name: str(getattr(row, name)) for name in _IDENTITY} if row else {}
    people = scope.all_of(db, Practitioner)
    return render(
        request,
        "admin_billing.html.j2",
        422 if errors else 200,
        row=row,
        values=dict.fromkeys(_IDENTITY, "")
        | {"tax_id_kind": "EI"}
        | known
        | {"reason": ""}
        | values,
        errors=errors,
        people=people,
        names=practitioner_names(db, scope, {one.id for one in people}),
    )


@router.post(BILLING)
def set_identity(
    request: Request, db: PageDb, now: Now, actor: Writer, values: FormValues
) -> Response:
    """The identity counts from now on."""
    given = {name: values.get(name, "").strip() for name in _IDENTITY}
    given["state"] = given["state"].upper()
    command, errors = read_form(SetPracticeBilling, given)
    if command is None:
        return _identity(request, db, actor, given, errors)
    set_practice_billing(db, actor, now, command)
    return see_other(request, BILLING, told="The billing identity is recorded.")


@router.post(f"{BILLING}/practitioners/{{practitioner_id}}")
def set_name(
    request: Request,
    db: PageDb,
    now: Now,
    actor: Writer,
    practitioner_id: UUID,
    values: FormValues,
) -> Response:
    """A practitioner's name by its parts."""
    parts = {name: values.get(name, "").strip() for name in ("last", "first", "middle", "suffix")}
    command, errors = read_form(
        RecordPractitionerName, {"practitioner_id": practitioner_id, **parts}
    )
    if command is None:
        told = {f"{name}-{practitioner_id}": text for name, text in errors.items()}
        return _identity(request, db, actor, {}, told)
    record_practitioner_name(db, actor, now, command)
    return see_other(request, BILLING, told="The name is recorded.")


@router.get(f"{PAYERS}/{{payer_id}}/billing")
def payer(request: Request, db: PageReadDb, actor: Reader, payer_id: UUID) -> Response:
    """How a payer is billed."""
    return _payer(request, db, actor, payer_id, {}, {})


def _payer(
    request: Request, db: Session, actor: Actor, payer_id: UUID, values: Words, errors: Words
) -> Response:
    scope = Scope.of(actor)
    row = scope.get(db, Payer, payer_id)
    billing = payer_billings(db, scope, {payer_id}).get(payer_id)
    known = {
        name: "" if getattr(billing, name) is None else str(getattr(billing, name))
        for name in (_PAYER if billing else ())
    }
    known["day_range"] = "yes" if billing and billing.day_range else ""
    begin = {"edi_payer_id": row.edi_payer_id or ""}
    return render(
        request,
        "admin_payer.html.j2",
        422 if errors else 200,
        payer=row,
        billing=billing,
        values=dict.fromkeys(_PAYER, "") | begin | known | values,
        errors=errors,
    )


@router.post(f"{PAYERS}/{{payer_id}}/billing")
def set_payer(
    request: Request, db: PageDb, now: Now, actor: Writer, payer_id: UUID, values: FormValues
) -> Response:
    """The payer is billed so from now on."""
    told = {name: values.get(name, "").strip() for name in _PAYER}
    given: dict[str, Any] = {**told, "payer_id": payer_id, "day_range": told["day_range"] == "yes"}
    given["state"] = told["state"].upper()
    for name in _NUMBERS:
        given[name] = int(told[name]) if told[name].isdecimal() else told[name]
    command, errors = read_form(SetPayerBilling, given)
    if command is None:
        return _payer(request, db, actor, payer_id, told, errors)
    set_payer_billing(db, actor, now, command)
    return see_other(request, PAYERS, told="How the payer is billed is recorded.")


@router.get(CHARGES)
def schedule(
    request: Request,
    db: PageReadDb,
    actor: Reader,
    cursor: Annotated[str, Query(max_length=2_000)] = "",
) -> Response:
    """The schedule of charges, and the forms to load one and to set one charge."""
    return _schedule(request, db, actor, cursor, {}, {}, ())


def _schedule(
    request: Request,
    db: Session,
    actor: Actor,
    cursor: str,
    values: Words,
    errors: Words,
    rejects: tuple[Reject, ...],
) -> Response:
    found = charges(db, Scope.of(actor))
    paging = page_of_list(request, actor, "charges", {}, cursor or None)
    after = paging.after[0] if paging.after else None
    place = next((number for number, one in enumerate(found, 1) if one.id == after), 0)
    rows: list[PracticeCharge] = found[place:][: paging.fetch]
    empty = dict.fromkeys(("procedure", "modifier", "dollars", "from_day", "to_day"), "")
    return render(
        request,
        "admin_charges.html.j2",
        422 if errors or rejects else 200,
        page=paging.page(rows, lambda row: (row.id,)),
        total=len(found),
        is_first=not cursor,
        values=empty | {"reason": "", "first_day": "", "file_reason": ""} | values,
        errors=errors,
        rejects=rejects[:_MOST_REJECTS],
        reject_count=len(rejects),
    )


@router.post(CHARGES)
def add(request: Request, db: PageDb, now: Now, actor: Writer, values: FormValues) -> Response:
    """One charge."""
    names = ("procedure", "modifier", "dollars", "from_day", "to_day", "reason")
    told = {name: values.get(name, "").strip() for name in names}
    given: dict[str, Any] = {name: text for name, text in told.items() if name != "dollars"}
    given["procedure"], given["modifier"] = told["procedure"].upper(), told["modifier"].upper()
    try:
        given["cents"] = text_to_cents(told["dollars"])
    except ValueError:
        given["cents"] = None
    command, errors = read_form(SetCharge, given)
    if command is not None:
        try:
            set_charge(db, actor, now, command)
        except InvalidRequest as error:
            errors = form_errors(error)
        else:
            return see_other(request, CHARGES, told="The charge is recorded.")
    if "cents" in errors:
        del errors["cents"]
        errors["dollars"] = "Dollars and cents, such as 65.00"
    return _schedule(request, db, actor, "", told, errors, ())


@router.post(f"{CHARGES}/file")
def load(
    request: Request,
    db: PageDb,
    now: Now,
    actor: Writer,
    file: Annotated[UploadFile | None, File()] = None,
    first_day: Annotated[str, Form(max_length=10)] = "",
    file_reason: Annotated[str, Form(max_length=1_000)] = "",
) -> Response:
    """A file of charges; refused rows are told by line, the others count."""
    content = file.file.read() if file is not None else b""
    name = (file.filename if file is not None else None) or "file"
    values = {"first_day": first_day, "file_reason": file_reason}
    if not content:
        return _schedule(request, db, actor, "", values, {"file": "Choose a file first"}, ())
    given = {"name": name, "content": content, "first_day": first_day, "reason": file_reason}
    command, errors = read_form(LoadCharges, given)
    if command is None:
        named = {"reason": "file_reason"}
        errors = {named.get(field, field): text for field, text in errors.items()}
        return _schedule(request, db, actor, "", values, errors, ())
    try:
        loaded = load_charges(db, actor, now, command)
    except InvalidRequest as error:
        return _schedule(request, db, actor, "", values, {"file": error.message}, ())
    if loaded.rejects:
        return _schedule(request, db, actor, "", values, {}, loaded.rejects)
    told = f"{loaded.new} charges are new, {loaded.known} were there."
    return see_other(request, CHARGES, told)

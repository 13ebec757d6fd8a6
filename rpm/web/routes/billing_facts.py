"""What claims need beside the ledger: who bills, how payers are billed, addresses, charges.

Owns the addresses and what is shown. Does not own how the facts fill a claim.
"""

from datetime import date
from typing import Annotated, Any
from uuid import UUID

from rpm.access import Actor
from rpm.actions.load_charges import SetCharge, set_charge
from rpm.actions.record_billing import (
    RecordCoverageDetail,
    RecordPatientAddress,
    RecordPractitionerName,
    SetPayerBilling,
    SetPracticeBilling,
    record_coverage_detail,
    record_patient_address,
    record_practitioner_name,
    set_payer_billing,
    set_practice_billing,
)
from rpm.errors import NotFound
from rpm.store.queries.billing import payer_billings, practice_billing
from rpm.store.queries.rows import page_of
from rpm.store.scope import Scope
from rpm.store.tables.claims import (
    CoverageDetail,
    PatientAddress,
    PayerBilling,
    PracticeBilling,
    PracticeCharge,
    PractitionerName,
)
from rpm.store.tables.people import Payer
from rpm.web.deps import PROBLEMS, Db, Now, Page, Paging, ReadDb, area_router, permit
from rpm.web.routes.readings import after_id
from rpm.web.shown import ShownFact

router = area_router("Claims")

Reader = Annotated[Actor, permit("claims:read")]
Writer = Annotated[Actor, permit("claims:write")]
Registrar = Annotated[Actor, permit("patients:write")]


class PracticeBillingOut(ShownFact):
    """How the practice stands on its claims."""

    name: str
    street: str
    street_more: str
    city: str
    state: str
    postal_code: str
    tax_id: str
    tax_id_kind: str
    taxonomy: str
    contact_name: str
    contact_phone: str
    submitter_id: str
    reason: str


class PayerBillingOut(ShownFact):
    """How a payer is billed."""

    payer_id: UUID
    edi_payer_id: str
    filing_code: str
    street: str
    street_more: str
    city: str
    state: str
    postal_code: str
    day_range: bool
    timely_filing_days: int | None
    appeal_days: int | None
    clearinghouse_key: str


class PractitionerNameOut(ShownFact):
    """A practitioner's name by its parts."""

    practitioner_id: UUID
    last: str
    first: str
    middle: str
    suffix: str


class PatientAddressOut(ShownFact):
    """Where a patient lives."""

    patient_id: UUID
    street: str
    street_more: str
    city: str
    state: str
    postal_code: str
    phone: str


class CoverageDetailOut(ShownFact):
    """What a claim tells of a coverage beyond payer and member id."""

    coverage_id: UUID
    rank: str
    group_number: str
    group_name: str
    relationship: str
    subscriber: dict[str, Any] | None


class ChargeOut(ShownFact):
    """What the practice asks for one unit; of equal code, modifier and first day the latest."""

    procedure: str
    modifier: str
    cents: int
    from_day: date
    to_day: date | None
    reason: str


@router.post(
    "/billing-identity",
    status_code=201,
    summary="Set the billing identity",
    description="Name, street address, tax id and contact of the practice on claims; the latest"
    " counts.",
    operation_id="set_billing_identity",
    response_model=PracticeBillingOut,
    responses=PROBLEMS,
)
def set_identity(db: Db, now: Now, actor: Writer, command: SetPracticeBilling) -> PracticeBilling:
    """The row."""
    return set_practice_billing(db, actor, now, command)


@router.get(
    "/billing-identity",
    summary="Show the billing identity",
    description="What stands on claims now; 404 before it was set.",
    operation_id="show_billing_identity",
    response_model=PracticeBillingOut,
    responses=PROBLEMS,
)
def show_identity(db: ReadDb, actor: Reader) -> PracticeBilling:
    """The row that counts."""
    row = practice_billing(db, Scope.of(actor))
    if row is None:
        raise NotFound("the billing identity is not recorded")
    return row


@router.post(
    "/payer-billings",
    status_code=201,
    summary="Set how a payer is billed",
    description="Its id at the clearinghouse, kind, address, limits of days; the latest counts.",
    operation_id="set_payer_billing",
    response_model=PayerBillingOut,
    responses=PROBLEMS,
)
def set_payer(db: Db, now: Now, actor: Writer, command: SetPayerBilling) -> PayerBilling:
    """The row."""
    return set_payer_billing(db, actor, now, command)


@router.get(
    "/payer-billings",
    summary="List how payers are billed",
    description="What counts for each payer that has it recorded.",
    operation_id="list_payer_billings",
    response_model=list[PayerBillingOut],
    responses=PROBLEMS,
)
def payers(db: ReadDb, actor: Reader) -> list[PayerBilling]:
    """The rows that count."""
    scope = Scope.of(actor)
    return list(payer_billings(db, scope, {row.id for row in scope.all_of(db, Payer)}).values())


@router.post(
    "/practitioner-names",
    status_code=201,
    summary="Record a practitioner's name by its parts",
    description="As the payers have it on record, by its parts; the latest counts.",
    operation_id="record_practitioner_name",
    response_model=PractitionerNameOut,
    responses=PROBLEMS,
)
def name(db: Db, now: Now, actor: Writer, command: RecordPractitionerName) -> PractitionerName:
    """The row."""
    return record_practitioner_name(db, actor, now, command)


@router.post(
    "/patient-addresses",
    status_code=201,
    summary="Record a patient's address",
    description="For claims and statements; the latest counts.",
    operation_id="record_patient_address",
    response_model=PatientAddressOut,
    responses=PROBLEMS,
)
def address(db: Db, now: Now, actor: Registrar, command: RecordPatientAddress) -> PatientAddress:
    """The row."""
    return record_patient_address(db, actor, now, command)


@router.post(
    "/coverage-details",
    status_code=201,
    summary="Record what a claim tells of a coverage",
    description="Rank, group, and who holds it where that is not the patient; the latest counts.",
    operation_id="record_coverage_detail",
    response_model=CoverageDetailOut,
    responses=PROBLEMS,
)
def detail(db: Db, now: Now, actor: Registrar, command: RecordCoverageDetail) -> CoverageDetail:
    """The row."""
    return record_coverage_detail(db, actor, now, command)


@router.post(
    "/charges",
    status_code=201,
    summary="Set a charge",
    description="What the practice asks for one unit of a code from a day on.",
    operation_id="set_charge",
    response_model=ChargeOut,
    responses=PROBLEMS,
)
def charge(db: Db, now: Now, actor: Writer, command: SetCharge) -> PracticeCharge:
    """The row."""
    return set_charge(db, actor, now, command)


@router.get(
    "/charges",
    summary="List charges",
    description="In the order they were recorded; of equal code, modifier and first day the last"
    " one counts.",
    operation_id="list_charges",
    response_model=Page[ChargeOut],
    responses=PROBLEMS,
)
def charges(db: ReadDb, actor: Reader, paging: Paging) -> Page[PracticeCharge]:
    """One page."""
    rows = page_of(db, Scope.of(actor), PracticeCharge, after=after_id(paging), limit=paging.fetch)
    return paging.page(rows, lambda row: (row.id,))

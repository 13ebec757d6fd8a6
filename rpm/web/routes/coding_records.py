"""Facts around visits: licenses, lists of compacts, eligibility and authorizations.

Owns the addresses and what is shown. Does not own what they mean (``billing.coding.authority``).
"""

from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import Query
from sqlmodel import col

from rpm.access import Actor
from rpm.actions.coding_records import (
    LoadCompactMembers,
    RecordAuthority,
    RecordAuthorization,
    RecordEligibility,
    load_compact_members,
    record_authority,
    record_authorization,
    record_eligibility,
)
from rpm.store.queries.rows import page_of
from rpm.store.queries.visits import compact_members
from rpm.store.scope import Scope
from rpm.store.tables.coding import (
    CompactMember,
    EligibilityCheck,
    PractitionerAuthority,
    ServiceAuthorization,
)
from rpm.web.deps import PROBLEMS, Db, Now, Page, Paging, ReadDb, area_router, permit
from rpm.web.routes.readings import after_id
from rpm.web.shown import ShownFact

router = area_router("Coding")

Reader = Annotated[Actor, permit("patients:read")]
Registrar = Annotated[Actor, permit("patients:write")]
OnePatient = Annotated[UUID | None, Query(description="Only this patient.")]


class AuthorityOut(ShownFact):
    """A license or privilege."""

    practitioner_id: UUID
    kind: str
    jurisdiction: str | None
    compact: str | None
    home_state: str | None
    identifier: str | None
    active: bool
    valid_from: date | None
    valid_to: date | None
    verified_on: date
    replaces_id: UUID | None


class MemberOut(ShownFact):
    """A state's part in a compact."""

    compact: str
    jurisdiction: str
    operative_from: date | None
    withdrawn_on: date | None
    verified_on: date
    source: str


class EligibilityOut(ShownFact):
    """What a payer said of a patient."""

    patient_id: UUID
    payer: str
    standing: str
    checked_on: date
    valid_from: date
    valid_to: date | None
    covers_telehealth: bool | None
    covers_audio_only: bool | None
    covers_monitoring: bool | None
    note: str | None


class AuthorizationOut(ShownFact):
    """A payer's authorization."""

    patient_id: UUID
    payer: str
    standing: str
    number: str | None
    codes: list[str]
    units_left: int | None
    valid_from: date
    valid_to: date | None
    replaces_id: UUID | None


@router.post(
    "/practitioner-authorities",
    status_code=201,
    summary="Record a license or privilege",
    description="A renewal or correction names the row that it replaces.",
    operation_id="record_authority",
    response_model=AuthorityOut,
    responses=PROBLEMS,
)
def add_authority(
    db: Db, now: Now, actor: Annotated[Actor, permit("users:manage")], command: RecordAuthority
) -> PractitionerAuthority:
    """The row."""
    return record_authority(db, actor, now, command)


@router.get(
    "/practitioner-authorities",
    summary="List licenses and privileges",
    description="In the order they were recorded, those that were replaced too.",
    operation_id="list_authorities",
    response_model=Page[AuthorityOut],
    responses=PROBLEMS,
)
def list_authorities(
    db: ReadDb,
    actor: Reader,
    paging: Paging,
    practitioner_id: Annotated[UUID | None, Query(description="Only this practitioner.")] = None,
) -> Page[PractitionerAuthority]:
    """A page of them."""
    table = PractitionerAuthority
    wanted = [] if practitioner_id is None else [col(table.practitioner_id) == practitioner_id]
    rows = page_of(db, Scope.of(actor), table, *wanted, after=after_id(paging), limit=paging.fetch)
    return paging.page(rows, lambda row: (row.id,))


@router.post(
    "/compact-members",
    status_code=201,
    summary="Load a compact's list of members",
    description="Of a state listed again the new row counts.",
    operation_id="load_compact_members",
    response_model=list[MemberOut],
    responses=PROBLEMS,
)
def load_members(
    db: Db, now: Now, actor: Annotated[Actor, permit("rules:write")], command: LoadCompactMembers
) -> list[CompactMember]:
    """The rows of the list."""
    return load_compact_members(db, actor, now, command)


@router.get(
    "/compact-members",
    summary="List members of compacts",
    description="Of each state of each compact the row that counts.",
    operation_id="list_compact_members",
    response_model=list[MemberOut],
    responses=PROBLEMS,
)
def list_members(db: ReadDb, actor: Annotated[Actor, permit("rules:read")]) -> list[CompactMember]:
    """The members."""
    return compact_members(db, Scope.of(actor))


@router.post(
    "/eligibility-checks",
    status_code=201,
    summary="Record what a payer said of a patient",
    description="Of several checks of a day the one recorded last counts.",
    operation_id="record_eligibility",
    response_model=EligibilityOut,
    responses=PROBLEMS,
)
def add_eligibility(
    db: Db, now: Now, actor: Registrar, command: RecordEligibility
) -> EligibilityCheck:
    """The check."""
    return record_eligibility(db, actor, now, command)


@router.get(
    "/eligibility-checks",
    summary="List eligibility checks",
    description="In the order they were recorded.",
    operation_id="list_eligibility",
    response_model=Page[EligibilityOut],
    responses=PROBLEMS,
)
def list_eligibility(
    db: ReadDb, actor: Reader, paging: Paging, patient_id: OnePatient = None
) -> Page[EligibilityCheck]:
    """A page of checks."""
    wanted = [] if patient_id is None else [col(EligibilityCheck.patient_id) == patient_id]
    rows = page_of(
        db, Scope.of(actor), EligibilityCheck, *wanted, after=after_id(paging), limit=paging.fetch
    )
    return paging.page(rows, lambda row: (row.id,))


@router.post(
    "/service-authorizations",
    status_code=201,
    summary="Record an authorization",
    description="On file with its number, or asked for and missing.",
    operation_id="record_authorization",
    response_model=AuthorizationOut,
    responses=PROBLEMS,
)
def add_authorization(
    db: Db, now: Now, actor: Registrar, command: RecordAuthorization
) -> ServiceAuthorization:
    """The authorization."""
    return record_authorization(db, actor, now, command)


@router.get(
    "/service-authorizations",
    summary="List authorizations",
    description="In the order they were recorded, those that were replaced too.",
    operation_id="list_authorizations",
    response_model=Page[AuthorizationOut],
    responses=PROBLEMS,
)
def list_authorizations(
    db: ReadDb, actor: Reader, paging: Paging, patient_id: OnePatient = None
) -> Page[ServiceAuthorization]:
    """A page of authorizations."""
    table = ServiceAuthorization
    wanted = [] if patient_id is None else [col(table.patient_id) == patient_id]
    rows = page_of(db, Scope.of(actor), table, *wanted, after=after_id(paging), limit=paging.fetch)
    return paging.page(rows, lambda row: (row.id,))

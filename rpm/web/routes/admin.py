"""The practice itself: its data, practitioners, payers and settings.

Owns the addresses and what is shown. Does not own users and tokens (``routes.access``) nor the
practice's own rule pages (``routes.rules``).
"""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from rpm.access import Actor
from rpm.actions.add_payer import AddPayer, add_payer
from rpm.actions.add_practitioner import AddPractitioner, add_practitioner
from rpm.actions.set_practice_setting import (
    SETTINGS,
    SetPracticeSetting,
    set_practice_setting,
)
from rpm.store.queries.people import organization_of, practice_settings
from rpm.store.queries.rows import page_of
from rpm.store.scope import Scope
from rpm.store.tables.people import Organization, Payer, PracticeSetting, Practitioner
from rpm.web.deps import PROBLEMS, Db, Now, Page, Paging, ReadDb, area_router, permit
from rpm.web.routes.readings import after_id
from rpm.web.shown import ShownFact

router = area_router("Practice")


class OrganizationOut(BaseModel):
    """The practice."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    name: str = Field(examples=["Example Family Medicine"])
    timezone: str = Field(description="Its days are the practice's days.")
    npi: str = Field(examples=["1234567893"])
    tax_id: str | None
    created_at: datetime


class PractitionerOut(ShownFact):
    """A person who may order or bill."""

    name: str = Field(examples=["Dr. Alex Example"])
    npi: str = Field(examples=["1234567893"])
    taxonomy: str | None
    credential: str = Field(examples=["MD"])


class PayerOut(ShownFact):
    """Who pays."""

    key: str = Field(description="Key of the rule book.", examples=["MEDICARE_B"])
    name: str = Field(examples=["Medicare Part B"])
    edi_payer_id: str | None


class ChosenOut(ShownFact):
    """A setting as it was chosen."""

    key: str = Field(examples=["profile"])
    value: bool | str = Field(examples=["NGS"])
    reason: str


class SettingOut(BaseModel):
    """A setting as it counts now."""

    key: str = Field(examples=["profile"])
    about: str = Field(description="What it decides.")
    value: bool | str = Field(examples=["P0"])
    default: bool | str = Field(description="Its value in a new practice.")
    reason: str | None = Field(description="Why it was chosen; null: it never was.")


@router.get(
    "/organization",
    summary="Show the practice",
    description="The organization of the token.",
    operation_id="get_organization",
    response_model=OrganizationOut,
    responses=PROBLEMS,
)
def get_organization(db: ReadDb, actor: Annotated[Actor, permit("patients:read")]) -> Organization:
    """The organization."""
    return organization_of(db, Scope.of(actor))


@router.post(
    "/practitioners",
    status_code=201,
    summary="Add a practitioner",
    description="The same NPI with the same content again gives the same practitioner.",
    operation_id="add_practitioner",
    response_model=PractitionerOut,
    responses=PROBLEMS,
)
def practitioner(
    db: Db, now: Now, actor: Annotated[Actor, permit("users:manage")], command: AddPractitioner
) -> Practitioner:
    """The practitioner."""
    return add_practitioner(db, actor, now, command)


@router.get(
    "/practitioners",
    summary="List practitioners",
    description="In the order they were added.",
    operation_id="list_practitioners",
    response_model=Page[PractitionerOut],
    responses=PROBLEMS,
)
def list_practitioners(
    db: ReadDb, actor: Annotated[Actor, permit("patients:read")], paging: Paging
) -> Page[Practitioner]:
    """A page of practitioners."""
    rows = page_of(db, Scope.of(actor), Practitioner, after=after_id(paging), limit=paging.fetch)
    return paging.page(rows, lambda row: (row.id,))


@router.post(
    "/payers",
    status_code=201,
    summary="Add a payer",
    description="Its key must be one of the rule book, shipped or of the practice.",
    operation_id="add_payer",
    response_model=PayerOut,
    responses=PROBLEMS,
)
def payer(
    db: Db, now: Now, actor: Annotated[Actor, permit("patients:write")], command: AddPayer
) -> Payer:
    """The payer."""
    return add_payer(db, actor, now, command)


@router.get(
    "/payers",
    summary="List payers",
    description="In the order they were added.",
    operation_id="list_payers",
    response_model=Page[PayerOut],
    responses=PROBLEMS,
)
def list_payers(
    db: ReadDb, actor: Annotated[Actor, permit("patients:read")], paging: Paging
) -> Page[Payer]:
    """A page of payers."""
    rows = page_of(db, Scope.of(actor), Payer, after=after_id(paging), limit=paging.fetch)
    return paging.page(rows, lambda row: (row.id,))


@router.get(
    "/settings",
    summary="List settings",
    description="Every setting with the value that counts now.",
    operation_id="list_settings",
    response_model=list[SettingOut],
    responses=PROBLEMS,
)
def list_settings(db: ReadDb, actor: Annotated[Actor, permit("rules:read")]) -> list[SettingOut]:
    """All settings."""
    chosen = practice_settings(db, Scope.of(actor))
    return [
        SettingOut(
            key=key,
            about=known.about,
            value=chosen[key].value if key in chosen else known.default,
            default=known.default,
            reason=chosen[key].reason if key in chosen else None,
        )
        for key, known in SETTINGS.items()
    ]


@router.post(
    "/settings",
    status_code=201,
    summary="Change a setting",
    description="Counts from now on; what was closed stays as it was closed.",
    operation_id="set_practice_setting",
    response_model=ChosenOut,
    responses=PROBLEMS,
)
def set_setting(
    db: Db, now: Now, actor: Annotated[Actor, permit("rules:write")], command: SetPracticeSetting
) -> PracticeSetting:
    """The setting."""
    return set_practice_setting(db, actor, now, command)

"""Users and their API tokens.

Owns the addresses and what is shown: of a token never its text again, nor its hash. Does not own
who may give what (``rpm.actions.manage_access``).
"""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import Query, Request
from pydantic import BaseModel, ConfigDict, Field
from sqlmodel import col

from rpm.access import Actor
from rpm.actions.manage_access import (
    AddUser,
    ChangeUser,
    CreateToken,
    RevokeToken,
    add_user,
    change_user,
    create_token,
    revoke_token,
)
from rpm.store.queries.rows import page_of
from rpm.store.scope import Scope
from rpm.store.tables.people import ApiToken, User
from rpm.web.deps import PROBLEMS, Db, Now, Page, Paging, ReadDb, area_router, permit
from rpm.web.routes.readings import after_id
from rpm.web.running import running_of

router = area_router("Access")


class UserOut(BaseModel):
    """A person with access."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    name: str = Field(examples=["Nora Nurse"])
    email: str = Field(examples=["nora@practice.example"])
    role: str = Field(examples=["clinical_staff"])
    practitioner_id: UUID | None
    active: bool
    created_at: datetime


class TokenOut(BaseModel):
    """A token as it is known after it was given."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    user_id: UUID
    name: str = Field(examples=["front desk import"])
    permissions: list[str] = Field(examples=[["patients:read", "patients:write"]])
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None


class NewTokenOut(TokenOut):
    """A new token with its text."""

    token: str = Field(description="The bearer token, shown this once.")


@router.post(
    "/users",
    status_code=201,
    summary="Add a user",
    description="An address belongs to one user.",
    operation_id="add_user",
    response_model=UserOut,
    responses=PROBLEMS,
)
def add(
    db: Db, now: Now, actor: Annotated[Actor, permit("users:manage")], command: AddUser
) -> User:
    """The user."""
    return add_user(db, actor, now, command)


@router.get(
    "/users",
    summary="List users",
    description="In the order they were added, also those without access.",
    operation_id="list_users",
    response_model=Page[UserOut],
    responses=PROBLEMS,
)
def list_users(
    db: ReadDb, actor: Annotated[Actor, permit("users:manage")], paging: Paging
) -> Page[User]:
    """A page of users."""
    rows = page_of(db, Scope.of(actor), User, after=after_id(paging), limit=paging.fetch)
    return paging.page(rows, lambda row: (row.id,))


@router.post(
    "/user-changes",
    status_code=201,
    summary="Change a user's role or access",
    description="What is not named stays. Tokens never open more than the role has now.",
    operation_id="change_user",
    response_model=UserOut,
    responses=PROBLEMS,
)
def change(
    db: Db, now: Now, actor: Annotated[Actor, permit("users:manage")], command: ChangeUser
) -> User:
    """The user."""
    return change_user(db, actor, now, command)


@router.post(
    "/tokens",
    status_code=201,
    summary="Create a token",
    description="Its text is in this answer and nowhere else; only its hash is kept.",
    operation_id="create_token",
    response_model=NewTokenOut,
    responses=PROBLEMS,
)
def create(
    request: Request,
    db: Db,
    now: Now,
    actor: Annotated[Actor, permit("tokens:manage")],
    command: CreateToken,
) -> NewTokenOut:
    """The token."""
    usual_days = running_of(request).settings.token_lifetime_days
    made = create_token(db, actor, now, command, usual_days)
    return NewTokenOut.model_validate({**made.token.model_dump(), "token": made.secret})


@router.get(
    "/tokens",
    summary="List tokens",
    description="Also expired and revoked ones, in the order they were made.",
    operation_id="list_tokens",
    response_model=Page[TokenOut],
    responses=PROBLEMS,
)
def list_tokens(
    db: ReadDb,
    actor: Annotated[Actor, permit("tokens:manage")],
    paging: Paging,
    user_id: Annotated[UUID | None, Query(description="Only this user's.")] = None,
) -> Page[ApiToken]:
    """A page of tokens."""
    conditions = [] if user_id is None else [col(ApiToken.user_id) == user_id]
    rows = page_of(
        db, Scope.of(actor), ApiToken, *conditions, after=after_id(paging), limit=paging.fetch
    )
    return paging.page(rows, lambda row: (row.id,))


@router.post(
    "/token-revocations",
    status_code=201,
    summary="Revoke a token",
    description="It opens nothing from now on.",
    operation_id="revoke_token",
    response_model=TokenOut,
    responses=PROBLEMS,
)
def revoke(
    db: Db, now: Now, actor: Annotated[Actor, permit("tokens:manage")], command: RevokeToken
) -> ApiToken:
    """The token."""
    return revoke_token(db, actor, now, command)

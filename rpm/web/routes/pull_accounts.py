"""Accounts at vendors that are asked for their readings: listed, authorized, withdrawn.

Owns the addresses and what is shown. Does not own fetching (``rpm.pull``) nor credentials, which
stand in no answer.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from sqlmodel import col

from rpm.actions.command import Command
from rpm.actions.pull_accounts import (
    AccountName,
    AuthorizeAccount,
    Credentials,
    Subject,
    WithdrawAccount,
    authorize_account,
    withdraw_account,
)
from rpm.store.queries.pulls import APPLICATION
from rpm.store.queries.rows import page_of
from rpm.store.scope import Scope
from rpm.store.tables.monitoring import Connection
from rpm.store.tables.pulls import PullAccount
from rpm.web.deps import PROBLEMS, Db, Now, Page, Paging, ReadDb, area_router
from rpm.web.routes.connections import FieldKeys, Manager
from rpm.web.routes.readings import after_id

router = area_router("Connections")


class AccountOut(BaseModel):
    """An account at a vendor, without its credentials."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID = Field(description="Our id.")
    connection_id: UUID = Field(description="The connection that its readings come through.")
    subject: str = Field(
        description="The vendor's word for it; empty: the practice's own application.",
        examples=["11223344"],
    )
    created_at: datetime = Field(description="When it was first authorized.")
    asked_at: datetime | None = Field(description="Since when a fetch is asked for; null if none.")
    pulled_at: datetime | None = Field(description="When it was last fetched whole.")
    retry_at: datetime | None = Field(description="When it is tried again after a failure.")
    failures: int = Field(description="Failures in a row.")
    problem: str | None = Field(description="What keeps it from the next fetch; holds no value.")
    stopped: bool = Field(description="Whether it waits for new credentials.")


class AuthorizeThis(Command):
    """Credentials of an account, or, with an empty subject, of the practice's own application."""

    subject: Subject = Field(default=APPLICATION, examples=["11223344"])
    credentials: Credentials = Field(
        repr=False,
        description="Texts by name, as docs/vendors.md lists them for the vendor. Kept encrypted.",
        examples=[{"refresh_token": "..."}],
    )


class WithdrawThis(Command):
    """The account that is to be asked no more."""

    subject: AccountName = Field(examples=["11223344"])


@router.get(
    "/connections/{connection_id}/accounts",
    summary="List the accounts of a connection",
    description="Accounts at the vendor that readings are fetched from, with their last fetch and"
    " what keeps them from the next. Credentials are not shown.",
    operation_id="list_accounts",
    response_model=Page[AccountOut],
    responses=PROBLEMS,
)
def list_of_accounts(
    db: ReadDb, actor: Manager, paging: Paging, connection_id: UUID
) -> Page[AccountOut]:
    """A page of accounts."""
    scope = Scope.of(actor)
    scope.get(db, Connection, connection_id)
    of_connection = col(PullAccount.connection_id) == connection_id
    rows = page_of(
        db, scope, PullAccount, of_connection, after=after_id(paging), limit=paging.fetch
    )
    return paging.page([AccountOut.model_validate(row) for row in rows], lambda row: (row.id,))


@router.post(
    "/connections/{connection_id}/accounts",
    status_code=201,
    summary="Authorize an account",
    description="Credentials of an account at the vendor, which is fetched soon; given again they"
    " replace those before, and an account that was stopped goes on where it was.",
    operation_id="authorize_account",
    response_model=AccountOut,
    responses=PROBLEMS,
)
def authorize(
    db: Db, now: Now, actor: Manager, ring: FieldKeys, connection_id: UUID, wanted: AuthorizeThis
) -> Any:
    """The account."""
    command = AuthorizeAccount(
        connection_id=connection_id, subject=wanted.subject, credentials=wanted.credentials
    )
    return authorize_account(db, actor, now, ring, command)


@router.post(
    "/connections/{connection_id}/accounts/withdraw",
    status_code=200,
    summary="Withdraw an account",
    description="Forgets its credentials: it is asked no more. What was fetched stays.",
    operation_id="withdraw_account",
    response_model=AccountOut,
    responses=PROBLEMS,
)
def withdraw(
    db: Db, now: Now, actor: Manager, ring: FieldKeys, connection_id: UUID, wanted: WithdrawThis
) -> Any:
    """The account without its credentials."""
    command = WithdrawAccount(connection_id=connection_id, subject=wanted.subject)
    return withdraw_account(db, actor, now, ring, command)

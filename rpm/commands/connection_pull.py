"""``rpm-ledger connections authorize|withdraw|pull``: accounts that readings are fetched from.

Owns what is asked and printed. Does not own fetching (``rpm.pull``). Credentials come from standard
input or an environment variable, never from the command line, where others could see them.
"""

import os
import sys
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from rpm.commands.connection_trial import ConnectionId, Organization
from rpm.commands.opened import opened_organization

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rpm.pull import Outcome
    from rpm.store.tables.pulls import PullAccount

_MOST_CHARACTERS = 16_384


def register(group: typer.Typer) -> None:
    """Add the commands to the group ``connections``."""
    group.command("authorize")(authorize)
    group.command("withdraw")(withdraw)
    group.command("pull")(pull)


def authorize(
    connection: ConnectionId,
    account: Annotated[
        str, typer.Option(help="The vendor's word for the account; none: your application.")
    ] = "",
    variable: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="An environment variable that holds the credentials."),
    ] = None,
    organization: Organization = None,
) -> None:
    """Give an account its credentials: a JSON object of texts on standard input.

    It is fetched soon. Without --account they are those of the practice's own application.
    """
    from pydantic import ValidationError

    from rpm.actions.pull_accounts import AuthorizeAccount, authorize_account
    from rpm.commands.opened import refused
    from rpm.keys import load_keys
    from rpm.store.engine import transaction

    credentials = _credentials(variable)
    try:
        command = AuthorizeAccount.model_validate(
            {"connection_id": connection, "subject": account, "credentials": credentials}
        )
    except ValidationError as error:
        raise refused(error) from None
    with opened_organization(organization, "connections") as (engine, actor, settings, now):
        ring = load_keys(settings).field_encryption
        with transaction(engine) as db:
            kept = authorize_account(db, actor, now, ring, command)
    typer.echo("the account is fetched soon" if kept.subject else "the application is kept")


def withdraw(
    connection: ConnectionId,
    account: Annotated[str, typer.Option(help="The vendor's word for the account.")],
    organization: Organization = None,
) -> None:
    """Forget an account's credentials: it is asked no more. What was fetched stays."""
    from pydantic import ValidationError

    from rpm.actions.pull_accounts import WithdrawAccount, withdraw_account
    from rpm.commands.opened import refused
    from rpm.keys import load_keys
    from rpm.store.engine import transaction

    try:
        command = WithdrawAccount.model_validate({"connection_id": connection, "subject": account})
    except ValidationError as error:
        raise refused(error) from None
    with opened_organization(organization, "connections") as (engine, actor, settings, now):
        ring = load_keys(settings).field_encryption
        with transaction(engine) as db:
            withdraw_account(db, actor, now, ring, command)
    typer.echo("the account is asked no more")


def pull(
    connection: ConnectionId,
    account: Annotated[
        str | None, typer.Option(help="The vendor's word for one account; all of them unless told.")
    ] = None,
    organization: Organization = None,
) -> None:
    """Fetch at once what there is for a connection's accounts. 1 when one of them has a problem."""
    from rpm.clock import clock_for
    from rpm.errors import NotFound
    from rpm.keys import load_keys
    from rpm.pull import Pulling, outgoing_client
    from rpm.store.engine import reading
    from rpm.store.queries.pulls import accounts_of
    from rpm.store.scope import Scope
    from rpm.store.tables.monitoring import Connection

    with opened_organization(organization, "connections") as (engine, actor, settings, _now):
        scope, ring = Scope.of(actor), load_keys(settings).field_encryption
        with reading(engine) as db:
            scope.get(db, Connection, connection)
            chosen: list[UUID] = [
                one.id
                for one in accounts_of(db, scope, connection)
                if one.subject == account or (account is None and not one.stopped)
            ]
        if not chosen:
            raise NotFound("there is no such account: rpm-ledger connections authorize adds one")
        with outgoing_client() as client:
            pulling = Pulling(engine, ring, clock_for(engine), client)
            outcomes = [_told(pulling.run(scope, one)) for one in chosen]
    if any(outcome.problem or outcome.held for outcome in outcomes):
        raise typer.Exit(1)


def tell_accounts(accounts: "Iterable[PullAccount]") -> None:
    """Print each account with its last whole fetch and what keeps it from the next, if anything."""
    for account in accounts:
        fetched = f"{account.pulled_at:%Y-%m-%d %H:%M}" if account.pulled_at else "never"
        problem = f"; {account.problem}" if account.problem else ""
        stopped = " (stopped)" if account.stopped else ""
        typer.echo(f"  account {account.subject}: last fetched {fetched}{problem}{stopped}")


def _told(outcome: "Outcome") -> "Outcome":
    if outcome.held:
        typer.echo("an account is being fetched by another process")
    else:
        came = f"{outcome.recorded} recorded in {outcome.requests} requests"
        problem = f"; {outcome.problem}" if outcome.problem else ""
        typer.echo(f"{outcome.subject}: {came}{problem}")
    return outcome


def _credentials(variable: str | None) -> object:
    from devices.delivery import UnreadableDeliveryError
    from devices.strict_json import loads
    from rpm.errors import InvalidRequest

    if variable is not None and variable not in os.environ:
        raise InvalidRequest("there is no such environment variable")
    text = os.environ[variable] if variable else sys.stdin.read(_MOST_CHARACTERS)
    try:
        return loads(text.encode("utf-8", "surrogateescape"))
    except UnreadableDeliveryError as error:
        raise InvalidRequest(f"the credentials cannot be read: {error.reason}") from None

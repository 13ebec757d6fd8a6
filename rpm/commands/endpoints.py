"""``rpm-ledger endpoints``: receivers of events: add, list, rotate, retire, and what they got.

Owns what is asked and printed. Does not own sending (``rpm.actions.send_events``).
"""

from typing import Annotated, Any
from uuid import UUID

import typer

from rpm.commands.connection_trial import Organization
from rpm.commands.opened import checked

EndpointId = Annotated[UUID, typer.Argument(metavar="ENDPOINT", help="Its id.")]
_AT_ONCE = 200


def register(app: typer.Typer) -> None:
    """Add the group of commands."""
    group = typer.Typer(
        help="Add receivers of events, and see and resend what they got.",
        no_args_is_help=True,
        rich_markup_mode=None,
    )
    group.command("add")(add)
    group.command("list")(list_)
    group.command("rotate")(rotate)
    group.command("retire")(retire)
    group.command("test")(try_out)
    group.command("events")(events)
    group.command("resend")(resend)
    group.command("send")(send)
    app.add_typer(group, name="endpoints")


def add(
    url: Annotated[str, typer.Argument(help="Where events are posted: https.")],
    name: Annotated[str, typer.Option(help="The practice's name for it.")],
    types: Annotated[
        list[str] | None, typer.Option("--type", help="A type of events; may be repeated.")
    ] = None,
    organization: Organization = None,
) -> None:
    """Add a receiver; its secret is shown once."""
    from rpm.actions.manage_endpoints import AddEndpoint, add_endpoint
    from rpm.commands.opened import opened_organization
    from rpm.keys import load_keys
    from rpm.store.engine import transaction

    command = checked(AddEndpoint, url=url, name=name, types=types or [])
    with opened_organization(organization, "endpoints") as (engine, actor, settings, now):
        ring = load_keys(settings).field_encryption
        with transaction(engine) as db:
            made = add_endpoint(db, actor, now, ring, command, settings.outbound_hosts)
    typer.echo(f"endpoint: {made.endpoint.id}")
    typer.echo(f"secret (shown once):\n{made.secret}")


def list_(organization: Organization = None) -> None:
    """List receivers, retired ones too, with the types each gets."""
    from sqlmodel import col

    from rpm.commands.opened import opened_organization
    from rpm.store.engine import reading
    from rpm.store.scope import Scope
    from rpm.store.tables.outbound import Endpoint

    with (
        opened_organization(organization, "endpoints") as (engine, actor, _settings, _now),
        reading(engine) as db,
    ):
        mine = col(Endpoint.organization_id) == actor.organization_id
        rows = Scope.of(actor).all_of(db, Endpoint, mine)
    for row in rows:
        state = f", retired {row.retired_at:%Y-%m-%d}" if row.retired_at else ""
        typer.echo(f"{row.id}  {row.name}: {row.url}{state}")
        typer.echo(f"  {', '.join(row.types) or 'all types'}")
    typer.echo(f"{len(rows)} endpoints")


def rotate(
    endpoint: EndpointId,
    overlap_hours: Annotated[
        int, typer.Option(help="Hours during which the secret before signs too.")
    ] = 24,
    organization: Organization = None,
) -> None:
    """Give a receiver a new secret, shown once."""
    from rpm.actions.manage_endpoints import RotateEndpointSecret, rotate_endpoint_secret
    from rpm.commands.opened import opened_organization
    from rpm.keys import load_keys
    from rpm.store.engine import transaction

    command = checked(RotateEndpointSecret, endpoint_id=endpoint, overlap_hours=overlap_hours)
    with opened_organization(organization, "endpoints") as (engine, actor, settings, now):
        ring = load_keys(settings).field_encryption
        with transaction(engine) as db:
            made = rotate_endpoint_secret(db, actor, now, ring, command)
    typer.echo(f"secret (shown once):\n{made.secret}")
    typer.echo(f"the secret before signs too for {overlap_hours} hours")


def retire(
    endpoint: EndpointId,
    reason: Annotated[str, typer.Option(help="Why, for the audit.")],
    organization: Organization = None,
) -> None:
    """Send a receiver nothing any more."""
    from rpm.actions.manage_endpoints import RetireEndpoint, retire_endpoint

    command = checked(RetireEndpoint, endpoint_id=endpoint, reason=reason)
    _do(retire_endpoint, command, organization)
    typer.echo("retired")


def try_out(endpoint: EndpointId, organization: Organization = None) -> None:
    """Let a receiver get an event of the type endpoint.test, at the next run or by `send`."""
    from rpm.actions.manage_endpoints import TryEndpoint, try_endpoint

    event_id = _do(try_endpoint, checked(TryEndpoint, endpoint_id=endpoint), organization)
    typer.echo(f"event: {event_id}")


def events(
    state: Annotated[str | None, typer.Option(help="waiting, sent or dead.")] = None,
    organization: Organization = None,
) -> None:
    """List events and how far each receiver was told. 1 when one was given up."""
    from rpm.commands.opened import opened_organization
    from rpm.errors import InvalidRequest
    from rpm.store.engine import reading
    from rpm.store.queries.outbound import STATES, list_deliveries
    from rpm.store.scope import Scope

    if state not in (None, *STATES):
        raise InvalidRequest("there is no such state")
    after, count, dead = None, 0, False
    with (
        opened_organization(organization, "endpoints") as (engine, actor, _settings, _now),
        reading(engine) as db,
    ):
        scope = Scope.of(actor)
        while rows := list_deliveries(db, scope, state=state, after=after, limit=_AT_ONCE):
            for delivery, event in rows:
                told = delivery.last_status or delivery.last_problem or "not tried"
                typer.echo(
                    f"{event.id}  {event.type} to {delivery.endpoint_id}: {delivery.state},"
                    f" {delivery.attempts} tries, last {told}"
                )
                dead |= delivery.state == "dead"
            after = (rows[-1][0].event_id, rows[-1][0].endpoint_id)
            count += len(rows)
    typer.echo(f"{count} events" if count else "no events")
    if dead:
        raise typer.Exit(1)


def resend(
    event: Annotated[UUID, typer.Argument(metavar="EVENT", help="Its id.")],
    endpoint: EndpointId,
    organization: Organization = None,
) -> None:
    """Send an event to a receiver again, under the same id."""
    from rpm.actions.manage_endpoints import Resend
    from rpm.actions.manage_endpoints import resend as send_again

    _do(send_again, checked(Resend, event_id=event, endpoint_id=endpoint), organization)
    typer.echo("it is sent at the next run")


def send(organization: Organization = None) -> None:
    """Send what is due at once, as the job does every minute. 1 when something was not taken."""
    from rpm.actions.send_events import Sender, send_due
    from rpm.commands.opened import opened_organization
    from rpm.keys import load_keys

    with opened_organization(organization, "endpoints") as (engine, actor, settings, now):
        sender = Sender(load_keys(settings).field_encryption, settings.outbound_hosts)
        done = send_due(engine, actor, now, sender)
    typer.echo(f"{done.sent} sent, {done.failed} not taken, {done.dead} given up")
    if done.failed:
        raise typer.Exit(1)


def _do(action: Any, command: Any, organization: str | None) -> Any:
    from rpm.commands.opened import opened_organization
    from rpm.store.engine import transaction

    with (
        opened_organization(organization, "endpoints") as (engine, actor, _settings, now),
        transaction(engine) as db,
    ):
        return action(db, actor, now, command)

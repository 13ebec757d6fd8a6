"""``rpm-ledger purge``: remove old payloads of deliveries, as two persons decided on the page."""

from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("purge")(purge)


def purge(
    order: Annotated[
        str | None,
        typer.Option(help="Id of an approved order; without it nothing is removed, only counted."),
    ] = None,
    organization: Annotated[
        str | None, typer.Option(help="Id, NPI or name; not needed when there is only one.")
    ] = None,
) -> None:
    """Count the payloads of deliveries that are older than the retention, or remove them.

    Removing needs an order and another person's approval, both given on the page of retention. On
    PostgreSQL it runs as the role that owns the tables. Rows, digests and readings stay.
    """
    from uuid import UUID

    from rpm.actions.order_purge import dry_run
    from rpm.actions.run_purge import run_purge
    from rpm.commands.backup import Telling
    from rpm.commands.opened import opened_organization
    from rpm.errors import InvalidRequest
    from rpm.store.engine import reading, transaction

    try:
        order_id = None if order is None else UUID(order)
    except ValueError:
        raise InvalidRequest("the order is named by its id") from None
    with opened_organization(organization, "purge") as (engine, actor, _, now):
        if order_id is None:
            with reading(engine) as db:
                found = dry_run(db, actor, now)
            typer.echo(
                f"arrived before {found.before_day}: {len(found.found.free)} payloads may go,"
                f" {found.found.held} are held; nothing was removed"
            )
            return
        telling = Telling()
        with transaction(engine) as db:
            removed = run_purge(
                db, actor, now, order_id, lambda done, total: telling("payloads", done, total)
            )
        typer.echo(f"{removed} payloads removed; the record verifies")

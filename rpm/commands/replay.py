"""``rpm-ledger replay``: stored deliveries are read again, as they came.

Owns what is asked and printed. Does not own what comes of it (``rpm.actions.replay_delivery``).
"""

from collections import Counter
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

if TYPE_CHECKING:
    from rpm.actions.replay_delivery import Replayed


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("replay")(replay)


def replay(
    delivery: Annotated[list[UUID], typer.Argument(metavar="DELIVERY...", help="Their ids.")],
    organization: Annotated[
        str | None, typer.Option(help="Id, NPI or name; not needed when there is only one.")
    ] = None,
) -> None:
    """Read stored deliveries again, dead letters or not, and say what came of each.

    For after an update or a changed setting. What was recorded before is not recorded again; what
    could not be read and can be now is, as of the instant at which it arrived. 1 when a body still
    cannot be read.
    """
    from rpm.actions.replay_delivery import ReplayDelivery, replay_delivery
    from rpm.commands.opened import opened_organization
    from rpm.store.engine import transaction

    unread = False
    with opened_organization(organization, "replay") as (engine, actor, _, now):
        for delivery_id in delivery:
            with transaction(engine) as db:
                command = ReplayDelivery(delivery_id=delivery_id)
                done = replay_delivery(db, actor, now, command)
            unread |= done.problem is not None
            _tell(done)
    if unread:
        raise typer.Exit(1)


def _tell(done: "Replayed") -> None:
    if done.problem is not None:
        typer.echo(f"{done.delivery_id}  {done.state}, cannot be read: {done.problem}")
        return
    counts = Counter(str(item["status"]) for item in done.results)
    told = ", ".join(f"{count} {status}" for status, count in sorted(counts.items()))
    typer.echo(f"{done.delivery_id}  {done.state}: {told or 'no items'}")
    for item in done.results:
        if item["status"] != "duplicate":
            reason = f": {item['reason']}" if item["reason"] else ""
            typer.echo(f"  {item['id'] or 'item'} {item['status']}{reason}")

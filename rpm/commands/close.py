"""``rpm-ledger close``: close a month of a practice."""

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rpm.actions.close_month import ClosedMonth


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("close")(close)


def close(
    month: Annotated[str, typer.Option(help="The month, as 2026-01; it must be over.")],
    organization: Annotated[
        str | None, typer.Option(help="Id, NPI or name; not needed when there is only one.")
    ] = None,
    reason: Annotated[str | None, typer.Option(help="Why, for the audit.")] = None,
) -> None:
    """Close a month: post what its facts earn and what changed in closed months since.

    A rerun with nothing new posts nothing and tells the close that is there.
    """
    from pydantic import ValidationError

    from rpm.actions.close_month import CloseMonth, post_close
    from rpm.actions.compute_close import compute_close
    from rpm.clock import clock_for
    from rpm.commands.opened import opened_engine, organization_actor, read_settings, refused
    from rpm.store.engine import reading, transaction
    from rpm.store.scope import Scope

    try:
        command = CloseMonth(month=month, reason=reason)
    except ValidationError as error:
        raise refused(error) from error
    with opened_engine(read_settings()) as engine:
        actor = organization_actor(engine, organization, "close")
        now = clock_for(engine).now()
        with reading(engine) as db:
            scope = Scope.of(actor)
            first = command.month_start_day
            computed = compute_close(db, scope, now, first, progress=_show_progress)
        with transaction(engine) as db:
            closed = post_close(db, actor, now, computed, command.reason)
    _tell(closed, command.month)


def _show_progress(done: int, total: int) -> None:
    """On a terminal a line that is written over; elsewhere nothing."""
    import sys

    if sys.stderr.isatty():
        typer.echo(f"\r{done:,} of {total:,} parts", nl=done >= total, err=True)


def _tell(closed: "ClosedMonth", month: str) -> None:
    from billing.money import cents_to_text

    row, totals = closed.close, closed.close.totals
    if closed.repeated:
        typer.echo("nothing new: this close is there already")
    unknown = totals["amounts_unknown"]
    more = f", {unknown} lines of unknown amount" if unknown else ""
    typer.echo(f"close {row.id}: {month}, number {row.ordinal} of the month")
    typer.echo(
        f"{totals['issued']} issued, {totals['reversed']} reversed,"
        f" known amounts {cents_to_text(totals['amount_cents'])}{more}"
    )
    for code, count in totals["findings"].items():
        typer.echo(f"  {code} {count}")

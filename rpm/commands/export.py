"""``rpm-ledger export``: the files of a close, for the billing system and for people."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

if TYPE_CHECKING:
    from sqlmodel import Session

    from rpm.store.scope import Scope


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("export")(export)


def export(
    close: Annotated[str, typer.Argument(help="Id of the close, or a month: its latest close.")],
    out: Annotated[Path, typer.Option(help="Folder in which the export's own folder is made.")],
    organization: Annotated[
        str | None, typer.Option(help="Id, NPI or name; not needed when there is only one.")
    ] = None,
) -> None:
    """Export a close: service lines as CSV, a summary as text and HTML, and the manifest.

    Each file is whole or absent and the manifest comes last. The same close always gives the same
    bytes. The last line tells the folder, the lines and the total of known amounts.
    """
    from billing.money import cents_to_text
    from rpm.actions.export_close import ExportClose, export_close
    from rpm.actions.whole_files import write_whole
    from rpm.clock import clock_for
    from rpm.commands.opened import opened_engine, organization_actor, read_settings
    from rpm.errors import InvalidRequest
    from rpm.store.engine import transaction
    from rpm.store.scope import Scope

    with opened_engine(read_settings()) as engine:
        actor = organization_actor(engine, organization, "export")
        with transaction(engine) as db:
            command = ExportClose(close_id=_close_id(db, Scope.of(actor), close))
            exported = export_close(db, actor, clock_for(engine).now(), command)
            folder = out / exported.folder
            try:
                # inside the transaction: what cannot be written is not recorded as exported
                write_whole(folder, exported.files)
            except OSError as error:
                raise InvalidRequest(f"the files cannot be written: {error.strerror}") from error
    total = cents_to_text(exported.amount_cents)
    unknown = exported.export.manifest["amounts_unknown"]
    if unknown:
        typer.echo(f"{unknown} lines of unknown amount are not in the total")
    typer.echo(f"export: {folder} lines={exported.lines} total={total}")


def _close_id(db: "Session", scope: "Scope", text: str) -> UUID:
    """The close of an id, or the latest of a month; ``NotFound`` for neither."""
    from datetime import date

    from rpm.errors import NotFound
    from rpm.store.queries.ledger import close_of_month

    try:
        return UUID(text)
    except ValueError:
        pass
    try:
        month = date.fromisoformat(f"{text}-01")
    except ValueError:
        raise NotFound("there is no such close") from None
    found = close_of_month(db, scope, month)
    if found is None:
        raise NotFound("this month has no close")
    return found.id

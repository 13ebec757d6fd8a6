"""``rpm-ledger export``: the files of a close, for the billing system and for people.

Owns the group and the files of a close. Does not own what other systems are given
(``export_interchange``).
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer
from typer.core import TyperGroup

if TYPE_CHECKING:
    from datetime import date, datetime

    from sqlmodel import Session

    from rpm.store.scope import Scope


_CLOSE = "close"


class ExportGroup(TyperGroup):
    """The group of exports, in which ``export CLOSE`` says the same as ``export close CLOSE``."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """As the base class, with the word put in where it was left out."""
        if args and args[0] not in self.commands and args[0] not in ("-h", "--help"):
            args = [_CLOSE, *args]
        return super().parse_args(ctx, args)


def register(app: typer.Typer) -> None:
    """Add the group of commands."""
    from rpm.commands import export_interchange

    group = typer.Typer(
        cls=ExportGroup,
        help="Write files: of a close, or for other systems.",
        no_args_is_help=True,
        rich_markup_mode=None,
    )
    group.callback()(_group)
    group.command(_CLOSE)(export)
    export_interchange.register(group)
    app.add_typer(group, name="export")


def _group() -> None:
    """Write files: of a close, or for other systems. ``export CLOSE`` is ``export close CLOSE``."""


def export(
    close: Annotated[str, typer.Argument(help="Id of the close, or a month: its latest close.")],
    out: Annotated[Path, typer.Option(help="Folder in which the export's own folder is made.")],
    as_known: Annotated[
        str | None,
        typer.Option(metavar="DATE", help="Of a month, the latest close made by this day."),
    ] = None,
    organization: Annotated[
        str | None, typer.Option(help="Id, NPI or name; not needed when there is only one.")
    ] = None,
) -> None:
    """Export a close: service lines as CSV, a summary as text and HTML, and the manifest.

    Each file is whole or absent and the manifest comes last. The same close always gives the same
    bytes: an earlier export is rebuilt, and files that differ from it are named. The last line
    tells the folder, the lines and the total of known amounts.
    """
    from billing.money import cents_to_text
    from rpm.actions.export_close import ExportClose, export_close
    from rpm.actions.whole_files import folder_within, write_whole
    from rpm.commands.opened import day_or_none, opened_organization
    from rpm.errors import InvalidRequest
    from rpm.store.engine import transaction
    from rpm.store.scope import Scope

    with (
        opened_organization(organization, "export") as (engine, actor, _, now),
        transaction(engine) as db,
    ):
        close_id = close_id_of(db, Scope.of(actor), close, now, day_or_none(as_known))
        exported = export_close(db, actor, now, ExportClose(close_id=close_id))
        try:
            folder = folder_within(out, exported.folder)
            # inside the transaction: what cannot be written is not recorded as exported
            write_whole(folder, exported.files)
        except OSError as error:
            raise InvalidRequest(f"the files cannot be written: {error.strerror}") from error
    total = cents_to_text(exported.amount_cents)
    unknown = exported.export.manifest["amounts_unknown"]
    if unknown:
        typer.echo(f"{unknown} lines of unknown amount are not in the total")
    if exported.first_exported_at is not None and not exported.unlike_before:
        typer.echo(f"the same bytes as exported on {exported.first_exported_at:%Y-%m-%d}")
    typer.echo(f"export: {folder} lines={exported.lines} total={total}")
    if exported.unlike_before:
        names = ", ".join(exported.unlike_before)
        typer.echo(f"other bytes than in an earlier export of this close: {names}", err=True)
        raise typer.Exit(1)


def close_id_of(
    db: "Session", scope: "Scope", text: str, now: "datetime", as_known: "date | None"
) -> UUID:
    """The close of an id, or the latest of a month; ``NotFound`` for neither."""
    from datetime import date

    from rpm.actions.seen_from import seen_on
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
    until = seen_on(db, scope, now, as_known).until_audit_number
    found = close_of_month(db, scope, month, until)
    if found is None:
        raise NotFound("this month has no close")
    return found.id

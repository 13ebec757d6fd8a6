"""``rpm-ledger backup``, ``restore`` and ``upgrade``: the database as a whole, to and fro."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from billing.finding import Finding


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("backup")(backup)
    app.command("restore")(restore)
    app.command("upgrade")(upgrade)


def backup(
    out: Annotated[Path, typer.Option(help="The backup's folder, or a folder to put it into.")],
) -> None:
    """Back the database up while others write; never with the keys.

    The last line names the backup. It is recorded in the audit of every organization.
    """
    from rpm.actions.take_backup import TAKEN, record_copy, take_backup
    from rpm.clock import SystemClock
    from rpm.commands.opened import opened_engine, read_settings
    from rpm.store.migrations import at_head

    settings, now, told = read_settings(), SystemClock().now(), Telling()
    with opened_engine(settings, migrated=False) as engine:
        folder, manifest = take_backup(
            engine, settings, now, out, lambda done, total: told("backup", done, total)
        )
        if at_head(engine):
            record_copy(engine, now, manifest, TAKEN, "backup")
        else:
            typer.echo("not recorded: the database is not at this version", err=True)
    rows, size = sum(manifest["rows"].values()), manifest["file"]["bytes"]
    typer.echo(f"{rows} rows, {size} bytes, version {manifest['schema_revision']}")
    typer.echo(f"backup: {folder}")


def restore(
    backup: Annotated[Path, typer.Argument(help="The backup's folder.")],
    to: Annotated[str, typer.Option(metavar="URL", help="Database: absent yet, or empty.")],
) -> None:
    """Restore a backup into a new database, and verify it before it can be served.

    The keys are those of the settings, or of the key file put beside the new SQLite file.
    """
    from rpm.actions.restore_backup import restore_backup
    from rpm.clock import SystemClock
    from rpm.commands.opened import read_settings

    settings = read_settings().model_copy(update={"database_url": to})
    restored = restore_backup(backup, settings, SystemClock().now(), Telling())
    _remarks(restored.remarks)
    rows = sum(restored.manifest["rows"].values())
    typer.echo(f"restored and verified: {rows} rows as of {restored.manifest['taken_at']}")


def upgrade(
    backup_to: Annotated[
        Path | None,
        typer.Option(help="Folder for the backup; `backups` beside an SQLite file unless told."),
    ] = None,
    grant_to: Annotated[
        str | None,
        typer.Option(metavar="ROLE", help="Then grant a PostgreSQL role what it may do."),
    ] = None,
    accept_findings: Annotated[  # noqa: FBT002 - an option, not an argument
        bool,
        typer.Option(
            "--accept-findings", help="Keep the new version although the record does not verify."
        ),
    ] = False,
) -> None:
    """Back up, migrate and verify; when anything fails the database stays as it was."""
    from rpm.actions.upgrade_database import upgrade_database
    from rpm.clock import SystemClock
    from rpm.commands.migrate import grant, require_roles
    from rpm.commands.opened import backups_folder, opened_engine, read_settings

    settings = read_settings()
    with opened_engine(settings, migrated=False) as engine:
        if grant_to is not None:
            require_roles(engine)
        folder = backup_to or backups_folder(settings)
        upgraded = upgrade_database(
            engine, settings, SystemClock().now(), folder, Telling(), accept=accept_findings
        )
        _remarks(upgraded.remarks)
        if upgraded.backup is not None:
            typer.echo(f"backup: {upgraded.backup}")
        if grant_to is not None:
            grant(engine, grant_to)
    typer.echo("the database is at this version")


def _remarks(findings: "Sequence[Finding]") -> None:
    for finding in findings:
        typer.echo(f"{finding.code} {finding.where}: {finding.message}")


class Telling:
    """Progress of long work on standard error: a line a part, counting on a terminal."""

    def __init__(self) -> None:
        import sys

        self._terminal = sys.stderr.isatty()
        self._part = ""

    def __call__(self, part: str, done: int, total: int) -> None:
        """Tell how far a part of the work is."""
        if self._terminal:
            typer.echo(f"\r{part} {done} of {total} ", err=True, nl=done >= total)
        elif part != self._part:
            typer.echo(f"{part} ...", err=True)
        self._part = part

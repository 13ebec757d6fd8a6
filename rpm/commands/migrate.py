"""``rpm-ledger migrate``: bring the database to the version of this program."""

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("migrate")(migrate)


def migrate(
    check: bool = typer.Option(  # noqa: FBT001 - an option, not an argument
        False,  # noqa: FBT003 - as above
        "--check",
        help="Change nothing; exit 1 when the database is not at this version.",
    ),
    grant_to: str | None = typer.Option(
        None, "--grant-to", metavar="ROLE", help="Then grant a PostgreSQL role what it may do."
    ),
) -> None:
    """Bring the database to the version of this program."""
    from rpm.commands.opened import opened_engine, read_settings
    from rpm.errors import InvalidRequest
    from rpm.store.append_only import grants_sql
    from rpm.store.migrations import at_head
    from rpm.store.migrations import migrate as upgrade

    with opened_engine(read_settings(), migrated=False) as engine:
        if check:
            current = at_head(engine)
            typer.echo("at this version" if current else "not at this version")
            raise typer.Exit(0 if current else 1)
        if grant_to is not None and engine.dialect.name != "postgresql":
            raise InvalidRequest("--grant-to needs PostgreSQL: SQLite has no roles")
        upgrade(engine)
        if grant_to is not None:
            with engine.begin() as connection:
                connection.exec_driver_sql(grants_sql(grant_to))
        typer.echo("the database is at this version")

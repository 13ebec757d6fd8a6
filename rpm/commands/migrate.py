"""``rpm-ledger migrate``: bring the database to the version of this program."""

from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from sqlalchemy.engine import Engine


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
    from rpm.store.migrations import at_head
    from rpm.store.migrations import migrate as upgrade

    with opened_engine(read_settings(), migrated=False) as engine:
        if check:
            current = at_head(engine)
            typer.echo("at this version" if current else "not at this version")
            raise typer.Exit(0 if current else 1)
        if grant_to is not None:
            require_roles(engine)
        upgrade(engine)
        if grant_to is not None:
            grant(engine, grant_to)
        typer.echo("the database is at this version")


def require_roles(engine: "Engine") -> None:
    """``InvalidRequest`` on a database that knows no roles."""
    from rpm.errors import InvalidRequest

    if engine.dialect.name != "postgresql":
        raise InvalidRequest("--grant-to needs PostgreSQL: SQLite has no roles")


def grant(engine: "Engine", role: str) -> None:
    """Grant a role what the service needs."""
    from rpm.store.append_only import grants_sql

    with engine.begin() as connection:
        connection.exec_driver_sql(grants_sql(role))

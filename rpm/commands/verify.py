"""``rpm-ledger verify``: does the record still fit its chain, its digests and its closes."""

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("verify")(verify)


def verify(
    organization: str | None = typer.Option(
        None, help="Id, NPI or name of one organization; all of them unless told."
    ),
) -> None:
    """Walk the record and name the first thing that does not fit; exit 1 if there is one."""
    from rpm.commands.opened import opened_engine, organization_actors, read_settings
    from rpm.store.engine import reading
    from rpm.store.verify import verify_chain

    count = 0
    with opened_engine(read_settings()) as engine:
        for actor in organization_actors(engine, organization, "verify"):
            with reading(engine) as session:
                findings = verify_chain(session, actor.organization_id)
            for finding in findings:
                typer.echo(f"{actor.organization_id} {finding.where}: {finding.message}")
            count += len(findings)
            if not findings:
                typer.echo(f"{actor.organization_id} fits")
    raise typer.Exit(1 if count else 0)

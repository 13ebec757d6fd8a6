"""``rpm-ledger bootstrap``: a new organization with its first administrator and token."""

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("bootstrap")(bootstrap)


def bootstrap(
    name: str = typer.Option(help="Name of the practice."),
    npi: str = typer.Option(help="NPI of the practice."),
    timezone: str = typer.Option(help="IANA time zone of the practice: America/Chicago."),
    admin_name: str = typer.Option(help="Name of the first administrator."),
    admin_email: str = typer.Option(help="Address of the first administrator."),
) -> None:
    """Create an organization; its first API token is printed once.

    Keep the token: only its hash is stored. An NPI that is already known is refused.
    """
    from pydantic import ValidationError

    from rpm.actions.bootstrap_organization import BootstrapOrganization, bootstrap_organization
    from rpm.clock import clock_for
    from rpm.commands.opened import opened_engine, read_settings, refused
    from rpm.store.engine import transaction

    settings = read_settings()
    try:
        command = BootstrapOrganization(
            name=name,
            npi=npi,
            timezone=timezone,
            admin_name=admin_name,
            admin_email=admin_email,
            token_valid_days=settings.token_lifetime_days,
        )
    except ValidationError as error:
        raise refused(error) from error
    with opened_engine(settings) as engine:
        now = clock_for(engine).now()
        with transaction(engine) as session:
            made = bootstrap_organization(session, now, command)
        typer.echo(f"organization: {made.organization.id}")
        typer.echo(f"administrator: {made.user.id}")
        typer.echo(f"to sign in to the pages: rpm-ledger users invite {made.user.email}")
        typer.echo(f"token (shown once, good until {made.token.expires_at:%Y-%m-%d}):")
        typer.echo(made.secret)

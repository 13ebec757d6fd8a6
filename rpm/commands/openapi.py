"""``rpm-ledger openapi``: the description of the API."""

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("openapi")(openapi)


def openapi() -> None:
    """Print the OpenAPI 3.1 document of the API; docs/openapi.json is a copy of it."""
    from rpm.settings import Settings
    from rpm.web.app import create_app
    from rpm.web.openapi import text_of

    typer.echo(text_of(create_app(Settings()).openapi()), nl=False)

"""The command ``rpm-ledger``: its commands, how errors are shown, and exit codes.

Owns the frame: 0 good, 1 findings or mismatches in data, 2 wrong use or not set up, 70 a failure of
the program itself. Does not own the commands, one module each under ``rpm.commands``.
"""

import sys
from importlib import import_module

import typer

from rpm.errors import InvalidRequest, ServiceError

COMMANDS = (
    "demo",
    "serve",
    "scheduler",
    "migrate",
    "backup",
    "bootstrap",
    "users",
    "connections",
    "devices",
    "replay",
    "limits",
    "alerts",
    "endpoints",
    "import_",
    "receive",
    "eligibility",
    "close",
    "export",
    "explain",
    "why",
    "differences",
    "evidence",
    "code",
    "claims",
    "clearinghouse",
    "remit",
    "rules",
    "verify",
    "purge",
    "openapi",
)
"""Modules of ``rpm.commands`` in the order of the help; a new command adds its line."""

USAGE = 2
FAILURE = 70

_DESCRIPTION = """Bills remote patient monitoring from facts and dated rules.

Settings come from variables RPMLEDGER_*; docs/settings.md lists them."""


def make_app() -> typer.Typer:
    """All commands together."""
    app = typer.Typer(
        name="rpm-ledger",
        help=_DESCRIPTION,
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_version)
    for name in COMMANDS:
        import_module(f"rpm.commands.{name}").register(app)
    return app


def _show_version(wanted: bool) -> None:  # noqa: FBT001 - the form of typer's callbacks
    if wanted:
        import rpm

        typer.echo(f"rpm-ledger {rpm.__version__}")
        raise typer.Exit


def _version(
    version: bool = typer.Option(  # noqa: FBT001 - an option, not an argument
        False,  # noqa: FBT003 - as above
        "--version",
        callback=_show_version,
        is_eager=True,
        help="Show the version and exit.",
    ),
) -> None:
    """Bills remote patient monitoring from facts and dated rules."""


def main() -> None:
    """Entry point of the distribution."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run one command line and give its exit code; errors are told on standard error."""
    try:
        make_app()(arguments, prog_name="rpm-ledger")
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else USAGE
    except ServiceError as error:
        _tell(error)
        return USAGE
    except KeyboardInterrupt:
        return 130
    except Exception as error:  # noqa: BLE001 - told without its text, which may hold data
        from rpm.logs import about

        told = about(error)
        lines = [f"rpm-ledger failed: {told['error']}", *(f"  {place}" for place in told["places"])]
        typer.echo("\n".join(lines), err=True)
        return FAILURE
    return 0


def _tell(error: ServiceError) -> None:
    typer.echo(f"rpm-ledger: {error.message}", err=True)
    if isinstance(error, InvalidRequest):
        for finding in error.findings:
            typer.echo(f"  {finding.where}: {finding.message} ({finding.code})", err=True)


if __name__ == "__main__":
    main()

"""``rpm-ledger claims``: claim files checked before they leave.

Owns the commands' options and what they print. Does not own the checks (``billing.claims.scrub``).
"""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rpm.commands import claim_exchange, claims_work

if TYPE_CHECKING:
    from datetime import date

    from billing.claims.scrub import Scrubbed


def register(app: typer.Typer) -> None:
    """Add the group of commands."""
    group = typer.Typer(
        help="Make claims, decide on them, write them, and check claim files (837P).",
        no_args_is_help=True,
        rich_markup_mode=None,
    )
    group.callback()(_group)
    group.command("check")(check)
    claims_work.register(group)
    claim_exchange.register(group)
    app.add_typer(group, name="claims")


def _group() -> None:
    """Make claims, decide on them, write them, and check claim files (837P)."""


def check(
    file: Annotated[Path, typer.Argument(help="A claim file, 837P of version 005010X222A1.")],
    on: Annotated[
        str | None,
        typer.Option(metavar="DATE", help="Check as on this day instead of today."),
    ] = None,
    procedures: Annotated[
        Path | None,
        typer.Option(help="Further codes that exist: the first column of each line of this file."),
    ] = None,
) -> None:
    """Find what would get a claim file or its claims rejected; exit 1 when anything is found.

    Each finding has its place, what is wrong and what to do, and never a value of the file. Nothing
    is recorded and no database is needed. 2 when the file is no 837P.
    """
    from billing.claims.scrub import scrub
    from billing.claims.x12.segments import NotX12Error
    from rpm.actions.claim_check import known_codes
    from rpm.commands.opened import day_or_none, file_bytes
    from rpm.errors import InvalidRequest

    content = file_bytes(file)
    own = frozenset[str]() if procedures is None else _first_column(file_bytes(procedures))
    try:
        scrubbed = scrub(content, day_or_none(on) or _today(), known_codes(own))
    except NotX12Error as error:
        raise InvalidRequest(f"{file.name} is no 837P: {error}") from None
    _tell(scrubbed)
    if scrubbed.findings:
        raise typer.Exit(1)


def _tell(scrubbed: "Scrubbed") -> None:
    for finding in scrubbed.findings:
        typer.echo(f"{finding.code}  {finding.where}")
        typer.echo(f"    {finding.message}\n    {finding.fix}")
    claims = f"{scrubbed.claims:,} claim{'s' * (scrubbed.claims != 1)}"
    found = len(scrubbed.findings)
    told = f"{found:,} finding{'s' * (found != 1)}" if found else "nothing found"
    typer.echo(f"{claims} in {scrubbed.segments:,} segments: {told}")


def _today() -> "date":
    from rpm.clock import SystemClock

    return SystemClock().now().date()


def _first_column(content: bytes) -> frozenset[str]:
    """The codes that a list or a schedule of charges begins its lines with; others are no codes."""
    from billing.codes import is_procedure_code

    lines = content.decode("utf-8-sig", "replace").splitlines()
    cells = (re.split(r"[,;\t]", line, maxsplit=1)[0].strip(' "') for line in lines)
    return frozenset(cell for cell in cells if is_procedure_code(cell))

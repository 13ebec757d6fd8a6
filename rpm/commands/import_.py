"""``rpm-ledger import``: what a practice has in files becomes its record here."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from rpm.actions.import_file import Imported

Kind = Literal["patients", "coverages", "episodes", "readings", "entries", "services"]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("import")(import_)


def import_(
    kind: Annotated[Kind, typer.Argument(help="What the rows of the file are.")],
    file: Annotated[Path, typer.Argument(help="The file, in the format that the profile names.")],
    profile: Annotated[
        str, typer.Option(help="A shipped profile by name, or the path of a TOML page.")
    ],
    organization: Annotated[
        str | None, typer.Option(help="Id, NPI or name; not needed when there is only one.")
    ] = None,
    options: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="An option of the profile; repeatable."),
    ] = None,
    rejects: Annotated[
        Path | None, typer.Option(help="Where refused rows go instead of FILE.rejects.csv.")
    ] = None,
    dry_run: Annotated[  # noqa: FBT002 - an option, not an argument
        bool, typer.Option("--dry-run", help="Record nothing, only tell what would be.")
    ] = False,
) -> None:
    """Import a file; exit 1 when rows were refused, 2 when the file was.

    What can be read is recorded, every other row goes to the rejects file with its line and the
    reason. A second import of the same file adds nothing. docs/importing.md describes the files.
    """
    from rpm.actions.import_file import ImportFile, import_file
    from rpm.commands.opened import opened_organization
    from rpm.errors import InvalidRequest
    from rpm.imports.profile import load_profile
    from rpm.imports.refusals import FileRefusedError, ProfileError

    rejects_path = rejects or file.parent / f"{file.name}.rejects.csv"
    try:
        page = load_profile(profile).with_options(_options(options or []))
        if page.kind != kind:
            raise InvalidRequest(f"profile {profile} is for {page.kind}, not for {kind}")
        asked = ImportFile(file, Path(profile).name, page, rejects_path, dry_run)
        with opened_organization(organization, "import") as (engine, actor, _, now):
            done = import_file(engine, actor, now, asked, _show_progress)
    except ProfileError as error:
        raise InvalidRequest(str(error)) from error
    except FileRefusedError as error:
        raise InvalidRequest(f"{file.name} is refused: {error}") from error
    _tell(done, dry_run=dry_run)
    if done.rejected:
        typer.echo(f"rejected rows with their reasons: {rejects_path}")
        raise typer.Exit(1)


def _options(given: list[str]) -> dict[str, str]:
    from rpm.errors import InvalidRequest

    pairs = [text.partition("=") for text in given]
    if any(not name or not sign for name, sign, _ in pairs):
        raise InvalidRequest("--set takes NAME=VALUE")
    return {name: value for name, _, value in pairs}


def _show_progress(done: int, total: int) -> None:
    """On a terminal a line that is written over; elsewhere nothing."""
    import sys

    if sys.stderr.isatty():
        typer.echo(f"\r{done:,} of {total:,} rows", nl=done >= total, err=True)


def _tell(done: "Imported", *, dry_run: bool) -> None:
    from devices.counting import QUARANTINED, REASONS

    left_out = f", {done.left_out} left out by the profile's filters" if done.left_out else ""
    typer.echo(f"{done.rows} {'row' if done.rows == 1 else 'rows'}{left_out}")
    typer.echo(f"{done.new} new, {done.known} already there, {done.rejected} rejected")
    waiting = {code: n for code, n in done.remarks.items() if code in QUARANTINED | {"conflict"}}
    refused = {code: n for code, n in done.remarks.items() if code in REASONS.keys() - QUARANTINED}
    findings = {code: n for code, n in done.remarks.items() if code not in waiting | refused}
    _tell_codes("recorded, but waiting for a person", waiting)
    _tell_codes("recorded, but do not count", refused)
    _tell_codes("findings", findings)
    if dry_run:
        typer.echo("nothing was recorded: this was a dry run")


def _tell_codes(label: str, counts: Mapping[str, int]) -> None:
    if counts:
        listed = ", ".join(f"{code} {number}" for code, number in sorted(counts.items()))
        typer.echo(f"{label}: {listed}")

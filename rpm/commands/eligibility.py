"""``rpm-ledger eligibility``: payers asked about patients (270), and their answers (271).

Owns the commands' options and what they print. Does not own the acts.
"""

from pathlib import Path
from typing import Annotated

import typer

_Organization = Annotated[
    str | None, typer.Option(help="Id, NPI or name; not needed when there is only one.")
]


def register(app: typer.Typer) -> None:
    """Add the group of commands."""
    group = typer.Typer(
        help="Ask payers about patients' coverage (270), and take their answers in (271).",
        no_args_is_help=True,
        rich_markup_mode=None,
    )
    group.command("ask")(ask)
    group.command("read")(read)
    app.add_typer(group, name="eligibility")


def ask(
    out: Annotated[Path | None, typer.Option(help="Also write the file into this folder.")] = None,
    clearinghouse: Annotated[
        str, typer.Option(help="Key of a clearinghouse; not needed when there is only one.")
    ] = "",
    patients: Annotated[
        list[str] | None,
        typer.Option("--patient", help="Record number; may be repeated. All enrolled unless told."),
    ] = None,
    again_days: Annotated[
        int, typer.Option(min=0, max=365, help="Who was asked about in so many days is left out.")
    ] = 30,
    organization: _Organization = None,
) -> None:
    """Make a file of inquiries about enrolled patients; exit 1 when somebody had to be left out.

    The file is kept and waits to be sent: rpm-ledger claims send.
    """
    from rpm.actions.ask_eligibility import ask_eligibility
    from rpm.actions.whole_files import write_whole
    from rpm.commands.opened import opened_organization
    from rpm.errors import InvalidRequest, NotFound
    from rpm.store.engine import transaction
    from rpm.store.queries.people import names_of_patients, patient_with_record_number
    from rpm.store.scope import Scope

    with (
        opened_organization(organization, "eligibility") as (engine, actor, _, now),
        transaction(engine) as db,
    ):
        scope = Scope.of(actor)
        ids = None
        if patients:
            rows = [patient_with_record_number(db, scope, one) for one in patients]
            ids = [row.id for row in rows if row is not None]
            if len(ids) < len(rows):
                raise NotFound("there is no patient of such a record number")
        asked = ask_eligibility(db, actor, now, clearinghouse, ids, again_days)
        names = names_of_patients(db, scope, asked.left_out)
        if out is not None and asked.file is not None:
            try:
                write_whole(out, {asked.file.name: asked.file.content})
            except OSError as error:
                raise InvalidRequest(f"the file cannot be written: {error.strerror}") from error
    for patient_id, finding in asked.left_out.items():
        typer.echo(f"left out: {names[patient_id]}: {finding.where}: {finding.message}")
    made = "none" if asked.file is None else str(asked.file.id)
    typer.echo(f"eligibility ask: file={made} asked={asked.count} left_out={len(asked.left_out)}")
    if asked.left_out:
        raise typer.Exit(1)


def read(
    files: Annotated[list[Path], typer.Argument(help="Answers of payers (271).")],
    organization: _Organization = None,
) -> None:
    """Take eligibility answers in; exit 1 when something is wrong with one.

    A file that came before changes nothing. What a payer did not tell stays unknown.
    """
    from rpm.actions.post_eligibility import post_eligibility
    from rpm.commands.opened import file_bytes, opened_organization
    from rpm.store.engine import transaction

    contents = [(path, file_bytes(path)) for path in files]
    count = unmatched = wrong = 0
    with opened_organization(organization, "eligibility") as (engine, actor, _, now):
        for path, content in contents:
            with transaction(engine) as db:
                posted = post_eligibility(db, actor, now, path.name, content)
                standings = [one.standing for one in posted.answers]
                count, unmatched = count + len(standings), unmatched + posted.unmatched
            wrong += bool(posted.findings)
            again = ", came before" if posted.repeated else ""
            typer.echo(f"{path.name}: {', '.join(standings) or 'no answers'}{again}")
            for one in posted.findings:
                typer.echo(f"  {one.where}: {one.message} ({one.code})")
    typer.echo(f"eligibility read: files={len(contents)} answers={count} unmatched={unmatched}")
    if wrong:
        raise typer.Exit(1)

"""``rpm-ledger evidence``: packs for auditors, their check, and the checker as one file."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from datetime import date, datetime

    from sqlmodel import Session

    from rpm.actions.evidence_pack import EvidencePack
    from rpm.store.scope import Scope

Organization = Annotated[
    str | None, typer.Option(help="Id, NPI or name; not needed when there is only one.")
]


def register(app: typer.Typer) -> None:
    """Add the group of commands."""
    group = typer.Typer(
        help="Make evidence packs for auditors, and check them.",
        no_args_is_help=True,
        rich_markup_mode=None,
    )
    group.command("pack")(pack)
    group.command("verify")(verify)
    group.command("verifier")(verifier)
    group.command("schema")(schema)
    app.add_typer(group, name="evidence")


def pack(
    what: Annotated[
        str,
        typer.Argument(help="Key of an event, id of a posting or a close, or a closed month."),
    ],
    out: Annotated[Path, typer.Option(help="A file that ends with .json, or a folder.")],
    known_at: Annotated[
        str | None,
        typer.Option(metavar="DATE", help="Of an event, as known at the end of this day."),
    ] = None,
    with_verifier: Annotated[  # noqa: FBT002 - an option, not an argument
        bool, typer.Option("--with-verifier", help="Put the checker beside the pack.")
    ] = False,
    pdf: Annotated[  # noqa: FBT002 - an option, not an argument
        bool, typer.Option("--pdf", help="Put the pack beside it as a PDF to read.")
    ] = False,
    organization: Organization = None,
) -> None:
    """Write the evidence pack of an event, a posting, or a whole close; this is recorded.

    A pack holds patient data: what an auditor needs to recompute the bill. The last line names it.
    """
    from rpm.actions.evidence_checker import CHECKER, checker_file
    from rpm.actions.evidence_pack import record_pack
    from rpm.actions.whole_files import write_whole
    from rpm.commands.opened import day_or_none, opened_organization
    from rpm.errors import InvalidRequest
    from rpm.store.engine import reading, transaction
    from rpm.store.scope import Scope

    with opened_organization(organization, "evidence") as (engine, actor, _, now):
        with reading(engine) as db:
            made = _made(db, Scope.of(actor), now, what, day_or_none(known_at))
        folder, name = (out.parent, out.name) if out.suffix == ".json" else (out, made.name)
        files = {CHECKER: checker_file()} if with_verifier else {}
        if pdf:
            files[f"{name.removesuffix('.json')}.pdf"] = _on_paper(made)
        files[name] = made.data
        with transaction(engine) as db:
            record_pack(db, actor, now, made)
            try:
                # inside the transaction: what cannot be written is not recorded as given out
                write_whole(folder, files)
            except OSError as error:
                raise InvalidRequest(f"the pack cannot be written: {error.strerror}") from error
    content = made.content
    typer.echo(f"{len(content['events'])} events, {len(content['facts'])} facts")
    typer.echo(f"evidence: {folder / name} digest={content['digest']}")


def verify(
    files: Annotated[list[Path], typer.Argument(help="Evidence packs.")],
    ledger: Annotated[  # noqa: FBT002 - an option, not an argument
        bool, typer.Option("--ledger", help="Also compare with the database of the settings.")
    ] = False,
    organization: Organization = None,
) -> None:
    """Recompute packs from themselves and name what does not fit; 1 when something does not.

    With --ledger the facts and the chain's anchors are also compared with the record, whose own
    check is `rpm-ledger verify`.
    """
    import sys

    from billing.evidence.program import GOOD, main

    code = main([str(file) for file in files], sys.stdout, sys.stderr)
    if ledger and code <= 1:
        code = max(code, _compared(files, organization))
    if code != GOOD:
        raise typer.Exit(code)


def verifier(
    out: Annotated[Path, typer.Option(help="The file to write, such as check.pyz, or a folder.")],
) -> None:
    """Write the checker as one file that needs only Python 3.11 or newer."""
    from rpm.actions.evidence_checker import CHECKER, checker_file
    from rpm.actions.whole_files import write_whole
    from rpm.errors import InvalidRequest

    folder, name = (out, CHECKER) if out.is_dir() else (out.parent, out.name)
    try:
        write_whole(folder, {name: checker_file()})
    except OSError as error:
        raise InvalidRequest(f"the file cannot be written: {error.strerror}") from error
    typer.echo(f"check a pack with: python {folder / name} PACK.json")


def schema() -> None:
    """Print the JSON Schema of evidence packs."""
    import json

    from rpm.actions.evidence_model import pack_schema

    typer.echo(json.dumps(pack_schema(), indent=2))


def _made(
    db: "Session", scope: "Scope", now: "datetime", what: str, known_at: "date | None"
) -> "EvidencePack":
    from rpm.actions.evidence_pack import close_pack, event_pack, posting_pack
    from rpm.actions.seen_from import seen_on
    from rpm.commands.backup import Telling
    from rpm.commands.export import close_id_of
    from rpm.errors import NotFound
    from rpm.store.event_keys import named_event

    try:
        named = named_event(what)
    except ValueError:
        named = None
    if named is not None:
        return event_pack(db, scope, now, named, seen_on(db, scope, now, known_at))
    row_id = close_id_of(db, scope, what, now, None)
    try:
        return posting_pack(db, scope, now, row_id)
    except NotFound:
        telling = Telling()
        return close_pack(
            db, scope, now, row_id, lambda done, total: telling("postings", done, total)
        )


def _on_paper(made: "EvidencePack") -> bytes:
    from rpm.commands.backup import Telling
    from rpm.documents.evidence import evidence_pdf

    telling = Telling()
    return evidence_pdf(made.content, lambda done, total: telling("events on paper", done, total))


def _compared(files: Sequence[Path], organization: str | None) -> int:
    from billing.evidence.pack import read_pack
    from rpm.actions.compare_pack import compare_pack
    from rpm.commands.opened import opened_organization
    from rpm.store.engine import reading
    from rpm.store.scope import Scope

    code = 0
    with opened_organization(organization, "evidence") as (engine, actor, _, _):
        scope = Scope.of(actor)
        for file in files:
            content: dict[str, Any] = read_pack(file.read_bytes())
            with reading(engine) as db:
                found = compare_pack(db, scope, content)
            for one in found:
                typer.echo(f"{file.name}: {one}")
            verdict = "is not as the ledger has it" if found else "is as the ledger has it"
            typer.echo(f"{file.name}: {verdict}")
            code = max(code, int(bool(found)))
    return code

"""``rpm-ledger remit``: answers of payers and clearinghouses stored and posted from files.

Owns the command's options and what it prints. Does not own what an answer does
(``rpm.actions.post_answers``).
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from billing.claims.remittance import Remittance
    from rpm.actions.post_answers import Posted

_MOST_SHOWN = 20


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("remit")(remit)


def remit(
    files: Annotated[
        list[Path] | None,
        typer.Argument(help="Files as they came: TA1, 999, 277CA, 835, in any mixture."),
    ] = None,
    *,
    organization: Annotated[str | None, typer.Option(help="Id, NPI or name.")] = None,
    only_read: Annotated[
        bool,
        typer.Option("--only-read", help="Tell what the files say; store nothing."),
    ] = False,
    again: Annotated[
        bool,
        typer.Option("--again", help="Also read stored files that were never read to the end."),
    ] = False,
) -> None:
    """Store files of answers and post them: acknowledgments to claims, payments to the cent.

    A file is stored whole before it is read, and once: a repeat changes nothing. 1 when something
    needs a person's look.
    """
    from rpm.errors import InvalidRequest

    if not files and not again:
        raise InvalidRequest("name at least one file")
    contents = _contents(files or [])
    if only_read:
        _tell_only(contents)
        return
    looks = _post(contents, organization, again=again)
    if looks:
        raise typer.Exit(1)


def _contents(files: list[Path]) -> list[tuple[str, bytes]]:
    from rpm.commands.opened import file_bytes

    return [(path.name, file_bytes(path)) for path in files]


def _post(contents: list[tuple[str, bytes]], organization: str | None, *, again: bool) -> bool:
    from rpm.actions.post_answers import post_answers, post_unread
    from rpm.actions.take_received_file import take_received_file
    from rpm.commands.opened import opened_organization
    from rpm.store.engine import transaction
    from rpm.store.queries.answers import POSTED

    looks = False
    with opened_organization(organization, "remit") as (engine, actor, _, now):
        for name, content in contents:
            with transaction(engine) as db:
                file = take_received_file(db, actor, now, name, "command", content)
                file_id, kind = file.id, file.kind
            with transaction(engine) as db:
                posted = post_answers(db, actor, now, file_id)
            typer.echo(f"{name}: {kind}, {posted.state}")
            _tell(posted)
            looks = looks or posted.state != POSTED
        if again:
            with transaction(engine) as db:
                rest = post_unread(db, actor, now)
            typer.echo(f"stored before and read now: {len(rest)}")
            looks = looks or any(one.state != POSTED for one in rest)
    return looks


def _tell(posted: "Posted") -> None:
    for what, count in sorted(posted.counts.items()):
        if count:
            typer.echo(f"  {what}: {count:,}")
    for finding in posted.findings[:_MOST_SHOWN]:
        typer.echo(f"  {finding.code}  {finding.where}: {finding.message}")
    if len(posted.findings) > _MOST_SHOWN:
        typer.echo(f"  and {len(posted.findings) - _MOST_SHOWN:,} more findings")


def _tell_only(contents: list[tuple[str, bytes]]) -> None:
    from billing.claims.x12.answer_file import read_answers

    wrong = False
    for name, content in contents:
        answers = read_answers(content)
        typer.echo(f"{name}: {answers.told.kind}")
        for remittance in answers.remittances:
            _tell_payment(remittance)
        findings = [*answers.findings, *(f for one in answers.remittances for f in one.findings)]
        for finding in findings[:_MOST_SHOWN]:
            typer.echo(f"  {finding.code}  {finding.where}: {finding.message}")
        wrong = wrong or bool(findings)
    if wrong:
        raise typer.Exit(1)


def _tell_payment(remittance: "Remittance") -> None:
    from billing.claims.remittance import balance_of
    from billing.money import cents_to_text

    told = balance_of(remittance)
    parts = [cents_to_text(cents) for cents in told]
    typer.echo(
        f"  payment {remittance.ordinal}: {parts[0]} = {parts[1]} of {len(remittance.claims):,}"
        f" claims - {parts[2]} of provider adjustments"
        + ("" if told.holds else f", {parts[3]} not explained")
    )

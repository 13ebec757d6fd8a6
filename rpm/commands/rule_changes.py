"""``rpm-ledger rules diff`` and ``rules activate``: a changed rule page, tried, then made to count.

Owns what is printed. Does not own the comparison and the checks (``rpm.actions``). ``rules``
itself registers both.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rpm.actions.compare_rule_page import ChangedEvent, PageComparison
    from rpm.store.outcomes import EventLine


def register(group: typer.Typer) -> None:
    """Add the commands to the group ``rules``."""
    group.command("diff")(diff)
    group.command("activate")(activate)


def diff(
    page: Annotated[str, typer.Argument(help="Id of a page, as `rules list` shows it.")],
    new: Annotated[Path, typer.Argument(help="The changed page, a TOML file.")],
    months: Annotated[
        int, typer.Option(help="The running month and so many before it are compared.")
    ] = 6,
    organization: Annotated[
        str | None, typer.Option(help="Id, NPI or name; not needed when there is only one.")
    ] = None,
) -> None:
    """Show what a changed page would have changed, were it in the place of one of the book.

    First what it says otherwise, band by band, then the billable events of the last months that it
    gives otherwise, and the money. Nothing is stored. 1 when anything differs.
    """
    from pydantic import ValidationError

    from rpm.actions.compare_rule_page import CompareRulePage, compare_rule_page
    from rpm.commands.close import show_parts
    from rpm.commands.opened import opened_organization, refused
    from rpm.store.engine import reading

    try:
        command = CompareRulePage(page_id=page, toml=page_text(new), months=months)
    except ValidationError as error:
        raise refused(error) from error
    with (
        opened_organization(organization, "rules diff") as (engine, actor, _, now),
        reading(engine) as db,
    ):
        found = compare_rule_page(db, actor, now, command, file=new.name, progress=show_parts)
    _tell(found)
    if found.page_lines or found.events:
        raise typer.Exit(1)


def activate(
    file: Annotated[Path, typer.Argument(help="The page, a TOML file.")],
    reason: Annotated[str, typer.Option(help="Why, in your words.")],
    by: Annotated[str, typer.Option(help="Who: e-mail address or id of a user of the practice.")],
    organization: Annotated[
        str | None, typer.Option(help="Id, NPI or name; not needed when there is only one.")
    ] = None,
) -> None:
    """Make a rule page of the practice count from the day it names as known.

    Refused, with file, line and reason, when it cannot be read, does not fit the book, leaves
    service days without a rule, or claims to have been known to a close that is made. Look at
    `rules diff` first.
    """
    from pydantic import ValidationError

    from rpm.actions.activate_rule_page import ActivateRulePage, activate_rule_page
    from rpm.commands.opened import opened_organization, refused
    from rpm.store.engine import transaction
    from rpm.store.queries.people import actor_of_user
    from rpm.store.scope import Scope

    try:
        command = ActivateRulePage(toml=page_text(file), reason=reason)
    except ValidationError as error:
        raise refused(error) from error
    with (
        opened_organization(organization, "rules activate") as (engine, service, _, now),
        transaction(engine) as db,
    ):
        actor = actor_of_user(db, Scope.of(service), by)
        page = activate_rule_page(db, actor, now, command, file.name)
        told = f"{page.page_id} is active, digest {page.digest}"
    typer.echo(told)


def page_text(file: Path) -> str:
    """The text of a page's file; ``InvalidRequest`` when there is none to read."""
    from rpm.errors import InvalidRequest

    try:
        return file.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InvalidRequest(f"{file.name} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError:
        raise InvalidRequest(f"{file.name} is not UTF-8") from None


def _tell(found: "PageComparison") -> None:
    typer.echo(f"{found.page_id}: what the page says otherwise")
    for line in found.page_lines or ["  nothing"]:
        typer.echo(line)
    typer.echo(f"\nservice days {found.first_day} to {found.last_day}: events that differ")
    for one in found.events:
        typer.echo(_event(one))
    counts = {
        change: sum(one.change == change for one in found.events)
        for change in ("gone", "new", "other")
    }
    typer.echo(
        f"{counts['gone']} gone, {counts['new']} new, {counts['other']} otherwise,"
        f" of {found.patients} patients"
    )
    typer.echo(_money(found))


def _money(found: "PageComparison") -> str:
    from billing.money import cents_to_text

    before, after = found.before_cents, found.after_cents
    told = (
        f"known amounts of these events: {cents_to_text(before)} before,"
        f" {cents_to_text(after)} after, difference {cents_to_text(after - before)}"
    )
    unknown = found.unknown_before + found.unknown_after
    if unknown:
        told += (
            f"; of unknown amount {found.unknown_before} events before, {found.unknown_after} after"
        )
    return told


def _event(one: "ChangedEvent") -> str:
    sides = [
        _line(line, cents)
        for line, cents in ((one.before, one.before_cents), (one.after, one.after_cents))
        if line is not None
    ]
    line = one.before or one.after
    key = f"  patient {line.patient_id}" if line is not None else ""
    return f"{one.change:<6} {' -> '.join(sides)}{key}"


def _line(line: "EventLine", cents: int | None) -> str:
    from billing.money import cents_to_text

    amount = "unknown amount" if cents is None else cents_to_text(cents)
    return f"{line.code} x{line.units} on {line.service_day} ({amount})"

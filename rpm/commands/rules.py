"""``rpm-ledger rules``: rule pages shown with their sources, and case files.

Does not own how pages are changed (``rule_changes``) nor loading tables (``rule_tables``).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from billing.ledger.cases import CaseResult
    from billing.rules.book import RuleBook
    from rpm.store.queries.rules import Activation

Organization = Annotated[
    str | None, typer.Option(help="Id, NPI or name of a practice: with its own pages.")
]


def register(app: typer.Typer) -> None:
    """Add the group of commands."""
    from rpm.commands import rule_changes, rule_tables

    group = typer.Typer(
        help="Show the rule pages, try them on case files, and change them.",
        no_args_is_help=True,
        rich_markup_mode=None,
    )
    group.command("list")(list_pages)
    group.command("show")(show)
    group.command("check")(check)
    group.command("try")(try_cases)
    group.command("edits")(edits)
    group.command("touched")(touched)
    rule_changes.register(group)
    rule_tables.register(group)
    app.add_typer(group, name="rules")


def list_pages(organization: Organization = None) -> None:
    """List every rule page and table; with --organization also the practice's own.

    Its own pages come last, each with who activated it, when and why.
    """
    from billing.coding.rules_text import list_coding_rules
    from billing.rules.text import list_rules

    with opened_book(organization) as (book, activated):
        typer.echo(list_rules(book))
        typer.echo(list_coding_rules())
        for one in activated:
            page = one.page
            typer.echo(
                f"{page.page_id} was activated on {page.recorded_at:%Y-%m-%d %H:%M} UTC"
                f" by {one.by}: {one.reason or 'no reason told'}"
            )


def show(
    page: Annotated[
        str, typer.Argument(help="Id of a page or name of a table, as `rules list` shows it.")
    ],
    organization: Organization = None,
) -> None:
    """Show one page or table: every number with its status and source."""
    from billing.coding.rules_text import TABLES, show_coding_rules
    from billing.rules.text import show_rules
    from rpm.errors import NotFound

    if page in TABLES:
        typer.echo(show_coding_rules(page))
        return
    try:
        with opened_book(organization) as (book, _):
            text = show_rules(book, page)
    except KeyError:
        raise NotFound("there is no such page: rpm-ledger rules list names them") from None
    typer.echo(text)


@contextmanager
def opened_book(organization: str | None) -> "Iterator[tuple[RuleBook, list[Activation]]]":
    """The shipped book, or a practice's and how its own pages were activated."""
    from billing.rules.book import shipped_book

    if organization is None:
        yield shipped_book(), []
        return
    from rpm.commands.opened import opened_organization
    from rpm.store.engine import reading
    from rpm.store.queries.rules import activations
    from rpm.store.rule_books import book_of
    from rpm.store.scope import Scope

    with opened_organization(organization, "rules") as (engine, actor, _, _):
        scope = Scope.of(actor)
        with reading(engine) as db:
            yield book_of(db, scope.organization_id), activations(db, scope)


def check() -> None:
    """Read every rule page anew and list sources not re-read for 180 days; exit 1 if any."""
    from billing.coding.rules_text import check_coding_rules
    from billing.rules.book import shipped_book
    from billing.rules.text import check as findings_of
    from rpm.clock import SystemClock

    today = SystemClock().now().date()
    findings = [*findings_of(shipped_book(), today), *check_coding_rules(today)]
    for finding in findings:
        typer.echo(f"{finding.code} {finding.where}: {finding.message}")
    typer.echo(f"{len(findings)} findings")
    raise typer.Exit(1 if findings else 0)


def touched(
    from_day: Annotated[
        str, typer.Option("--from", metavar="DATE", help="As the rules were known on this day,")
    ],
    to_day: Annotated[str, typer.Option("--to", metavar="DATE", help="and as on this one.")],
    organization: Organization = None,
) -> None:
    """List recorded visits that other rows of the coding rules judge on the second day; 1 if any.

    Each with the rows that changed, and its lines and status under both. Nothing is stored.
    """
    from billing.coding.lines import lines_text
    from rpm.actions.touched_visits import touched_visits
    from rpm.commands.opened import day_of, opened_organization
    from rpm.store.engine import reading
    from rpm.store.scope import Scope

    first, last, count = day_of(from_day), day_of(to_day), 0
    with opened_organization(organization, "rules touched") as (engine, actor, _, _):
        scope = Scope.of(actor)
        with reading(engine) as db:
            for one in touched_visits(db, scope, first, last):
                sides = (
                    f"{lines_text(side.lines)} {side.status}" for side in (one.before, one.after)
                )
                typer.echo(f"{one.visit.service_day}  {' -> '.join(sides)}  {one.visit.id}")
                for row in one.rows:
                    typer.echo(f"  {row.before} -> {row.after}")
                count += 1
    typer.echo(f"{count} visits touched")
    if count:
        raise typer.Exit(1)


def edits() -> None:
    """Print the edits of telehealth coding as a page, with their sources.

    `docs/edits.md` is a copy of it.
    """
    from billing.coding.catalog_text import catalog_page

    typer.echo(catalog_page(), nl=False)


def try_cases(
    file: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, readable=True, help="A case file.")
    ],
) -> None:
    """Run a case file against the shipped rules; exit 1 when a case came out otherwise.

    Cases of monitoring and of visits are told apart by their header; docs/case-files.md and
    docs/coding.md describe the columns. A line is printed for each mismatch.
    """
    from billing.ledger.case_text import CaseError
    from rpm.errors import InvalidRequest

    try:
        results = _case_results(file.read_text(encoding="utf-8-sig"))
    except UnicodeDecodeError:
        raise InvalidRequest("the case file is not UTF-8") from None
    except CaseError as error:
        raise InvalidRequest(f"the case file cannot be read: {error}") from error
    for result in results:
        for mismatch in result.mismatches:
            typer.echo(f"{result.case_id}: {mismatch}")
    failed = sum(not result.passed for result in results)
    typer.echo(f"{len(results) - failed} passed, {failed} failed")
    raise typer.Exit(1 if failed else 0)


def _case_results(text: str) -> "list[CaseResult]":
    """The cases of a file, by the rules that its header calls for."""
    from billing.coding.cases import header_of, is_coding_header, run_coding_cases

    if is_coding_header(header_of(text)):
        from billing.coding.rules_read import shipped_coding_rules

        return run_coding_cases(text, shipped_coding_rules())
    from billing.ledger.cases import run_cases
    from billing.rules.book import shipped_book
    from rpm.clock import local_day

    return run_cases(text, shipped_book(), local_day)

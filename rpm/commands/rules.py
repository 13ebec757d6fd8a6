"""``rpm-ledger rules``: the shipped rule pages, shown with their sources, and case files."""

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the group of commands."""
    group = typer.Typer(
        help="Show the rule pages and try them on case files.",
        no_args_is_help=True,
        rich_markup_mode=None,
    )
    group.command("list")(list_pages)
    group.command("show")(show)
    group.command("check")(check)
    group.command("try")(try_cases)
    app.add_typer(group, name="rules")


def list_pages() -> None:
    """List every rule page and table."""
    from billing.rules.book import shipped_book
    from billing.rules.text import list_rules

    typer.echo(list_rules(shipped_book()))


def show(
    page: Annotated[
        str, typer.Argument(help="Id of a page or name of a table, as `rules list` shows it.")
    ],
) -> None:
    """Show one page or table: every number with its status and source."""
    from billing.rules.book import shipped_book
    from billing.rules.text import show_rules
    from rpm.errors import NotFound

    try:
        text = show_rules(shipped_book(), page)
    except KeyError:
        raise NotFound("there is no such page: rpm-ledger rules list names them") from None
    typer.echo(text)


def check() -> None:
    """Read every rule page anew and list sources not re-read for 180 days; exit 1 if any."""
    from billing.rules.book import shipped_book
    from billing.rules.text import check as findings_of
    from rpm.clock import SystemClock

    findings = findings_of(shipped_book(), SystemClock().now().date())
    for finding in findings:
        typer.echo(f"{finding.code} {finding.where}: {finding.message}")
    typer.echo(f"{len(findings)} findings")
    raise typer.Exit(1 if findings else 0)


def try_cases(
    file: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, readable=True, help="A case file.")
    ],
) -> None:
    """Run a case file against the shipped rules; exit 1 when a case came out otherwise.

    docs/case-files.md describes the columns. A line is printed for each mismatch.
    """
    from billing.ledger.case_text import CaseError
    from billing.ledger.cases import run_cases
    from billing.rules.book import shipped_book
    from rpm.clock import local_day
    from rpm.errors import InvalidRequest

    try:
        results = run_cases(file.read_text(encoding="utf-8-sig"), shipped_book(), local_day)
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

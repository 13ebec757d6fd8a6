"""``rpm-ledger rules load-ncci`` and ``load-rvu``: tables of CMS for a practice.

Owns what is printed and that no file is recorded when one of them is refused. Does not own what
is kept of a file (``billing.rules``) nor the recording (``rpm.actions``). ``rules`` itself
registers the commands.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from billing.rules.edits import LoadedTable
    from rpm.imports.cms_files import CmsFile

Files = Annotated[
    list[Path], typer.Argument(help="Files as CMS gives them: .txt, .csv, .xlsx, or .zip of them.")
]
Organization = Annotated[
    str | None, typer.Option(help="Id, NPI or name; not needed when there is only one.")
]


def register(group: typer.Typer) -> None:
    """Add the commands to the group ``rules``."""
    group.command("load-ncci")(load_ncci)
    group.command("load-rvu")(load_rvu)


def load_ncci(
    files: Files,
    quarter: Annotated[
        str | None,
        typer.Option(help="The quarter, 2026Q4, where the names of the files do not tell it."),
    ] = None,
    organization: Organization = None,
) -> None:
    """Load CMS's practitioner edits: pairs (PTP), unit limits (MUE) and add-on codes.

    Kept are rows of codes that the product knows, no descriptions. A service day takes the newest
    table of each kind that has begun by then. A damaged or foreign file is named and nothing is
    loaded; the same file again loads nothing.
    """
    from billing.coding.rules_read import shipped_coding_rules
    from billing.rules.book import shipped_book
    from billing.rules.ncci_files import QUARTER, read_ncci
    from rpm.errors import InvalidRequest

    if quarter is not None and not QUARTER.fullmatch(quarter):
        raise InvalidRequest("a quarter is written like 2026Q4")
    known = shipped_book().references.codes
    billable = {name for name, code in known.items() if code.payable_from is not None}

    visits = shipped_coding_rules().codes

    def read(file: "CmsFile") -> "LoadedTable":
        name, rows = file.full_name, file.rows()
        return read_ncci(name, rows, file.sha256, known, billable, quarter, visits)

    _load(files, read, organization, "load-ncci")


def load_rvu(
    files: Files,
    begins: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="DATE",
            help="First service day of the units, where the release does not tell it.",
        ),
    ] = None,
    organization: Organization = None,
) -> None:
    """Load CMS's fee schedule: relative value units (PPRRVU) and locality factors (GPCI).

    Kept are the units of codes that the product knows, no descriptions, and the factors of every
    locality. Units count from the first day of their release to the end of its year. A damaged or
    foreign file is named and nothing is loaded; the same file again loads nothing.
    """
    from billing.coding.rules_read import shipped_coding_rules
    from billing.rules.book import shipped_book
    from billing.rules.fee_files import read_fees
    from rpm.commands.opened import day_or_none

    known = {*shipped_book().references.codes, *shipped_coding_rules().codes}
    day = day_or_none(begins)

    def read(file: "CmsFile") -> "LoadedTable":
        return read_fees(file.full_name, file.rows(), file.sha256, known, day)

    _load(files, read, organization, "load-rvu")


def _load(
    paths: list[Path],
    read: "Callable[[CmsFile], LoadedTable]",
    organization: str | None,
    command: str,
) -> None:
    """Read every file, then record what is new of them in one action."""
    from rpm.actions.load_cms_tables import load_cms_tables
    from rpm.commands.opened import opened_organization
    from rpm.store.engine import transaction

    tables = [table for path in paths for table in _tables(path, read)]
    with (
        opened_organization(organization, f"rules {command}") as (engine, actor, _, now),
        transaction(engine) as db,
    ):
        loaded = load_cms_tables(db, actor, now, tables)
    for table in loaded.new:
        typer.echo(f"loaded {_told(table)}")
    for table in loaded.known:
        typer.echo(f"already there {_told(table)}")


def _tables(path: Path, read: "Callable[[CmsFile], LoadedTable]") -> "list[LoadedTable]":
    from billing.rules.cms_sheet import NotATableError
    from billing.rules.fields import RuleError
    from rpm.errors import InvalidRequest
    from rpm.imports.cms_files import cms_files
    from rpm.imports.refusals import FileRefusedError

    found = []
    try:
        for file in cms_files(path):
            try:
                found.append(read(file))
            except NotATableError:
                if not file.outer:  # a ZIP of CMS may hold notes beside its table
                    raise
            except FileRefusedError as error:
                raise InvalidRequest(f"{file.full_name} is refused: {error}") from error
    except FileRefusedError as error:
        raise InvalidRequest(f"{path.name} is refused: {error}") from error
    except RuleError as error:
        raise InvalidRequest(
            f"{error.file} is refused: line {error.line}: {error.reason}"
        ) from error
    if not found:
        raise InvalidRequest(f"{path.name} is refused: it holds no table")
    return found


def _told(table: "LoadedTable") -> str:
    content = table.content
    kept = sum(len(rows) for rows in content.values() if isinstance(rows, list))
    kept -= sum(len(content.get(name, ())) for name in ("first", "last"))
    return (
        f"{table.kind} {table.edition}: {kept} of {content['rows']:,} rows kept,"
        f" {table.file_name}, SHA-256 {table.sha256}"
    )

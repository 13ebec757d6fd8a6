"""``rpm-ledger code``: visits of a file get codes, places and modifiers, or the reason why not.

Owns the files read and written. Does not own the coding (``billing.coding``).
"""

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TextIO

import typer

from rpm.commands.rules import Organization, opened_book

if TYPE_CHECKING:
    from billing.coding.batch import Batch, CodedRow
    from rpm.imports.read import Reject

_TOLD_EVERY = 500


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("code")(code)


def code(
    file: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, readable=True, help="Visits, as CSV.")
    ],
    out: Annotated[Path, typer.Option(help="Where the coded rows go.")],
    rejects: Annotated[
        Path | None, typer.Option(help="Where refused rows go instead of FILE.rejects.csv.")
    ] = None,
    known: Annotated[
        str | None,
        typer.Option(
            metavar="DATE", help="Code by the rules as known on this day, not each row's."
        ),
    ] = None,
    organization: Organization = None,
) -> None:
    """Propose codes, place and modifiers for each visit of a file; exit 1 when rows were refused.

    docs/coding.md describes the columns. Nothing is recorded. With --organization amounts come from
    the fee schedules that the practice loaded. 2 when the file cannot be read at all.
    """
    from billing.coding.batch import Batch
    from billing.coding.rules_read import shipped_coding_rules
    from rpm.commands.opened import day_or_none
    from rpm.errors import InvalidRequest
    from rpm.imports.refusals import FileRefusedError

    known_day = day_or_none(known)
    rejects_path = rejects or file.parent / f"{file.name}.rejects.csv"
    with opened_book(organization) as (book, _):
        batch = Batch(shipped_coding_rules(), book.fees, known_day, book.edits)
        try:
            rows, refused = code_file(file, out, rejects_path, batch)
        except FileRefusedError as error:
            raise InvalidRequest(f"{file.name} is refused: {error}") from error
        except OSError:
            raise InvalidRequest("the output file cannot be written") from None
    typer.echo(f"{rows - refused} coded, {refused} rejected")
    if refused:
        typer.echo(f"rejected rows with their reasons: {rejects_path}")
        raise typer.Exit(1)


def code_file(file: Path, out: Path, rejects: Path, batch: "Batch") -> tuple[int, int]:
    """Rows read and rows refused; the output appears when it is whole."""
    from billing.coding.batch import ADDED
    from rpm.imports.rejects import inert, writing_rejects

    total = _lines_of(file)
    count = 0
    with file.open(encoding="utf-8-sig", newline="") as source, _draft(out) as target:
        header, rows = _opened(source)
        written = csv.writer(target)
        written.writerow([*header, *ADDED])
        with writing_rejects(rejects, header) as refusals:
            for line, cells in rows:
                coded = _coded(batch, header, cells)
                if coded is None or coded.coded is None:
                    refusals.add(_reject(line, cells, coded))
                else:
                    written.writerow([*map(inert, cells), *coded.cells])
                count += 1
                if count % _TOLD_EVERY == 0:
                    _show_progress(line, total)
            if count >= _TOLD_EVERY:
                _show_progress(total, total)
            return count, refusals.count


def _opened(source: TextIO) -> "tuple[list[str], Iterator[tuple[int, list[str]]]]":
    """The header and the rows with their lines; FileRefusedError for what cannot be read."""
    from billing.coding.batch import header_problems
    from rpm.imports.refusals import FileRefusedError

    reader = csv.reader(source, strict=True)

    def read() -> Iterator[tuple[int, list[str]]]:
        try:
            for cells in reader:
                if cells:
                    yield reader.line_num, cells
        except UnicodeDecodeError:
            raise FileRefusedError("it is not UTF-8", reader.line_num + 1) from None
        except csv.Error:
            problem = "a quote that is not closed, or text behind one"
            raise FileRefusedError(problem, reader.line_num) from None

    rows = read()
    header = next(rows, (0, []))[1]
    if problems := header_problems(header):
        raise FileRefusedError("; ".join(problems), 1)
    return header, rows


def _coded(batch: "Batch", header: list[str], cells: list[str]) -> "CodedRow | None":
    return batch.code(dict(zip(header, cells, strict=True))) if len(cells) == len(header) else None


def _reject(line: int, cells: list[str], coded: "CodedRow | None") -> "Reject":
    from billing.coding.encounter_text import BAD_VALUE
    from billing.finding import Finding
    from rpm.imports.read import Reject

    if coded is None:
        return Reject(
            Finding(BAD_VALUE, f"line {line}, row", "more or fewer cells than the header"),
            line,
            tuple(cells),
        )
    told = "; ".join(f"{one.where}: {one.message}" for one in coded.refused[1:])
    first = coded.refused[0]
    message = "; ".join(part for part in (first.message, told) if part)
    return Reject(Finding(BAD_VALUE, f"line {line}, {first.where}", message), line, tuple(cells))


@contextmanager
def _draft(out: Path) -> Iterator[TextIO]:
    """A file that stands at ``out`` only when all of it was written."""
    draft = out.with_name(f".{out.name}.draft")
    draft.unlink(missing_ok=True)
    try:
        with draft.open("x", encoding="utf-8", newline="") as target:
            yield target
        draft.replace(out)
    finally:
        draft.unlink(missing_ok=True)


def _lines_of(file: Path) -> int:
    with file.open("rb") as source:
        return sum(block.count(b"\n") for block in iter(lambda: source.read(1 << 20), b""))


def _show_progress(done: int, total: int) -> None:
    """On a terminal a line that is written over; elsewhere nothing."""
    import sys

    if sys.stderr.isatty():
        typer.echo(f"\r{done:,} of {total:,} lines", nl=done >= total, err=True)

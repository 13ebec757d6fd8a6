"""The report: what the closes of the demo posted, what was held and why, and the last export.

Owns the tables. Does not own any figure: all of them stand in closes, postings and manifests.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlmodel import Session

from billing.money import cents_to_text
from billing.rules.references import shipped_references
from rpm.actions.export_close import MANIFEST
from rpm.store.queries.ledger import closes_page, postings_of_close
from rpm.store.scope import Scope
from rpm.store.tables.ledger import Close, Posting

UNKNOWN = "amount unknown"
_HEADS = ("month", "code", "lines", "reversed", "units", "amount")
_LEFT = 2  # columns that hold words


@dataclass(frozen=True)
class Closed:
    """A close and what it posted."""

    close: Close
    postings: Sequence[Posting]

    @property
    def month(self) -> str:
        """The month that was closed."""
        return f"{self.close.month_start_day:%Y-%m}"


def closed_months(db: Session, scope: Scope) -> list[Closed]:
    """Every close with its postings, the first one first."""
    found = reversed(closes_page(db, scope))
    return [Closed(close, postings_of_close(db, scope, close.id)) for close in found]


def report(closed: Sequence[Closed], exports: Path) -> Iterator[str]:
    """The lines of the report; the last one tells the last export."""
    yield "Billable events by month of the close"
    yield ""
    yield from _table(_HEADS, [row for one in closed for row in _event_rows(one)], _LEFT)
    yield ""
    yield "Held and remarked, periods by month of the close (E held, W look at it, I information)"
    yield ""
    heads = ("finding", "about", *(one.month for one in closed))
    yield from _table(heads, list(_finding_rows(closed)), _LEFT)
    yield ""
    yield _last_export(exports)


def _event_rows(one: Closed) -> Iterator[tuple[str, ...]]:
    for code in sorted({posting.code for posting in one.postings}):
        yield _event_row(one.month, code, [row for row in one.postings if row.code == code])
    yield _event_row(one.month, "all", one.postings)


def _event_row(month: str, code: str, postings: Sequence[Posting]) -> tuple[str, ...]:
    issued = sum(posting.sign > 0 for posting in postings)
    return (
        month,
        code,
        str(issued),
        str(len(postings) - issued),
        str(sum(posting.sign * posting.units for posting in postings)),
        _amount(postings),
    )


def _amount(postings: Sequence[Posting]) -> str:
    known = [one.sign * one.amount_cents for one in postings if one.amount_cents is not None]
    unknown = len(postings) - len(known)
    if not known:
        return UNKNOWN if unknown else "0.00"
    told = cents_to_text(sum(known))
    return f"{told} and {unknown} with {UNKNOWN}" if unknown else told


def _finding_rows(closed: Sequence[Closed]) -> Iterator[tuple[str, ...]]:
    words = shipped_references().findings
    counts = [Counter(one.close.totals["findings"]) for one in closed]
    for code in sorted({code for count in counts for code in count}):
        title = words[code].title if code in words else code
        yield (code, title, *(str(count[code] or "") for count in counts))


def _last_export(exports: Path) -> str:
    manifests = sorted(exports.glob(f"*/{MANIFEST}"))
    if not manifests:
        return "export: none yet lines=0 total=0.00"
    manifest = json.loads(manifests[-1].read_text(encoding="utf-8"))
    return f"export: {manifests[-1].parent} lines={manifest['lines']} total={manifest['amount']}"


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]], words: int) -> Iterable[str]:
    """Rows under their heads; the first columns hold words and stand left, the others right."""
    lines = [heads, *rows]
    widths = [max(len(row[place]) for row in lines) for place in range(len(heads))]
    for row in lines:
        cells = [
            cell.ljust(width) if place < words else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        yield "  ".join(cells).rstrip()

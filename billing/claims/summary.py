"""The summary of a close: what leaves with its amount, what was held and why, for a person.

Owns its form as text and as HTML. Does not own the figures. An amount that is not known says so
and is never shown as zero.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from html import escape

from billing.money import Cents, cents_to_text
from billing.rules.references import FindingText, shipped_references

UNKNOWN = "amount unknown"


@dataclass(frozen=True)
class SummaryLine:
    """A line that leaves, or the reversal of one (negative units)."""

    patient: str
    code: str
    units: int
    service_day: date
    amount_cents: Cents | None
    amount_status: str
    note: str


@dataclass(frozen=True)
class SummaryFinding:
    """Why something was held, left out or needs a look."""

    patient: str
    code: str
    concerns: str
    period: str
    amount: int


@dataclass(frozen=True)
class Summary:
    """One close of one practice."""

    practice: str
    month: str
    ordinal: int
    closed_on: date
    lines: Sequence[SummaryLine]
    findings: Sequence[SummaryFinding]

    @property
    def title(self) -> str:
        """What the file is about."""
        again = f", close {self.ordinal}" if self.ordinal > 1 else ""
        return f"Remote monitoring, {self.month}{again}: {self.practice}"

    @property
    def total_cents(self) -> Cents:
        """The sum of the amounts that are known."""
        return sum(line.amount_cents for line in self.lines if line.amount_cents is not None)

    @property
    def unknown_count(self) -> int:
        """Lines whose amount is not known: the total leaves them out."""
        return sum(line.amount_cents is None for line in self.lines)


_SECTIONS = (
    ("E", "Held: nothing was billed for this"),
    ("W", "Look at this: billed, or left out, with a remark"),
    ("I", "For information"),
)
_BASIS = "Amounts are national schedule figures by date of service, not the practice's own charges."
_CODE_HEADS = ("Code", "Label", "Lines", "Units", "Amount")
_LINE_HEADS = ("Patient", "Code", "Units", "Service day", "Amount", "Status", "Note")
_FINDING_HEADS = ("Patient", "Period", "Concerns", "Measured")


_STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; color: #1b1f24; max-width: 72rem;
  margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { margin-top: 2.5rem; border-bottom: 2px solid #d5dbe1; }
h3 { margin: 1.5rem 0 .2rem; font-size: 1rem; } p { margin: .2rem 0; }
table { border-collapse: collapse; margin: 1rem 0; width: 100%; }
caption { text-align: left; font-weight: 600; padding: .3rem 0; }
th { text-align: left; background: #eef2f6; }
th, td { padding: .25rem .6rem; border-bottom: 1px solid #e3e8ed; vertical-align: top; }
td { font-variant-numeric: tabular-nums; }
td:not(:last-child) { white-space: nowrap; }
@media print { body { margin: 0; max-width: none; font-size: 11px; } tr { break-inside: avoid; } }
"""


def summary_text(summary: Summary) -> str:
    """The summary as plain text."""
    parts = [summary.title, "=" * len(summary.title), "", *_facts(summary), ""]
    parts += [*_table(_CODE_HEADS, _code_rows(summary.lines)), ""]
    parts += _table(_LINE_HEADS, [_line_cells(line) for line in summary.lines])
    for letter, title in _SECTIONS:
        groups = _groups(summary.findings, letter)
        if groups:
            parts += ["", title, "-" * len(title)]
        for text, found in groups:
            parts += ["", f"{text.code}: {text.title} ({len(found)})"]
            parts += [f"  {text.message}", f"  What to do: {text.fix}", f"  Who: {text.who}"]
            rows = _table(_FINDING_HEADS, [_finding_cells(one) for one in found])
            parts += [f"  {row}" for row in rows]
    return "\n".join(parts) + "\n"


def summary_html(summary: Summary) -> str:
    """The summary as one HTML page without scripts, pictures or outside references."""
    body = [f"<h1>{escape(summary.title)}</h1>"]
    body += [f"<p>{escape(line)}</p>" for line in _facts(summary)]
    body += _html_table("By code", _CODE_HEADS, _code_rows(summary.lines))
    rows = [_line_cells(line) for line in summary.lines]
    body += _html_table("Lines of this close", _LINE_HEADS, rows)
    for letter, title in _SECTIONS:
        groups = _groups(summary.findings, letter)
        if groups:
            body.append(f"<h2>{escape(title)}</h2>")
        for text, found in groups:
            body.append(f"<h3>{escape(text.code)}: {escape(text.title)} ({len(found)})</h3>")
            body.append(f"<p>{escape(text.message)}</p>")
            body.append(f"<p>What to do: {escape(text.fix)} Who: {escape(text.who)}.</p>")
            cells = [_finding_cells(one) for one in found]
            body += _html_table(f"Where {text.code} was found", _FINDING_HEADS, cells)
    head = f'<meta charset="utf-8"><title>{escape(summary.title)}</title><style>{_STYLE}</style>'
    page = "\n".join(body)
    lines = ["<!doctype html>", '<html lang="en">', f"<head>{head}</head>", "<body>", page]
    return "\n".join([*lines, "</body>", "</html>", ""])


def _facts(summary: Summary) -> list[str]:
    issued = sum(line.units > 0 for line in summary.lines)
    count = summary.unknown_count
    unknown = f"; {_counted(count, 'line')} with {UNKNOWN}" if count else ""
    return [
        f"Closed on {summary.closed_on}. {_counted(issued, 'line')}, "
        f"{_counted(len(summary.lines) - issued, 'reversal')} of earlier lines.",
        f"Total of known amounts: {cents_to_text(summary.total_cents)}{unknown}.",
        _BASIS,
    ]


def _counted(count: int, word: str) -> str:
    return f"{count} {word}" if count == 1 else f"{count} {word}s"


def _code_rows(lines: Sequence[SummaryLine]) -> list[list[str]]:
    """Sums by code; an amount that is known for no line of a code says so."""
    labels = shipped_references().codes
    rows = []
    for code in sorted({line.code for line in lines}):
        mine = [line for line in lines if line.code == code]
        known = [line.amount_cents for line in mine if line.amount_cents is not None]
        unknown = len(mine) - len(known)
        amount = cents_to_text(sum(known)) if known else UNKNOWN
        if known and unknown:
            amount += f" and {unknown} unknown"
        label = labels[code].label if code in labels else ""
        rows.append([code, label, str(len(mine)), str(sum(x.units for x in mine)), amount])
    return rows


def _line_cells(line: SummaryLine) -> list[str]:
    amount = UNKNOWN if line.amount_cents is None else cents_to_text(line.amount_cents)
    return [
        line.patient,
        line.code,
        str(line.units),
        str(line.service_day),
        amount,
        "" if line.amount_cents is None else line.amount_status,
        line.note,
    ]


def _finding_cells(found: SummaryFinding) -> list[str]:
    return [found.patient, found.period, found.concerns, _measure(found)]


def _measure(found: SummaryFinding) -> str:
    """What a finding's amount counts: minutes on ladders of time, units over a limit, else days."""
    if not found.amount:
        return ""
    if found.concerns.endswith(("management", "review")):
        return f"{found.amount // 60}:{found.amount % 60:02d} min"
    word = "unit" if found.code == "W_MUE_CAP" else "day"
    return f"{found.amount} {word}{'' if found.amount == 1 else 's'}"


def _groups(
    findings: Iterable[SummaryFinding], letter: str
) -> list[tuple[FindingText, list[SummaryFinding]]]:
    by_code: dict[str, list[SummaryFinding]] = {}
    for found in findings:
        if found.code.startswith(letter):
            by_code.setdefault(found.code, []).append(found)
    return [(_words(code), by_code[code]) for code in sorted(by_code)]


def _words(code: str) -> FindingText:
    """The words about a code; a code of an earlier version of the tables stands for itself."""
    plain = FindingText(code, code, "The tables have no words for this code.", "Ask.", "anyone", ())
    return shipped_references().findings.get(code, plain)


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    if not rows:
        return ["(none)"]
    widths = [max(map(len, cells)) for cells in zip(heads, *rows, strict=True)]
    return ["  ".join(map(str.ljust, row, widths)).rstrip() for row in (heads, *rows)]


def _html_table(caption: str, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    head = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in heads)
    lines = [f"<table><caption>{escape(caption)}</caption>", f"<thead><tr>{head}</tr></thead>"]
    lines.append("<tbody>")
    text = cache(escape)  # days, codes and names stand in many rows
    lines += [
        "<tr>" + "".join([f"<td>{text(cell)}</td>" for cell in row]) + "</tr>" for row in rows
    ]
    return [*lines, "</tbody></table>"]

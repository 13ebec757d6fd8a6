"""Case files of telehealth coding: visits a biller can read, with what should come out.

Owns the expected columns, running a case and scoring it (reference of telehealth rules, 14.4).
Does not own the encounter's columns (``encounter_text``).
"""

import csv
import io
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from billing.coding.catalog import EditSeverity, shipped_edits
from billing.coding.code_visit import code_visit
from billing.coding.coded import STATUSES, CodedVisit
from billing.coding.encounter_text import COLUMNS, Row, read_row
from billing.coding.lines import Line, lines_text, read_lines
from billing.coding.rules import CodingRules
from billing.ledger.case_text import CaseError
from billing.ledger.cases import CaseResult

EXPECTED_COLUMNS = (
    "submitted",
    "expected",
    "mods_required",
    "mods_allowed",
    "mods_forbidden",
    "expected_edits",
    "edits_tolerated",
    "expected_status",
)
_UNSCORED = ("likely_answer", "confidence", "source", "why")
AS_SUBMITTED = "as submitted"
_SCORED = (EditSeverity.ERROR, EditSeverity.REVIEW, EditSeverity.WARN)


@dataclass(frozen=True)
class Expected:
    """What should come out of one case."""

    lines: tuple[Line, ...]
    required: tuple[tuple[str, ...], ...]  # of the principal line: one of each
    allowed: frozenset[str]
    forbidden: frozenset[str]
    edits: frozenset[str]
    tolerated: frozenset[str]
    status: str


def is_coding_header(names: tuple[str, ...]) -> bool:
    """Whether a case file's header is that of telehealth coding."""
    return "expected_status" in names and "fields" in names


def header_of(text: str) -> tuple[str, ...]:
    """The names in the first line of a case file."""
    return tuple(next(csv.reader(io.StringIO(text)), ()))


def run_coding_cases(text: str, rules: CodingRules) -> list[CaseResult]:
    """Run every case of a file; CaseError for a file or a value outside the format."""
    return [run_coding_case(row, rules) for row in _rows(text)]


def _rows(text: str) -> list[dict[str, str]]:
    reader = csv.DictReader(io.StringIO(text), strict=True)
    try:
        names, rows = tuple(reader.fieldnames or ()), list(reader)
    except csv.Error:
        problem = "a quote that is not closed, or text behind one"
        raise CaseError(f"line {reader.reader.line_num}", "row", problem) from None
    wanted = (*COLUMNS, *EXPECTED_COLUMNS)
    missing = [name for name in wanted if name not in names]
    unknown = [name for name in names if name not in (*wanted, *_UNSCORED)]
    if missing or unknown:
        raise CaseError("header", ", ".join(missing + unknown), "columns missing or unknown")
    for line, row in enumerate(rows, start=2):
        if None in row or None in row.values():
            raise CaseError(f"line {line}", "row", "more or fewer cells than the header")
    return rows


def run_coding_case(row: dict[str, str], rules: CodingRules) -> CaseResult:
    """Code one case and compare lines, modifiers, edits and status."""
    read = read_row(row)
    if read.encounter is None:
        first = read.findings[0]
        raise CaseError(read.case_id, first.where, first.message)
    expected = read_expected(row, read)
    submitted = read.submitted if read.task == "SCRUB" else None
    coded = code_visit(read.encounter, rules, read.encounter.known_day, submitted=submitted)
    return CaseResult(read.case_id, tuple(mismatches(coded, expected)))


def read_expected(row: dict[str, str], read: Row) -> Expected:
    """The expected columns of a case; CaseError for a value outside the format."""

    def items(column: str) -> list[str]:
        return [item.strip() for item in row[column].split(";") if item.strip()]

    def edits(column: str) -> frozenset[str]:
        if unknown := [one for one in items(column) if one not in shipped_edits()]:
            raise CaseError(read.case_id, column, f"{unknown[0]!r} is not an edit")
        return frozenset(items(column))

    if row["expected_status"] not in STATUSES:
        raise CaseError(read.case_id, "expected_status", f"is not one of {', '.join(STATUSES)}")
    text = row["expected"].strip()
    try:
        lines = read.submitted if text == AS_SUBMITTED else read_lines(text)
    except ValueError as error:
        raise CaseError(read.case_id, "expected", str(error)) from None
    return Expected(
        lines=lines,
        required=tuple(tuple(item.split("|")) for item in items("mods_required")),
        allowed=frozenset(items("mods_allowed")),
        forbidden=frozenset(items("mods_forbidden")),
        edits=edits("expected_edits"),
        tolerated=edits("edits_tolerated"),
        status=row["expected_status"],
    )


def mismatches(coded: CodedVisit, expected: Expected) -> Iterator[str]:
    """A sentence for each thing that came out otherwise than expected."""
    yield from _line_mismatches(coded, expected)
    fired = {one.code for one in coded.findings}
    catalog = shipped_edits()
    for edit in sorted(expected.edits - fired):
        if catalog[edit].severity in _SCORED:
            yield f"expected_edits: {edit} did not fire"
    for edit in sorted(fired - expected.edits - expected.tolerated):
        if catalog[edit].severity is EditSeverity.ERROR:
            yield f"expected_edits: {edit} fired"
    if coded.status != expected.status:
        yield f"expected_status: expected {expected.status}, got {coded.status}"


def _line_mismatches(coded: CodedVisit, expected: Expected) -> Iterator[str]:
    wanted = Counter((line.code, line.units) for line in expected.lines)
    got = Counter((line.code, line.units) for line in coded.lines)
    told = f"expected {lines_text(expected.lines)}, got {lines_text(coded.lines)}"
    if wanted != got:
        yield f"expected: {told}"
        return
    left = list(coded.lines)
    for position, line in enumerate(expected.lines):
        found = _match(line, left)
        left.remove(found)
        if line.place is not None and found.place != line.place:
            yield f"expected: {told}"
        missing = [one for one in line.modifiers if one not in found.modifiers]
        if [one for one in missing if not _excused(one, expected)]:
            yield f"expected: {told}"
        if position == 0:
            yield from _principal_mismatches(found, expected)


def _match(line: Line, left: list[Line]) -> Line:
    """The line of this code and these units; of several the one most alike."""
    alike = [one for one in left if (one.code, one.units) == (line.code, line.units)]
    return max(alike, key=lambda one: (one.place == line.place, one.modifiers == line.modifiers))


def _excused(modifier: str, expected: Expected) -> bool:
    alternatives = any(modifier in one and len(one) > 1 for one in expected.required)
    return alternatives or modifier in expected.allowed


def _principal_mismatches(found: Line, expected: Expected) -> Iterator[str]:
    for alternatives in expected.required:
        if not {*alternatives} & {*found.modifiers}:
            yield f"mods_required: {'|'.join(alternatives)} is not on {found.text}"
    for modifier in sorted(expected.forbidden & {*found.modifiers}):
        yield f"mods_forbidden: {modifier} is on {found.text}"

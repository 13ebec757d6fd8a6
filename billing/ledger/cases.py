"""Case files: patient stories a biller can read, one a line, with what should come out.

Owns the columns and closed word lists of the case format (docs/case-files.md), running a story
and comparing. Does not own zones: turning an instant into a local day is an argument.
"""

import csv
import io
from dataclasses import dataclass
from typing import Any

import pandas as pd

from billing.days import day_date
from billing.ledger.case_facts import facts_of_case
from billing.ledger.case_text import SCORED_EDITS, CaseError, LocalDay, read_case
from billing.ledger.evaluate import evaluate
from billing.ledger.outcome import Outcome
from billing.rules.book import RuleBook

COLUMNS = (
    "case_id",
    "topic",
    "scope",
    "payer",
    "setting",
    "tz",
    "setup_on",
    "setup_billed",
    "consent_on",
    "established",
    "episode_end",
    "end_reason",
    "devices",
    "readings",
    "time_log",
    "other_services",
    "flags",
    "policy",
    "as_of",
    "expect_windows",
    "expect_time",
    "expect_lines",
    "expect_edits",
)
"""Columns that are read; basis, confidence, rules, source and why may follow and are not scored."""

_UNSCORED = ("basis", "confidence", "rules", "source", "why")


@dataclass(frozen=True)
class CaseResult:
    """One case, and a line for each column that came out otherwise than expected."""

    case_id: str
    mismatches: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """Whether everything came out as expected."""
        return not self.mismatches


def run_cases(text: str, book: RuleBook, local_day: LocalDay) -> list[CaseResult]:
    """Run every case of a file; CaseError for a file or a value outside the format."""
    return [run_case(row, book, local_day) for row in read_rows(text)]


def read_rows(text: str) -> list[dict[str, str]]:
    """The rows of a case file; CaseError for missing or unknown columns and uneven rows."""
    reader = csv.DictReader(io.StringIO(text), strict=True)
    try:
        names = tuple(reader.fieldnames or ())
        rows = list(reader)
    except csv.Error:
        problem = "a quote that is not closed, or text behind one"
        raise CaseError(f"line {reader.reader.line_num}", "row", problem) from None
    missing = [name for name in COLUMNS if name not in names]
    unknown = [name for name in names if name not in (*COLUMNS, *_UNSCORED)]
    if missing or unknown:
        raise CaseError("header", ", ".join(missing + unknown), "columns missing or unknown")
    for line, row in enumerate(rows, start=2):
        if None in row or None in row.values():
            raise CaseError(f"line {line}", "row", "more or fewer cells than the header")
    return rows


def run_case(row: dict[str, str], book: RuleBook, local_day: LocalDay) -> CaseResult:
    """Run one case and compare windows, seconds, lines and edits, each exactly."""
    case = read_case(row, book, local_day)
    outcome = evaluate(facts_of_case(case), book, case.as_of, case.as_of)
    found = {
        "expect_windows": windows_text(outcome),
        "expect_time": time_text(outcome),
        "expect_lines": lines_text(outcome),
        "expect_edits": edits_text(outcome),
    }
    mismatches = [
        f"{column}: expected {row[column] or '(blank)'}, got {value or '(blank)'}"
        for column, value in found.items()
        if _normal(column, row[column]) != value
    ]
    return CaseResult(row["case_id"], tuple(mismatches))


def _normal(column: str, expected: str) -> str:
    """Expected lines by date then code, edits by code: order in the file does not matter."""
    parts = [part.strip() for part in expected.split(";") if part.strip()]
    if column == "expect_lines" and parts != ["NONE"]:
        parts.sort(key=lambda part: (part.partition("@")[2], part))
    if column == "expect_edits":
        parts.sort()
    return ";".join(parts)


def windows_text(outcome: Outcome) -> str:
    """Windows as ``start..end:days:state``, by start."""
    rows = _columns(outcome.periods, "kind", "start_day", "end_day", "days", "state")
    return ";".join(
        f"{day_date(start)}..{day_date(end)}:{days}:{state}"
        for kind, start, end, days, state in sorted(rows, key=lambda row: row[1])
        if kind == "device-supply-30"
    )


def time_text(outcome: Outcome) -> str:
    """Counted seconds as ``YYYY-MM:seconds`` for every month with an entry."""
    rows = _columns(outcome.periods, "kind", "start_day", "seconds")
    return ";".join(
        f"{day_date(start):%Y-%m}:{seconds}"
        for kind, start, seconds in sorted(rows, key=lambda row: row[1])
        if kind == "calendar-month"
    )


def lines_text(outcome: Outcome) -> str:
    """Lines as ``code*units@service day``, by date then code; ``NONE`` without any."""
    lines = sorted(
        (day_date(day).isoformat(), f"{code}*{units}")
        for day, code, units in _columns(outcome.events, "service_day", "code", "units")
    )
    return ";".join(f"{line}@{day}" for day, line in lines) or "NONE"


def _columns(rows: pd.DataFrame, *names: str) -> list[tuple[Any, ...]]:
    return list(zip(*(rows[name].tolist() for name in names), strict=True))


def edits_text(outcome: Outcome) -> str:
    """Codes of findings that the case format knows, each once; ``NONE`` without any."""
    codes = sorted(set(outcome.findings["code"]) & SCORED_EDITS)
    return ";".join(codes) or "NONE"

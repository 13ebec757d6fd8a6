"""A batch of visits: rows of the case columns in, their lines, edits, status and amount out.

Owns the columns that come out. Does not own files, nor the coding of one visit (``code_visit``).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from billing.coding.code_visit import code_visit
from billing.coding.coded import CodedVisit
from billing.coding.encounter_text import COLUMNS, read_row
from billing.coding.lines import lines_text
from billing.coding.rules import CodingRules
from billing.days import day_number
from billing.finding import Finding
from billing.money import cents_to_text
from billing.rules.edits import EditTables
from billing.rules.fees import FeeSchedules

ADDED = ("lines", "edits", "status", "amount")
"""Columns that coding adds: lines and edits as case files write them, dollars of all lines."""
OPTIONAL = ("submitted",)
"""A column that may follow the others: lines to judge, on rows of the task SCRUB."""


@dataclass(frozen=True)
class CodedRow:
    """One row as coded, or the findings for which it was refused."""

    coded: CodedVisit | None
    refused: tuple[Finding, ...]

    @property
    def cells(self) -> tuple[str, ...]:
        """The added columns; the amount is empty unless every line's is known."""
        coded = self.coded
        if coded is None:
            return ()
        edits = ";".join(sorted({one.code for one in coded.findings}))
        known = coded.lines and len(coded.amounts) == len(coded.lines)
        amount = cents_to_text(sum(coded.amounts.values())) if known else ""
        return lines_text(coded.lines), edits, coded.status, amount


@dataclass(frozen=True)
class Batch:
    """What every row of a batch is coded with; ``known_day`` None: each row's own."""

    rules: CodingRules
    fees: FeeSchedules
    known_day: date | None = None
    edits: EditTables | None = None  # loaded NCCI tables

    def code(self, row: Mapping[str, str]) -> CodedRow:
        """One row coded; a row that cannot be read is refused with a finding for each reason."""
        read = read_row(row)
        if read.encounter is None:
            return CodedRow(None, read.findings)
        known_day = self.known_day or read.encounter.known_day
        submitted = read.submitted if read.task == "SCRUB" else None
        day = day_number(read.encounter.dos)
        coded = code_visit(
            read.encounter,
            self.rules,
            known_day,
            submitted=submitted,
            fees=self.fees,
            pairs=None if self.edits is None else self.edits.on(day),
        )
        return CodedRow(coded, ())


def header_problems(names: Sequence[str]) -> tuple[str, ...]:
    """Columns that a batch lacks, names that it does not know, and names that stand twice."""
    known = (*COLUMNS, *OPTIONAL)
    return (
        *(f"{name} is missing" for name in COLUMNS if name not in names),
        *(
            f"column {place} is not known"
            for place, name in enumerate(names, 1)
            if name not in known
        ),
        *(f"{name} stands twice" for name in known if list(names).count(name) > 1),
    )

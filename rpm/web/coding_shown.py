"""How a coded visit looks in answers: lines with amounts, reasons, and every edit with its fix.

Owns these shapes. Does not own coding (``billing.coding``).
"""

from datetime import date

from pydantic import BaseModel, Field

from billing.coding.catalog import shipped_edits
from billing.coding.coded import CodedVisit, EditFinding
from billing.coding.lines import Line, lines_text
from billing.finding import Finding


class ShownLine(BaseModel):
    """One line as it would leave."""

    code: str = Field(examples=["99214"])
    modifiers: list[str] = Field(examples=[["95"]])
    place: str | None = Field(description="Place of service; null where it is not settled.")
    units: int
    cents: int | None = Field(description="For all units; null where no amount is known.")


class ShownEdit(BaseModel):
    """An edit that fired."""

    edit: str = Field(examples=["TH-POS-01"])
    severity: str = Field(description="`ERROR`, `REVIEW`, `WARN` or `INFO`.")
    where: str = Field(examples=["line 1, 99214"])
    message: str
    fix: str
    likely_answer: str = Field(description="What a payer would probably send: a hint.")
    confidence: str = Field(description="A primary text, B society, C one vendor, U unverified.")
    sources: list[str]


class ShownAlternative(BaseModel):
    """Other lines that would have been possible, or what it would take."""

    lines: str = Field(examples=["99213@10"])
    reason: str


class ShownCoding(BaseModel):
    """A visit as it is coded on a day; nothing of it is stored."""

    known_day: date = Field(description="The day whose rules judged.")
    status: str = Field(description="`CLEAN`, `FIX`, `REVIEW` or `BLOCK`.")
    lines: list[ShownLine]
    text: str = Field(description="The lines as people write them.", examples=["99214@10"])
    amount_cents: int | None = Field(description="Null unless every line's amount is known.")
    reasons: list[str]
    alternatives: list[ShownAlternative]
    edits: list[ShownEdit]
    unsettled: list[str] = Field(description="What the rules leave open.")


def shown_coding(coded: CodedVisit, known_day: date) -> ShownCoding:
    """A coded visit as answers carry it."""
    return ShownCoding(
        known_day=known_day,
        status=coded.status,
        lines=[_line(line, coded.amounts.get(n)) for n, line in enumerate(coded.lines)],
        text=lines_text(coded.lines),
        amount_cents=total_cents(coded),
        reasons=list(coded.reasons),
        alternatives=[
            ShownAlternative(lines=lines_text(one.lines), reason=one.reason)
            for one in coded.alternatives
        ],
        edits=[shown_edit(one) for one in coded.findings],
        unsettled=list(coded.unsettled),
    )


def total_cents(coded: CodedVisit) -> int | None:
    """The amount of all lines; None unless every one is known."""
    known = coded.lines and len(coded.amounts) == len(coded.lines)
    return sum(coded.amounts.values()) if known else None


def _line(line: Line, cents: int | None) -> ShownLine:
    return ShownLine(
        code=line.code,
        modifiers=list(line.modifiers),
        place=line.place,
        units=line.units,
        cents=cents,
    )


def shown_edit(finding: Finding) -> ShownEdit:
    """An edit that fired, with what the catalog says of it."""
    edit = shipped_edits()[finding.code]
    weight = finding.weight if isinstance(finding, EditFinding) else edit.severity.value
    return ShownEdit(
        edit=edit.id,
        severity=weight,
        where=finding.where,
        message=finding.message,
        fix=edit.fix,
        likely_answer=edit.likely_answer,
        confidence=edit.confidence,
        sources=[] if edit.source is None else list(edit.source.ids),
    )

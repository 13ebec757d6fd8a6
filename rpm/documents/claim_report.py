"""The figures of a month as a report on paper: each with its definition and its last twelve months.

Owns how it is told. Does not own the figures (``rpm.actions.claim_figures``) nor its tables
(``rpm.actions.claim_tables``). It names no patient.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from billing.claims.figures.figure import Figure
from billing.claims.figures.monthly import MonthOfClaims
from rpm.actions.claim_figures import CLAIMS, HEALTH, ClaimYear
from rpm.actions.claim_tables import (
    MONEY,
    Cell,
    Table,
    aging_table,
    group_tables,
    made_of,
    owed_table,
    shown,
)
from rpm.documents.sheet import Sheet
from rpm.written import dollars, us_day, us_month

_BAR, _GAP, _HIGH, _DOWN = 11, 3, 30, 12
_INK, _PALE = (31, 95, 139), (172, 196, 214)
_MOST_ROWS = 12
_ROOM = 100  # points that a figure needs at most


def claim_report(
    practice: str,
    year: ClaimYear,
    month: MonthOfClaims,
    health: Mapping[str, Figure],
    made_at: datetime,
) -> bytes:
    """The report of a month; the same figures give the same bytes."""
    named = us_month(month.span.first)
    sheet = Sheet(
        title=f"Claim figures, {named}",
        head=f"{practice}: claim figures, {named}",
        foot=f"As of {us_day(year.today)}",
        made_at=made_at,
    )
    sheet.title_line(f"Claim figures, {named}")
    sheet.quiet_line(
        f"{us_day(month.span.first)} to {us_day(month.span.last)}, with what was known on"
        f" {us_day(year.today)}. The bars are the last {len(year.months)} months, the dark one is"
        " this month."
    )
    sheet.heading("Claims and money")
    for key in CLAIMS:
        _figure(sheet, month.figures[key], [one.figures[key] for one in year.months], year, month)
    _owed(sheet, month)
    for key, title in (("denials", "Denials"), ("rejections", "Rejections")):
        sheet.heading(title)
        _groups(sheet, group_tables(year, month, key))
    sheet.heading("Health of monitored patients")
    for key in HEALTH:
        _words(sheet, health[key])
    _not_in_it(sheet, year)
    return sheet.data()


def _figure(
    sheet: Sheet,
    figure: Figure,
    all_months: Sequence[Figure],
    year: ClaimYear,
    month: MonthOfClaims,
) -> None:
    sheet.room(_ROOM)
    top, margin = sheet.get_y(), sheet.r_margin
    width = len(all_months) * (_BAR + _GAP)
    left = sheet.w - margin - width
    sheet.set_right_margin(margin + width + _BAR)
    _words(sheet, figure)
    sheet.set_right_margin(margin)
    below = sheet.get_y()
    values = [one.value for one in all_months]
    sheet.set_draw_color(*_PALE)
    sheet.line(left, top + _DOWN + _HIGH, left + width - _GAP, top + _DOWN + _HIGH)
    most = max((one for one in values if one is not None), default=Decimal(0))
    for place, (value, one) in enumerate(zip(values, year.months, strict=True)):
        sheet.set_fill_color(*(_INK if one is month else _PALE))
        high = float((value or 0) / most) * _HIGH if most > 0 else 0.0
        x = left + place * (_BAR + _GAP)
        if value is not None:
            sheet.rect(x, top + _DOWN + _HIGH - high, _BAR, high, style="F")
    sheet.set_y(below)


def _words(sheet: Sheet, figure: Figure) -> None:
    sheet.subheading(f"{figure.definition.title}: {shown(figure)}")
    sheet.text_line(made_of(figure) if figure.value is not None else "Nothing to measure yet.")
    sheet.quiet_line(figure.definition.text)
    sheet.quiet_line(
        f"Numerator: {figure.definition.numerator}. Denominator: {figure.definition.denominator}."
    )


def _owed(sheet: Sheet, month: MonthOfClaims) -> None:
    sheet.heading(f"What is owed at the end of {us_day(month.span.last)}")
    aging = aging_table(month.receivable)
    sheet.grid(aging.columns, _texts(aging), (26, 18, 18, 18, 12), right=(1, 2, 3, 4))
    owed = owed_table(month.receivable)
    sheet.grid(owed.columns, _texts(owed), (60, 20), right=(1,))


def _groups(sheet: Sheet, tables: Sequence[Table]) -> None:
    if not any(table.rows for table in tables):
        sheet.text_line("None in the month.")
    for table in tables:
        if table.rows:
            sheet.subheading(table.title)
            rows = _texts(table)
            sheet.grid(table.columns, rows[:_MOST_ROWS], (50, 12, 12, 12, 16), right=(1, 2, 3, 4))
            if len(rows) > _MOST_ROWS:
                sheet.quiet_line(f"And {len(rows) - _MOST_ROWS} more.")


def _not_in_it(sheet: Sheet, year: ClaimYear) -> None:
    count, cents = year.unmatched
    if count:
        sheet.heading("Not in these figures")
        answers = "answer names" if count == 1 else "answers name"
        sheet.text_line(f"{count} {answers} no claim of the practice; paid: {dollars(cents)}.")


def _texts(table: Table) -> list[list[str]]:
    return [
        [_text(name, value) for name, value in zip(table.columns, row, strict=True)]
        for row in table.rows
    ]


def _text(column: str, value: Cell) -> str:
    if value is None:
        return ""
    if column in MONEY and isinstance(value, Decimal):
        return dollars(int(value * 100))
    return f"{value:,}" if isinstance(value, int) else str(value)

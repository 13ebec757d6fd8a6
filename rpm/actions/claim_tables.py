"""Figures of claims as tables: for a page, a spreadsheet and a printed report.

Owns which tables there are, their columns and words. Does not own the figures
(``rpm.actions.claim_figures``) nor the form of a file. Cells are text, whole numbers, amounts in
dollars, or None where nothing is known.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from billing.claims.answer_codes import adjustment_told, told
from billing.claims.figures.definitions import DEFINITIONS, Unit
from billing.claims.figures.figure import Figure, Group
from billing.claims.figures.monthly import MonthOfClaims
from billing.claims.figures.rates import BY
from billing.claims.figures.receivable import Receivable
from billing.claims.table import csv_table
from rpm.actions.claim_figures import HEALTH, ClaimYear
from rpm.written import dollars

Cell = str | int | Decimal | None
MONEY = frozenset(("Payers owe", "Patients owe", "Together", "Amount", "Refused"))
"""Columns of dollars."""
_GROUP_LETTERS = 2  # of an adjustment group, such as CO


@dataclass(frozen=True)
class Table:
    """A table with its title."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]


def shown(figure: Figure) -> str:
    """The value for people: ``83.3 %``, ``12.4 days``, ``$51.20``; a dash where there is none."""
    value = figure.value
    if value is None:
        return "–"
    unit = figure.definition.unit
    if unit is Unit.CENTS:
        return dollars(int(value))
    return f"{value} {'%' if unit is Unit.PERCENT else 'days'}"


def made_of(figure: Figure) -> str:
    """The two numbers in words: ``12 of 15``, or amounts."""
    if figure.key in {"denied-amount", "net-collection", "expected-paid"}:
        return f"{dollars(figure.numerator)} of {dollars(figure.denominator)}"
    if figure.key == "revenue-per-patient":
        return f"{dollars(figure.numerator)} for {_counted(figure.denominator, 'patient')}"
    if figure.key == "payment-lag":
        days, claims = figure.numerator, figure.denominator
        return f"{_counted(days, 'day')} over {_counted(claims, 'claim')}"
    if figure.key == "days-in-ar":
        owed = _counted(len(figure.claims), "claim")
        return f"{owed} not settled, {dollars(figure.denominator)} charged"
    return f"{figure.numerator:,} of {figure.denominator:,}"


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what if count == 1 else f'{what}s'}"


def figures_table(year: ClaimYear) -> Table:
    """Every figure of every month."""
    rows = [
        (f"{month.span.first:%Y-%m}", *_figure_cells(figure))
        for month in year.months
        for figure in month.figures.values()
    ]
    columns = ("Month", "Figure", "Value", "Unit", "Numerator", "Denominator")
    return Table("Figures", columns, tuple(rows))


def figures_csv(year: ClaimYear) -> bytes:
    """The same as CSV."""
    table = figures_table(year)
    lines = (
        {
            name: "" if value is None else str(value)
            for name, value in zip(table.columns, row, strict=True)
        }
        for row in table.rows
    )
    return csv_table(table.columns, ("Value", "Numerator", "Denominator"), lines)


def health_table(figures: Mapping[str, Figure]) -> Table:
    """Value-based figures of a month."""
    columns = ("Figure", "Value", "Unit", "Numerator", "Denominator")
    return Table("Health", columns, tuple(_figure_cells(figures[key]) for key in HEALTH))


def _figure_cells(figure: Figure) -> tuple[Cell, ...]:
    unit = figure.definition.unit
    value = figure.value
    if unit is Unit.CENTS and value is not None:
        value = value / 100
    name = "dollars" if unit is Unit.CENTS else unit.value
    return figure.definition.title, value, name, figure.numerator, figure.denominator


def aging_table(owed: Receivable) -> Table:
    """What is owed by days since the claim first left."""
    rows = [
        (
            one.name,
            _dollars(one.payer_cents),
            _dollars(one.patient_cents),
            _dollars(one.cents),
            len(one.claims),
        )
        for one in owed.buckets
    ]
    columns = ("Days since sending", "Payers owe", "Patients owe", "Together", "Claims")
    return Table("Aging", columns, tuple(rows))


def owed_table(owed: Receivable) -> Table:
    """Where each cent of it is, and what is not part of it."""
    rows = (
        ("No answer that stands", _dollars(owed.awaited_cents)),
        ("Refused, and neither corrected nor given up", _dollars(owed.refused_cents)),
        ("Answers that do not add up to the charge", _dollars(owed.unexplained_cents)),
        ("Patients' shares", _dollars(owed.patient_cents)),
        ("Owed", _dollars(owed.cents)),
        ("Not in it: paid beyond the charge", _dollars(owed.credit_cents)),
        ("Not in it: claims that have not left", _dollars(owed.unsent_cents)),
    )
    return Table("Owed", ("What", "Amount"), rows)


def group_tables(year: ClaimYear, month: MonthOfClaims, key: str) -> list[Table]:
    """Rejections or denials of a month, by payer, code and reason."""
    title = DEFINITIONS[key].title.split(" ")[0]
    return [
        Table(
            f"{title}s by {by}",
            (by.capitalize(), "Rate", "Claims", "Of", "Refused"),
            tuple(_group_cells(year, by, one) for one in month.groups[key, by]),
        )
        for by in BY
    ]


def _group_cells(year: ClaimYear, by: str, one: Group) -> tuple[Cell, ...]:
    figure = one.figure
    return (
        group_name(year, by, one.name),
        None if figure.value is None else f"{figure.value} %",
        figure.numerator,
        figure.denominator,
        _dollars(one.cents) if figure.key == "denials" else None,
    )


def group_name(year: ClaimYear, by: str, name: str) -> str:
    """A group for people: a payer's name, a reason with our words for it."""
    if by != "reason":
        return year.named(by, name)
    group, dash, reason = name.partition("-")
    category, colon, status = name.partition(":")
    if colon:
        return f"{told('category', category)}: {told('status', status)}"
    return adjustment_told(group, reason) if dash and len(group) == _GROUP_LETTERS else name


def definitions_table(keys: Iterable[str]) -> Table:
    """What the figures are, with their two numbers."""
    rows = [
        (one.title, one.text, one.numerator, one.denominator)
        for one in (DEFINITIONS[key] for key in keys)
    ]
    columns = ("Figure", "Definition", "Numerator", "Denominator")
    return Table("Definitions", columns, tuple(rows))


def all_tables(
    year: ClaimYear, month: MonthOfClaims, health: Mapping[str, Figure]
) -> Sequence[Table]:
    """What a workbook and a report of a month hold."""
    return [
        figures_table(year),
        aging_table(month.receivable),
        owed_table(month.receivable),
        *group_tables(year, month, "denials"),
        *group_tables(year, month, "rejections"),
        health_table(health),
        definitions_table(DEFINITIONS),
    ]


def _dollars(cents: int) -> Decimal:
    return Decimal(cents) / 100

"""CMS's fee schedule files: relative value units (PPRRVU) and locality factors (GPCI).

Owns what is kept of them: units of codes that the product knows, never a description, and the
factors of every locality. Does not own opening files (``rpm.imports``) nor amounts (``fees``).
"""

import re
from calendar import month_abbr
from collections.abc import Collection, Iterable
from datetime import date
from decimal import Decimal

from billing.rules.cms_sheet import Cells, NotATableError, Row, Sheet, open_sheet
from billing.rules.edits import LoadedTable
from billing.rules.fields import RuleError

UNITS, FACTORS = "rvu", "gpci"
FEE_KINDS = (UNITS, FACTORS)
LOCALITY = re.compile(r"[0-9]{5}-[0-9]{2}")
"""Contractor and locality number, as 01112-05."""

_MONTHS = {name.lower(): number for number, name in enumerate(month_abbr) if name}
_MONTH = "|".join(_MONTHS)
_TITLE = re.compile(rf"(20\d\d) national physician fee schedule.*?\b({_MONTH})[a-z]* release")
_NAME = re.compile(rf"pprrvu(?:20)?(\d\d)[-_]?({_MONTH})", re.IGNORECASE)
_QUALIFYING = re.compile(r"(?<!non)(?<!non[-_])qpp", re.IGNORECASE)
_CONTRACTOR, _STATE, _NUMBER = (
    re.compile(shape) for shape in ("[0-9]{4,5}", "[A-Z]{2}", "[0-9]{1,2}")
)


def read_fees(
    name: str, rows: Iterable[Row], sha256: str, known: Collection[str], begins: date | None = None
) -> LoadedTable:
    """What is kept of one file; RuleError naming file and line for one that is damaged or foreign.

    ``begins`` is the first service day of the units where neither title nor name tells their
    release, or where a release begins within a quarter.
    """
    sheet = open_sheet(name, rows)
    if sheet.has("work rvu", "conv factor"):
        if _QUALIFYING.search(name):
            raise NotATableError(name, 1, "of the factor of qualifying participants: take nonQPP")
        return _units(sheet, sha256, known, begins)
    if sheet.has("pw gpci", "locality number"):
        return _factors(sheet, sha256)
    raise NotATableError(name, 1, "neither relative value units nor locality factors")


def _units(sheet: Sheet, sha256: str, known: Collection[str], begins: date | None) -> LoadedTable:
    from_day = begins or _release(sheet)
    code_at, modifier_at = sheet.column("hcpcs"), sheet.column("mod")
    status_at, factor_at = sheet.column("status", "code"), sheet.column("conv factor")
    work_at, malpractice_at = sheet.column("work rvu"), sheet.column("mp rvu")
    practice_at = sheet.column("non-fac", "pe rvu"), sheet.column("facility pe rvu", but="non-fac")
    total_at = sheet.column("non-fac", "total"), sheet.column("facility total", but="non-fac")
    count, codes, factors = 0, [], set()
    for line, raw in sheet.rows:
        cells = Cells(sheet.name, line, raw)
        code = cells.code(code_at)
        factor = cells.amount(factor_at)
        count += 1
        if code not in known or cells.text(modifier_at):
            continue
        work, malpractice = cells.amount(work_at), cells.amount(malpractice_at)
        practice = [cells.amount(column) for column in practice_at]
        for part, column in zip(practice, total_at, strict=True):
            if Decimal(work) + Decimal(part) + Decimal(malpractice) != Decimal(
                cells.amount(column)
            ):
                raise cells.error(column, "the sum of work, practice expense and malpractice")
        factors.add(factor)
        codes.append([code, cells.text(status_at), work, *practice, malpractice])
    if len(factors) != 1:
        raise RuleError(sheet.name, 1, "not one conversion factor for the codes of the product")
    if len({row[0] for row in codes}) != len(codes):
        raise RuleError(sheet.name, 1, "a code stands twice")
    content = {"rows": count, "factor": factors.pop(), "codes": codes}
    last = date(from_day.year, 12, 31)
    return LoadedTable(UNITS, from_day.isoformat(), from_day, last, sheet.name, sha256, content)


def _release(sheet: Sheet) -> date:
    titles = [found for text in sheet.head for found in _TITLE.finditer(text)]
    names = list(_NAME.finditer(sheet.name))
    told = {
        date(int(found[1]) % 100 + 2000, _MONTHS[found[2].lower()], 1) for found in titles + names
    }
    if len(told) != 1:
        reason = "not one release is told by title and name: name its first service day with --from"
        raise RuleError(sheet.name, 1, reason)
    return told.pop()


def _factors(sheet: Sheet, sha256: str) -> LoadedTable:
    contractor_at, state_at = 0, sheet.column("state")
    number_at, name_at = sheet.column("locality number"), sheet.column("locality name")
    floored = any("pw gpci" in text and "with 1.0 floor" in text for text in sheet.head)
    work_at = sheet.column("pw gpci", "with 1.0 floor") if floored else sheet.column("pw gpci")
    factor_at = work_at, sheet.column("pe gpci"), sheet.column("mp gpci")
    year = _year(sheet, work_at)
    count, localities = 0, []
    for line, raw in sheet.rows:
        cells = Cells(sheet.name, line, raw)
        if not any(cells.text(column) for column in range(1, len(raw))):
            continue  # a note below the table
        contractor = cells.shaped(contractor_at, _CONTRACTOR, "a contractor's number").zfill(5)
        number = cells.shaped(number_at, _NUMBER, "a locality's number").zfill(2)
        cells.shaped(state_at, _STATE, "a state")
        count += 1
        factors = [cells.amount(column) for column in factor_at]
        localities.append([f"{contractor}-{number}", cells.text(name_at), *factors])
    if len({row[0] for row in localities}) != len(localities):
        raise RuleError(sheet.name, 1, "a locality stands twice")
    content = {"rows": count, "localities": localities}
    first, last = date(year, 1, 1), date(year, 12, 31)
    return LoadedTable(FACTORS, str(year), first, last, sheet.name, sha256, content)


def _year(sheet: Sheet, column: int) -> int:
    found = re.search(r"20\d\d", sheet.head[column]) or re.search(r"20\d\d", sheet.name)
    if found is None:
        raise RuleError(sheet.name, 1, "neither head nor name tells the year")
    return int(found[0])

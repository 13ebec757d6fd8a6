"""CMS's quarterly NCCI files for practitioners: pairs, unit limits and add-on codes.

Owns what is kept of them: rows of codes that the product knows, never a description (the AMA
holds those). Does not own opening files (``rpm.imports``) nor which quarter a service day takes
(``edits``).

Layouts as CMS publishes them: seven columns of pairs with days as 20240701 and ``*`` for none;
unit limits with the words of their indicator; add-ons with days as year and day of year, 2024183.
The last day of a deleted pair or add-on is still in force.
"""

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import date
from typing import Any

from billing.rules.cms_sheet import Cells, NotATableError, Row, Sheet, open_sheet
from billing.rules.edits import ADDONS, LIMITS, PAIRS, LoadedTable
from billing.rules.fields import RuleError

QUARTER = re.compile(r"20[0-9]{2}Q[1-4]")
_FIRST_YEAR_OF_VERSIONS = 1994
"""Version v303 is the fourth quarter of 2024."""
_NOT_OURS = re.compile(
    r"ccioph|outpatient|hospital|supplier|(?<![a-z])dme|medicaid|mcd", re.IGNORECASE
)
_PLAIN_DAY, _DAY_OF_YEAR = "%Y%m%d", "%Y%j"
_BASE = re.compile(r"[0-9A-Z]{5}")
_TYPES = range(1, 4)


def read_ncci(
    name: str,
    rows: Iterable[Row],
    sha256: str,
    known: Collection[str],
    billable: Collection[str],
    quarter: str | None = None,
    visits: Collection[str] = (),
) -> LoadedTable:
    """What is kept of one file; RuleError naming file and line for one that is damaged or foreign.

    ``known`` are the codes of the product, ``billable`` those of them that can leave on a line: of
    pairs are kept those of which one code is billable, or both are ``visits``: codes that coding
    speaks of, whose limits are kept too. ``quarter`` is asked for where the name does not tell it,
    and must not contradict it.
    """
    if _NOT_OURS.search(name):
        raise RuleError(name, 1, "a table of hospitals, suppliers or Medicaid: practitioners' only")
    sheet = open_sheet(name, rows)
    kind = next((kind for kind, words in _HEADS.items() if sheet.has(*words)), None)
    if kind is None:
        raise NotATableError(name, 1, "not a practitioners' table of pairs, unit limits or add-ons")
    edition = _quarter(name, quarter)
    if kind == PAIRS:
        kept = _pairs(sheet, billable, frozenset(visits))
    else:
        kept = _READERS[kind](sheet, {*known, *visits} if kind == LIMITS and visits else known)
    if visits and kind != ADDONS:
        kept["visits"] = True
    if not kept["rows"]:
        raise RuleError(name, 1, "no rows")
    return LoadedTable(kind, edition, first_day(edition), None, name, sha256, kept)


def first_day(quarter: str) -> date:
    """The day on which a quarter begins."""
    return date(int(quarter[:4]), int(quarter[5]) * 3 - 2, 1)


def _quarter(name: str, given: str | None) -> str:
    told = set()
    for found in re.finditer(r"(20\d\d)[-_ ]?q([1-4])(?!\d)", name, re.IGNORECASE):
        told.add(f"{found[1]}Q{found[2]}")
    for found in re.finditer(r"v(\d\d)([0-3])r\d", name, re.IGNORECASE):
        told.add(f"{_FIRST_YEAR_OF_VERSIONS + int(found[1])}Q{int(found[2]) + 1}")
    for found in re.finditer(r"eff[-_](0[147]|10)-01-(20\d\d)", name, re.IGNORECASE):
        told.add(f"{found[2]}Q{(int(found[1]) + 2) // 3}")
    if given is not None:
        told.add(given)
    if not told:
        raise RuleError(name, 1, "its name tells no quarter: name one with --quarter")
    if len(told) > 1:
        raise RuleError(name, 1, f"two quarters are told: {', '.join(sorted(told))}")
    return told.pop()


def _pairs(sheet: Sheet, billable: Collection[str], visits: frozenset[str]) -> dict[str, Any]:
    one, other = sheet.column("column 1"), sheet.column("column 2")
    begins, ends = sheet.column("effective"), sheet.column("deletion")
    indicator, rationale = sheet.column("modifier"), sheet.column("rationale")
    first = last = ("", "")
    count, pairs = 0, []
    for line, raw in sheet.rows:
        cells = Cells(sheet.name, line, raw)
        pair = cells.code(one), cells.code(other)
        from_day, to_day = cells.day(begins, _PLAIN_DAY), cells.day_or_none(ends, _PLAIN_DAY)
        if cells.text(indicator) not in {"0", "1", "9"}:
            raise cells.error(indicator, "an indicator: 0, 1 or 9")
        first, last = (min(first, pair) if count else pair), max(last, pair)
        count += 1
        if pair[0] in billable or pair[1] in billable or visits.issuperset(pair):
            row = (*pair, int(cells.text(indicator)), from_day, to_day, cells.text(rationale))
            pairs.append(list(row))
    return {"rows": count, "first": list(first), "last": list(last), "pairs": pairs}


def _limits(sheet: Sheet, known: Collection[str]) -> dict[str, Any]:
    code_at, units_at = sheet.column("code"), sheet.column("mue values")
    mai_at, rationale = sheet.column("adjudication indicator"), sheet.column("rationale")
    count, limits = 0, []
    for line, raw in sheet.rows:
        cells = Cells(sheet.name, line, raw)
        code, units = cells.code(code_at), cells.number(units_at, range(100_000))
        mai = re.match(r"([123])(?!\d)", cells.text(mai_at))
        if mai is None:
            raise cells.error(mai_at, "an adjudication indicator: 1, 2 or 3")
        count += 1
        if code in known:
            limits.append([code, units, int(mai[1]), cells.text(rationale)])
    return {"rows": count, "limits": limits}


def _addons(sheet: Sheet, known: Collection[str]) -> dict[str, Any]:
    addon_at, type_at = sheet.column("add-on_code"), sheet.column("aoc_edit_type")
    base_at = sheet.column("primary_code", but="deldt")
    begins, ends = sheet.column("aoc_edit_effdt"), sheet.column("aoc_edit_deldt")
    count, addons = 0, []
    for line, raw in sheet.rows:
        cells = Cells(sheet.name, line, raw)
        addon, base = cells.code(addon_at), cells.shaped(base_at, _BASE, "a code")
        kind = cells.number(type_at, _TYPES)
        days = cells.day(begins, _DAY_OF_YEAR), cells.day_or_none(ends, _DAY_OF_YEAR)
        count += 1
        if addon in known and base in known:
            addons.append([addon, base, kind, *days])
    return {"rows": count, "addons": addons}


_HEADS: Mapping[str, tuple[str, ...]] = {
    PAIRS: ("column 1", "column 2", "modifier"),
    LIMITS: ("practitioner services mue values", "adjudication indicator"),
    ADDONS: ("add-on_code", "primary_code", "aoc_edit_type"),
}
"""Words in the heads of each kind of table."""

_READERS: Mapping[str, Callable[[Sheet, Collection[str]], dict[str, Any]]] = {
    LIMITS: _limits,
    ADDONS: _addons,
}

"""Edit tables as a service day takes them: pairs, unit limits and add-ons of the newest quarters.

Owns the shape of tables that a practice loaded and the choice by service day: of each table the
newest quarter that has begun, the shipped one included. Does not own reading CMS's files
(``ncci_files``) nor the shipped edition (``pairs``).
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from billing.days import FAR_DAY, day_number
from billing.rules.ruleset import Code

PAIRS, LIMITS, ADDONS = "ptp", "mue", "add-on"
EDIT_KINDS = (PAIRS, LIMITS, ADDONS)
NEVER, WITH_MODIFIER, NOT_APPLICABLE = 0, 1, 9
"""Modifier indicators of a pair; 9 marks a pair that was taken back from its first day on."""


@dataclass(frozen=True)
class LoadedTable:
    """A table that a practice loaded from a file of CMS; ``content`` holds plain JSON values.

    ``edition`` is the quarter, ``2026Q4``, or for fee schedules the year; it counts from
    ``from_day`` on.
    """

    kind: str
    edition: str
    from_day: date
    to_day: date | None
    file_name: str
    sha256: str
    content: Mapping[str, Any]


@dataclass(frozen=True)
class PairEdit:
    """Two codes that may not stand together between two day numbers, both ends included."""

    column1: str  # paid
    column2: str
    indicator: int
    from_day: int
    to_day: int
    rationale: str


@dataclass(frozen=True)
class Edits:
    """What a service day takes of the loaded tables; None where no loaded table counts yet."""

    quarter: str
    pairs: Mapping[tuple[str, str], tuple[PairEdit, ...]] | None
    limits: Mapping[str, tuple[int, int]] | None  # code -> units, MAI
    addons: Mapping[str, tuple[str, ...]] | None  # add-on -> what it may attach to
    digest: str
    files: tuple[LoadedTable, ...] = field(repr=False)

    def tells_visits(self, kind: str) -> bool:
        """Whether the loaded tables of a kind hold the codes that coding of visits speaks of."""
        of_kind = [file for file in self.files if file.kind == kind]
        return bool(of_kind) and all(file.content.get("visits") for file in of_kind)

    def codes(self, codes: Mapping[str, Code]) -> dict[str, Code]:
        """A code table with these limits and add-ons; a code without either keeps what it has.

        Every entry is a new object: pages judge alike only under the same tables.
        """
        return {name: self._code(code) for name, code in codes.items()}

    def _code(self, code: Code) -> Code:
        limit = (self.limits or {}).get(code.code, (code.max_units, code.mai))
        bases = (self.addons or {}).get(code.code, ())
        addon_to = code.addon_to
        if bases and addon_to not in bases:
            addon_to = bases[0]
        return replace(code, max_units=limit[0], mai=limit[1], addon_to=addon_to)


class EditTables:
    """All loaded edit tables of a practice, in order of recording."""

    def __init__(self, tables: Iterable[LoadedTable], shipped_from_day: int) -> None:
        self.tables = tuple(table for table in tables if table.kind in EDIT_KINDS)
        self._shipped_from_day = shipped_from_day
        self._by_quarter: dict[str, Edits] = {}
        quarters = {table.edition: day_number(table.from_day) for table in self.tables}
        self._first_days = sorted((day, quarter) for quarter, day in quarters.items())

    @property
    def first_days(self) -> tuple[int, ...]:
        """Day numbers on which other tables begin to count, and where the shipped ones do."""
        if not self.tables:
            return ()
        return (*(day for day, _ in self._first_days), self._shipped_from_day)

    def on(self, day: int) -> Edits | None:
        """The tables of a day number; None where only the shipped ones count."""
        begun = [(first, quarter) for first, quarter in self._first_days if first <= day]
        if not begun:
            return None
        # the shipped edition takes over from older tables on its own first day
        first, quarter = begun[-1]
        if first < self._shipped_from_day <= day:
            return None
        if quarter not in self._by_quarter:
            self._by_quarter.setdefault(quarter, self._made(first, quarter))
        return self._by_quarter[quarter]

    def of_quarter(self, quarter: str) -> Edits | None:
        """The tables that count from a quarter's first day on; None for one not loaded."""
        return next((self.on(day) for day, name in self._first_days if name == quarter), None)

    def _made(self, day: int, quarter: str) -> Edits:
        chosen = {kind: self._newest(kind, day) for kind in EDIT_KINDS}
        files = tuple(table for kind in EDIT_KINDS for table in chosen[kind])
        named = sorted((one.kind, one.edition, one.sha256) for one in files)
        return Edits(
            quarter=quarter,
            pairs=_pairs(chosen[PAIRS]) if chosen[PAIRS] else None,
            limits=_limits(chosen[LIMITS]) if chosen[LIMITS] else None,
            addons=_addons(chosen[ADDONS], day) if chosen[ADDONS] else None,
            digest=hashlib.sha256(json.dumps(named).encode()).hexdigest(),
            files=files,
        )

    def _newest(self, kind: str, day: int) -> list[LoadedTable]:
        """Files of the newest quarter of a kind; none where the shipped edition is newer."""
        begun = [
            table
            for table in self.tables
            if table.kind == kind and day_number(table.from_day) <= day
        ]
        if not begun:
            return []
        newest = max(table.from_day for table in begun)
        if day_number(newest) < self._shipped_from_day <= day:
            return []
        return [table for table in begun if table.from_day == newest]


def _pairs(files: Iterable[LoadedTable]) -> dict[tuple[str, str], tuple[PairEdit, ...]]:
    """Pairs by both orders of their codes; a later file replaces the stretch that it covers."""
    kept: dict[tuple[str, str], PairEdit] = {}
    for file in files:
        first, last = tuple(file.content["first"]), tuple(file.content["last"])
        kept = {pair: edit for pair, edit in kept.items() if not first <= pair <= last}
        for one, other, indicator, from_day, to_day, rationale in file.content["pairs"]:
            days = _number(from_day), FAR_DAY - 1 if to_day is None else _number(to_day)
            kept[one, other] = PairEdit(one, other, indicator, *days, rationale)
    found: dict[tuple[str, str], tuple[PairEdit, ...]] = {}
    for (one, other), edit in kept.items():
        if edit.indicator == NOT_APPLICABLE:
            continue
        for pair in ((one, other), (other, one)):
            found[pair] = (*found.get(pair, ()), edit)
    return found


def _limits(files: list[LoadedTable]) -> dict[str, tuple[int, int]]:
    return {code: (units, mai) for code, units, mai, _ in files[-1].content["limits"]}


def _addons(files: list[LoadedTable], day: int) -> dict[str, tuple[str, ...]]:
    """What each add-on may attach to on the first day of the table's quarter."""
    found: dict[str, tuple[str, ...]] = {}
    for addon, base, _, from_day, to_day in files[-1].content["addons"]:
        if _number(from_day) <= day and (to_day is None or day <= _number(to_day)):
            found[addon] = tuple(sorted({*found.get(addon, ()), base}))
    return found


def _number(text: str) -> int:
    return day_number(date.fromisoformat(text))

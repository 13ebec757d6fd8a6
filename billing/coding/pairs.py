"""Pairs and unit limits of codes on one day: the loaded NCCI tables, else the shipped fixture.

Owns which table answers for visit codes. Does not own the tables of the ledger
(``billing.rules.pairs``), which are asked first, nor what follows from a hit (``check_pairs``).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from billing.coding.sources import telehealth_sources
from billing.days import day_number
from billing.rules.edits import LIMITS, PAIRS, Edits
from billing.rules.pairs import Edition, pair_edits, read_edition, shipped_editions
from billing.rules.references import shipped_text

PAIRS_FILE = "telehealth/ncci-2024q3.toml"


@dataclass(frozen=True)
class CodePair:
    """Column 1 is paid; indicator 0: never together, 1: with a modifier when truly separate."""

    column1: str
    column2: str
    indicator: int


@lru_cache(maxsize=1)
def visit_edition() -> Edition:
    """Shipped pairs and limits of visit codes, beside those of the ledger's edition."""
    return read_edition(shipped_text(PAIRS_FILE), PAIRS_FILE, telehealth_sources())


@lru_cache(maxsize=1)
def _shipped() -> Mapping[tuple[str, str], int]:
    return {**shipped_editions()[-1].pairs, **visit_edition().pairs}


def pair_of(one: str, other: str, dos: date, loaded: Edits | None = None) -> CodePair | None:
    """The pair of two codes, whichever way round; None where there is none, or none is known.

    Loaded tables answer for their days. Those loaded before the product coded visits lack their
    codes: then a pair that they do not hold is looked up in the shipped fixture, which answers for
    every day of service.
    """
    if loaded is not None and loaded.pairs is not None:
        day = day_number(dos)
        for edit in pair_edits(one, other, loaded):
            if edit.from_day <= day <= edit.to_day:
                return CodePair(edit.column1, edit.column2, edit.indicator)
        if loaded.tells_visits(PAIRS):
            return None
    for pair in ((one, other), (other, one)):
        if pair in _shipped():
            return CodePair(*pair, _shipped()[pair])
    return None


def unit_limit(code: str, loaded: Edits | None = None) -> int | None:
    """The most units of a code a day (MUE); None where no limit was read."""
    if loaded is not None and loaded.limits is not None:
        if code in loaded.limits:
            return loaded.limits[code][0]
        if loaded.tells_visits(LIMITS):
            return None
    for edition in (visit_edition(), shipped_editions()[-1]):
        if code in edition.limits:
            return edition.limits[code].max_units
    return None

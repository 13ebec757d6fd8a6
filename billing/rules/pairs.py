"""NCCI edits: pairs that may not stand together on one day, and unit limits, by edition.

Owns the dated edit tables and their look-up. Does not own what follows from a hit: exclusions
stand in the rule pages, findings in ``billing.ledger``.

The shipped edition is the third quarter of 2024. Codes new in 2026 are not in it: for them the
answer is None, which means "not known", never "free" (Q-12).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from billing.codes import CODE
from billing.days import FAR_DAY, day_number
from billing.rules.edits import Edits, PairEdit
from billing.rules.fields import Table, open_document
from billing.rules.references import (
    EDITS_FILE,
    SourceEntry,
    UnitLimit,
    read_addons,
    read_limits,
    read_source,
    read_status,
    shipped_references,
    shipped_text,
)
from billing.rules.ruleset import Source

INDICATORS = (0, 1)
"""0: never together on one day by one practitioner; 1: with a modifier, when truly separate."""


@dataclass(frozen=True)
class Section:
    """How far one table of an edition is known, and where it was read."""

    title: str
    status: str
    source: Source


@dataclass(frozen=True)
class Edition:
    """The edit tables of one quarter, in force from a day number until the next edition."""

    quarter: str
    effective_day: int
    pairs: Mapping[tuple[str, str], int]  # (column 1, column 2) -> indicator
    limits: Mapping[str, UnitLimit]
    addons: Mapping[str, str]
    sections: tuple[Section, ...]


def read_edition(text: str, name: str, sources: Mapping[str, SourceEntry]) -> Edition:
    """One edit file; RuleError with file, line and reason for what it may not say."""
    top = open_document(text, name)
    pairs_table, limits_table = top.section("pairs"), top.section("mue")
    addons_table = top.section("addons")
    sections = tuple(
        Section(title, read_status(table), read_source(table, sources))
        for title, table in (
            ("pairs", pairs_table),
            ("unit limits", limits_table),
            ("add-ons", addons_table),
        )
    )
    edition = Edition(
        quarter=top.text("quarter"),
        effective_day=day_number(top.take("effective_from", date)),
        pairs=dict(_pairs(pairs_table)),
        limits=read_limits(limits_table),
        addons=read_addons(addons_table),
        sections=sections,
    )
    for table in (pairs_table, limits_table, addons_table, top):
        table.finish()
    return edition


def _pairs(table: Table) -> Iterator[tuple[tuple[str, str], int]]:
    seen: set[tuple[str, str]] = set()
    for one in table.each("pair"):
        indicator = one.take("indicator", int)
        if indicator not in INDICATORS:
            raise one.place.error("must be 0 or 1", "indicator")
        firsts, seconds = _codes(one, "column1"), _codes(one, "column2")
        one.finish()
        for pair in ((first, second) for first in firsts for second in seconds):
            if pair in seen or pair[::-1] in seen or pair[0] == pair[1]:
                raise one.place.error(f"{pair[0]} and {pair[1]} stand twice", "column2")
            seen.add(pair)
            yield pair, indicator


def _codes(one: Table, key: str) -> tuple[str, ...]:
    codes = one.several(key, str)
    if not codes or not all(CODE.fullmatch(code) for code in codes):
        raise one.place.error("must be a list of codes", key)
    return codes


@lru_cache(maxsize=1)
def shipped_editions() -> tuple[Edition, ...]:
    """The shipped editions, oldest first."""
    sources = shipped_references().sources
    return (read_edition(shipped_text(EDITS_FILE), EDITS_FILE, sources),)


def _edition(day: int, editions: Sequence[Edition]) -> Edition | None:
    in_force = [edition for edition in editions if edition.effective_day <= day]
    return in_force[-1] if in_force else None


def pair_edits(code_a: str, code_b: str, edits: Edits | None = None) -> tuple[PairEdit, ...]:
    """The edits of two codes, whichever way round they are asked, each with its days.

    Of the loaded tables where those of the service days hold pairs, else of the shipped edition.
    Empty: no such pair, or it is not known.
    """
    if edits is not None and edits.pairs is not None:
        return edits.pairs.get((code_a, code_b), ())
    return tuple(
        PairEdit(*pair, edition.pairs[pair], edition.effective_day, FAR_DAY - 1, "")
        for edition in shipped_editions()[-1:]
        for pair in ((code_a, code_b), (code_b, code_a))
        if pair in edition.pairs
    )


def ncci_pair(code_a: str, code_b: str, day: int) -> tuple[str, str, int, str] | None:
    """(column 1, column 2, indicator, quarter) of an edit pair, whichever way round it is asked.

    The shipped edition in force on ``day`` (a day number) is asked; None when it has no such pair
    or no edition of that day is shipped. Column 1 is paid (S04).
    """
    edition = _edition(day, shipped_editions())
    if edition is None:
        return None
    for pair in ((code_a, code_b), (code_b, code_a)):
        if pair in edition.pairs:
            return (*pair, edition.pairs[pair], edition.quarter)
    return None


def max_units(code: str, day: int) -> int | None:
    """The unit limit (MUE) of a code on a day number; None when no limit was read (S03)."""
    edition = _edition(day, shipped_editions())
    limit = edition.limits.get(code) if edition else None
    return limit.max_units if limit else None

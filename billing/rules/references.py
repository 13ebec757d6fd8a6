"""What every rule page leans on: the sources, the code table, the unit limits, the finding words.

Owns the reading of the shipped tables that are not pages. Does not own pages (``read``), amounts
(``amounts``) or edit pairs (``pairs``).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from importlib import resources

from billing.codes import CODE
from billing.rules.fields import Place, Table, open_document
from billing.rules.ruleset import STATUSES, Code, Source

SOURCE_ID = re.compile(r"[A-Z][A-Za-z0-9_-]*")


@dataclass(frozen=True)
class SourceEntry:
    """One place where rules were read: its id, a title in our words, where, and when."""

    id: str
    title: str
    where: str
    checked_on: date


@dataclass(frozen=True)
class FindingText:
    """What a person reads about a finding: what it means, what to do, and who can do it."""

    code: str
    title: str
    message: str
    fix: str
    who: str
    rules: tuple[str, ...]


@dataclass(frozen=True)
class UnitLimit:
    """The most units of a code a payer takes (MUE), and its adjudication indicator (MAI)."""

    code: str
    max_units: int
    mai: int


@dataclass(frozen=True)
class References:
    """The shipped tables a page may name; a word outside them is refused."""

    sources: Mapping[str, SourceEntry]
    codes: Mapping[str, Code]
    findings: Mapping[str, FindingText]


def shipped_text(path: str) -> str:
    """The text of a shipped data file, by its path below ``billing/rules/data``."""
    return resources.files("billing.rules").joinpath("data", *path.split("/")).read_text("utf-8")


def shipped_paths(folder: str) -> tuple[str, ...]:
    """Paths of the files of a shipped folder, below ``billing/rules/data``, in order."""
    found = resources.files("billing.rules").joinpath("data", folder).iterdir()
    return tuple(sorted(f"{folder}/{one.name}" for one in found))


def read_source(table: Table, sources: Mapping[str, SourceEntry]) -> Source:
    """``source`` and ``note`` of a table: ids that exist; the oldest day of re-reading counts."""
    ids = table.several("source", str)
    if not ids:
        raise table.place.error("is missing", "source")
    unknown = [one for one in ids if one not in sources]
    if unknown:
        raise table.place.error(f"{unknown[0]!r} is not in the list of sources", "source")
    note = table.maybe("note", str) or ""
    return Source(ids, note, min(sources[one].checked_on for one in ids))


def read_status(table: Table) -> str:
    """``status`` of a table: how far the rule is known."""
    return table.word("status", STATUSES)


def read_code(
    table: Table,
    sources: Mapping[str, SourceEntry],
    limits: Mapping[str, UnitLimit],
    addons: Mapping[str, str],
) -> Code:
    """One ``[[code]]`` table; unit limit and parent come from the edit tables unless given."""
    code = table.text("code", CODE)
    limit = limits.get(code)
    entry = Code(
        code=code,
        label=table.text("label"),
        payable_from=table.maybe("payable_from", date),
        payable_to=table.maybe("payable_to", date),
        max_units=table.maybe("max_units", int) or (limit.max_units if limit else None),
        mai=table.maybe("mai", int) or (limit.mai if limit else None),
        addon_to=table.maybe("addon_to", str) or addons.get(code),
        status=read_status(table),
        source=read_source(table, sources),
    )
    table.finish()
    if entry.payable_from and entry.payable_to and entry.payable_to < entry.payable_from:
        raise table.place.error("lies before payable_from", "payable_to")
    return entry


def read_sources(table: Table, key: str) -> dict[str, SourceEntry]:
    """The tables ``[key.ID]``: title, where, checked_on."""
    entries: dict[str, SourceEntry] = {}
    for name, raw in (table.maybe(key, dict) or {}).items():
        place = Place(table.place.file, table.place.text, f"{key}.{name}")
        if not SOURCE_ID.fullmatch(name) or not isinstance(raw, dict):
            raise place.error("is not a source")
        one = Table(raw, place)
        entries[name] = SourceEntry(
            name, one.text("title"), one.text("where"), one.take("checked_on", date)
        )
        one.finish()
    return entries


def read_limits(table: Table) -> dict[str, UnitLimit]:
    """The ``[[mue.limit]]`` tables of an edit file; ``table`` is its ``[mue]``."""
    limits: dict[str, UnitLimit] = {}
    for one in table.each("limit"):
        max_units, mai = one.take("max_units", int), one.take("mai", int)
        for code in one.several("codes", str):
            if code in limits:
                raise one.place.error(f"{code} stands twice", "codes")
            limits[code] = UnitLimit(code, max_units, mai)
        one.finish()
    return limits


def read_addons(table: Table) -> dict[str, str]:
    """The ``[[addons.addon]]`` tables of an edit file: add-on code -> what it attaches to."""
    addons: dict[str, str] = {}
    for one in table.each("addon"):
        addons[one.text("code", CODE)] = one.text("to", CODE)
        one.finish()
    return addons


def read_findings(text: str, name: str) -> dict[str, FindingText]:
    """The table of finding texts: ``[[finding]]`` with code, title, message, fix, who, rules."""
    top = open_document(text, name)
    findings: dict[str, FindingText] = {}
    for one in top.each("finding"):
        entry = FindingText(
            one.text("code", re.compile(r"[EWI]_[A-Z0-9_]+")),
            one.text("title"),
            one.text("message"),
            one.text("fix"),
            one.text("who"),
            one.several("rules", str),
        )
        one.finish()
        if entry.code in findings:
            raise one.place.error(f"{entry.code} stands twice", "code")
        findings[entry.code] = entry
    top.finish()
    return findings


EDITS_FILE = "ncci-2024q3.toml"
"""The newest shipped edition of the edit tables; its unit limits stand in the code table."""


@lru_cache(maxsize=1)
def shipped_references() -> References:
    """Sources, codes and finding texts as shipped."""
    top = open_document(shipped_text("sources.toml"), "sources.toml")
    sources = read_sources(top, "sources")
    top.finish()
    edits = open_document(shipped_text(EDITS_FILE), EDITS_FILE)
    limits, addons = read_limits(edits.section("mue")), read_addons(edits.section("addons"))
    text = shipped_text("codes.toml")
    table = open_document(text, "codes.toml")
    codes: dict[str, Code] = {}
    for one in table.each("code"):
        entry = read_code(one, sources, limits, addons)
        if entry.code in codes:
            raise one.place.error(f"{entry.code} stands twice", "code")
        codes[entry.code] = entry
    table.finish()
    return References(sources, codes, read_findings(shipped_text("findings.toml"), "findings.toml"))


def finding_text(code: str) -> FindingText:
    """The words about a finding code; KeyError when the table does not have it."""
    return shipped_references().findings[code]

"""Coding rules as plain text: what each table holds with its standing, and a check of all of them.

Owns wording for a person at a terminal, and which sources are due for re-reading. Does not own
the catalog's page (``catalog_text``) nor the clock: today is an argument.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import date

from billing.coding.authority import COMPACTS_FILE, read_compacts, shipped_compacts
from billing.coding.catalog import EDITS_FILE, read_edits, shipped_edits
from billing.coding.filing import FILING_FILE, read_limits, shipped_limits
from billing.coding.pairs import PAIRS_FILE, visit_edition
from billing.coding.rules import Code, CodingRules, Mode
from billing.coding.rules_read import (
    CODES_FILE,
    MARKS_FILE,
    PAYERS_FILE,
    REGIMES_FILE,
    Sources,
    read_families,
    read_marks,
    read_payers,
    read_regimes,
    shipped_coding_rules,
)
from billing.coding.sources import telehealth_sources
from billing.coding.specialties import (
    DOCUMENTATION_FILE,
    SPECIALTIES_FILE,
    read_elements,
    read_specialties,
    shipped_elements,
    shipped_specialties,
)
from billing.finding import Finding
from billing.rules.fields import RuleError
from billing.rules.pairs import read_edition
from billing.rules.references import shipped_text
from billing.rules.ruleset import Source
from billing.rules.text import STALE_AFTER_DAYS

Tables = Mapping[str, tuple[str, Callable[[CodingRules], Iterator[str]]]]


def list_coding_rules() -> str:
    """One line per table of coding: its name and what it holds."""
    width = max(len(name) for name in TABLES)
    return "\n".join(f"{name.ljust(width)}  {title}" for name, (title, _) in TABLES.items())


def show_coding_rules(name: str) -> str:
    """One table in full, each row with confidence, sources and last reading; KeyError: no such."""
    return "\n".join(TABLES[name][1](shipped_coding_rules()))


def check_coding_rules(today: date) -> list[Finding]:
    """Read every file of coding anew; ``E_RULE_PAGE`` for one refused, ``W_SOURCE_STALE`` for age.

    A source is stale when a row leans on it and it was not read again for 180 days.
    """
    return [*_refusals(), *_stale(today)]


def _refusals() -> Iterator[Finding]:
    sources = telehealth_sources()
    for name, reader in (
        (CODES_FILE, read_families),
        (REGIMES_FILE, read_regimes),
        (PAYERS_FILE, read_payers),
        (MARKS_FILE, read_marks),
        (EDITS_FILE, read_edits),
        (COMPACTS_FILE, read_compacts),
        (FILING_FILE, read_limits),
        (DOCUMENTATION_FILE, _read_elements),
        (SPECIALTIES_FILE, _read_specialties),
        (PAIRS_FILE, read_edition),
    ):
        try:
            reader(shipped_text(name), name, sources)
        except RuleError as error:
            yield Finding("E_RULE_PAGE", f"{error.file}:{error.line}", error.reason)


def _read_elements(text: str, name: str, sources: Sources) -> object:
    return read_elements(text, name, sources, shipped_edits())


def _read_specialties(text: str, name: str, sources: Sources) -> object:
    return read_specialties(text, name, sources, shipped_edits(), shipped_elements())


def _stale(today: date) -> Iterator[Finding]:
    named = {one for source in _leaned_on() for one in source.ids}
    for name, source in telehealth_sources().items():
        age_days = (today - source.checked_on).days
        if name in named and age_days > STALE_AFTER_DAYS:
            message = f"last read on {source.checked_on}, {age_days} days ago"
            yield Finding("W_SOURCE_STALE", f"telehealth {name}", message)


def _leaned_on() -> Iterator[Source]:
    rules = shipped_coding_rules()
    yield from (one.source for one in rules.families.values())
    yield from (one.source for one in rules.regimes)
    yield from (one.source for one in rules.rows)
    yield from (one.source for one in rules.marks.values())
    yield from (edit.source for edit in shipped_edits().values() if edit.source is not None)
    yield from (one.source for one in shipped_compacts().values())
    yield from (one.source for one in shipped_limits() if one.source is not None)
    yield from (one.source for one in shipped_elements().values())
    yield from (one.source for one in shipped_specialties().values())
    yield from (one.source for one in visit_edition().sections)


def _stands(confidence: str, source: Source) -> str:
    return f"[{confidence}] {', '.join(source.ids)}, last read {source.checked_on}"


def _run(first: date | None, last: date | None) -> str:
    return f"{first or 'always'} to {last or 'now'}"


def _family_lines(rules: CodingRules) -> Iterator[str]:
    for family in rules.families.values():
        stands = _stands(family.confidence, family.source)
        yield f"family {family.name}: {family.stands}, billed by {family.bills}  {stands}"
        for code in family.codes:
            yield f"  {code.code}  {code.label}{_band(code)}  {_run(code.from_day, code.to_day)}"


def _band(code: Code) -> str:
    told = "" if code.mdm is None else f", decision making {code.mdm}"
    if code.at_least is None:
        return told
    up_to = "" if code.at_most is None else f" to {code.at_most}"
    return f"{told}, from {code.at_least}{up_to} min"


def _regime_lines(rules: CodingRules) -> Iterator[str]:
    for one in rules.regimes:
        yield (
            f"{one.id}  {_run(one.from_day, one.to_day)}, known from {one.known_from}: originating"
            f" {one.originating}, audio {one.audio}, in-person visit {one.in_person_visit}"
            f"  {_stands(one.confidence, one.source)}"
        )


def _payer_lines(rules: CodingRules) -> Iterator[str]:
    for row in rules.rows:
        stands = _stands(row.confidence, row.source)
        known = f"known from {row.known_from}"
        yield f"{row.payer}  {_run(row.from_day, row.to_day)}, {known}  {stands}"
        yield f"  video: {_mode(row.video)}"
        yield f"  audio: {_mode(row.audio)}"
        if row.stored is not None:
            yield f"  stored image: {_mode(row.stored)}"
        yield f"  services apart from telehealth {row.apart}; 98000-98015 {row.telemedicine}"


def _mode(mode: Mode) -> str:
    parts = [f"codes {mode.codes}", f"place {mode.place}"]
    for name, values in (
        ("one of", mode.required),
        ("allowed", mode.allowed),
        ("forbidden", mode.forbidden),
        ("in a hospital", mode.hospital),
        ("not read:", mode.unknown),
    ):
        if values:
            parts.append(f"{name} {', '.join(values)}")
    return "; ".join(parts)


def _mark_lines(rules: CodingRules) -> Iterator[str]:
    for one in rules.marks.values():
        stands = _stands(one.confidence, one.source)
        yield f"{one.kind} {one.mark}  {_run(one.from_day, one.to_day)}  {one.meaning}  {stands}"


def _source_lines(_rules: CodingRules) -> Iterator[str]:
    for one in telehealth_sources().values():
        yield f"{one.id}  {one.title}  ({one.where})  last read {one.checked_on}"


def _compact_lines(_rules: CodingRules) -> Iterator[str]:
    for one in shipped_compacts().values():
        whom = ", ".join(one.professions) or "any profession"
        begun = "" if one.operative else ", not started"
        stands = _stands(one.confidence, one.source)
        yield f"{one.compact}  {one.title}: {one.grants}, {whom}{begun}  {stands}"


def _filing_lines(_rules: CodingRules) -> Iterator[str]:
    for one in shipped_limits():
        span = f"{one.days} days" if one.days is not None else f"{one.months} months"
        others = f", {one.other_days} days out of network" if one.other_days is not None else ""
        stands = "not verified" if one.source is None else _stands(one.confidence, one.source)
        yield f"{', '.join(one.payers)}  {span}{others}  {stands}"


def _specialty_lines(_rules: CodingRules) -> Iterator[str]:
    for one in shipped_elements().values():
        asked = ", ".join(one.edits)
        yield f"element {one.id}: {one.title} ({asked})  {_stands(one.confidence, one.source)}"
    for bundle in shipped_specialties().values():
        elements = ", ".join(one.id for one in bundle.elements)
        stands = _stands(bundle.confidence, bundle.source)
        yield f"specialty {bundle.name}: {elements}; edits {', '.join(bundle.edits)}  {stands}"


TABLES: Tables = {
    "telehealth-codes": ("Families of codes, their bands and days", _family_lines),
    "telehealth-regimes": ("Medicare's regimes by service day and known day", _regime_lines),
    "telehealth-payers": ("What payers ask for on lines of telehealth", _payer_lines),
    "telehealth-marks": ("Places of service and modifiers with their days", _mark_lines),
    "telehealth-compacts": ("What compacts between states grant", _compact_lines),
    "telehealth-filing": ("How long a claim may wait, by payer", _filing_lines),
    "telehealth-notes": ("What a note holds, and the specialty sets", _specialty_lines),
    "telehealth-sources": ("Where the telehealth rules were read", _source_lines),
}
"""Tables of coding by the name that a person asks for."""

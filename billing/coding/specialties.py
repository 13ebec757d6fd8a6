"""Specialty sets: what a note should hold and which edits a specialty meets most.

Owns the elements of a note and the bundles, read from shipped data. Does not own the edits
(``catalog``): every edit judges every visit, whatever its specialty.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache

from billing.coding.catalog import CONFIDENCES, shipped_edits
from billing.coding.sources import telehealth_sources
from billing.rules.fields import open_document
from billing.rules.references import SourceEntry, read_source, shipped_text
from billing.rules.ruleset import Source

DOCUMENTATION_FILE = "telehealth/documentation.toml"
SPECIALTIES_FILE = "telehealth/specialties.toml"


@dataclass(frozen=True)
class Element:
    """Something a note holds; ``edits`` tell when it does not."""

    id: str
    title: str
    asks: str
    edits: tuple[str, ...]
    confidence: str
    source: Source


@dataclass(frozen=True)
class Specialty:
    """A bundle: elements of the note, edits met most, a consent text and a note to fill in."""

    name: str
    title: str
    elements: tuple[Element, ...]
    edits: tuple[str, ...]
    consent: str
    note: tuple[str, ...]
    confidence: str
    source: Source


@dataclass(frozen=True)
class Asked:
    """An element of a note and whether an edit says that it is missing."""

    element: Element
    missing: bool


def before_signing(specialty: Specialty, fired: Collection[str]) -> tuple[Asked, ...]:
    """What the note of a specialty holds; missing is what one of the edits that fired asks for."""
    return tuple(Asked(one, any(edit in fired for edit in one.edits)) for one in specialty.elements)


@lru_cache(maxsize=1)
def shipped_elements() -> Mapping[str, Element]:
    """The elements of a note, by id."""
    text = shipped_text(DOCUMENTATION_FILE)
    return read_elements(text, DOCUMENTATION_FILE, telehealth_sources(), shipped_edits())


@lru_cache(maxsize=1)
def shipped_specialties() -> Mapping[str, Specialty]:
    """The specialty sets, by name."""
    text, sources = shipped_text(SPECIALTIES_FILE), telehealth_sources()
    return read_specialties(text, SPECIALTIES_FILE, sources, shipped_edits(), shipped_elements())


def read_elements(
    text: str, name: str, sources: Mapping[str, SourceEntry], edits: Collection[str]
) -> dict[str, Element]:
    """A table of elements; RuleError with file, line and reason for what it may not say."""
    top = open_document(text, name)
    found: dict[str, Element] = {}
    for table in top.each("element"):
        one = Element(
            id=table.text("id"),
            title=table.text("title"),
            asks=table.text("asks"),
            edits=table.words("edits", edits),
            confidence=table.word("confidence", CONFIDENCES),
            source=read_source(table, sources),
        )
        table.finish()
        if one.id in found:
            raise table.place.error(f"{one.id} stands twice", "id")
        found[one.id] = one
    top.finish()
    return found


def read_specialties(
    text: str,
    name: str,
    sources: Mapping[str, SourceEntry],
    edits: Collection[str],
    elements: Mapping[str, Element],
) -> dict[str, Specialty]:
    """A table of bundles; RuleError with file, line and reason for what it may not say."""
    top = open_document(text, name)
    found: dict[str, Specialty] = {}
    for table in top.each("specialty"):
        one = Specialty(
            name=table.text("name"),
            title=table.text("title"),
            elements=tuple(elements[key] for key in table.words("elements", elements)),
            edits=table.words("edits", edits),
            consent=table.text("consent"),
            note=table.several("note", str),
            confidence=table.word("confidence", CONFIDENCES),
            source=read_source(table, sources),
        )
        table.finish()
        if one.name in found:
            raise table.place.error(f"{one.name} stands twice", "name")
        found[one.name] = one
    top.finish()
    return found

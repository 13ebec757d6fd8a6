"""The catalog of edits: weight, words, source and days of each, read from shipped data.

Owns what may stand in ``telehealth/edits.toml``. Does not own when an edit fires (``check``) nor
what becomes of a line (``repair``).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import lru_cache
from string import Formatter

from billing.coding.sources import telehealth_sources
from billing.rules.fields import Table, open_document
from billing.rules.references import SourceEntry, read_source, shipped_text
from billing.rules.ruleset import Source

EDITS_FILE = "telehealth/edits.toml"
EDIT_ID = re.compile(r"TH-[A-Z0-9]+-[0-9]{2}")
CONFIDENCES = ("A", "B", "C", "U")
"""A primary text, B society or law firm, C one vendor, U not verified."""
WEAK = ("C", "U")
"""Confidences that ask a person to look before a rule is leaned on."""
AREAS = (
    *("place", "modifier", "code", "level", "coverage", "license"),
    *("documentation", "prescribing", "pairs", "administration"),
)
BASES = ("derived", "unverified", "project rule")
_PAYER = re.compile(r"[A-Z][A-Z_]*")
PLACEHOLDERS = (
    *("pos", "expected_pos", "code", "modifier", "state", "reason", "minutes", "best"),
    *("units", "limit", "days", "year", "compact"),
)
"""What a message may tell of a line: codes, places, numbers and states, never a person."""


class EditSeverity(StrEnum):
    """How much an edit weighs."""

    ERROR = "ERROR"  # blocks release
    REVIEW = "REVIEW"  # a person decides
    WARN = "WARN"  # shows and lets go
    INFO = "INFO"  # is recorded


class Unrepaired(StrEnum):
    """What becomes of a line with an ERROR that the facts cannot repair."""

    DROP = "drop"
    HOLD = "hold"  # the claim waits, its lines unchanged
    LEAVE = "leave"  # a person decides about the line


class Review(StrEnum):
    """Whether an edit asks for a person though its severity does not."""

    ALWAYS = "always"
    UNLESS_ERROR = "unless-error"  # not where an ERROR stands on the same line


@dataclass(frozen=True)
class Run:
    """Whom an edit concerns and on which days of service, both ends included."""

    payers: tuple[str, ...]  # empty: any
    from_day: date | None
    to_day: date | None

    def holds(self, payer: str, dos: date) -> bool:
        """Whether the payer and the day of service lie in it."""
        if self.from_day is not None and dos < self.from_day:
            return False
        if self.to_day is not None and dos > self.to_day:
            return False
        return not self.payers or any(_is_of(payer, one) for one in self.payers)


@dataclass(frozen=True)
class Edit:
    """One edit; ``source`` is None only for a rule of the project or one not verified."""

    id: str
    area: str
    severity: EditSeverity
    runs: tuple[Run, ...]  # one of them must hold; none: always
    unrepaired: Unrepaired | None  # of an ERROR
    review: Review | None
    message: str
    fix: str
    likely_answer: str  # a hint of what a payer would send, never a key to match by
    confidence: str
    basis: str  # empty: read in the source
    source: Source | None

    def judges(self, payer: str, dos: date) -> bool:
        """Whether the edit concerns this payer on this day of service."""
        return not self.runs or any(run.holds(payer, dos) for run in self.runs)

    @property
    def is_weak(self) -> bool:
        """Whether a person should confirm the rule before it is leaned on."""
        return self.confidence in WEAK


def _is_of(payer: str, group: str) -> bool:
    if group == "MA":
        return payer.endswith("_MA")
    if group == "MCD":
        return payer.startswith("MCD_")
    return payer == group


@lru_cache(maxsize=1)
def shipped_edits() -> Mapping[str, Edit]:
    """The shipped catalog, by id, in the order of its file."""
    return read_edits(shipped_text(EDITS_FILE), EDITS_FILE, telehealth_sources())


def read_edits(text: str, name: str, sources: Mapping[str, SourceEntry]) -> dict[str, Edit]:
    """A catalog; RuleError with file, line and reason for what it may not say."""
    top = open_document(text, name)
    found: dict[str, Edit] = {}
    for table in top.each("edit"):
        edit = _edit(table, sources)
        if edit.id in found:
            raise table.place.error(f"{edit.id} stands twice", "id")
        found[edit.id] = edit
    top.finish()
    return found


def _edit(table: Table, sources: Mapping[str, SourceEntry]) -> Edit:
    edit = Edit(
        id=table.text("id", EDIT_ID),
        area=table.word("area", AREAS),
        severity=EditSeverity(table.word("severity", tuple(EditSeverity))),
        runs=_runs(table),
        unrepaired=Unrepaired(table.word("unrepaired", tuple(Unrepaired)))
        if table.has("unrepaired")
        else None,
        review=Review(table.word("review", tuple(Review))) if table.has("review") else None,
        message=table.text("message"),
        fix=table.maybe("fix", str) or "",
        likely_answer=table.maybe("likely_answer", str) or "",
        confidence=table.word("confidence", CONFIDENCES),
        basis=table.word("basis", BASES) if table.has("basis") else "",
        source=read_source(table, sources) if table.has("source") else None,
    )
    table.finish()
    _check(edit, table)
    return edit


def _runs(table: Table) -> tuple[Run, ...]:
    several = []
    for one in table.each("when"):
        several.append(_run(one))
        one.finish()
    own = _run(table)
    if own == Run((), None, None):
        return tuple(several)
    if several:
        raise table.place.error("stands beside payers or days of the edit itself", "when")
    return (own,)


def _run(table: Table) -> Run:
    run = Run(table.several("payers", str), table.maybe("from", date), table.maybe("to", date))
    if run.from_day and run.to_day and run.to_day < run.from_day:
        raise table.place.error("lies before from", "to")
    if any(not _PAYER.fullmatch(one) for one in run.payers):
        raise table.place.error("each must be a payer's key, MA or MCD", "payers")
    return run


def _check(edit: Edit, table: Table) -> None:
    if edit.source is None and not edit.basis:
        raise table.place.error("is missing", "source")
    if (edit.severity is EditSeverity.ERROR) != (edit.unrepaired is not None):
        raise table.place.error("an ERROR has it, no other severity", "unrepaired")
    names = {name for _, name, _, _ in Formatter().parse(edit.message) if name is not None}
    if unknown := sorted(names - set(PLACEHOLDERS)):
        raise table.place.error(f"{{{unknown[0]}}} is not something a message may tell", "message")

"""The clauses of a page besides its ladders: what excuses, excludes, stops, warns and replaces.

Owns the reading of one table of each kind. Does not own ladders (``ladders``) nor the page around
them (``read``).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from billing.ledger.facts import GATES, KINDS, SETTINGS
from billing.rules.fields import Table
from billing.rules.references import SourceEntry, read_source, read_status
from billing.rules.ruleset import (
    Boundary,
    Code,
    Exclusion,
    Notice,
    Relaxation,
    Replacement,
    Stop,
    Waiver,
    Who,
    Within,
)


@dataclass(frozen=True)
class Known:
    """The words one page may use: sources and codes (shipped and its own), finding codes."""

    sources: Mapping[str, SourceEntry]
    codes: Mapping[str, Code]
    findings: Mapping[str, object]

    def codes_of(self, table: Table, key: str) -> tuple[str, ...]:
        """A list of codes that all stand in the code table."""
        return table.words(key, self.codes)

    def finding_of(self, table: Table, key: str = "finding") -> str:
        """A finding code that has words."""
        return table.word(key, self.findings)


def _days(one: Table) -> tuple[date | None, date | None]:
    from_day, to_day = one.maybe("from_day", date), one.maybe("to_day", date)
    if from_day is not None and to_day is not None and to_day < from_day:
        raise one.place.error("lies before from_day", "to_day")
    return from_day, to_day


def _both_days(one: Table) -> tuple[date, date]:
    from_day, to_day = _days(one)
    if from_day is None or to_day is None:
        raise one.place.error("is missing", "from_day" if from_day is None else "to_day")
    return from_day, to_day


def _some_codes(one: Table, key: str, known: Known) -> tuple[str, ...]:
    codes = known.codes_of(one, key)
    if not codes:
        raise one.place.error("names no code", key)
    return codes


def read_relaxation(one: Table, known: Known) -> Relaxation:
    """One ``[[relaxation]]``: fewer days suffice while a gate holds."""
    from_day, to_day = _both_days(one)
    return Relaxation(
        id=one.text("id"),
        codes=_some_codes(one, "codes", known),
        from_day=from_day,
        to_day=to_day,
        needs=one.word("needs", GATES),
        at_least=one.take("at_least", int),
        status=read_status(one),
        source=read_source(one, known.sources),
    )


def read_waiver(one: Table, known: Known) -> Waiver:
    """One ``[[waiver]]``: a gate that is not asked for."""
    from_day, to_day = _both_days(one)
    return Waiver(
        id=one.text("id"),
        gate=one.word("gate", GATES),
        from_day=from_day,
        to_day=to_day,
        status=read_status(one),
        source=read_source(one, known.sources),
    )


def read_exclusion(one: Table, known: Known) -> Exclusion:
    """One ``[[exclusion]]``: lines that do not leave beside others."""
    return Exclusion(
        finding=known.finding_of(one),
        applies_to=_some_codes(one, "applies_to", known),
        blocked_by=_some_codes(one, "blocked_by", known),
        who=Who(one.word("who", set(Who))),
        within=Within(one.word("within", set(Within))),
        only_kinds=one.words("only_kinds", KINDS),
        status=read_status(one),
        source=read_source(one, known.sources),
    )


def read_stop(one: Table, known: Known) -> Stop:
    """One ``[[stop]]``: nothing leaves."""
    from_day, to_day = _days(one)
    return Stop(
        finding=known.finding_of(one),
        settings=one.words("settings", SETTINGS),
        missing_gate=one.word("missing_gate", GATES) if one.has("missing_gate") else None,
        from_day=from_day,
        to_day=to_day,
        status=read_status(one),
        source=read_source(one, known.sources),
    )


def read_notice(one: Table, known: Known) -> Notice:
    """One ``[[notice]]``: a finding that goes with what leaves."""
    from_day, to_day = _days(one)
    return Notice(
        finding=known.finding_of(one),
        always=one.take("always", bool),
        codes=known.codes_of(one, "codes"),
        settings=one.words("settings", SETTINGS),
        pos=one.several("pos", int),
        gate=one.word("gate", GATES) if one.has("gate") else None,
        from_day=from_day,
        to_day=to_day,
        status=read_status(one),
        source=read_source(one, known.sources),
    )


def read_replacement(one: Table, known: Known) -> Replacement:
    """One ``[[replacement]]``: a code that leaves in place of others."""
    from_day, to_day = _both_days(one)
    return Replacement(
        finding=known.finding_of(one),
        settings=one.words("settings", SETTINGS),
        codes=_some_codes(one, "codes", known),
        by=one.word("by", known.codes) if one.has("by") else None,
        from_day=from_day,
        to_day=to_day,
        status=read_status(one),
        source=read_source(one, known.sources),
    )


def read_boundary(one: Table, known: Known) -> Boundary:
    """One ``[[boundary]]``: a day on which the outcome may depend."""
    return Boundary(
        finding=known.finding_of(one),
        first_day=one.take("first_day", date),
        at_least=one.take("at_least", int),
        at_most=one.take("at_most", int),
        status=read_status(one),
        source=read_source(one, known.sources),
    )

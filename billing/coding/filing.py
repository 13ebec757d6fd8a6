"""Timely filing: the last day on which a payer takes a claim.

Owns the limits per payer and their counting. Does not own the edits about them (``check_claim``).
"""

from calendar import monthrange
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

from billing.coding.catalog import BASES, CONFIDENCES
from billing.coding.sources import telehealth_sources
from billing.rules.fields import Table, open_document
from billing.rules.references import SourceEntry, read_source, shipped_text
from billing.rules.ruleset import Source

FILING_FILE = "telehealth/filing.toml"
_MONTHS = 12


@dataclass(frozen=True)
class FilingLimit:
    """How long the claims of some payers may wait: days or months, never both."""

    payers: tuple[str, ...]
    from_day: date | None
    days: int | None
    months: int | None
    other_days: int | None  # for a provider who does not participate
    all_providers: bool
    confidence: str
    source: Source | None

    def last_day(self, dos: date, *, participating: bool) -> date | None:
        """The last day that is on time; None where the limit is not known for this provider."""
        if self.months is not None:
            return _months_later(dos, self.months) if participating or self.all_providers else None
        days = self.days if participating or self.all_providers else self.other_days
        return None if days is None else dos + timedelta(days=days)


def filing_limit(
    payer: str, dos: date, limits: Sequence[FilingLimit] | None = None
) -> FilingLimit | None:
    """The limit of a payer on a day of service; None where none was read."""
    rows = shipped_limits() if limits is None else limits
    for asked in (payer, "MCD" if payer.startswith("MCD_") else payer):
        for one in rows:
            if asked in one.payers and (one.from_day is None or one.from_day <= dos):
                return one
    return None


def _months_later(day: date, months: int) -> date:
    """The same calendar day, or the last of a month that does not have it."""
    years, month = divmod(day.month - 1 + months, _MONTHS)
    year = day.year + years
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


@lru_cache(maxsize=1)
def shipped_limits() -> tuple[FilingLimit, ...]:
    """The shipped limits."""
    return read_limits(shipped_text(FILING_FILE), FILING_FILE, telehealth_sources())


def read_limits(
    text: str, name: str, sources: Mapping[str, SourceEntry]
) -> tuple[FilingLimit, ...]:
    """A table of limits; RuleError with file, line and reason for what it may not say."""
    top = open_document(text, name)
    found: list[FilingLimit] = []
    for table in top.each("limit"):
        one = _limit(table, sources)
        if any(set(one.payers) & set(other.payers) for other in found):
            raise table.place.error("names a payer that another limit names", "payers")
        found.append(one)
    top.finish()
    return tuple(found)


def _limit(table: Table, sources: Mapping[str, SourceEntry]) -> FilingLimit:
    sourced = not table.has("basis") or table.has("source")
    if table.has("basis"):
        table.word("basis", BASES)
    one = FilingLimit(
        payers=table.several("payers", str),
        from_day=table.maybe("from", date),
        days=table.maybe("days", int),
        months=table.maybe("months", int),
        other_days=table.maybe("other_days", int),
        all_providers=table.maybe("all_providers", bool) or False,
        confidence=table.word("confidence", CONFIDENCES),
        source=read_source(table, sources) if sourced else None,
    )
    table.finish()
    if not one.payers:
        raise table.place.error("is missing", "payers")
    if (one.days is None) == (one.months is None):
        raise table.place.error("either days or months", "days")
    if any(n is not None and n < 1 for n in (one.days, one.months, one.other_days)):
        raise table.place.error("must be at least 1", "days")
    return one

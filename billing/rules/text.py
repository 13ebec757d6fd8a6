"""Rules as plain text: the list of pages, one page with every number and its standing, a check.

Owns wording for a person at a terminal. Does not own where it is printed (``rpm.cli``) nor the
clock: today is an argument.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from datetime import date
from typing import Any

from billing.finding import Finding
from billing.money import cents_to_text
from billing.rules.amounts import read_amounts, shipped_amount_paths, shipped_amounts
from billing.rules.book import RuleBook, shipped_page_paths
from billing.rules.fields import RuleError
from billing.rules.page_text import page_lines, run_text, standing
from billing.rules.pairs import read_edition, shipped_editions
from billing.rules.profiles import read_profiles
from billing.rules.read import read_page
from billing.rules.references import EDITS_FILE, References, shipped_text
from billing.rules.ruleset import RuleSet, Source

STALE_AFTER_DAYS = 180
"""A source not read again for longer is listed by ``check``."""


def list_rules(book: RuleBook) -> str:
    """One line per page: id, payer, service days, the day it became known, status, title."""
    rows = [("PAGE", "PAYER", "SERVICE DAYS", "KNOWN FROM", "STATUS", "TITLE")]
    rows += [
        (
            page.id,
            page.payer,
            run_text(page.effective_from, page.effective_to),
            str(page.known_from),
            page.status,
            page.title,
        )
        for page in book.pages
    ]
    rows += [(name, "-", "-", "-", "-", title) for name, (title, _) in _TABLES.items()]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]) - 1)]
    return "\n".join(
        "  ".join([*(cell.ljust(w) for cell, w in zip(row, widths, strict=False)), row[-1]])
        for row in rows
    )


def show_rules(book: RuleBook, name: str) -> str:
    """A page (by its id) or a table (``amounts``, ``ncci``, ``profiles``, ``sources``) in full.

    A page is shown joined with what it extends; a payer's page needs the id of the run, as
    ``com-cigna+medicare-b-2026``, and is shown alone without it. KeyError for an unknown name.
    """
    if name in _TABLES:
        return "\n".join(_TABLES[name][1](book))
    return "\n".join(page_lines(book.joined(name)))


def check(book: RuleBook, today: date) -> list[Finding]:
    """Read every shipped file anew and look at the age of every source the book leans on.

    ``E_RULE_PAGE`` for a file that is refused (where: file and line), ``W_SOURCE_STALE`` for a
    source not read again for 180 days (where: its id).
    """
    return [*_refusals(book.references), *_stale(book, today)]


def _refusals(references: References) -> Iterator[Finding]:
    readers: list[tuple[str, Callable[[str, str], object]]] = [
        (path, lambda text, name: read_page(text, name, references))
        for path in shipped_page_paths()
    ]
    readers += [
        (path, lambda text, name: read_amounts(text, name, references))
        for path in shipped_amount_paths()
    ]
    readers += [
        (EDITS_FILE, lambda text, name: read_edition(text, name, references.sources)),
        ("profiles.toml", lambda text, name: read_profiles(text, name, references)),
    ]
    for path, reader in readers:
        try:
            reader(shipped_text(path), path)
        except RuleError as error:
            yield Finding("E_RULE_PAGE", f"{error.file}:{error.line}", error.reason)


def _stale(book: RuleBook, today: date) -> Iterator[Finding]:
    read_on = {one.id: one.checked_on for one in book.references.sources.values()}
    for page in book.pages:
        for source in sources_of(page):
            for one in source.ids:
                read_on.setdefault(one, source.checked_on)
    for one, checked_on in sorted(read_on.items()):
        age_days = (today - checked_on).days
        if age_days > STALE_AFTER_DAYS:
            message = f"last read on {checked_on}, {age_days} days ago"
            yield Finding("W_SOURCE_STALE", one, message)


def sources_of(part: object) -> Iterator[Source]:
    """Every source inside a page or a part of it."""
    if isinstance(part, Source):
        yield part
    elif is_dataclass(part):
        values = [getattr(part, one.name) for one in fields(part)]
        if isinstance(part, RuleSet):
            values.extend(part.codes.values())
        for value in values:
            yield from sources_of(value)
    elif isinstance(part, tuple):
        for value in part:
            yield from sources_of(value)


def _amount_lines(book: RuleBook) -> Iterator[str]:
    yield f"amounts: {book.fees.basis}"
    for table in book.fees.tables:
        yield (
            f"{table.kind} of {run_text(table.from_day, table.to_day)}, loaded from"
            f" {table.file_name}  SHA-256 {table.sha256}"
        )
        for code, status, *units in table.content.get("codes", ()):
            yield (
                f"  {code}  status {status}, work {units[0]}, practice expense {units[1]},"
                f" facility {units[2]}, malpractice {units[3]}, x {table.content['factor']}"
            )
        for locality, name, *factors in table.content.get("localities", ()):
            yield f"  {locality} {name}  work, practice expense, malpractice {' '.join(factors)}"
    yield "shipped: national, non-QP, GPCI 1.0, dollars for one unit; a code not listed is unknown"
    for one in shipped_amounts():
        facility = "unknown" if one.facility_cents is None else cents_to_text(one.facility_cents)
        how = f"{one.rvu} x {one.factor}" if one.rvu is not None else "as printed"
        yield (
            f"  {one.code}  {run_text(one.from_day, one.to_day)}  {cents_to_text(one.cents)}"
            f"  facility {facility}  ({how})  {standing(one.status, one.source)}"
        )


def _edit_lines(book: RuleBook) -> Iterator[str]:
    for table in book.edits.tables:
        yield (
            f"{table.kind} of {table.edition}, loaded from {table.file_name}"
            f"  SHA-256 {table.sha256}"
        )
        yield from _loaded_lines(table.content)
    for edition in shipped_editions():
        yield f"ncci: edit tables of {edition.quarter}"
        for section in edition.sections:
            yield f"  {section.title}: {standing(section.status, section.source)}"
        for (first, second), indicator in edition.pairs.items():
            yield f"  pair {first} (paid) with {second}: indicator {indicator}"
        for limit in edition.limits.values():
            yield f"  limit {limit.code}: {limit.max_units} units, MAI {limit.mai}"
        for addon, parent in edition.addons.items():
            yield f"  add-on {addon} to {parent}"


def _loaded_lines(content: Mapping[str, Any]) -> Iterator[str]:
    for one, other, indicator, *days, rationale in content.get("pairs", ()):
        run = " to ".join(day for day in days if day)
        yield f"  pair {one} (paid) with {other}: indicator {indicator}, from {run}  {rationale}"
    for code, units, mai, rationale in content.get("limits", ()):
        yield f"  limit {code}: {units} units, MAI {mai}  {rationale}"
    for addon, base, kind, *days in content.get("addons", ()):
        run = " to ".join(day for day in days if day)
        yield f"  add-on {addon} to {base}: type {kind}, from {run}"


def _profile_lines(book: RuleBook) -> Iterator[str]:
    for one in book.profiles.values():
        yield f"profile {one.profile.name}: {one.title}  [{one.profile.status}]"
        for strategy in one.strategies:
            stands = standing(strategy.status, strategy.source)
            yield f"  {strategy.name} = {strategy.value}  {stands}"


def _source_lines(book: RuleBook) -> Iterator[str]:
    for one in book.references.sources.values():
        yield f"{one.id}  {one.title}  ({one.where})  last read {one.checked_on}"


_TABLES: dict[str, tuple[str, Callable[[RuleBook], Iterator[str]]]] = {
    "amounts": ("National amounts by code and service day", _amount_lines),
    "ncci": ("Edit pairs, unit limits and add-ons", _edit_lines),
    "profiles": ("How a practice reads the open questions", _profile_lines),
    "sources": ("Where the rules were read", _source_lines),
}

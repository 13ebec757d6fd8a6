"""TOML text to RuleSet: one page, read and checked, refused with file, line and reason.

Owns what a page may say. Does not own choosing between pages, nor the joining of a page with what
it ``extends`` (``book``): a page is checked alone, against the shipped tables.

A page's keys are the field names of ``ruleset``; lists of tables are in the singular
(``[[ladder]]`` with ``[[ladder.band]]``, ``[[exclusion]]``, ``[[stop]]`` ...). Every table has
``status`` and ``source`` (ids of sources.toml, or of the page's own ``[sources.ID]``) and may have
a ``note``. A band with ``lines = []`` announces that a range earns nothing; a gap without it is an
error. A page may add codes (``[[code]]``) to the shipped table.
"""

import re
from collections.abc import Callable
from dataclasses import asdict, replace
from datetime import date
from hashlib import sha256
from json import dumps
from typing import TypeVar

from billing.codes import CODE
from billing.rules.clauses import (
    Known,
    read_boundary,
    read_exclusion,
    read_notice,
    read_relaxation,
    read_replacement,
    read_stop,
    read_waiver,
)
from billing.rules.fields import Place, Table, open_document
from billing.rules.ladders import read_ladders
from billing.rules.references import (
    References,
    read_code,
    read_source,
    read_sources,
    read_status,
)
from billing.rules.ruleset import RuleSet

T = TypeVar("T")

PAGE_ID = re.compile(r"[a-z0-9][a-z0-9.-]*")
PAYER = re.compile(r"[A-Z][A-Z0-9_]*")


def read_page(text: str, name: str, references: References) -> RuleSet:
    """The page in a TOML text; ``name`` is how errors call the file.

    Raises RuleError (file, line, reason) for anything the page may not say. The result holds the
    shipped code table and the page's own codes; what the page extends is not joined yet.
    """
    top = open_document(text, name)
    own_sources = read_sources(top, "sources")
    if taken := sorted(set(own_sources) & set(references.sources)):
        place = Place(name, text, f"sources.{taken[0]}")
        raise place.error("is already a shipped source")
    sources = {**references.sources, **own_sources}
    codes = dict(references.codes)
    for one in top.each("code"):
        code = read_code(one, sources, {}, {})
        codes[code.code] = code
    known = Known(sources, codes, references.findings)
    page = RuleSet(
        id=top.text("id", PAGE_ID),
        title=top.text("title"),
        payer=top.text("payer", PAYER),
        extends=top.maybe("extends", str),
        effective_from=top.take("effective_from", date),
        effective_to=top.maybe("effective_to", date),
        known_from=top.take("known_from", date),
        status=read_status(top),
        source=read_source(top, sources),
        ladders=read_ladders(top, known),
        codes=codes,
        relaxations=_list(top, "relaxation", known, read_relaxation),
        waivers=_list(top, "waiver", known, read_waiver),
        exclusions=_list(top, "exclusion", known, read_exclusion),
        stops=_list(top, "stop", known, read_stop),
        notices=_list(top, "notice", known, read_notice),
        replacements=_list(top, "replacement", known, read_replacement),
        boundaries=_list(top, "boundary", known, read_boundary),
        not_adopted=known.codes_of(top, "not_adopted"),
        not_adopted_finding=known.finding_of(top, "not_adopted_finding")
        if top.has("not_adopted_finding")
        else "",
        em_codes=_em_codes(top),
        digest="",
    )
    top.finish()
    _check_page(page, top)
    return replace(page, digest=digest_of(page))


def digest_of(page: RuleSet) -> str:
    """SHA-256 (hex) of a page's content, in an order that does not depend on its text."""
    return sha256(content_text(page).encode()).hexdigest()


def content_text(page: RuleSet) -> str:
    """The content of a page as JSON, as its digest covers it."""
    content = asdict(replace(page, edits=None))
    del content["digest"], content["edits"]
    if page.edits is not None:
        content["edits"] = page.edits.digest
    return dumps(content, sort_keys=True, default=str)


def _check_page(page: RuleSet, top: Table) -> None:
    if page.effective_to is not None and page.effective_to < page.effective_from:
        raise top.place.error("lies before effective_from", "effective_to")
    if page.not_adopted and not page.not_adopted_finding:
        raise top.place.error("is missing", "not_adopted_finding")
    if page.extends == page.id:
        raise top.place.error("a page cannot extend itself", "extends")


def _list(
    top: Table, header: str, known: Known, read_one: Callable[[Table, Known], T]
) -> tuple[T, ...]:
    found: list[T] = []
    for one in top.each(header):
        found.append(read_one(one, known))
        one.finish()
    return tuple(found)


def _em_codes(top: Table) -> tuple[str, ...]:
    words = top.several("em_codes", str)
    for word in words:
        if word != "EM" and not CODE.fullmatch(word):
            raise top.place.error(f"{word!r} is not a code", "em_codes")
    return words

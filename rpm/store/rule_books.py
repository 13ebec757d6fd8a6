"""The rule book of a practice: shipped and own pages, the tables it loaded, its locality, as known.

Owns which of the practice's pages count: of several under one page id, the one recorded last.
Does not own reading or joining of pages nor the choice of tables (``billing.rules``).
"""

from dataclasses import fields
from functools import lru_cache
from uuid import UUID

from sqlmodel import Session

from billing.rules.book import RuleBook, shipped_book
from billing.rules.edits import LoadedTable
from billing.rules.fees import NATIONAL
from billing.rules.read import read_page
from rpm.store.fact_rows import FactReader, as_recorded


def book_of(db: Session, organization_id: UUID, until_audit_number: int | None = None) -> RuleBook:
    """The book by which an organization is judged; RuleError when a kept page no longer fits."""
    reader = FactReader(db, organization_id, until_audit_number=until_audit_number)
    table = reader.table("rule_page")
    statement = reader.of_organization("rule_page", "page_id", "toml").order_by(*as_recorded(table))
    pages = tuple({row[0]: row[1] for row in reader.fetch(statement)}.items())
    loaded = reader.table("cms_table")
    statement = reader.of_organization("cms_table", "id").order_by(*as_recorded(loaded))
    ids = tuple(str(row[0]) for row in reader.fetch(statement))
    book = _book(pages)
    if not ids:
        return book
    locality = str(reader.settings().get("locality", NATIONAL))
    key = (pages, ids, locality)
    known = _WITH_TABLES.get(key)
    if known is not None:
        return known
    if len(_WITH_TABLES) >= _MOST_BOOKS:
        _WITH_TABLES.clear()
    # threads share books: whoever comes second takes the book of the first
    return _WITH_TABLES.setdefault(key, book.with_tables(_tables(reader), locality))


_MOST_BOOKS = 64
_WITH_TABLES: dict[tuple[object, ...], RuleBook] = {}
"""Books with loaded tables: what was loaded is never changed, so its ids tell its content."""


def _tables(reader: FactReader) -> list[LoadedTable]:
    names = [one.name for one in fields(LoadedTable)]
    statement = reader.of_organization("cms_table", *names)
    ordered = statement.order_by(*as_recorded(reader.table("cms_table")))
    return [LoadedTable(*row) for row in reader.fetch(ordered)]


@lru_cache(maxsize=_MOST_BOOKS)
def _book(pages: tuple[tuple[str, str], ...]) -> RuleBook:
    shipped = shipped_book()
    if not pages:
        return shipped
    return shipped.with_pages(read_page(text, name, shipped.references) for name, text in pages)

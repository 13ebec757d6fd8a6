"""The rule book of a practice: the shipped pages and the practice's own, as known.

Owns which of the practice's pages count: of several under one page id, the one recorded last.
Does not own reading or joining of pages (``billing.rules``).
"""

from functools import lru_cache
from uuid import UUID

from sqlmodel import Session

from billing.rules.book import RuleBook, shipped_book
from billing.rules.read import read_page
from rpm.store.fact_rows import FactReader, as_recorded


def book_of(db: Session, organization_id: UUID, until_audit_number: int | None = None) -> RuleBook:
    """The book by which an organization is judged; RuleError when a kept page no longer fits."""
    reader = FactReader(db, organization_id, until_audit_number=until_audit_number)
    table = reader.table("rule_page")
    statement = reader.of_organization("rule_page", "page_id", "toml").order_by(*as_recorded(table))
    return _book(tuple({row[0]: row[1] for row in reader.fetch(statement)}.items()))


@lru_cache(maxsize=64)
def _book(pages: tuple[tuple[str, str], ...]) -> RuleBook:
    shipped = shipped_book()
    if not pages:
        return shipped
    return shipped.with_pages(read_page(text, name, shipped.references) for name, text in pages)

"""The rule book of one practice: the shipped pages and those it added.

Owns the joining of both for a scope. Does not own reading or checking a page (``billing.rules``)
nor adding one (``rpm.actions.add_rule_page``).
"""

from functools import lru_cache

from sqlmodel import Session

from billing.rules.book import RuleBook, shipped_book
from billing.rules.read import read_page
from rpm.store.queries.people import rule_pages
from rpm.store.scope import Scope


def practice_book(db: Session, scope: Scope) -> RuleBook:
    """Shipped pages and the practice's own; the same object while no page was added."""
    return _book(tuple((page.page_id, page.toml) for page in rule_pages(db, scope)))


@lru_cache(maxsize=64)
def _book(own: tuple[tuple[str, str], ...]) -> RuleBook:
    shipped = shipped_book()
    if not own:
        return shipped
    pages = [read_page(toml, page_id, shipped.references) for page_id, toml in own]
    return shipped.with_pages(pages)

"""Add a rule page of the practice, beside the shipped ones.

Owns the check that the page can be read and fits the book. Does not own what a page may say
(``billing.rules.read``). A page is never edited: a correction is another page, known later.
"""

from datetime import datetime

from pydantic import Field
from sqlmodel import Session

from billing.rules.fields import RuleError
from billing.rules.read import read_page
from rpm.access import Actor, require
from rpm.actions.command import Command, refuse
from rpm.errors import InvalidRequest
from rpm.store.chain import recording
from rpm.store.queries.people import hold_organization, rule_pages
from rpm.store.rule_books import book_of
from rpm.store.scope import Scope
from rpm.store.tables.ledger import RulePage

_LONGEST = 200_000


class AddRulePage(Command):
    """A page as TOML text, in the form of the shipped ones."""

    toml: str = Field(
        min_length=1,
        max_length=_LONGEST,
        examples=['id = "our-payer-2026"\npayer = "OUR_PAYER"\nextends = "MEDICARE_B"\n'],
    )


def add_rule_page(db: Session, actor: Actor, now: datetime, command: AddRulePage) -> RulePage:
    """The page; the same text again gives the same page.

    ``InvalidRequest`` naming line and reason when the page cannot be read or does not fit.
    """
    require(actor, "rules:write")
    scope = Scope.of(actor)
    hold_organization(db, scope)
    for recorded in rule_pages(db, scope):
        if recorded.toml == command.toml:
            return recorded
    book = book_of(db, scope.organization_id)
    try:
        page = read_page(command.toml, "toml", book.references)
        book.with_pages([page])
    except RuleError as error:
        raise _refused(error) from error
    with recording(db, actor, now, "rule_page.add") as record:
        row = record.add(RulePage(page_id=page.id, toml=command.toml, digest=page.digest))
        record.subject["rule_page_id"] = row.id
    return row


def _refused(error: RuleError) -> InvalidRequest:
    return refuse(f"toml:{error.line}", "E_RULE_PAGE", error.reason)

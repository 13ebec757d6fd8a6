"""Activate a rule page of the practice, beside the shipped ones: an action with a reason.

Owns the checks that the page can be read, fits the book, leaves no service day without a rule and
does not claim to have been known to a close that is made. Does not own what a page may say
(``billing.rules.read``). A page is never edited: a correction is another page, known later.
"""

from datetime import date, datetime

from pydantic import Field
from sqlmodel import Session, col

from billing.rules.fields import Place, RuleError
from billing.rules.read import read_page
from billing.rules.ruleset import RuleSet
from billing.rules.trial import check_fit
from rpm.access import Actor, require
from rpm.actions.command import Command, Reason, refuse
from rpm.errors import InvalidRequest
from rpm.store.chain import recording
from rpm.store.queries.people import hold_organization
from rpm.store.queries.rules import rule_pages
from rpm.store.rule_books import book_of
from rpm.store.scope import Scope
from rpm.store.tables.ledger import Close, RulePage

LONGEST = 200_000
FIELD = "toml"
"""How errors call a page that came without a file."""


class ActivateRulePage(Command):
    """A page as TOML text, in the form of the shipped ones, and why it is to count."""

    toml: str = Field(
        min_length=1,
        max_length=LONGEST,
        examples=['id = "our-payer-2026"\npayer = "OUR_PAYER"\nextends = "MEDICARE_B"\n'],
    )
    reason: Reason = Field(examples=["our contractor's article of March"])


def activate_rule_page(
    db: Session, actor: Actor, now: datetime, command: ActivateRulePage, file: str = FIELD
) -> RulePage:
    """The page, which counts from the day it names as known; the same text again is the same page.

    ``InvalidRequest`` naming ``file``, line and reason when the page is refused.
    """
    require(actor, "rules:write")
    scope = Scope.of(actor)
    hold_organization(db, scope)
    for recorded in rule_pages(db, scope):
        if recorded.toml == command.toml:
            return recorded
    book = book_of(db, scope.organization_id)
    try:
        page = read_page(command.toml, file, book.references)
        check_fit(book, page, file, command.toml)
        _check_known_from(page, latest_known_day(db, scope), Place(file, command.toml))
    except RuleError as error:
        raise refused(error) from error
    with recording(db, actor, now, "rule_page.activate", reason=command.reason) as record:
        row = record.add(RulePage(page_id=page.id, toml=command.toml, digest=page.digest))
        record.subject["rule_page_id"] = row.id
    return row


def refused(error: RuleError) -> InvalidRequest:
    """A page that is refused, as the error that names file, line and reason."""
    return refuse(f"{error.file}:{error.line}", "E_RULE_PAGE", error.reason)


def latest_known_day(db: Session, scope: Scope) -> date | None:
    """The latest day by which a close chose its pages; None before the first close."""
    latest = db.exec(scope.rows(Close).order_by(col(Close.known_day).desc())).first()
    return latest.known_day if latest is not None else None


def _check_known_from(page: RuleSet, closed: date | None, place: Place) -> None:
    if closed is not None and page.known_from <= closed:
        reason = f"a close chose its pages on {closed}: a page known later begins after that day"
        raise place.error(reason, "known_from")

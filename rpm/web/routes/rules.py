"""The practice's own rule pages: compared with the one in force, activated, listed.

Owns the addresses and what is shown. Does not own the checks of a page (``rpm.actions``) nor what
a page may say (``billing.rules``).
"""

from datetime import date
from typing import Annotated, Self

from pydantic import BaseModel, Field

from rpm.access import Actor
from rpm.actions.activate_rule_page import ActivateRulePage, activate_rule_page
from rpm.actions.compare_rule_page import (
    ChangedEvent,
    CompareRulePage,
    PageComparison,
    compare_rule_page,
)
from rpm.store.queries.rules import Activation, activations
from rpm.store.scope import Scope
from rpm.store.tables.ledger import RulePage
from rpm.web.deps import PROBLEMS, Db, Now, Page, Paging, ReadDb, area_router, permit
from rpm.web.routes.readings import after_id
from rpm.web.shown import ShownFact

router = area_router("Practice")

MOST_EVENTS = 1_000


class RulePageOut(ShownFact):
    """A rule page of the practice."""

    page_id: str = Field(examples=["our-payer-2026"])
    toml: str = Field(description="The page's text.")
    digest: str = Field(description="SHA-256 of its content.")


class ActivatedPageOut(RulePageOut):
    """A rule page of the practice and its activation, at ``recorded_at``."""

    activated_by: str
    reason: str | None

    @classmethod
    def of(cls, one: Activation) -> Self:
        """From a page with its activation."""
        page = RulePageOut.model_validate(one.page).model_dump()
        return cls(**page, activated_by=one.by, reason=one.reason)


class PageComparisonOut(BaseModel):
    """What a changed rule page would have changed."""

    first_day: date = Field(description="Events with a service day from here on,")
    last_day: date = Field(description="and up to here, are compared.")
    page_lines: list[str] = Field(
        description="What the page says otherwise: lines with - are the page in force, with + the"
        " changed one; others tell what the lines below belong to."
    )
    events: list[ChangedEvent] = Field(description=f"At most {MOST_EVENTS:,}, by patient.")
    events_total: int = Field(description="All differing events.")
    patients: int
    before_cents: int = Field(description="Known amounts of the differing events as they are.")
    after_cents: int = Field(description="The same with the changed page.")
    unknown_before: int = Field(description="Events whose amount is unknown, as they are.")
    unknown_after: int = Field(description="The same with the changed page.")

    @classmethod
    def of(cls, found: PageComparison) -> Self:
        """From a comparison."""
        return cls(
            first_day=found.first_day,
            last_day=found.last_day,
            page_lines=found.page_lines,
            events=found.events[:MOST_EVENTS],
            events_total=len(found.events),
            patients=found.patients,
            before_cents=found.before_cents,
            after_cents=found.after_cents,
            unknown_before=found.unknown_before,
            unknown_after=found.unknown_after,
        )


@router.post(
    "/rule-pages",
    status_code=201,
    summary="Activate a rule page of the practice",
    description="Refused with line and reason when it cannot be read, does not fit the book, leaves"
    " service days without a rule, or claims to have been known to a close that is made. A page is"
    " never edited: a correction is another page, known later.",
    operation_id="activate_rule_page",
    response_model=RulePageOut,
    responses=PROBLEMS,
)
def activate(
    db: Db, now: Now, actor: Annotated[Actor, permit("rules:write")], command: ActivateRulePage
) -> RulePage:
    """The page."""
    return activate_rule_page(db, actor, now, command)


@router.get(
    "/rule-pages",
    summary="List the practice's own rule pages",
    description="In the order they were activated, with who and why. Shipped pages are not among"
    " them.",
    operation_id="list_rule_pages",
    response_model=Page[ActivatedPageOut],
    responses=PROBLEMS,
)
def list_rule_pages(
    db: ReadDb, actor: Annotated[Actor, permit("rules:read")], paging: Paging
) -> Page[ActivatedPageOut]:
    """A page of rule pages."""
    found = activations(db, Scope.of(actor), after=after_id(paging), limit=paging.fetch)
    return paging.page([ActivatedPageOut.of(one) for one in found], lambda row: (row.id,))


@router.post(
    "/rule-page-comparisons",
    summary="Compare a changed rule page with one of the book",
    description="What the changed page would have changed in the service days of the last months,"
    " event by event and in money, were it in the place of the other. Nothing is stored.",
    operation_id="compare_rule_page",
    response_model=PageComparisonOut,
    responses=PROBLEMS,
)
def compare(
    db: ReadDb, now: Now, actor: Annotated[Actor, permit("ledger:read")], command: CompareRulePage
) -> PageComparisonOut:
    """The comparison."""
    return PageComparisonOut.of(compare_rule_page(db, actor, now, command))

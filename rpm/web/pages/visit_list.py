"""The list of visits: by payer, person, days, standing, decision and finding.

Owns this screen. Does not own coding: standing and findings are not stored, so these filters go
through visits as they are coded today, a share of them for each page.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query, Request
from fastapi.responses import Response
from sqlmodel import Session

from rpm.access import Actor
from rpm.actions.coded_visits import coder
from rpm.actions.decide_visit import encounter_of_visit
from rpm.actions.practice_day import practice_today
from rpm.actions.visit_facts import lines_of
from rpm.store.queries.people import names_of_patients
from rpm.store.queries.visits import decisions_of, visits_page
from rpm.store.scope import Scope
from rpm.store.tables.coding import Visit, VisitDecision
from rpm.store.tables.people import Practitioner
from rpm.web.coding_shown import ShownCoding, shown_coding
from rpm.web.cursors import Paging
from rpm.web.pages.paging import page_of_list
from rpm.web.pages.shell import Now, PageReadDb, page_permit, page_router, render
from rpm.web.pages.visit_form import WORDS
from rpm.web.pages.visit_words import CHOICES, PAYER_WORDS, STATUS_WORDS

router = page_router()

Reader = Annotated[Actor, page_permit("ledger:read")]
Word = Annotated[str, Query(max_length=40)]
ROWS = 25
MOST_LOOKED_AT = 8 * ROWS
"""Visits that are coded for one page; the next one goes on from there."""
DECISIONS = {"open": "open", "accepted": "accepted", "held": "held"}


@dataclass(frozen=True)
class Listed:
    """A visit of the list, coded as of today."""

    visit: Visit
    patient: str
    coding: ShownCoding
    decision: VisitDecision | None

    @property
    def decided(self) -> str:
        """What was decided, as the filter says it."""
        if self.decision is None:
            return "open"
        return "accepted" if self.decision.accepted else "held"

    def is_asked(self, asked: Mapping[str, str]) -> bool:
        """Whether the filters that are no columns let it through."""
        edits = {one.edit for one in self.coding.edits}
        return (
            asked["status"] in ("", self.coding.status)
            and asked["decision"] in ("", self.decided)
            and (not asked["edit"] or any(edit.startswith(asked["edit"]) for edit in edits))
        )


@router.get("/visits")
def visits(
    request: Request,
    db: PageReadDb,
    now: Now,
    actor: Reader,
    payer: Word = "",
    practitioner: Word = "",
    from_day: Annotated[str, Query(max_length=10)] = "",
    to_day: Annotated[str, Query(max_length=10)] = "",
    status: Word = "",
    decision: Word = "",
    edit: Word = "",
    cursor: Annotated[str, Query(max_length=2_000)] = "",
) -> Response:
    """Visits that stand, with how they are coded and what was decided."""
    scope = Scope.of(actor)
    people = {str(row.id): row.name for row in scope.all_of(db, Practitioner)}
    asked = {
        "payer": payer if payer in PAYER_WORDS else "",
        "practitioner": practitioner if practitioner in people else "",
        "from_day": from_day,
        "to_day": to_day,
        "status": status if status in STATUS_WORDS else "",
        "decision": decision if decision in DECISIONS else "",
        "edit": edit.strip().upper(),
    }
    paging = page_of_list(request, actor, "visits", asked, cursor or None, ROWS)
    rows, next_cursor = _page(db, scope, now, asked, paging)
    return render(
        request,
        "visits.html.j2",
        rows=rows,
        next_cursor=next_cursor,
        is_first=not cursor,
        asked=asked,
        payers=PAYER_WORDS,
        choices=(("", "all payers"), *CHOICES["payer"]),
        people=[("", "everybody"), *sorted(people.items(), key=lambda one: one[1])],
        statuses=[("", "any"), *STATUS_WORDS.items()],
        decisions=[("", "any"), *DECISIONS.items()],
        **WORDS,
    )


def _page(
    db: Session, scope: Scope, now: datetime, asked: Mapping[str, str], paging: Paging
) -> tuple[list[Listed], str | None]:
    """Rows of a page, and where the next one goes on."""
    found: list[Listed] = []
    after = None if paging.after is None else UUID(str(paging.after[0]))
    for batch in _batches(db, scope, asked, after):
        for row in _listed(db, scope, now, batch):
            if row.is_asked(asked):
                if len(found) == ROWS:
                    return found, paging.cursor((found[-1].visit.id,))
                found.append(row)
        after = batch[-1].id
    more = after is not None and visits_page(db, scope, **_columns(asked), after=after, limit=1)
    return found, paging.cursor((after,)) if more else None


def _batches(
    db: Session, scope: Scope, asked: Mapping[str, str], after: UUID | None
) -> Iterator[Sequence[Visit]]:
    """Visits by the filters that are columns, as many as are coded for one page."""
    for _ in range(MOST_LOOKED_AT // ROWS):
        rows = visits_page(db, scope, **_columns(asked), after=after, limit=ROWS)
        if not rows:
            return
        yield rows
        after = rows[-1].id


def _columns(asked: Mapping[str, str]) -> dict[str, Any]:
    return {
        "payer": asked["payer"] or None,
        "practitioner_id": UUID(asked["practitioner"]) if asked["practitioner"] else None,
        "from_day": _day(asked["from_day"]),
        "to_day": _day(asked["to_day"]),
        "standing": True,
    }


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _listed(db: Session, scope: Scope, now: datetime, rows: Sequence[Visit]) -> Iterator[Listed]:
    names = names_of_patients(db, scope, sorted({row.patient_id for row in rows}))
    decisions = decisions_of(db, scope, [row.id for row in rows])
    today = practice_today(db, scope, now)
    coding = coder(db, scope, today)
    for row in rows:
        coded = coding.code(encounter_of_visit(db, scope, row), lines_of(row.submitted))
        yield Listed(row, names[row.patient_id], shown_coding(coded, today), decisions.get(row.id))

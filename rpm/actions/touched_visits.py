"""Visits that a change of the coding rules touches: other rows judge them as known on two days.

Owns going through the visits of a practice. Does not own which rows a visit leans on
(``billing.coding.touched``) nor coding. Nothing is stored.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlmodel import Session

from billing.coding.coded import CodedVisit
from billing.coding.rules_read import shipped_coding_rules
from billing.coding.touched import RowChange, changed_rows
from rpm.actions.coded_visits import coder
from rpm.actions.decide_visit import encounter_of_visit
from rpm.actions.visit_facts import lines_of
from rpm.store.queries.visits import visits_page
from rpm.store.scope import Scope
from rpm.store.tables.coding import Visit


@dataclass(frozen=True)
class TouchedVisit:
    """A visit, the rows that changed for it, and how it is coded under each side."""

    visit: Visit
    rows: tuple[RowChange, ...]
    before: CodedVisit
    after: CodedVisit


def touched_visits(
    db: Session, scope: Scope, from_day: date, to_day: date
) -> Iterator[TouchedVisit]:
    """Standing visits that other rows judge as known on ``to_day`` than on ``from_day``.

    In the order of recording; a visit is told also when both sides give the same lines.
    """
    before, after = coder(db, scope, from_day), coder(db, scope, to_day)
    for visit in _standing(db, scope):
        encounter = encounter_of_visit(db, scope, visit)
        rows = changed_rows(encounter, shipped_coding_rules(), from_day, to_day)
        if rows:
            lines = lines_of(visit.submitted)
            sides = before.code(encounter, lines), after.code(encounter, lines)
            yield TouchedVisit(visit, rows, *sides)


def _standing(db: Session, scope: Scope) -> Iterator[Visit]:
    last: UUID | None = None
    while page := visits_page(db, scope, standing=True, after=last):
        yield from page
        last = page[-1].id

"""One claim: its values, lines with their evidence, what is wrong with it, and what befell it.

Owns this screen. Does not own deciding (``claims``), correcting (``denial``) nor papers.
"""

from dataclasses import dataclass
from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import Request
from fastapi.responses import Response
from sqlmodel import Session

from billing.claims.claim import Claim, ServiceLine
from billing.claims.lifecycle import Step
from rpm.access import Actor
from rpm.actions.claim_check import claim_findings, practice_codes
from rpm.actions.claim_events import CurrentClaim, current_claim
from rpm.actions.practice_day import practice_today
from rpm.store.queries.claims import events_of, lines_of_claims
from rpm.store.scope import Scope
from rpm.store.tables.claims import ClaimLineRecord
from rpm.store.tables.people import Patient, User
from rpm.web.pages.claim_words import (
    EVENT_WORDS,
    FREQUENCY_WORDS,
    STATUS_TONES,
    STATUS_WORDS,
    mends,
)
from rpm.web.pages.shell import Now, PageReadDb, page_permit, page_router, render

router = page_router()

Reader = Annotated[Actor, page_permit("claims:read")]


@dataclass(frozen=True)
class ShownLine:
    """A line of the claim, and the service behind it."""

    line: ServiceLine
    service: ClaimLineRecord | None


@router.get("/claims/{claim_id}")
def claim(request: Request, db: PageReadDb, now: Now, actor: Reader, claim_id: UUID) -> Response:
    """The claim as it would leave now, and its history."""
    scope = Scope.of(actor)
    current = current_claim(db, scope, claim_id)
    told = current.claim
    today = practice_today(db, scope, now)
    return render(
        request,
        "claim.html.j2",
        current=current,
        claim=told,
        patient=scope.get(db, Patient, current.row.patient_id),
        lines=_lines(db, scope, current, told),
        findings=_findings(db, scope, current, told, today),
        events=list(reversed(events_of(db, scope, claim_id))),
        users={row.id: row.name for row in scope.all_of(db, User)},
        may_release=current.may(Step.RELEASE),
        may_hold=current.may(Step.HOLD),
        words=STATUS_WORDS,
        tones=STATUS_TONES,
        event_words=EVENT_WORDS,
        frequencies=FREQUENCY_WORDS,
    )


def _lines(db: Session, scope: Scope, current: CurrentClaim, told: Claim) -> list[ShownLine]:
    """Lines with their services: the end of a line's control number is its number."""
    rows = lines_of_claims(db, scope, [current.row.id]).get(current.row.id, [])
    by_number = {f"{told.control_number}L{row.line_number:02d}": row for row in rows}
    return [ShownLine(line, by_number.get(line.control_number)) for line in told.lines]


def _findings(
    db: Session, scope: Scope, current: CurrentClaim, told: Claim, today: date
) -> list[object]:
    found = claim_findings(told, today, practice_codes(db, scope))
    return list(mends(found, current.row.patient_id))

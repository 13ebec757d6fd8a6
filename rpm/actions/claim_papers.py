"""Claims on paper: the CMS-1500 of a claim, and the superbill of a patient's month.

Owns which claims stand on them. Does not own the values (``billing.claims``) nor their look
(``rpm.documents``). A claim that was voided, withdrawn or written off makes no superbill line.
"""

from datetime import date, datetime, timedelta
from uuid import UUID

from sqlmodel import Session

from billing.claims.form1500 import form_findings
from billing.claims.lifecycle import Status
from billing.claims.superbill import superbill
from billing.coding.rules_read import shipped_coding_rules
from billing.rules.references import shipped_references
from rpm.actions.claim_events import current_claim, current_claims
from rpm.actions.compute_close import next_month
from rpm.documents.form1500 import Printing, form1500_pdf
from rpm.documents.superbill import superbill_pdf
from rpm.errors import InvalidRequest, NotFound
from rpm.store.queries.claims import ClaimFilter, listed_claims
from rpm.store.scope import Scope
from rpm.store.tables.people import Patient

_GONE = frozenset({Status.VOIDED, Status.WITHDRAWN})


def claim_form(
    db: Session, scope: Scope, now: datetime, claim_id: UUID, printing: Printing
) -> bytes:
    """The claim as it would leave now, on the form.

    ``InvalidRequest`` with what does not fit the form and may not be cut, ``NotFound`` for a claim
    that is not here.
    """
    claim = current_claim(db, scope, claim_id).claim
    if found := form_findings(claim):
        raise InvalidRequest("the claim does not fit the paper form", list(found))
    return form1500_pdf([claim], now, printing)


def patient_superbill(
    db: Session, scope: Scope, now: datetime, patient_id: UUID, month_start_day: date
) -> bytes:
    """What was done for a patient in a month; ``NotFound`` where no claim has a line in it."""
    scope.get(db, Patient, patient_id)
    listed = listed_claims(db, scope, ClaimFilter(patient_id=patient_id))
    ids = [one.id for one in listed if one.standing.status not in _GONE]
    claims = [one.claim for one in current_claims(db, scope, ids).values()]
    last_day = next_month(month_start_day) - timedelta(days=1)
    try:
        bill = superbill(claims, month_start_day, last_day, _labels())
    except ValueError:
        raise NotFound("no claim of this patient has a line in this month") from None
    return superbill_pdf(bill, now)


def _labels() -> dict[str, str]:
    """Own short words for procedure codes."""
    visits = {code: one.label for code, one in shipped_coding_rules().codes.items()}
    return visits | {code: one.label for code, one in shipped_references().codes.items()}

"""Claims on paper from the pages: the CMS-1500 of a claim, and a patient's superbill.

Owns the addresses. Does not own what stands on them (``rpm.actions.claim_papers``).
"""

from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import Query
from fastapi.responses import Response

from rpm.access import Actor
from rpm.actions.claim_papers import claim_form, patient_superbill
from rpm.documents.form1500 import Printing
from rpm.errors import NotFound
from rpm.store.scope import Scope
from rpm.web.pages.shell import Now, PageReadDb, page_permit, page_router

router = page_router()

Reader = Annotated[Actor, page_permit("claims:read")]
PDF = "application/pdf"


@router.get("/claims/{claim_id}/form1500.pdf")
def form1500(
    db: PageReadDb,
    now: Now,
    actor: Reader,
    claim_id: UUID,
    check: Annotated[str, Query(max_length=5)] = "",
) -> Response:
    """The claim for pre-printed stock, or with frames of our own to check it."""
    printing = Printing(check=bool(check))
    return _given(claim_form(db, Scope.of(actor), now, claim_id, printing), f"claim-{claim_id}")


@router.get("/patients/{patient_id}/superbill.pdf")
def superbill(
    db: PageReadDb,
    now: Now,
    actor: Reader,
    patient_id: UUID,
    month: Annotated[str, Query(max_length=7)] = "",
) -> Response:
    """What was done for a patient in a month."""
    try:
        first_day = date.fromisoformat(f"{month}-01")
    except ValueError:
        raise NotFound("a month is written as year and month") from None
    document = patient_superbill(db, Scope.of(actor), now, patient_id, first_day)
    return _given(document, f"superbill-{month}")


def _given(document: bytes, name: str) -> Response:
    named = f'inline; filename="{name}.pdf"'
    return Response(document, media_type=PDF, headers={"Content-Disposition": named})

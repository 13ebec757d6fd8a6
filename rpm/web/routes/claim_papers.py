"""Claims on paper over HTTP: the CMS-1500 of a claim, and a patient's superbill.

Owns the addresses. Does not own what stands on them (``rpm.actions.claim_papers``).
"""

from datetime import date
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query, Response

from rpm.access import Actor
from rpm.actions.claim_papers import claim_form, patient_superbill
from rpm.documents.form1500 import Printing
from rpm.store.scope import Scope
from rpm.web.deps import PROBLEMS, Now, ReadDb, area_router, permit

router = area_router("Claims")

Reader = Annotated[Actor, permit("claims:read")]
PDF = "application/pdf"
Shift = Annotated[float, Query(ge=-72, le=144, allow_inf_nan=False)]
Month = Annotated[
    str, Query(pattern=r"^20\d\d-(0[1-9]|1[0-2])$", description="Year and month: `2026-01`.")
]
_AS_PDF: dict[int | str, dict[str, Any]] = {
    **PROBLEMS,
    200: {"description": "The document.", "content": {PDF: {}}},
}


@router.get(
    "/claims/{claim_id}/form1500.pdf",
    summary="Print a claim on the CMS-1500",
    description="The data at the form's places, for pre-printed stock (02/12): the form itself is"
    " never drawn. `check` adds frames of our own; `left` and `top` place the first column and"
    " line, in points.",
    operation_id="claim_form1500",
    response_class=Response,
    responses=_AS_PDF,
)
def form1500(
    db: ReadDb,
    now: Now,
    actor: Reader,
    claim_id: UUID,
    check: Annotated[bool, Query()] = False,  # noqa: FBT002 - FastAPI passes it by name
    left: Shift = Printing.left,
    top: Shift = Printing.top,
) -> Response:
    """The document."""
    printing = Printing(left, top, check)
    return _given(claim_form(db, Scope.of(actor), now, claim_id, printing))


@router.get(
    "/patients/{patient_id}/superbill.pdf",
    summary="Give a superbill",
    description="What was done for a patient in a month, from the claims that stand.",
    operation_id="patient_superbill",
    response_class=Response,
    responses=_AS_PDF,
)
def superbill(db: ReadDb, now: Now, actor: Reader, patient_id: UUID, month: Month) -> Response:
    """The document."""
    first_day = date.fromisoformat(f"{month}-01")
    return _given(patient_superbill(db, Scope.of(actor), now, patient_id, first_day))


def _given(document: bytes) -> Response:
    return Response(document, media_type=PDF)

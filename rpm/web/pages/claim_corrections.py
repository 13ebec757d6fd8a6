"""Corrections that the record asks for: which claims, why, and a person's word.

Owns this screen. Does not own what is proposed (``rpm.actions.claim_corrections``).
"""

from typing import Annotated
from uuid import UUID

from fastapi import Form, Request
from fastapi.responses import Response
from sqlmodel import Session

from rpm.access import Actor
from rpm.actions.claim_corrections import (
    AcceptCorrection,
    Correction,
    accept_correction,
    proposals,
)
from rpm.errors import Conflict, InvalidRequest
from rpm.store.queries.people import names_of_patients
from rpm.store.scope import Scope
from rpm.web.pages.claim_words import STATUS_TONES, STATUS_WORDS
from rpm.web.pages.shell import (
    Now,
    PageDb,
    PageReadDb,
    page_permit,
    page_router,
    read_form,
    render,
    see_other,
)

router = page_router()

ADDRESS = "/claims/corrections"
Reader = Annotated[Actor, page_permit("claims:read")]
Writer = Annotated[Actor, page_permit("claims:write")]
WORDS = {
    Correction.REBUILD: "make it anew with what stands",
    Correction.WITHDRAW: "withdraw it: nothing of it stands",
    Correction.REPLACE: "replace it (frequency 7)",
    Correction.VOID: "void it (frequency 8): nothing of it stands",
    Correction.WAIT: "waits: the claim is in a file or on its way",
}


@router.get(ADDRESS)
def corrections(request: Request, db: PageReadDb, actor: Reader) -> Response:
    """Claims that no longer say what the record says."""
    return _page(request, db, actor, {})


def _page(request: Request, db: Session, actor: Actor, errors: dict[str, str]) -> Response:
    scope = Scope.of(actor)
    found = proposals(db, scope)
    return render(
        request,
        "claim_corrections.html.j2",
        422 if errors else 200,
        proposals=found,
        names=names_of_patients(db, scope, {one.current.row.patient_id for one in found}),
        correction_words=WORDS,
        words=STATUS_WORDS,
        tones=STATUS_TONES,
        errors=errors,
    )


@router.post(f"{ADDRESS}/{{claim_id}}")
def accept(
    request: Request,
    db: PageDb,
    now: Now,
    actor: Writer,
    claim_id: UUID,
    reason: Annotated[str, Form(max_length=1_000)] = "",
) -> Response:
    """A person makes the correction; a new version waits for its release."""
    command, errors = read_form(AcceptCorrection, {"claim_id": claim_id, "reason": reason})
    if command is None:
        return _page(request, db, actor, {f"reason-{claim_id}": next(iter(errors.values()))})
    try:
        made = accept_correction(db, actor, now, command)
    except Conflict as error:
        return _page(request, db, actor, {"": error.message})
    except InvalidRequest as error:
        return _page(request, db, actor, {"": "; ".join(one.message for one in error.findings)})
    if made.correction is Correction.WITHDRAW:
        return see_other(request, ADDRESS, "The claim is withdrawn.")
    return see_other(
        request, f"/claims/{claim_id}", "The claim is corrected and waits for release."
    )

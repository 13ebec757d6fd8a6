"""Answers of payers and clearinghouses: files received, what became of each, and taking one in.

Owns these screens. Does not own reading and posting (``rpm.actions``) nor payments
(``rpm.web.pages.remittances``). A file is stored and committed before it is read.
"""

from typing import Annotated
from uuid import UUID

from fastapi import File, Form, Query, Request, UploadFile
from fastapi.responses import Response

from rpm.access import Actor
from rpm.actions.overpayments import open_overpayments
from rpm.actions.post_answers import post_answers
from rpm.actions.take_received_file import take_received_file
from rpm.errors import InvalidRequest
from rpm.store.engine import transaction
from rpm.store.queries.answers import (
    NEEDS_LOOK,
    POSTED,
    QUARANTINED,
    files_page,
    outcomes_of,
    received_file,
    remittances_of_file,
    unmatched_sum,
)
from rpm.store.scope import Scope
from rpm.web.pages.paging import page_of_list
from rpm.web.pages.shell import Now, PageReadDb, page_permit, page_router, render, see_other
from rpm.web.routes.readings import after_id
from rpm.web.running import engine_of

router = page_router()

ADDRESS = "/claims/answers"
Reader = Annotated[Actor, page_permit("claims:read")]
Poster = Annotated[Actor, page_permit("remittances:post")]
STATE_WORDS = {
    POSTED: ("posted", "good"),
    NEEDS_LOOK: ("posted, look at it", "warn"),
    QUARANTINED: ("cannot be read", "bad"),
    None: ("not read yet", "warn"),
}
"""Words and tones of what became of a file."""
KIND_WORDS = {
    "835": "payment (835)",
    "277CA": "claims acknowledged (277CA)",
    "999": "file acknowledged (999)",
    "TA1": "envelope acknowledged (TA1)",
    "271": "eligibility (271)",
    "unknown": "no answer to claims",
}


@router.get(ADDRESS)
def answers(
    request: Request,
    db: PageReadDb,
    actor: Reader,
    cursor: Annotated[str, Query(max_length=2_000)] = "",
) -> Response:
    """Received files, the latest first, and the form for one more."""
    scope = Scope.of(actor)
    paging = page_of_list(request, actor, "answers", {}, cursor or None)
    rows = files_page(db, scope, after=after_id(paging), limit=paging.fetch)
    page = paging.page(rows, lambda row: (row.id,))
    return render(
        request,
        "answers.html.j2",
        page=page,
        outcomes=outcomes_of(db, scope, [row.id for row in page.items]),
        states=STATE_WORDS,
        kinds=KIND_WORDS,
        unmatched=unmatched_sum(db, scope),
        overpayments=len(open_overpayments(db, scope)),
    )


@router.post(ADDRESS)
def upload(
    request: Request, now: Now, actor: Poster, file: Annotated[UploadFile | None, File()] = None
) -> Response:
    """Take a file in: stored first, then posted."""
    content = file.file.read() if file is not None else b""
    if not content:
        return see_other(request, ADDRESS, told="Choose a file first: nothing was sent.")
    name = (file.filename if file is not None else None) or "file"
    engine = engine_of(request, actor)
    with transaction(engine) as db:
        file_id = take_received_file(db, actor, now, name, "upload", content).id
    with transaction(engine) as db:
        posted = post_answers(db, actor, now, file_id)
    word = STATE_WORDS[posted.state][0]
    return see_other(request, f"{ADDRESS}/{file_id}", told=f"The file is stored; it is {word}.")


@router.get(f"{ADDRESS}/{{file_id}}")
def answer(request: Request, db: PageReadDb, actor: Reader, file_id: UUID) -> Response:
    """One file: what became of it and what is wrong with it."""
    scope = Scope.of(actor)
    file = received_file(db, scope, file_id)
    outcome = outcomes_of(db, scope, [file_id]).get(file_id)
    findings = [] if outcome is None else outcome.findings
    return render(
        request,
        "answer.html.j2",
        file=file,
        outcome=outcome,
        state=STATE_WORDS[outcome.state if outcome else None],
        kind=KIND_WORDS[file.kind],
        payments=remittances_of_file(db, scope, file_id),
        other_practice=any(one[0] == "E_835_OTHER_PRACTICE" for one in findings),
    )


@router.post(f"{ADDRESS}/{{file_id}}/read")
def read_again(
    request: Request,
    now: Now,
    actor: Poster,
    file_id: UUID,
    any_payee: Annotated[str, Form(max_length=3)] = "",
) -> Response:
    """Read a file again; what is posted already stays as it is."""
    if any_payee not in ("", "yes"):
        raise InvalidRequest("the choice is not known")
    with transaction(engine_of(request, actor)) as db:
        posted = post_answers(db, actor, now, file_id, any_payee=any_payee == "yes")
    word = STATE_WORDS[posted.state][0]
    return see_other(
        request, f"{ADDRESS}/{file_id}", told=f"The file was read again; it is {word}."
    )

"""The exchange with clearinghouses on pages: what is overdue or unsure, sending, looking, fetching.

Owns these screens. Does not own the exchange (``rpm.claim_exchange``) nor agreements, which an
operator records (``rpm-ledger clearinghouse``). A file whose arrival is unknown has no button that
sends it: a person looks, then decides.
"""

from typing import Annotated
from uuid import UUID

from fastapi import Form, Request
from fastapi.responses import Response

from billing.claims.clocks import Answer
from billing.claims.sending import Step, was_looked_for
from rpm.access import Actor
from rpm.actions.overdue_answers import exchange_work
from rpm.actions.send_claim_file import DecideSending, decide_sending
from rpm.claim_exchange import Exchange, fetch_files, look_for_file, send_file
from rpm.store.queries.clearinghouse_tests import is_tried
from rpm.store.queries.clearinghouses import clearinghouse_profiles, folded_steps, state_of
from rpm.store.scope import Scope
from rpm.transport.place import TransportError
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
from rpm.web.running import running_of

router = page_router()

ADDRESS, FILES = "/claims/exchange", "/claims/files"
Reader = Annotated[Actor, page_permit("claims:read")]
Releaser = Annotated[Actor, page_permit("claims:release")]
Poster = Annotated[Actor, page_permit("remittances:post")]
ANSWER_WORDS = {
    Answer.ACKNOWLEDGMENT: "file not acknowledged (TA1, 999)",
    Answer.CLAIM_ACKNOWLEDGMENT: "claim not acknowledged (277CA)",
    Answer.REMITTANCE: "not paid or denied (835)",
}
STEP_WORDS = {
    Step.BEGUN: "sending began",
    Step.SENT: "sent",
    Step.NOT_SENT: "not sent",
    Step.UNKNOWN: "the connection was lost on the way",
    Step.FOUND: "found at the clearinghouse",
    Step.NOT_FOUND: "not found at the clearinghouse",
    Step.ARRIVED: "a person says that it arrived",
    Step.GIVEN_UP: "a person says that it did not arrive",
}
_MOST_SHOWN = 200


@router.get(ADDRESS)
def exchange(request: Request, db: PageReadDb, now: Now, actor: Reader) -> Response:
    """What to look after, and how each clearinghouse stands."""
    scope = Scope.of(actor)
    work = exchange_work(db, actor, now)
    houses = [
        (key, one, state_of(db, scope, key), is_tried(db, scope, key, one))
        for key, one in clearinghouse_profiles(db, scope).items()
    ]
    return render(
        request,
        "claim_exchange.html.j2",
        overdue=work.overdue[:_MOST_SHOWN],
        overdue_count=len(work.overdue),
        unsure=[(one, was_looked_for(folded_steps(one.steps))) for one in work.unsure],
        alarms=work.alarms,
        houses=houses,
        answers=ANSWER_WORDS,
        steps={step.value: words for step, words in STEP_WORDS.items()},
    )


@router.post(f"{FILES}/{{file_id}}/send")
def send(request: Request, actor: Releaser, file_id: UUID) -> Response:
    """Send a file, once."""
    step = send_file(_exchange(request), actor, file_id)
    if step.step == Step.UNKNOWN:
        told = f"Whether {step.name} arrived is not known: look for it before anything else."
        return see_other(request, ADDRESS, told)
    told = f"{step.name}: {STEP_WORDS[Step(step.step)]}."
    return see_other(request, FILES, f"{told} {step.problem or ''}".strip())


@router.post(f"{FILES}/{{file_id}}/look")
def look(request: Request, actor: Releaser, file_id: UUID) -> Response:
    """Look for a file whose arrival is not known."""
    try:
        seen = look_for_file(_exchange(request), actor, file_id)
    except TransportError as error:
        return see_other(request, ADDRESS, f"Nobody could look: {error}.")
    return see_other(request, ADDRESS, f"{seen.name}: {STEP_WORDS[Step(seen.step)]}.")


@router.post(f"{FILES}/{{file_id}}/settle")
def settle(
    request: Request,
    db: PageDb,
    now: Now,
    actor: Releaser,
    file_id: UUID,
    arrived: Annotated[str, Form(max_length=3)] = "",
    reason: Annotated[str, Form(max_length=1_000)] = "",
) -> Response:
    """A person's word on whether a file arrived."""
    given = {"file_id": file_id, "arrived": {"yes": True, "no": False}.get(arrived)}
    command, errors = read_form(DecideSending, {**given, "reason": reason})
    if command is None:
        told = "Say how you know." if "reason" in errors else "Say whether it arrived."
        return see_other(request, ADDRESS, f"Nothing is settled. {told}")
    settled = decide_sending(db, actor, now, command)
    return see_other(request, FILES, f"{settled.name}: {STEP_WORDS[Step(settled.step)]}.")


@router.post(f"{ADDRESS}/{{key}}/fetch")
def fetch(request: Request, actor: Poster, key: str) -> Response:
    """Fetch what waits at a clearinghouse now, and post it."""
    done = fetch_files(_exchange(request), actor, key, at_once=True)
    if done.held:
        return see_other(request, ADDRESS, "Another fetch is at it.")
    told = f"{len(done.new)} new {'file' if len(done.new) == 1 else 'files'}."
    return see_other(request, ADDRESS, " ".join([told, *(f"{one}." for one in done.problems)]))


def _exchange(request: Request) -> Exchange:
    running = running_of(request)
    ring, folders = running.keys.field_encryption, running.settings.exchange_folder
    return Exchange(running.engine, running.clock, ring, folders)

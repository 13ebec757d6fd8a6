"""The timer's forms: start, beat, pause, go on, answer, stop, discard.

Owns these addresses; each works without a script. Does not own the bar (``timer_bar``) nor what a
timer does (``rpm.actions``). Beats and the bar's own look are no sign of a person: they keep nobody
signed in.
"""

from typing import Annotated, Any
from uuid import UUID, uuid4

from fastapi import Form, Query, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response
from sqlmodel import Session

from rpm.access import Actor
from rpm.actions.run_timer import (
    AnswerTimer,
    BeatTimer,
    OneTimer,
    StartTimer,
    answer_timer,
    beat_timer,
    pause_timer,
    resume_timer,
    start_timer,
    worker,
)
from rpm.actions.stop_timer import (
    CONTACTS,
    DiscardTimer,
    StopTimer,
    SwitchTimer,
    discard_timer,
    stop_timer,
    switch_timer,
)
from rpm.actions.timer_settings import timer_settings
from rpm.actions.worker_role import last_role, likely_roles
from rpm.errors import Conflict, InvalidRequest, NotFound, ServiceError
from rpm.store.queries.people import names_of_patients
from rpm.store.queries.timers import timer_of
from rpm.store.scope import Scope
from rpm.store.tables.people import User
from rpm.timing import spans_of
from rpm.web.pages.shell import (
    PageDb,
    PageReadDb,
    form_errors,
    page_permit,
    page_router,
    page_values,
    read_form,
    render,
    see_other,
    unattended,
)
from rpm.web.pages.templating import clock, environment
from rpm.web.pages.timer_bar import shown, timer_bar
from rpm.web.problems import KINDS
from rpm.web.running import running_of
from rpm.web.timer_clock import TimerNow, take_demo_along

router = page_router()

ADDRESS = "/time"
Worker = Annotated[Actor, page_permit("entries:write")]
ROLE_WORDS = {
    "qhp": "practitioner",
    "rn": "registered nurse",
    "lpn": "licensed practical nurse",
    "ma": "medical assistant",
    "admin": "clerical staff",
}


def id_of(text: str) -> UUID | None:
    """The id that a form's field holds; None for anything else."""
    try:
        return UUID(text)
    except ValueError:
        return None


def chart_address(patient_id: UUID) -> str:
    """The page of a patient."""
    return f"/patients/{patient_id}"


@router.post(f"{ADDRESS}/start")
def start(
    request: Request,
    db: PageDb,
    now: TimerNow,
    actor: Worker,
    patient_id: Annotated[UUID, Form()],
    work: Annotated[str, Form()] = "",
) -> Response:
    """The timer runs; from another patient's chart the way out is shown."""
    command, errors = read_form(StartTimer, {"patient_id": patient_id, "work": work})
    if command is None:
        raise InvalidRequest(next(iter(errors.values())))
    by_script = "text/html" not in request.headers.get("accept", "")
    try:
        timer = start_timer(db, actor, now, command)
    except Conflict as error:
        if by_script:
            raise
        return _stop_page(request, db, now, actor, next_id=patient_id, refused=error)
    if by_script:
        return JSONResponse(shown(db, Scope.of(actor), timer, now).as_json())
    return see_other(request, chart_address(patient_id))


@router.post(f"{ADDRESS}/beat")
@unattended
def beat(
    db: PageDb,
    now: TimerNow,
    actor: Worker,
    timer_id: Annotated[UUID, Form()],
    quiet_seconds: Annotated[int, Form(ge=0, le=86_400)] = 0,
    elapsed_seconds: Annotated[int | None, Form(ge=0)] = None,
) -> Response:
    """The page is there; how the timer stands."""
    try:
        command = BeatTimer(
            timer_id=timer_id, quiet_seconds=quiet_seconds, elapsed_seconds=elapsed_seconds
        )
        timer = beat_timer(db, actor, now, command)
    except (NotFound, Conflict):
        # stopped or taken over in another window: the page draws itself anew
        return JSONResponse({"state": "gone", "timer_id": None, "seconds": 0})
    return JSONResponse(shown(db, Scope.of(actor), timer, now).as_json())


@router.get(f"{ADDRESS}/bar")
@unattended
def bar(request: Request, db: PageReadDb, actor: Worker, chart: UUID | None = None) -> Response:
    """The bar by itself, for a page that is open."""
    found = timer_bar(db, actor, running_of(request), chart)
    request.state.timer_bar = found
    # not rendered as a page: a message that waits for one must stay
    text = environment().get_template("timer_bar.html.j2").render(**page_values(request))
    return HTMLResponse(text)


@router.post(f"{ADDRESS}/pause")
def pause(
    request: Request, db: PageDb, now: TimerNow, actor: Worker, timer_id: Annotated[UUID, Form()]
) -> Response:
    """The timer waits."""
    timer = pause_timer(db, actor, now, OneTimer(timer_id=timer_id))
    return see_other(request, chart_address(timer.patient_id))


@router.post(f"{ADDRESS}/resume")
def resume(
    request: Request, db: PageDb, now: TimerNow, actor: Worker, timer_id: Annotated[UUID, Form()]
) -> Response:
    """The timer runs again."""
    timer = resume_timer(db, actor, now, OneTimer(timer_id=timer_id))
    return see_other(request, chart_address(timer.patient_id))


@router.post(f"{ADDRESS}/answer")
def answer(
    request: Request,
    db: PageDb,
    now: TimerNow,
    actor: Worker,
    timer_id: Annotated[UUID, Form()],
    given: Annotated[str, Form(alias="answer")],
) -> Response:
    """The idle question is answered; who stops says what was done."""
    command, errors = read_form(AnswerTimer, {"timer_id": timer_id, "answer": given})
    if command is None:
        raise InvalidRequest(next(iter(errors.values())))
    timer = answer_timer(db, actor, now, command)
    if command.answer == "drop-and-stop":
        return see_other(request, f"{ADDRESS}/stop")
    return see_other(request, chart_address(timer.patient_id))


@router.get(f"{ADDRESS}/stop")
def stop_form(
    request: Request,
    db: PageReadDb,
    now: TimerNow,
    actor: Worker,
    next_id: Annotated[UUID | None, Query(alias="next")] = None,
) -> Response:
    """What was done while the timer ran."""
    return _stop_page(request, db, now, actor, next_id=next_id)


@router.post(f"{ADDRESS}/stop")
def stop(
    request: Request,
    db: PageDb,
    now: TimerNow,
    actor: Worker,
    timer_id: Annotated[str, Form()] = "",
    client_id: Annotated[str, Form()] = "",
    contact: Annotated[str, Form()] = "",
    live: Annotated[str, Form()] = "",
    activity: Annotated[str, Form()] = "",
    template: Annotated[str, Form()] = "",
    note: Annotated[str, Form()] = "",
    role: Annotated[str, Form()] = "",
    next_patient_id: Annotated[str, Form()] = "",
) -> Response:
    """The timer becomes an entry; and another starts, when it was switched over."""
    values = {
        "timer_id": timer_id,
        "client_id": client_id,
        "contact": contact,
        "live": {"yes": True, "no": False}.get(live, ""),
        "activity": activity,
        "note": "\n".join(part for part in (template, note.strip()) if part),
        "role": role,
    }
    kind: type[StopTimer | SwitchTimer] = StopTimer
    if next_patient_id:
        kind, values = SwitchTimer, {**values, "next_patient_id": next_patient_id}
    command, errors = read_form(kind, values)
    typed = {**values, "live": live, "template": template, "note": note}
    if command is not None:
        try:
            return _stopped(request, db, now, actor, command)
        except InvalidRequest as error:
            named = form_errors(error)
            errors = {
                name if name in values and name != "timer_id" else "": told
                for name, told in named.items()
            }
    next_id = id_of(next_patient_id)
    return _stop_page(request, db, now, actor, typed, errors, next_id=next_id)


def _stopped(
    request: Request, db: Session, now: TimerNow, actor: Actor, command: StopTimer | SwitchTimer
) -> Response:
    if isinstance(command, SwitchTimer):
        logged, _ = switch_timer(db, actor, now, command)
        path = chart_address(command.next_patient_id)
    else:
        logged = stop_timer(db, actor, now, command)
        path = chart_address(logged.entries[0].patient_id)
    take_demo_along(db, running_of(request), now)
    seconds = sum(entry.duration_seconds for entry in logged.entries)
    told = " ".join(
        (f"{clock(seconds)} recorded.", *sorted({one.message for one in logged.findings}))
    )
    return see_other(request, path, told)


@router.post(f"{ADDRESS}/discard")
def discard(
    request: Request,
    db: PageDb,
    now: TimerNow,
    actor: Worker,
    timer_id: Annotated[str, Form()] = "",
    reason: Annotated[str, Form()] = "",
) -> Response:
    """The timer leaves no entry."""
    command, errors = read_form(DiscardTimer, {"timer_id": timer_id, "reason": reason})
    if command is None:
        return _stop_page(request, db, now, actor, errors=errors)
    discard_timer(db, actor, now, command)
    return see_other(request, ADDRESS, "The timer is discarded. The audit trail keeps why.")


def _stop_page(
    request: Request,
    db: Session,
    now: TimerNow,
    actor: Actor,
    values: dict[str, Any] | None = None,
    errors: dict[str, str] | None = None,
    *,
    next_id: UUID | None = None,
    refused: ServiceError | None = None,
) -> Response:
    scope = Scope.of(actor)
    timer = timer_of(db, scope, worker(actor))
    if timer is None:
        return see_other(request, ADDRESS, "You have no timer.")
    current = shown(db, scope, timer, now)
    request.state.timer_bar = current
    names = names_of_patients(db, scope, [next_id] if next_id else [])
    user = scope.get(db, User, worker(actor))
    roles = likely_roles(db, scope, user)
    usual = {"role": last_role(db, scope, user) or ""}
    notes = timer_settings(db, scope).note_templates
    status = 200
    if errors or refused:
        status = KINDS["conflict" if refused else "invalid_request"].status
    return render(
        request,
        "timer_stop.html.j2",
        status,
        current=current,
        spans=spans_of(current.timing, now) if current.timing else (),
        contacts=list(CONTACTS.items()),
        roles=[(role, ROLE_WORDS[role]) for role in roles],
        templates=[("", "None of these"), *((one, one) for one in notes)],
        values={"client_id": str(uuid4()), **usual, **(values or {})},
        errors=errors or {},
        refused=refused,
        next_id=next_id if next_id in names else None,
        next_name=names.get(next_id, "") if next_id else "",
    )

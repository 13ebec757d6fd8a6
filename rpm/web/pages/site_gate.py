"""Pages for somebody who works at some sites only: of one patient, or of lists that know sites.

Owns the list. Every other page is of the whole practice and refused to them: a page that is new
must be thought of before it opens. Does not own which patients are theirs (``rpm.store.scope``).
"""

from contextlib import suppress
from uuid import UUID

from fastapi import Request
from sqlmodel import Session

from rpm.access import Actor
from rpm.errors import NotAllowed
from rpm.store.scope import Scope
from rpm.store.tables.people import Patient

KNOW_SITES = frozenset(
    {
        *("/", "/account", "/account/app", "/account/codes", "/account/password"),
        *("/account/sign-ins/{sign_in_id}/end", "/sign-out", "/sign-out-everywhere"),
        *("/demo/clock", "/emergency"),
        *("/worklist", "/worklist/search", "/worklist/views", "/worklist/views/{view_id}/drop"),
        *("/patients", "/patients/search", "/patients/new"),
        *("/alerts", "/alerts/{alert_id}/answer", "/alerts/patients/{patient_id}/answer"),
        *("/time", "/time/type", "/time/start", "/time/beat", "/time/bar", "/time/pause"),
        *("/time/resume", "/time/answer", "/time/stop", "/time/discard"),
        *("/time/waiting/{proposal_id}", "/time/entries/{entry_id}"),
        *("/time/entries/{entry_id}/reversal", "/time/timers/{timer_id}/finish"),
        "/time/timers/{timer_id}/discard",
        *("/visits", "/visits/{visit_id}", "/visits/{visit_id}/correct"),
        "/visits/{visit_id}/decision",
    }
)
_OF_A_PATIENT = "/patients/{patient_id}"


def knows_sites(path: str) -> bool:
    """Whether a page shows somebody of some sites their own patients only."""
    return path in KNOW_SITES or path == _OF_A_PATIENT or path.startswith(f"{_OF_A_PATIENT}/")


def refuse_other_sites(request: Request, db: Session, actor: Actor) -> None:
    """``NotAllowed`` for a page of the whole practice, ``NotFound`` for another site's patient."""
    if actor.site_ids is None:
        return
    if not knows_sites(request.scope["route"].path):
        raise NotAllowed("this page is of the whole practice; you work at some sites of it")
    if "patient_id" in request.path_params:
        with suppress(ValueError):  # no id: the route itself says so
            Scope.of(actor).get(db, Patient, UUID(request.path_params["patient_id"]))

"""The shell around every page: its router, rendering, navigation, messages and forms.

Owns what pages share. Does not own any page. A page is written like this, in a module of its own
with its templates beside it, and its router is listed in ``rpm.web.pages.listed``::

    router = page_router()

    @router.get("/worklist")
    def worklist(
        request: Request, db: PageReadDb, now: Now,
        actor: Annotated[Actor, page_permit("ledger:read")],
    ) -> Response:
        rows = readiness_page(db, Scope.of(actor), ...)
        return render(request, "worklist.html.j2", rows=rows)

    @router.post("/worklist/views")
    def save_view(request, db: PageDb, now: Now, actor: ..., name: Annotated[str, Form()] = ""):
        command, errors = read_form(SaveView, {"name": name})
        if command is None:
            return render(request, "view.html.j2", 422, values={"name": name}, errors=errors)
        save_the_view(db, actor, now, command)
        return see_other(request, "/worklist", told="The view is saved.")

The template begins with ``{% extends "layout.html.j2" %}`` and fills the blocks ``title`` and
``content``; ``{% from "parts.html.j2" import field, error_summary %}`` has the parts of forms. What
every template may use: ``visitor`` (``rpm.store.sign_ins.SignedIn``, None on open pages), ``may``
(``may("entries:write")``), ``static("app.css")`` and the filters of ``templating``. Forms are plain
POSTs that end in ``see_other``; htmx only enhances. A route that the page asks by itself is marked
``@unattended``. Messages and addresses hold no patient data. A ``ServiceError`` becomes an error
page; ``NotAuthentic`` leads to the sign-in page.
"""

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from pydantic import ValidationError

import rpm
from rpm.actions.command import Command
from rpm.clock import DemoClock
from rpm.errors import InvalidRequest
from rpm.store.sign_ins import SignedIn
from rpm.web.area import AreaRouter
from rpm.web.deps import Now
from rpm.web.handlers import field_problems
from rpm.web.pages.same_site import PageRoute
from rpm.web.pages.site_gate import knows_sites
from rpm.web.pages.templating import environment
from rpm.web.pages.visitor import (
    PageActor,
    PageDb,
    PageReadDb,
    Visitor,
    Wall,
    is_https,
    page_permit,
    unattended,
)
from rpm.web.running import running_of

__all__ = [
    "Now",
    "PageActor",
    "PageDb",
    "PageReadDb",
    "Visitor",
    "Wall",
    "form_errors",
    "page_permit",
    "page_router",
    "page_values",
    "read_form",
    "render",
    "see_other",
    "unattended",
]

C = TypeVar("C", bound=Command)

_TOLD = "rpm-ledger-told"
_TOLD_SECONDS = 60
PAGE_HEADERS = {"Referrer-Policy": "same-origin"}
"""Lets a browser name our own address in ``Origin`` when it sends a form."""


@dataclass(frozen=True)
class Entry:
    """A line of the navigation: shown to who may open it, once the page is there."""

    path: str
    label: str
    permission: str | None


NAVIGATION = (
    Entry("/worklist", "Worklist", "ledger:read"),
    Entry("/patients", "Patients", "patients:read"),
    Entry("/time", "Time", "entries:read"),
    Entry("/visits", "Visits", "ledger:read"),
    Entry("/proposals", "Proposals", "patients:read"),
    Entry("/alerts", "Alerts", "readings:read"),
    Entry("/close", "Month close", "ledger:read"),
    Entry("/claims", "Claims", "claims:read"),
    Entry("/claims/answers", "Answers", "claims:read"),
    Entry("/denials", "Denials", "claims:read"),
    Entry("/claims/figures", "Claim figures", "claims:read"),
    Entry("/figures", "Figures", "ledger:read"),
    Entry("/admin", "Admin", "users:manage"),
    Entry("/admin/audit", "Audit trail", "audit:read"),
    Entry("/admin/accesses", "Accesses", "audit:read"),
    Entry("/demo/clock", "Demo clock", None),
)
"""In the order of the rail; which of them exist is asked of the application."""


def page_router() -> APIRouter:
    """A router for the pages of one module."""
    return AreaRouter(
        include_in_schema=False, route_class=PageRoute, default_response_class=HTMLResponse
    )


def render(
    request: Request, template: str, status_code: int = 200, /, **values: Any
) -> HTMLResponse:
    """The page, with the shell's own values beside the given ones."""
    shared = page_values(request)
    text = environment().get_template(template).render(**shared, **values)
    response = HTMLResponse(text, status_code, dict(PAGE_HEADERS))
    if shared["told"] is not None:
        response.delete_cookie(_TOLD, path="/")
    return response


def page_values(request: Request) -> dict[str, Any]:
    """What every template may use, whatever the page."""
    found: SignedIn | None = getattr(request.state, "visitor", None)
    return {
        "visitor": found,
        "actor": found.actor if found else None,
        "timezone": found.timezone if found else "UTC",
        "may": lambda permission: found is not None and permission in found.actor.permissions,
        "navigation": navigation(request, found),
        "path": request.url.path,
        "told": _told(request),
        "version": rpm.__version__,
        "demo_now": _demo_now(request),
        "bar": getattr(request.state, "timer_bar", None),
    }


def navigation(request: Request, found: SignedIn | None) -> list[Entry]:
    """The lines of the rail for a person, of the pages that are there."""
    if found is None:
        return []
    there: frozenset[str] = request.app.state.page_paths
    held = found.actor.permissions
    return [
        entry
        for entry in NAVIGATION
        if entry.path in there
        and (entry.permission is None or entry.permission in held)
        and (found.actor.site_ids is None or knows_sites(entry.path))
        and (not entry.path.startswith("/demo") or is_demo(request))
    ]


def is_demo(request: Request) -> bool:
    """Whether this is a demo, with a clock of its own."""
    return isinstance(running_of(request).clock, DemoClock)


def _demo_now(request: Request) -> Any:
    return running_of(request).clock.now() if is_demo(request) else None


def see_other(request: Request, path: str, told: str | None = None) -> RedirectResponse:
    """The answer to a form: the browser opens ``path`` and shows ``told`` there, once."""
    response = RedirectResponse(path, 303)
    if told is not None:
        response.set_cookie(
            _TOLD,
            _sealed(running_of(request).keys.secret, told),
            max_age=_TOLD_SECONDS,
            path="/",
            secure=is_https(request),
            httponly=True,
            samesite="lax",
        )
    return response


def _sealed(key: bytes, text: str) -> str:
    content = base64.urlsafe_b64encode(json.dumps(text).encode()).decode()
    return f"{content}.{_seal(key, content)}"


def _seal(key: bytes, content: str) -> str:
    return hmac.digest(key, f"told {content}".encode(), hashlib.sha256).hex()


def _told(request: Request) -> str | None:
    content, _, seal = request.cookies.get(_TOLD, "").partition(".")
    expected = _seal(running_of(request).keys.secret, content)
    if not content or not hmac.compare_digest(expected.encode(), seal.encode()):
        return None
    try:
        return str(json.loads(base64.urlsafe_b64decode(content)))
    except (binascii.Error, ValueError):
        return None


def read_form(kind: type[C], values: Mapping[str, Any]) -> tuple[C | None, dict[str, str]]:
    """The command that a form's fields make, or what is wrong, by field; "" is a field left out."""
    given = {name: value for name, value in values.items() if value not in ("", None)}
    try:
        return kind.model_validate(given), {}
    except ValidationError as error:
        problems = field_problems(error.errors())
        return None, {one.field.split(".")[0]: one.message for one in problems}


def form_errors(error: InvalidRequest) -> dict[str, str]:
    """What an action refused, by field, to be shown beside the fields."""
    return {one.where: one.message for one in error.findings} or {"": error.message}

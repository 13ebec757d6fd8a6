"""Errors as pages, where a person's browser asked; programs get the problem document as ever.

Owns the turn from one to the other and the way to the sign-in page. Does not own the problems
(``rpm.web.problems``).
"""

import json
from collections.abc import Mapping

import structlog
from fastapi import Request
from fastapi.responses import JSONResponse, RedirectResponse, Response

from rpm import logs
from rpm.web.handlers import HANDLERS, Handler, request_id_of
from rpm.web.pages.shell import render
from rpm.web.problems import problem_response

TITLES = {
    "not_allowed": "You may not do this",
    "not_found": "There is no such page",
    "method_not_allowed": "This page does not take that",
    "conflict": "This contradicts what is recorded",
    "invalid_request": "Something in the form is wrong",
    "internal": "The service failed",
    "busy": "The service is busy",
    "too_large": "That is too large",
}
"""In words of a page; other kinds have the title of the problem."""
_PROGRAMS = ("/v1/", "/webhooks/", "/static/", "/openapi.json", "/metrics")
SIGN_IN = "/sign-in"
_log = structlog.get_logger()


def wants_page(request: Request) -> bool:
    """Whether a browser asked for a page to look at."""
    is_ours = not request.url.path.startswith(_PROGRAMS)
    return is_ours and "text/html" in request.headers.get("accept", "")


def _as_page(handler: Handler) -> Handler:
    async def answer(request: Request, error: Exception) -> Response:
        response = await handler(request, error)
        is_problem = isinstance(response, JSONResponse)
        is_nobody = is_problem and response.status_code == 401
        if is_nobody and request.headers.get("hx-request") == "true":
            response.headers["HX-Redirect"] = SIGN_IN
            return response
        if is_nobody and (wants_page(request) or request.url.path == "/"):
            return _to_sign_in(request)
        return _page(request, response) if is_problem and wants_page(request) else response

    return answer


def _to_sign_in(request: Request) -> Response:
    path = request.url.path
    back = f"?next={path}" if request.method == "GET" and path != "/" else ""
    return RedirectResponse(SIGN_IN + back, 303)


def _page(request: Request, response: Response) -> Response:
    problem = json.loads(bytes(response.body))
    title = TITLES.get(problem["code"], problem["title"])
    page = render(request, "problem.html.j2", response.status_code, problem=problem, title=title)
    for name in ("retry-after", "allow"):
        if name in response.headers:
            page.headers[name] = response.headers[name]
    return page


def last_resort(request: Request) -> Response:
    """What is answered when the code failed: a page for a person, the problem for a program.

    The problem also where the page itself cannot be made.
    """
    told = "the failure is in the service's log"
    response = problem_response(request_id_of(request), "internal", told)
    if not wants_page(request):
        return response
    try:
        return _page(request, response)
    except Exception as error:  # noqa: BLE001 - the page may be what failed
        _log.error("request_failed", request_id=request_id_of(request), **logs.about(error))
        return response


PAGE_HANDLERS: Mapping[int | type[Exception], Handler] = {
    kind: _as_page(handler) for kind, handler in HANDLERS.items()
}
"""The handlers of the application, with pages for people."""

"""The outermost frame of every request: its id, its log line, its count, and safe headers.

Owns what surrounds an answer, and asking for the last resort when the code fails. Does not own any
answer.
The log line tells the route's template, never the address, the query or a value.
"""

import secrets
import time
from collections.abc import Callable, Iterable
from typing import Any

import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rpm import logs
from rpm.web.metrics import Metrics
from rpm.web.running import Running

SECURITY_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'self'; base-uri 'none'; form-action 'self';"
    " frame-ancestors 'none'; object-src 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "no-referrer",
    "Strict-Transport-Security": "max-age=63072000; includeSubDomains",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
"""On every answer, unless the route set its own."""

_SAFE = [(name.lower().encode(), value.encode()) for name, value in SECURITY_HEADERS.items()]
UNKNOWN_ROUTE = "(none)"
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_log = structlog.get_logger()


class Frame:
    """ASGI middleware; see the module."""

    def __init__(
        self, app: ASGIApp, metrics: Metrics, last_resort: Callable[[Request], Response]
    ) -> None:
        self._app = app
        self._metrics = metrics
        self._last_resort = last_resort

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, framed."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = secrets.token_hex(12)
        scope.setdefault("state", {})["request_id"] = request_id
        began = time.perf_counter()
        status = 0

        async def framed(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = _safe(message.get("headers", ()), request_id)
            await send(message)

        try:
            await self._app(scope, receive, framed)
        except Exception as error:  # noqa: BLE001 - the last resort: nothing leaves unanswered
            _log.error("request_failed", request_id=request_id, **logs.about(error))
            if status == 0:
                await self._last_resort(Request(scope))(scope, receive, framed)
        self._account(scope, request_id, status, time.perf_counter() - began)
        if "actor" in scope["state"]:
            running: Running = scope["app"].state.running
            running.trail.note(scope, status, running.wall.now())

    def _account(self, scope: Scope, request_id: str, status: int, seconds: float) -> None:
        method = scope["method"] if scope["method"] in _METHODS else "OTHER"
        route = template(scope)
        self._metrics.answered(method, route, status, seconds)
        ids: dict[str, Any] = {
            name: scope["state"][name]
            for name in ("organization_id", "token_id")
            if scope["state"].get(name)
        }
        _log.info(
            "request",
            request_id=request_id,
            method=method,
            route=route,
            status=status,
            milliseconds=round(seconds * 1000, 1),
            **ids,
        )


def _safe(headers: Iterable[tuple[bytes, bytes]], request_id: str) -> list[tuple[bytes, bytes]]:
    """The headers of an answer with the request's id and what the route left to us."""
    own = [(name, value) for name, value in headers if name != b"x-request-id"]
    said = {name for name, _ in own}
    safe = [(name, value) for name, value in _SAFE if name not in said]
    return [*own, (b"x-request-id", request_id.encode()), *safe]


def template(scope: Scope) -> str:
    """The template of the route that took a request, such as ``/v1/patients/{patient_id}``."""
    route = scope.get("route")
    return getattr(route, "path_format", None) or UNKNOWN_ROUTE

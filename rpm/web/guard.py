"""The guard before the application: how large, how slow and in which form a request may come.

Owns size limit, read deadline and the strict form of addresses and JSON bodies, all before any
parsing. Does not own what a body means. The application gets the body as one whole message.
"""

import asyncio
from urllib.parse import unquote_to_bytes

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rpm.errors import ServiceError, TooLarge
from rpm.web.problems import BadRequest, TooSlow, UnsupportedMediaType, error_response
from rpm.web.strict_json import check_json, check_text

_API = "/v1/"


class ClientLeft(Exception):  # noqa: N818 - not an error of ours
    """The client closed the connection before its request was complete."""


class BodyGuard:
    """ASGI middleware; see the module."""

    def __init__(self, app: ASGIApp, limit_bytes: int, timeout_seconds: float) -> None:
        self._app = app
        self._limit_bytes = limit_bytes
        self._timeout_seconds = timeout_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through once its body is whole, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            _check_address(scope)
            body = await self._read(Headers(scope=scope), receive)
            if body and scope["path"].startswith(_API):
                _check_api_body(Headers(scope=scope), body)
        except ServiceError as error:
            response = error_response(scope["state"]["request_id"], error)
            response.headers["Connection"] = "close"
            await response(scope, receive, send)
            return
        except ClientLeft:
            return
        await self._app(scope, _replaying(body, receive), send)

    async def _read(self, headers: Headers, receive: Receive) -> bytes:
        announced = headers.get("content-length", "0")
        if not announced.isdigit() or len(announced) > 18:
            raise BadRequest("the announced length is not a number")
        if int(announced) > self._limit_bytes:
            raise TooLarge(f"a body may have {self._limit_bytes} bytes at most")
        try:
            async with asyncio.timeout(self._timeout_seconds):
                return await self._collect(receive)
        except TimeoutError as error:
            raise TooSlow("send the whole body sooner") from error

    async def _collect(self, receive: Receive) -> bytes:
        parts: list[bytes] = []
        size = 0
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise ClientLeft
            parts.append(message.get("body", b""))
            size += len(parts[-1])
            if size > self._limit_bytes:
                raise TooLarge(f"a body may have {self._limit_bytes} bytes at most")
            if not message.get("more_body", False):
                return b"".join(parts)


def _check_address(scope: Scope) -> None:
    for raw in (scope.get("raw_path") or scope["path"].encode(), scope["query_string"]):
        try:
            check_text(unquote_to_bytes(raw).decode("utf-8"))
        except UnicodeDecodeError as error:
            raise BadRequest("the address is not UTF-8") from error


def _check_api_body(headers: Headers, body: bytes) -> None:
    media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise UnsupportedMediaType("send application/json")
    check_json(body)


def _replaying(body: bytes, receive: Receive) -> Receive:
    waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return waiting.pop() if waiting else await receive()

    return replay

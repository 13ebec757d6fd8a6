"""The description of the API: OpenAPI 3.1, completed with what FastAPI cannot know.

Owns the document's frame: permissions, problem answers, idempotency, areas. Does not own the
operations, which describe themselves. ``docs/openapi.json`` is this document, kept in step.
"""

import json
from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute, RouteContext, iter_route_contexts
from pydantic.json_schema import models_json_schema

from rpm.web.caller import permission_of
from rpm.web.deps import writing
from rpm.web.idempotency import HEADER
from rpm.web.problems import PROBLEMS, FieldProblem, Problem

DESCRIPTION = """Readings and minutes in, billable events and a month-end file out.

Every call under `/v1` carries an API token as a bearer token; `x-permission` of an operation names
the permission that the token needs. Errors are problem documents (RFC 9457) with a stable `code`.
Lists come in pages: give `next_cursor` back as `cursor`. A POST that records something may carry an
`Idempotency-Key`: the same request with the same key is carried out once and answered alike. Whole
numbers are written without a point; texts hold no control characters but tab and line ends."""

_KEY_PARAMETER = {
    "name": HEADER,
    "in": "header",
    "required": False,
    "description": "A value of your choice that makes this request safe to send twice.",
    "schema": {"type": "string", "pattern": "^[!-~]{1,255}$"},
    "example": "01980000-close-2026-01",
}
_RESPONSES = "#/components/responses/"
_METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")


def api_routes(app: FastAPI) -> Iterator[tuple[str, APIRoute]]:
    """Every operation's address and route, those of included routers too."""
    for context in iter_route_contexts(app.routes):
        assert isinstance(context, RouteContext)  # noqa: S101 - narrows a union for the reader
        if isinstance(context.original_route, APIRoute) and context.path_format:
            yield context.path_format, context.original_route


class DescribedApi(FastAPI):
    """FastAPI with a completed description."""

    def openapi(self) -> dict[str, Any]:
        """The document, made once."""
        if self.openapi_schema is None:
            self.openapi_schema = self._described()
        return self.openapi_schema

    def _described(self) -> dict[str, Any]:
        document = get_openapi(
            title=self.title,
            version=self.version,
            openapi_version="3.1.0",
            summary="Bills remote patient monitoring from facts and dated rules.",
            description=DESCRIPTION,
            routes=self.routes,
            license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
        )
        components = document.setdefault("components", {}).setdefault("schemas", {})
        _, problems = models_json_schema(
            [(Problem, "serialization"), (FieldProblem, "serialization")],
            ref_template="#/components/schemas/{model}",
        )
        components.update(problems["$defs"])
        document["components"]["responses"] = {_name(s): answer for s, answer in PROBLEMS.items()}
        for path, route in api_routes(self):
            for method in _METHODS:
                operation = document["paths"].get(path, {}).get(method)
                if operation is not None and method.upper() in (route.methods or ()):
                    _complete(operation, path, method, route)
        document["components"]["schemas"] = dict(sorted(components.items()))
        document["paths"] = dict(sorted(document["paths"].items()))
        return document


def _complete(operation: dict[str, Any], path: str, method: str, route: APIRoute) -> None:
    permission = permission_of(route)
    if permission is not None:
        operation["x-permission"] = permission
    if not path.startswith("/v1/"):
        return
    shared = {str(status): {"$ref": f"{_RESPONSES}{_name(status)}"} for status in PROBLEMS}
    operation["responses"] = dict(sorted({**operation["responses"], **shared}.items()))
    if method == "post" and records(route.dependant):
        operation.setdefault("parameters", []).append(_KEY_PARAMETER)


def records(dependant: Dependant) -> bool:
    """Whether an operation writes, so that it keeps the answers of keys."""
    return dependant.call is writing or any(records(inner) for inner in dependant.dependencies)


def _name(status: int | str) -> str:
    return f"Problem{status}"


def text_of(document: dict[str, Any]) -> str:
    """The document as it is kept in the repository."""
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"

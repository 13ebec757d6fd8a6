"""What becomes of each exception: the handlers of the application.

Owns how exceptions of FastAPI, the database and the service turn into problems, and what of a wrong
field is told. Does not own the problems (``rpm.web.problems``).
"""

import re
from collections.abc import Callable, Coroutine, Iterable, Mapping
from functools import cache
from itertools import islice
from typing import Any

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from sqlalchemy import exc
from starlette.exceptions import HTTPException
from starlette.routing import compile_path

from rpm.errors import Busy, ServiceError
from rpm.web.idempotency import Replay
from rpm.web.openapi import api_routes
from rpm.web.problems import KINDS, FieldProblem, error_response, problem_response

_CODE_OF_STATUS = {404: "not_found", 405: "method_not_allowed", 413: "too_large"}
MOST_FIELDS_TOLD = 100
"""Of a body in which every one of many fields is wrong, no more are told."""
_OWN_NAME = re.compile(r"[a-z_][a-z0-9_]{0,63}")
# Their texts name limits and expected words of ours, never what was sent.
_TELLING = re.compile(
    r"missing|literal_error|enum|string_pattern_mismatch|timezone_aware|finite_number|multiple_of"
    r"|decimal_(max|whole).*|(greater|less)_than.*|(string_)?too_(short|long)|bytes_too_(short|long)"
    r"|[a-z_]+_type|(int|float|bool|decimal)_parsing"
)


def _field_problem(error: Mapping[str, Any]) -> FieldProblem:
    kind = str(error["type"])
    parts = [str(part) for part in error["loc"]]
    if kind == "extra_forbidden":
        parts = parts[:-1]
    known = [part if part.isdigit() or _OWN_NAME.fullmatch(part) else "?" for part in parts]
    message = "This is not a valid value here"
    if kind == "extra_forbidden":
        message = "There is a field here that is not known"
    elif kind == "value_error":
        message = str(error["ctx"]["error"])
    elif _TELLING.fullmatch(kind):
        message = str(error["msg"])
    return FieldProblem(field=".".join(known), code=kind, message=message)


def field_problems(errors: Iterable[Mapping[str, Any]]) -> list[FieldProblem]:
    """What pydantic found wrong, without any value and without names that were sent."""
    return [_field_problem(error) for error in errors]


def request_id_of(request: Request) -> str:
    """The id that names this request in the log."""
    return str(request.scope["state"]["request_id"])


async def on_service_error(request: Request, error: ServiceError) -> JSONResponse:
    """Handler of ``ServiceError``."""
    return error_response(request_id_of(request), error)


async def on_validation_error(request: Request, error: RequestValidationError) -> JSONResponse:
    """Handler of FastAPI's ``RequestValidationError``."""
    count = len(error.errors())
    found = field_problems(islice(error.errors(), MOST_FIELDS_TOLD))
    detail = "one field is wrong" if count == 1 else f"{count} fields are wrong"
    if count > len(found):
        detail += f"; the first {len(found)} are told"
    return problem_response(request_id_of(request), "invalid_request", detail, found)


async def on_http_error(request: Request, error: HTTPException) -> JSONResponse:
    """Handler of Starlette's own errors: unknown addresses and methods."""
    code = _CODE_OF_STATUS.get(error.status_code, "bad_request")
    detail = KINDS[code].title.lower()
    headers = dict(error.headers or {})
    if "Allow" in headers:
        headers["Allow"] = ", ".join(sorted(_methods_at(request)))
    return problem_response(request_id_of(request), code, detail, headers=headers)


def _methods_at(request: Request) -> set[str]:
    """All methods of an address: each operation is a route of its own, and one alone refused."""
    path = request.scope["path"]
    return {
        method
        for template, route in api_routes(request.app)
        if _pattern(template).match(path)
        for method in route.methods or ()
    }


@cache
def _pattern(template: str) -> re.Pattern[str]:
    return compile_path(template)[0]


async def on_database_error(request: Request, error: exc.SQLAlchemyError) -> JSONResponse:
    """Handler of database errors that a request can cause; any other is raised again."""
    request_id = request_id_of(request)
    if isinstance(error, exc.IntegrityError):
        return problem_response(request_id, "conflict", "it contradicts what is already recorded")
    if isinstance(error, exc.DataError):
        return problem_response(request_id, "invalid_request", "a value cannot be stored as it is")
    if isinstance(error, exc.TimeoutError | exc.OperationalError | exc.InterfaceError):
        return error_response(request_id, Busy("the database does not answer; try again"))
    raise error


async def on_replay(_request: Request, replay: Replay) -> Response:
    """Handler of ``Replay``."""
    return replay.response


Handler = Callable[[Request, Any], Coroutine[Any, Any, Response]]

HANDLERS: Mapping[int | type[Exception], Handler] = {
    ServiceError: on_service_error,
    RequestValidationError: on_validation_error,
    HTTPException: on_http_error,
    exc.SQLAlchemyError: on_database_error,
    Replay: on_replay,
}
"""For ``exception_handlers=`` of the application."""

"""Errors as RFC 9457 problem documents: the only place that knows HTTP statuses.

Owns codes, statuses and titles, and what of an error a client may read. Does not own the errors
themselves (``rpm.errors``). No answer echoes a value that was sent.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from rpm.errors import Busy, InvalidRequest, ServiceError

TYPE_PREFIX = "urn:rpm-ledger:problem:"
MEDIA_TYPE = "application/problem+json"


class BadRequest(ServiceError):  # noqa: N818 - reads as the answer it becomes
    """The bytes cannot be understood as a request at all."""

    code = "bad_request"


class InvalidCursor(ServiceError):  # noqa: N818 - reads as the answer it becomes
    """A cursor that this list did not give out."""

    code = "invalid_cursor"


class IdempotencyKeyReused(ServiceError):  # noqa: N818 - reads as the answer it becomes
    """The key was already used for another request."""

    code = "idempotency_key_reused"


class TooSlow(ServiceError):  # noqa: N818 - reads as the answer it becomes
    """The body did not arrive in time."""

    code = "too_slow"


class UnsupportedMediaType(ServiceError):  # noqa: N818 - reads as the answer it becomes
    """The body is not JSON."""

    code = "unsupported_media_type"


@dataclass(frozen=True)
class Kind:
    """One kind of problem: its HTTP status and a title that never changes."""

    status: int
    title: str


KINDS: Mapping[str, Kind] = {
    "bad_request": Kind(400, "The request cannot be read"),
    "invalid_cursor": Kind(400, "The cursor does not belong to this list"),
    "not_authentic": Kind(401, "Who asks is not known"),
    "not_allowed": Kind(403, "The token does not permit this"),
    "not_found": Kind(404, "There is no such thing here"),
    "method_not_allowed": Kind(405, "This address does not take the method"),
    "too_slow": Kind(408, "The body did not arrive in time"),
    "conflict": Kind(409, "It contradicts what is recorded"),
    "too_large": Kind(413, "The request is too large"),
    "unsupported_media_type": Kind(415, "The body is not JSON"),
    "invalid_request": Kind(422, "The request is understood but wrong"),
    "idempotency_key_reused": Kind(422, "The idempotency key was used for another request"),
    "too_many_tries": Kind(429, "There were too many tries"),
    "internal": Kind(500, "The service failed"),
    "busy": Kind(503, "The service is busy"),
    "not_ready": Kind(503, "The service is not set up for this"),
    "service_error": Kind(400, "The request cannot be carried out"),
}
"""Every problem code with its status: stable, and listed in docs/api.md."""


class FieldProblem(BaseModel):
    """One thing that is wrong, and where; the value itself is never repeated."""

    model_config = ConfigDict(frozen=True)

    field: str = Field(description="Path of the field, file line or row.")
    code: str = Field(description="Stable code of what is wrong.")
    message: str = Field(description="One sentence for a person.")


class Problem(BaseModel):
    """A problem document as RFC 9457 describes it."""

    model_config = ConfigDict(
        frozen=True,
        json_schema_extra={
            "examples": [
                {
                    "type": f"{TYPE_PREFIX}invalid_request",
                    "title": KINDS["invalid_request"].title,
                    "status": 422,
                    "code": "invalid_request",
                    "detail": "one field is wrong",
                    "errors": [
                        {"field": "work", "code": "missing", "message": "Field required"},
                    ],
                    "request_id": "5f1c0a6be4d94b7f8b1f2a30",
                }
            ]
        },
    )

    type: str = Field(description="URN of the kind of problem; ends with the code.")
    title: str = Field(description="The kind of problem in words; the same for every occurrence.")
    status: int = Field(description="HTTP status of this answer.")
    code: str = Field(description="Stable code of the kind of problem.")
    detail: str = Field(description="What happened this time, for a person.")
    errors: list[FieldProblem] = Field(description="What is wrong in the request, field by field.")
    request_id: str = Field(description="Names this request in the service's log.")


def _documented(status: int) -> dict[str, Any]:
    titles = [kind.title for kind in KINDS.values() if kind.status == status]
    schema = {"$ref": "#/components/schemas/Problem"}
    return {"description": "; ".join(titles), "content": {MEDIA_TYPE: {"schema": schema}}}


PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: _documented(status) for status in (400, 401, 403, 404, 408, 409, 413, 415, 422, 503)
}
"""For ``responses=`` of a route: the problems that any of them may answer with."""


def problem_response(
    request_id: str,
    code: str,
    detail: str,
    errors: Sequence[FieldProblem] = (),
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    """The answer for one problem; KeyError for a code that is not in ``KINDS``."""
    kind = KINDS[code]
    body = Problem(
        type=TYPE_PREFIX + code,
        title=kind.title,
        status=kind.status,
        code=code,
        detail=detail,
        errors=list(errors),
        request_id=request_id,
    )
    return JSONResponse(
        body.model_dump(), kind.status, headers=headers and dict(headers), media_type=MEDIA_TYPE
    )


def error_response(request_id: str, error: ServiceError) -> JSONResponse:
    """The answer for a service error."""
    errors: list[FieldProblem] = []
    headers: dict[str, str] = {}
    if isinstance(error, InvalidRequest):
        errors = [
            FieldProblem(field=finding.where, code=finding.code, message=finding.message)
            for finding in error.findings
        ]
    if isinstance(error, Busy):
        headers["Retry-After"] = str(error.retry_after_seconds)
    if error.code == "not_authentic":
        headers["WWW-Authenticate"] = "Bearer"
    return problem_response(request_id, error.code, error.message, errors, headers)

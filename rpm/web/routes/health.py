"""Is it alive, is it ready, what does it count: for machines that watch the service.

Owns the three addresses. Does not own counting (``rpm.web.metrics``). None of them tells anything
about a patient or an organization, and none needs a token: keep them behind the proxy.
"""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, Field

import rpm
from rpm.web.metrics import Metrics
from rpm.web.readiness import Readiness, readiness

router = APIRouter(tags=["Health"])


class Alive(BaseModel):
    """The process answers."""

    status: str = Field(description="Always `ok`.", examples=["ok"])
    version: str = Field(description="Version of the product.", examples=["0.2.0"])


@router.get(
    "/healthz",
    summary="Is the process alive",
    description="Answers without touching the database.",
    operation_id="healthz",
    response_model=Alive,
)
def healthz() -> Alive:
    """The process answers."""
    return Alive(status="ok", version=rpm.__version__)


@router.get(
    "/readyz",
    summary="Can the service work",
    description="Checks that the database answers and is at the version of this program. The time"
    " since the scheduler last reported is told for information.",
    operation_id="readyz",
    response_model=Readiness,
    responses={503: {"description": "Not ready", "model": Readiness}},
)
def readyz(ready: Annotated[Readiness, Depends(readiness)]) -> Response:
    """Ready, or 503 with what is missing."""
    return JSONResponse(ready.model_dump(), 200 if ready.status == "ready" else 503)


@router.get(
    "/metrics",
    summary="Counters of this process",
    description="Prometheus text format. Labels are route templates, never ids.",
    operation_id="metrics",
    response_class=Response,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
)
def metrics(request: Request) -> Response:
    """What was counted since the process started."""
    counted: Metrics = request.app.state.metrics
    return counted.response()

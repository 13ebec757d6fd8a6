"""Bulk export of FHIR resources: asked for, looked after, fetched type by type.

Owns the addresses and answers of the Bulk Data pattern (kick-off, status, manifest, NDJSON files).
Does not own what an export holds (``rpm.actions.export_fhir``).
"""

from collections.abc import Iterator
from typing import Annotated, Any
from uuid import UUID

from fastapi import Path, Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field, ValidationError

from billing.claims.fhir.bundle import NDJSON, TYPES, ndjson
from rpm.access import Actor
from rpm.actions.command import OneOf
from rpm.actions.export_fhir import (
    EndFhirExport,
    RequestFhirExport,
    end_fhir_export,
    filled_types,
    known_at,
    open_export,
    request_fhir_export,
)
from rpm.actions.fhir_resources import Known, pages
from rpm.errors import InvalidRequest, NotFound
from rpm.store.engine import reading
from rpm.store.scope import Scope
from rpm.web.deps import PROBLEMS, Db, Now, ReadDb, area_router, permit
from rpm.web.running import engine_of

router = area_router("FHIR")

Exporter = Annotated[Actor, permit("export:run")]
Types = Annotated[
    str,
    Query(
        alias="_type",
        max_length=400,
        description="Types with commas between; all when none is named.",
        examples=["Patient,Observation"],
    ),
]
Since = Annotated[
    str,
    Query(
        alias="_since",
        max_length=40,
        description="Only what was recorded after this instant.",
        examples=["2026-01-31T14:05:00Z"],
    ),
]
_ASKED = {
    **PROBLEMS,
    202: {"description": "Taken; the status is at the address in `Content-Location`."},
}
_ABOUT = (
    "Taken is what is known now, of this practice: Organization, Practitioner, Patient, Coverage,"
    " Device, Observation, Encounter, ChargeItem and Claim in R4. Texts of procedure codes are in"
    " no file. That it was asked for is recorded."
)


class OutputFile(BaseModel):
    """A file of the output."""

    type: str
    url: str


class Manifest(BaseModel):
    """What an export gave."""

    transactionTime: str = Field(description="What was recorded up to then is in the output.")  # noqa: N815 - the word of the specification
    request: str = Field(description="The address that was asked.")
    requiresAccessToken: bool = Field(description="Files need the same token.")  # noqa: N815 - as above
    output: list[OutputFile]
    error: list[OutputFile] = Field(description="Always empty: nothing is left out.")


def _command(types: str, since: str) -> RequestFhirExport:
    asked: dict[str, Any] = {"types": [one.strip() for one in types.split(",") if one.strip()]}
    if since:
        asked["since"] = since.replace(" ", "+")  # an offset's sign in an address, unescaped
    try:
        return RequestFhirExport.model_validate(asked)
    except ValidationError as error:
        name = str(error.errors()[0]["loc"][0])
        raise InvalidRequest(f"_{name.removesuffix('s')} is understood but wrong") from None


def _kick_off(request: Request, db: Db, now: Now, actor: Actor, types: str, since: str) -> Response:
    address = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    export = request_fhir_export(db, actor, now, _command(types, since), address)
    at = f"{_base(request)}/v1/fhir/exports/{export.id}"
    return Response(status_code=202, headers={"Content-Location": at})


def _base(request: Request) -> str:
    return str(request.base_url).rstrip("/")


@router.get(
    "/fhir/$export",
    summary="Ask for a bulk export",
    description=_ABOUT,
    operation_id="fhir_export",
    status_code=202,
    response_class=Response,
    responses=_ASKED,
)
def export_by_get(
    request: Request, db: Db, now: Now, actor: Exporter, types: Types = "", since: Since = ""
) -> Response:
    """The address of its status."""
    return _kick_off(request, db, now, actor, types, since)


@router.post(
    "/fhir/$export",
    summary="Ask for a bulk export by POST",
    description=f"{_ABOUT} Parameters stand in the address; the body is empty.",
    operation_id="fhir_export_by_post",
    status_code=202,
    response_class=Response,
    responses=_ASKED,
)
def export_by_post(
    request: Request, db: Db, now: Now, actor: Exporter, types: Types = "", since: Since = ""
) -> Response:
    """The address of its status."""
    return _kick_off(request, db, now, actor, types, since)


@router.get(
    "/fhir/exports/{export_id}",
    summary="Look after a bulk export",
    description="The manifest with the address of a file for each type of which there is anything."
    " It is there at once: nothing has to be prepared.",
    operation_id="fhir_export_status",
    response_model=Manifest,
    responses=PROBLEMS,
)
def status(request: Request, db: ReadDb, actor: Exporter, export_id: UUID) -> Manifest:
    """The manifest."""
    scope = Scope.of(actor)
    export = open_export(db, scope, export_id)
    base = _base(request)
    return Manifest(
        transactionTime=export.recorded_at.isoformat(timespec="milliseconds"),
        request=f"{base}{export.request}",
        requiresAccessToken=True,
        output=[
            OutputFile(type=kind, url=f"{base}/v1/fhir/exports/{export.id}/{kind}")
            for kind in filled_types(db, scope, export)
        ],
        error=[],
    )


@router.get(
    "/fhir/exports/{export_id}/{kind}",
    summary="Fetch a file of a bulk export",
    description="One resource a line. Fetched again, it is the same.",
    operation_id="fhir_export_file",
    response_class=Response,
    responses={**PROBLEMS, 200: {"description": "The file.", "content": {NDJSON: {}}}},
)
def file(
    request: Request,
    db: ReadDb,
    actor: Exporter,
    export_id: UUID,
    kind: Annotated[str, OneOf(TYPES), Path(description="A type of the export.")],
) -> Response:
    """The file, in parts."""
    scope = Scope.of(actor)
    export = open_export(db, scope, export_id)
    if kind not in export.types:
        raise NotFound("there is no such file")
    known = known_at(db, scope, export)
    return StreamingResponse(_parts(request, actor, kind, known), media_type=NDJSON)


def _parts(request: Request, actor: Actor, kind: str, known: Known) -> Iterator[bytes]:
    """Each part in a reading session of its own, so that a slow client holds none open."""
    after: UUID | None = None
    while True:
        with reading(engine_of(request, actor)) as db:
            made, after = pages(db, Scope.of(actor), kind, known, after)
        yield ndjson(made)
        if after is None:
            return


@router.delete(
    "/fhir/exports/{export_id}",
    summary="End a bulk export",
    description="Its status and files are gone. That is recorded, and so stays what was asked.",
    operation_id="end_fhir_export",
    status_code=202,
    response_class=Response,
    responses={**PROBLEMS, 202: {"description": "Gone."}},
)
def end(db: Db, now: Now, actor: Exporter, export_id: UUID) -> Response:
    """Nothing more."""
    end_fhir_export(db, actor, now, EndFhirExport(export_id=export_id))
    return Response(status_code=202)

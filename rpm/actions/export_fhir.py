"""Ask for a bulk export of FHIR resources, and say that it is not needed any more.

Owns both acts, and what an export holds. Does not own its resources (``fhir_resources``) nor the
answers over HTTP. Nothing is kept of the output: what was known at the export's own audit event
never changes, so that its files can be made whenever they are fetched.
"""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field
from sqlmodel import Session, col

from billing.claims.fhir.bundle import TYPES
from rpm.access import Actor, require
from rpm.actions.command import Command, Id, Instant, OneOf, refuse
from rpm.actions.fhir_resources import Known, pages
from rpm.clock import local_day
from rpm.errors import NotFound
from rpm.store.chain import recording
from rpm.store.queries.people import organization_of
from rpm.store.scope import Scope
from rpm.store.tables.proposals import FhirExport, FhirExportEnd


class RequestFhirExport(Command):
    """An export of some types, or of all; of all that is known, or of what was recorded since."""

    types: list[Annotated[str, OneOf(TYPES)]] = Field(default_factory=list)
    since: Instant | None = None


class EndFhirExport(Command):
    """An export that is not needed any more."""

    export_id: Id


def request_fhir_export(
    db: Session, actor: Actor, now: datetime, command: RequestFhirExport, request: str
) -> FhirExport:
    """The export; the event ``fhir.export`` says who asked for what."""
    require(actor, "export:run")
    if command.since is not None and command.since > now:
        raise refuse("since", "E_FUTURE", "it lies in the future")
    types = [kind for kind in TYPES if not command.types or kind in command.types]
    with recording(db, actor, now, "fhir.export") as record:
        export = record.add(
            FhirExport(
                types=types, since=command.since, request=request, requested_by=actor.user_id
            )
        )
        record.subject["export_id"] = export.id
    return export


def end_fhir_export(db: Session, actor: Actor, now: datetime, command: EndFhirExport) -> None:
    """Forget an export; ``NotFound`` when it is forgotten already."""
    require(actor, "export:run")
    export = open_export(db, Scope.of(actor), command.export_id)
    with recording(db, actor, now, "fhir.export_end", {"export_id": export.id}) as record:
        record.add(FhirExportEnd(export_id=export.id))


def open_export(db: Session, scope: Scope, export_id: UUID) -> FhirExport:
    """An export that was not ended; ``NotFound`` for any other."""
    export = scope.get(db, FhirExport, export_id)
    if scope.all_of(db, FhirExportEnd, col(FhirExportEnd.export_id) == export_id):
        raise NotFound("there is no such fhir_export")
    return export


def known_at(db: Session, scope: Scope, export: FhirExport) -> Known:
    """What an export is of."""
    zone = organization_of(db, scope).timezone
    return Known(export.audit_number, local_day(export.recorded_at, zone), export.since)


def filled_types(db: Session, scope: Scope, export: FhirExport) -> list[str]:
    """The types of an export of which there is anything."""
    known = known_at(db, scope, export)
    return [kind for kind in export.types if _has_any(db, scope, kind, known)]


def _has_any(db: Session, scope: Scope, kind: str, known: Known) -> bool:
    after: UUID | None = None
    while True:
        made, after = pages(db, scope, kind, known, after, at_once=20)
        if made or after is None:
            return bool(made)

"""``rpm-ledger export fhir``: what other systems are given, as files.

Owns the commands' options and what they print. Does not own what is in the files.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Mapping

_Organization = Annotated[
    str | None, typer.Option(help="Id, NPI or name; not needed when there is only one.")
]
_Out = Annotated[Path, typer.Option(help="Folder to write into.")]


def register(group: typer.Typer) -> None:
    """Add the commands to the group of exports."""
    group.command("fhir")(fhir)


def fhir(
    out: _Out,
    types: Annotated[
        str, typer.Option("--type", help="Types with commas between; all when none is named.")
    ] = "",
    since: Annotated[
        str | None,
        typer.Option(metavar="INSTANT", help="Only what was recorded after it, in UTC."),
    ] = None,
    bundle: Annotated[  # noqa: FBT002 - an option, not an argument
        bool, typer.Option("--bundle", help="One file with a bundle instead of one a type.")
    ] = False,
    organization: _Organization = None,
) -> None:
    """Write FHIR R4 resources: a file of lines (NDJSON) for each type, or one bundle.

    Organization, Practitioner, Patient, Coverage, Device, Observation, Encounter, ChargeItem and
    Claim, as known now. That it was given out is recorded. The last line tells the folder and how
    many resources.
    """
    from pydantic import ValidationError

    from billing.claims.fhir.bundle import as_json, bundle_of, ndjson
    from rpm.actions.export_fhir import RequestFhirExport, known_at, request_fhir_export
    from rpm.actions.fhir_resources import all_resources
    from rpm.commands.opened import opened_organization, refused
    from rpm.store.engine import transaction
    from rpm.store.scope import Scope

    asked = {"types": [one.strip() for one in types.split(",") if one.strip()], "since": since}
    try:
        command = RequestFhirExport.model_validate(asked)
    except ValidationError as error:
        raise refused(error) from None
    files: dict[str, bytes] = {}
    count = 0
    with (
        opened_organization(organization, "export fhir") as (engine, actor, _, now),
        transaction(engine) as db,
    ):
        export = request_fhir_export(db, actor, now, command, "rpm-ledger export fhir")
        known, scope = known_at(db, Scope.of(actor), export), Scope.of(actor)
        db.flush()
        made = {kind: list(all_resources(db, scope, kind, known)) for kind in export.types}
        count = sum(map(len, made.values()))
        if bundle:
            together = bundle_of((one for some in made.values() for one in some), now)
            files = {"bundle.json": f"{as_json(together)}\n".encode()}
        else:
            files = {f"{kind}.ndjson": ndjson(some) for kind, some in made.items() if some}
        _write(out, files)
    for kind, some in made.items():
        typer.echo(f"{kind:<14}{len(some):>9}")
    typer.echo(f"export fhir: {out} files={len(files)} resources={count}")


def _write(out: Path, files: "Mapping[str, bytes]") -> None:
    """Each file whole or absent; inside the transaction, so that what is recorded was written."""
    from rpm.actions.whole_files import write_whole
    from rpm.errors import InvalidRequest

    try:
        write_whole(out, files)
    except OSError as error:
        raise InvalidRequest(f"the files cannot be written: {error.strerror}") from error

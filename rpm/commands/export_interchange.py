"""``rpm-ledger export fhir``, ``dft`` and ``claims``: what other systems are given, as files.

Owns the commands' options and what they print. Does not own what is in the files.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from billing.claims.claim_table import TableProfile

_Organization = Annotated[
    str | None, typer.Option(help="Id, NPI or name; not needed when there is only one.")
]
_Month = Annotated[str, typer.Argument(help="Month in which services began, as 2026-01.")]
_Out = Annotated[Path, typer.Option(help="Folder to write into.")]


def register(group: typer.Typer) -> None:
    """Add the commands to the group of exports."""
    group.command("fhir")(fhir)
    group.command("dft")(dft)
    group.command("claims")(claims)


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


def dft(
    month: _Month,
    out: _Out,
    receiver: Annotated[str, typer.Option(help="The receiving application, MSH-5.")] = "",
    facility: Annotated[str, typer.Option(help="The receiving facility, MSH-6.")] = "",
    test: Annotated[  # noqa: FBT002 - an option, not an argument
        bool, typer.Option("--test", help="Mark the messages as a test (MSH-11 is T).")
    ] = False,
    organization: _Organization = None,
) -> None:
    """Write the released claims of a month as charges for an EHR: HL7 v2, DFT^P03.

    One message a claim, in one batch. Corrections of claims stay: an EHR would add them to what it
    has. The last line tells the file and how many claims.
    """
    from billing.claims.hl7v2.dft import Ends
    from rpm.actions.export_claims import export_charges
    from rpm.commands.opened import opened_organization
    from rpm.store.engine import transaction
    from rpm.store.queries.people import organization_of
    from rpm.store.scope import Scope

    first = _first_day(month)
    with (
        opened_organization(organization, "export dft") as (engine, actor, _, now),
        transaction(engine) as db,
    ):
        name = organization_of(db, Scope.of(actor)).name
        ends = Ends(name, receiver, facility, production=not test)
        given = export_charges(db, actor, now, first, ends)
        path = f"charges-{month}.hl7"
        _write(out, {path: given.content})
    _tell_staying(given.staying, given.corrections)
    typer.echo(f"export dft: {out / path} claims={given.claims}")


def claims(
    month: _Month,
    out: _Out,
    profile: Annotated[
        str, typer.Option(help="A shipped profile's name, or a file with one of your own.")
    ] = "generic",
    organization: _Organization = None,
) -> None:
    """Write the lines of a month's released claims as a table (CSV) for another billing system.

    Profiles: generic, us-dates, practicesuite-like. The last line tells the file and how many
    claims.
    """
    from rpm.actions.export_claims import export_table
    from rpm.commands.opened import opened_organization
    from rpm.store.engine import transaction

    first, chosen = _first_day(month), _profile(profile)
    with (
        opened_organization(organization, "export claims") as (engine, actor, _, now),
        transaction(engine) as db,
    ):
        given = export_table(db, actor, now, first, chosen)
        path = f"claims-{month}.csv"
        _write(out, {path: given.content})
    _tell_staying(given.staying, given.corrections)
    typer.echo(f"export claims: {out / path} claims={given.claims}")


def _first_day(month: str) -> "date":
    from datetime import date

    from rpm.commands.opened import month_or_none

    return date.fromisoformat(f"{month_or_none(month)}-01")


def _profile(named: str) -> "TableProfile":
    """A shipped profile, or that of a file; ``InvalidRequest`` for neither."""
    from billing.claims.claim_table import ProfileError, read_profile, shipped_profiles
    from rpm.commands.opened import file_bytes
    from rpm.errors import InvalidRequest

    if named in shipped_profiles():
        return shipped_profiles()[named]
    path = Path(named)
    try:
        return read_profile(file_bytes(path).decode("utf-8"), path.name)
    except ProfileError as error:
        raise InvalidRequest(str(error)) from None
    except UnicodeDecodeError:
        raise InvalidRequest(f"{path.name} is not UTF-8") from None


def _tell_staying(staying: int, corrections: int) -> None:
    if staying:
        of_these = f", {corrections} of them corrections" if corrections else ""
        typer.echo(f"{staying} claims of the month stay: not released{of_these}")


def _write(out: Path, files: "Mapping[str, bytes]") -> None:
    """Each file whole or absent; inside the transaction, so that what is recorded was written."""
    from rpm.actions.whole_files import write_whole
    from rpm.errors import InvalidRequest

    try:
        write_whole(out, files)
    except OSError as error:
        raise InvalidRequest(f"the files cannot be written: {error.strerror}") from error

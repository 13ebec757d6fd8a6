"""``rpm-ledger verify``: does the record still fit its chain, its digests and its closes."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rpm.audit import Anchor


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("verify")(verify)


def verify(
    organization: Annotated[
        str | None, typer.Option(help="Id, NPI or name of one organization; all unless told.")
    ] = None,
    manifest: Annotated[
        list[Path] | None,
        typer.Option(
            exists=True,
            dir_okay=False,
            help="Manifest of an export kept elsewhere; may be given several times.",
        ),
    ] = None,
) -> None:
    """Verify the record and name what does not fit, first things first; exit 1 for an error.

    Chain of audit events, digests of facts, device days, every close computed anew, the sums of its
    postings, and every export rebuilt byte for byte. A manifest kept elsewhere also shows whether
    the end of the record was cut off.
    """
    from billing.finding import Severity
    from rpm.actions.verify import verify_record
    from rpm.commands.opened import (
        opened_engine,
        organization_actor,
        organization_actors,
        read_settings,
    )
    from rpm.store.engine import reading, within

    anchors = [_anchor(path) for path in manifest or []]
    errors = 0
    with opened_engine(read_settings()) as engine:
        if anchors:  # a manifest speaks of one organization
            actors = [organization_actor(engine, organization, "verify")]
        else:
            actors = organization_actors(engine, organization, "verify")
        for place, actor in enumerate(actors, start=1):
            typer.echo(f"organization {place} of {len(actors)}", err=True)
            with reading(within(engine, actor.organization_id)) as session:
                findings = verify_record(session, actor, anchors)
            for finding in findings:
                told = f"{finding.code} {finding.where}: {finding.message}"
                typer.echo(f"{actor.organization_id} {told}")
            found = sum(finding.severity is Severity.ERROR for finding in findings)
            typer.echo(f"{actor.organization_id} {'does not fit' if found else 'fits'}")
            errors += found
    raise typer.Exit(1 if errors else 0)


def _anchor(path: Path) -> "Anchor":
    from rpm.audit import Anchor
    from rpm.errors import InvalidRequest

    try:
        anchor = json.loads(path.read_text(encoding="utf-8"))["chain_anchor"]
        return Anchor(int(anchor["number"]), str(anchor["hmac"]))
    except (ValueError, KeyError, TypeError) as error:
        raise InvalidRequest(f"not the manifest of an export: {path.name}") from error

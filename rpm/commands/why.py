"""``rpm-ledger why``: what a patient's month comes to, ladder by ladder, and why."""

from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

if TYPE_CHECKING:
    from sqlmodel import Session

    from rpm.store.scope import Scope


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("why")(why)


def why(
    patient: Annotated[str, typer.Argument(help="Record number or id of the patient.")],
    month: Annotated[str, typer.Argument(help="The month, as 2026-01.")],
    code: Annotated[str | None, typer.Argument(help="A code to answer for.")] = None,
    organization: Annotated[
        str | None, typer.Option(help="Id, NPI or name; not needed when there is only one.")
    ] = None,
    known_at: Annotated[
        str | None,
        typer.Option(metavar="DATE", help="As known at the end of this day, 2026-02-03."),
    ] = None,
    as_json: Annotated[  # noqa: FBT002 - an option, not an argument
        bool, typer.Option("--json", help="Print JSON, as the API answers.")
    ] = False,
) -> None:
    """Tell why a patient's month bills what it does, and what one more day or minute would change.

    Each ladder with its measure and bands, what leaves or what stops it, and what was left out.
    """
    from pydantic import ValidationError

    from rpm.actions.seen_from import seen_on
    from rpm.actions.why import AskWhy, why_month
    from rpm.actions.why_text import why_text
    from rpm.commands.opened import (
        day_or_none,
        opened_organization,
        refused,
    )
    from rpm.store.engine import reading
    from rpm.store.scope import Scope

    try:
        asked = AskWhy(month=month, code=code)
    except ValidationError as error:
        raise refused(error) from error
    with (
        opened_organization(organization, "why") as (engine, actor, _, now),
        reading(engine) as db,
    ):
        scope = Scope.of(actor)
        seen = seen_on(db, scope, now, day_or_none(known_at))
        found = why_month(db, actor, patient_named(db, scope, patient), asked, seen)
    if as_json:
        typer.echo(found.model_dump_json(indent=2))
    else:
        typer.echo(why_text(found), nl=False)


def patient_named(db: "Session", scope: "Scope", named: str) -> UUID:
    """The patient of a record number, else of an id; ``NotFound`` for neither."""
    from rpm.errors import NotFound
    from rpm.store.queries.people import patient_with_record_number

    found = patient_with_record_number(db, scope, named)
    if found is not None:
        return found.id
    try:
        return UUID(named)
    except ValueError as error:
        raise NotFound("there is no patient of this record number or id") from error

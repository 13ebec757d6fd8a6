"""``rpm-ledger explain``: one billable event and everything it rests on."""

from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

if TYPE_CHECKING:
    from datetime import date, datetime

    from sqlmodel import Session

    from rpm.actions.explanation import Explanation
    from rpm.store.scope import Scope


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("explain")(explain)


def explain(
    event: Annotated[
        str, typer.Argument(help="Key of an event (as known now), or id of a posting.")
    ],
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
    """Explain an event: its readings, minutes, papers and the rule with its source.

    A posting is explained as the close that issued it saw it, whatever the day told.
    """
    from rpm.actions.explanation_text import explanation_text
    from rpm.commands.opened import day_or_none, opened_organization
    from rpm.store.engine import reading
    from rpm.store.scope import Scope

    with (
        opened_organization(organization, "explain") as (engine, actor, _, now),
        reading(engine) as db,
    ):
        found = _explained(db, Scope.of(actor), now, event, day_or_none(known_at))
    if as_json:
        typer.echo(found.model_dump_json(indent=2))
    else:
        typer.echo(explanation_text(found), nl=False)


def _explained(
    db: "Session", scope: "Scope", now: "datetime", event: str, known_at: "date | None"
) -> "Explanation":
    from rpm.actions.explain_event import explain_event, explain_posting
    from rpm.actions.seen_from import seen_on
    from rpm.errors import NotFound
    from rpm.store.event_keys import named_event

    try:
        posting_id = UUID(event)
    except ValueError:
        posting_id = None
    if posting_id is not None:
        return explain_posting(db, scope, posting_id)
    try:
        named = named_event(event)
    except ValueError as error:
        raise NotFound("this is neither the key of an event nor the id of a posting") from error
    return explain_event(db, scope, named, seen_on(db, scope, now, known_at))

"""``rpm-ledger differences``: what became known between two days, and what changed by it."""

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from uuid import UUID

    from sqlmodel import Session

    from rpm.actions.differences import Between
    from rpm.actions.differing_events import EventDifference
    from rpm.store.outcomes import EventLine
    from rpm.store.scope import Scope


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("differences")(differences)


def differences(
    from_day: Annotated[
        str, typer.Option("--from", metavar="DATE", help="What was known at the end of this day,")
    ],
    to_day: Annotated[
        str, typer.Option("--to", metavar="DATE", help="and at the end of this one.")
    ],
    month: Annotated[
        str | None,
        typer.Option(help="Events as the close of this month, 2026-01, looks at them."),
    ] = None,
    patient: Annotated[
        str | None, typer.Option(help="Record number or id: of this patient only.")
    ] = None,
    organization: Annotated[
        str | None, typer.Option(help="Id, NPI or name; not needed when there is only one.")
    ] = None,
) -> None:
    """List facts recorded between two days and the billable events that changed by them.

    Both sides of an event are as of one day, the later one or the day after the month, so that only
    knowledge differs. 1 when an event changed.
    """
    from rpm.actions.differences import between
    from rpm.commands.opened import (
        day_of,
        month_or_none,
        opened_organization,
    )
    from rpm.commands.why import patient_named
    from rpm.store.engine import reading
    from rpm.store.scope import Scope

    first, last, closed = day_of(from_day), day_of(to_day), month_or_none(month)
    with (
        opened_organization(organization, "differences") as (engine, actor, _, now),
        reading(engine) as db,
    ):
        scope = Scope.of(actor)
        patient_id = None if patient is None else patient_named(db, scope, patient)
        days = between(db, actor, now, first, last, closed)
        _tell_facts(db, scope, days, patient_id)
        count = _tell_events(db, scope, days, patient_id)
    typer.echo(f"{count} events differ" if count else "no event differs")
    if count:
        raise typer.Exit(1)


def _tell_facts(db: "Session", scope: "Scope", days: "Between", patient_id: "UUID | None") -> None:
    """Print the facts that became known between the days, then the rule pages."""
    from rpm.actions.differences import fact_differences, new_rule_pages

    for fact in fact_differences(db, scope, days, patient_id=patient_id):
        late = ", after the close" if fact.after_close else ""
        undoes = f", undoes {fact.undoes_id}" if fact.undoes_id is not None else ""
        reason = f" ({fact.reason})" if fact.reason else ""
        typer.echo(
            f"{fact.recorded_at:%Y-%m-%d %H:%M}  {fact.recorded_by}: {fact.what}{reason};"
            f" {fact.table} {fact.id}{undoes}{late}"
        )
    for page_id in new_rule_pages(db, scope, days):
        typer.echo(f"rule page {page_id} became known")


def _tell_events(db: "Session", scope: "Scope", days: "Between", patient_id: "UUID | None") -> int:
    """Print the billable events that the days give otherwise; how many there are."""
    from rpm.actions.differing_events import event_differences

    count = 0
    for change in event_differences(db, scope, days, patient_id=patient_id):
        typer.echo(_event(change))
        count += 1
    return count


def _event(change: "EventDifference") -> str:
    sides = [
        _line(line, cents)
        for line, cents in (
            (change.before, change.before_cents),
            (change.after, change.after_cents),
        )
        if line is not None
    ]
    return f"{change.change:<8} {' -> '.join(sides)}"


def _line(line: "EventLine", cents: int | None) -> str:
    from billing.money import cents_to_text

    amount = "amount unknown" if cents is None else cents_to_text(cents)
    return f"{line.code} x{line.units} on {line.service_day}, {amount}  {line.key}"

"""``rpm-ledger limits``: what alerts are raised by: show, set, end, and adopt published points.

Owns what is asked and printed. Does not own what a limit means (``devices.alerts``).
"""

from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer

from rpm.commands.connection_trial import Organization

if TYPE_CHECKING:
    from datetime import datetime

    from sqlmodel import Session

    from rpm.access import Actor
    from rpm.store.tables.alerts import AlertLimit

Patient = Annotated[str | None, typer.Option(help="Record number or id: for this patient only.")]
Reason = Annotated[str, typer.Option(help="Why, for the audit.")]
By = Annotated[
    str | None, typer.Option(help="Who decides it: address or id of a user; else the service.")
]
Route = Annotated[
    list[str] | None,
    typer.Option(help="Whom to tell, first to last: a role or user:ID. May be repeated."),
]
Minutes = Annotated[int, typer.Option(help="Minutes without an answer until the next is told.")]
Hours = Annotated[int, typer.Option(help="Hours in which another one only repeats it.")]
Quiet = Annotated[
    str | None, typer.Option(metavar="FROM-TO", help="Local hours to wait in, 22:00-07:00.")
]
InARow = Annotated[int, typer.Option(help="So many readings, one after another.")]


def register(app: typer.Typer) -> None:
    """Add the group of commands."""
    group = typer.Typer(
        help="Show, set and adopt what alerts are raised by.",
        no_args_is_help=True,
        rich_markup_mode=None,
    )
    group.command("show")(show)
    group.command("points")(points)
    group.command("set")(set_)
    group.command("end")(end)
    group.command("adopt")(adopt)
    app.add_typer(group, name="limits")


def show(patient: Patient = None, organization: Organization = None) -> None:
    """Show the limits of the practice and of patients: who set each, when and why."""
    from devices.alerts import NOTICE
    from rpm.commands.opened import opened_organization
    from rpm.commands.why import patient_named
    from rpm.store.engine import reading
    from rpm.store.queries.alerts import limits_in_force
    from rpm.store.scope import Scope

    with (
        opened_organization(organization, "limits") as (engine, actor, _settings, _now),
        reading(engine) as db,
    ):
        scope = Scope.of(actor)
        named = [patient_named(db, scope, patient)] if patient else None
        found = limits_in_force(db, scope, named)
    typer.echo(NOTICE)
    rows = [row for held in found.values() for row in held.values()]
    told = [row for row in rows if row.active or row.patient_id is not None]
    for row in told:
        _tell(row)
    if not any(row.active for row in told):
        typer.echo("no limit is set: no reading raises an alert")
        typer.echo("rpm-ledger limits points shows what others publish")


def points() -> None:
    """Show published starting points, with source and confidence; not a recommendation."""
    from devices.alerts import NOTICE
    from devices.alerts.points import published_points

    page = published_points()
    typer.echo(NOTICE)
    typer.echo(f"{page.id}, read on {page.read_on}: {page.status}")
    for point in page.points.values():
        told = point.limit
        subject = told.get("quantity", told["subject"])
        measure = "" if told.get("measure", "value") == "value" else f" {told['measure']}"
        words = told.get("comparison", "").replace("_", " ")
        window = f" within {told['window_hours']} h" if told.get("window_hours") else ""
        typer.echo(
            f"{point.key}: {subject}{measure} {words} {point.value} {point.unit}{window},"
            f" {point.band or 'no band'}; {point.source.title} ({point.confidence})"
        )
        if point.note:
            typer.echo(f"  {point.note}")


def set_(
    value: Annotated[str, typer.Argument(help="The number.")],
    band: Annotated[str, typer.Option(help="amber or red.")],
    reason: Reason,
    quantity: Annotated[
        str | None, typer.Option(metavar="KIND.NAME", help="Such as bp.systolic.")
    ] = None,
    subject: Annotated[
        str, typer.Option(help="reading, missed, threshold, battery or heartbeat.")
    ] = "reading",
    comparison: Annotated[
        str, typer.Option(help="above, at_least, below or at_most.")
    ] = "at_least",
    measure: Annotated[str, typer.Option(help="value, rise, fall or fall_percent.")] = "value",
    unit: Annotated[str | None, typer.Option(help="Unit of the number.")] = None,
    window_hours: Annotated[int | None, typer.Option(help="Hours of a change or a run.")] = None,
    in_a_row: InARow = 1,
    route: Route = None,
    escalate_after: Minutes = 60,
    suppress_hours: Hours = 24,
    quiet: Quiet = None,
    patient: Patient = None,
    by: By = None,
    organization: Organization = None,
) -> None:
    """Set a limit; it takes the place of the one of the same rule, for readings from now on."""
    from rpm.actions.manage_limits import SetLimit, set_limit
    from rpm.commands.why import patient_named
    from rpm.store.scope import Scope

    kind, _, name = (quantity or "").partition(".")
    fields = {
        "subject": subject,
        "kind": kind or None,
        "quantity": name or None,
        "measure": measure,
        "comparison": comparison,
        "band": band,
        "value": value,
        "unit": unit,
        "window_hours": window_hours,
        "in_a_row": in_a_row,
        "reason": reason,
        **_told(route, escalate_after, suppress_hours, quiet),
    }

    def act(db: "Session", actor: "Actor", now: "datetime") -> "list[AlertLimit]":
        patient_id = patient_named(db, Scope.of(actor), patient) if patient else None
        command = _checked(SetLimit, {**fields, "patient_id": patient_id})
        return [set_limit(db, actor, now, command)]

    _do(act, by, organization)


def end(
    rule: Annotated[str, typer.Argument(help="Such as bp.systolic.high.red.")],
    reason: Reason,
    patient: Patient = None,
    by: By = None,
    organization: Organization = None,
) -> None:
    """End a rule; for a patient also where the practice has it."""
    from rpm.actions.manage_limits import EndLimit, end_limit
    from rpm.commands.why import patient_named
    from rpm.store.scope import Scope

    def act(db: "Session", actor: "Actor", now: "datetime") -> "list[AlertLimit]":
        patient_id = patient_named(db, Scope.of(actor), patient) if patient else None
        fields = {"rule": rule, "reason": reason, "patient_id": patient_id}
        return [end_limit(db, actor, now, _checked(EndLimit, fields))]

    _do(act, by, organization)


def adopt(
    keys: Annotated[list[str], typer.Argument(metavar="POINT...", help="Keys of points.")],
    reason: Reason,
    band: Annotated[
        str | None, typer.Option(help="amber or red, where the source names no band.")
    ] = None,
    in_a_row: InARow = 1,
    route: Route = None,
    escalate_after: Minutes = 60,
    suppress_hours: Hours = 24,
    quiet: Quiet = None,
    by: By = None,
    organization: Organization = None,
) -> None:
    """Adopt published starting points as limits of the practice: its own decision."""
    from rpm.actions.manage_limits import AdoptPoints, adopt_points

    fields = {
        "points": keys,
        "band": band,
        "in_a_row": in_a_row,
        "reason": reason,
        **_told(route, escalate_after, suppress_hours, quiet),
    }

    def act(db: "Session", actor: "Actor", now: "datetime") -> "list[AlertLimit]":
        return adopt_points(db, actor, now, _checked(AdoptPoints, fields))

    _do(act, by, organization)


def _do(act: Any, by: str | None, organization: str | None) -> None:
    from rpm.commands.opened import opened_organization
    from rpm.store.engine import transaction
    from rpm.store.queries.people import actor_of_user
    from rpm.store.scope import Scope

    with (
        opened_organization(organization, "limits") as (engine, service, _settings, now),
        transaction(engine) as db,
    ):
        actor = actor_of_user(db, Scope.of(service), by) if by else service
        rows = act(db, actor, now)
    for row in rows:
        _tell(row)


def _told(
    route: list[str] | None, escalate_after: int, suppress_hours: int, quiet: str | None
) -> dict[str, Any]:
    quiet_from, _, quiet_to = (quiet or "").partition("-")
    return {
        **({"route": route} if route else {}),
        "escalate_after_minutes": escalate_after,
        "suppress_hours": suppress_hours,
        "quiet_from": quiet_from or None,
        "quiet_to": quiet_to or None,
    }


def _checked(model: Any, fields: dict[str, Any]) -> Any:
    from pydantic import ValidationError

    from rpm.commands.opened import refused

    try:
        return model.model_validate(fields)
    except ValidationError as error:
        raise refused(error) from error


def _tell(row: "AlertLimit") -> None:
    told: dict[str, Any] = row.content
    whose: UUID | str = row.patient_id or "practice"
    if not row.active:
        typer.echo(f"{row.rule} of {whose}: ended by {row.set_by}: {row.reason}")
        return
    words = told["comparison"].replace("_", " ")
    run = f", {told['in_a_row']} in a row" if told["in_a_row"] > 1 else ""
    typer.echo(f"{row.rule} of {whose}: {words} {told['value']} {told['unit']}{run}")
    route = f", {told['escalate_after_minutes']} min, ".join(told["route"])
    typer.echo(f"  tells {route}; repeats for {told['suppress_hours']} h")
    if told["quiet_from"]:
        typer.echo(f"  quiet from {told['quiet_from']} to {told['quiet_to']}")
    origin = f" from {row.origin}" if row.origin else ""
    typer.echo(f"  set {row.recorded_at:%Y-%m-%d %H:%M} by {row.set_by}{origin}: {row.reason}")

"""``rpm-ledger alerts``: list them, look at once, and answer them as a person.

Owns what is asked and printed. Does not own alerts (``rpm.actions``). No patient is named.
"""

from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from rpm.commands.connection_trial import Organization

if TYPE_CHECKING:
    from rpm.store.queries.alerts import AlertState

AlertId = Annotated[UUID, typer.Argument(metavar="ALERT", help="Its id.")]
By = Annotated[str, typer.Option(help="Who: address or id of a user of the practice.")]
_AT_ONCE = 200


def register(app: typer.Typer) -> None:
    """Add the group of commands."""
    group = typer.Typer(
        help="List alerts, look for new ones at once, and answer them.",
        no_args_is_help=True,
        rich_markup_mode=None,
    )
    group.command("list")(list_)
    group.command("evaluate")(evaluate)
    group.command("acknowledge")(acknowledge)
    group.command("act")(act)
    group.command("close")(close)
    app.add_typer(group, name="alerts")


def list_(
    state: Annotated[str | None, typer.Option(help="open, acknowledged, acted or closed.")] = None,
    level: Annotated[str | None, typer.Option(help="alert, note or repeat.")] = None,
    organization: Organization = None,
) -> None:
    """List alerts, the longest waiting first. 1 when an open one is among them."""
    from devices.alerts import NOTICE
    from rpm.commands.opened import opened_organization
    from rpm.errors import InvalidRequest
    from rpm.store.engine import reading
    from rpm.store.queries.alerts import LEVELS, STATES, AlertFilter, list_alerts
    from rpm.store.scope import Scope

    if state not in (None, *STATES) or level not in (None, *LEVELS):
        raise InvalidRequest("there is no such state or level")
    chosen = AlertFilter(state=state, level=level)
    typer.echo(NOTICE)
    after, count, is_open = None, 0, False
    with (
        opened_organization(organization, "alerts") as (engine, actor, _settings, _now),
        reading(engine) as db,
    ):
        while rows := list_alerts(db, Scope.of(actor), chosen, after=after, limit=_AT_ONCE):
            for held in rows:
                _tell(held)
                is_open |= held.state == "open" and held.alert.level == "alert"
            after, count = rows[-1].alert.id, count + len(rows)
    typer.echo(f"{count} alerts" if count else "no alerts")
    if is_open:
        raise typer.Exit(1)


def evaluate(organization: Organization = None) -> None:
    """Look at once at what was recorded since the last look, as the job does every minute."""
    from rpm.actions.answer_alert import escalate_alerts
    from rpm.actions.evaluate_alerts import evaluate_alerts
    from rpm.actions.watch_silence import watch_silence
    from rpm.commands.opened import opened_organization

    with opened_organization(organization, "alerts") as (engine, actor, _settings, now):
        opened = [*evaluate_alerts(engine, actor, now), *watch_silence(engine, actor, now)]
        told = escalate_alerts(engine, actor, now)
    typer.echo(f"{len(opened)} opened, {len(told)} escalated")


def acknowledge(
    alert: AlertId,
    by: By,
    note: Annotated[str | None, typer.Option(help="What there is to say.")] = None,
    organization: Organization = None,
) -> None:
    """Say that a person has seen the alert; nobody else is told then."""
    _answer(alert, "acknowledged", note, by, organization)


def act(
    alert: AlertId,
    by: By,
    note: Annotated[str, typer.Option(help="What was done.")],
    organization: Organization = None,
) -> None:
    """Say what was done about the alert."""
    _answer(alert, "acted", note, by, organization)


def close(
    alert: AlertId,
    by: By,
    note: Annotated[str, typer.Option(help="What was found.")],
    organization: Organization = None,
) -> None:
    """Close the alert."""
    _answer(alert, "closed", note, by, organization)


def _answer(alert_id: UUID, step: str, note: str | None, by: str, organization: str | None) -> None:
    from pydantic import ValidationError

    from rpm.actions.answer_alert import AnswerAlert, answer_alert
    from rpm.commands.opened import opened_organization, refused
    from rpm.store.engine import transaction
    from rpm.store.queries.people import actor_of_user
    from rpm.store.scope import Scope

    try:
        command = AnswerAlert(alert_id=alert_id, step=step, note=note)
    except ValidationError as error:
        raise refused(error) from error
    with (
        opened_organization(organization, "alerts") as (engine, service, _settings, now),
        transaction(engine) as db,
    ):
        actor = actor_of_user(db, Scope.of(service), by)
        held = answer_alert(db, actor, now, command)
    _tell(held)


def _tell(held: "AlertState") -> None:
    alert = held.alert
    measured = f"{alert.measured_at:%Y-%m-%d %H:%M}" if alert.measured_at else "at no known time"
    received = f"{alert.received_at:%Y-%m-%d %H:%M}" if alert.received_at else "not"
    broken = f"{alert.value} {alert.comparison} {alert.limit_value} {alert.unit}".strip()
    typer.echo(f"{alert.id}  {held.state} {alert.level}, {alert.rule}: {broken}")
    typer.echo(
        f"  patient {alert.patient_id or '-'}, measured {measured}, received {received},"
        f" opened {alert.recorded_at:%Y-%m-%d %H:%M}, told {', '.join(held.told)}"
        + (f", {held.repeats} repeats" if held.repeats else "")
    )
    for step in held.steps:
        told = f" {step.told}" if step.told else ""
        by = f" by {step.by_name}" if step.by_name else ""
        note = f": {step.note}" if step.note else ""
        typer.echo(f"  {step.recorded_at:%Y-%m-%d %H:%M} {step.step}{told}{by}{note}")

"""``rpm-ledger devices``: where devices are, what was heard of them, what is at risk; swaps.

Owns what is asked and printed. Does not own the inventory (``rpm.store.queries.inventory``) nor
swapping (``rpm.actions.swap_device``). No name of a patient is printed: record numbers are.
"""

from typing import TYPE_CHECKING, Annotated

import typer

from rpm.commands.connection_trial import Organization
from rpm.commands.opened import opened_organization

if TYPE_CHECKING:
    from datetime import datetime

    from sqlmodel import Session

    from rpm.store.queries.device_state import InventoryDevice, InventoryFilter
    from rpm.store.scope import Scope

DeviceName = Annotated[
    str,
    typer.Argument(metavar="DEVICE", help="Our id, the vendor's, an IMEI or a serial number."),
]
Why = Annotated[str, typer.Option(help="Why, for the record.")]
At = Annotated[
    str | None,
    typer.Option(metavar="INSTANT", help="When, as 2026-01-12T16:00:00Z; now unless told."),
]


def register(app: typer.Typer) -> None:
    """Add the group of commands."""
    group = typer.Typer(
        help="Show where devices are and what is at risk; swap devices and take them back.",
        no_args_is_help=True,
        rich_markup_mode=None,
    )
    group.command("list")(list_)
    group.command("show")(show)
    group.command("at-risk")(at_risk)
    group.command("swap")(swap)
    group.command("return")(return_)
    group.command("report")(report)
    app.add_typer(group, name="devices")


def list_(
    status: Annotated[
        str | None, typer.Option(help="Only in_use, awaits_return, in_stock, lost or broken.")
    ] = None,
    silent: Annotated[  # noqa: FBT002 - an option, not an argument
        bool, typer.Option("--silent", help="Only those in use without a reading for 3 days.")
    ] = False,
    idle: Annotated[  # noqa: FBT002 - as above
        bool, typer.Option("--idle", help="Only those that nobody uses and that still send.")
    ] = False,
    organization: Organization = None,
) -> None:
    """List devices: where each is, and what was last heard of it."""
    from rpm.errors import InvalidRequest
    from rpm.store.queries.device_state import STATUSES, InventoryFilter

    if status is not None and status not in STATUSES:
        raise InvalidRequest(f"a status is one of {', '.join(STATUSES)}")
    chosen = InventoryFilter(status=status, silent=silent or None, idle=idle or None)
    found = _devices(chosen, organization)
    for device in found:
        typer.echo(_line(device))
    if found:
        typer.echo(f"{len(found)} devices")
    elif chosen == InventoryFilter():
        typer.echo("no devices yet: POST /v1/devices registers one (docs/devices.md)")
    else:
        typer.echo("no such devices")


def show(device: DeviceName, organization: Organization = None) -> None:
    """Show a device: where it is, what was last heard of it, and everyone who had it."""
    from devices.device_ids import imei
    from rpm.actions.refresh_contacts import refresh_contacts
    from rpm.store.engine import reading
    from rpm.store.queries.episodes import associations
    from rpm.store.scope import Scope
    from rpm.store.tables.people import Patient

    with opened_organization(organization, "devices") as (engine, actor, _, now):
        scope = Scope.of(actor)
        refresh_contacts(engine, scope)
        with reading(engine) as db:
            found = _named(db, scope, now, device)
            held = [
                (scope.get(db, Patient, one.association.patient_id).record_number, one)
                for one in associations(db, scope, device_id=found.device.id)
            ]
    typer.echo(_line(found))
    known = found.device
    named = {
        "IMEI": imei(known.vendor_device_id),
        "make": known.make,
        "model": known.model,
        "serial": known.serial,
    }
    told = [f"{name} {value}" for name, value in named.items() if value]
    if told:
        typer.echo(f"  {', '.join(told)}")
    if found.contact is not None and found.contact.battery is not None:
        typer.echo(f"  battery {found.contact.battery}, told {_at(found.contact.battery_at)}")
    for record_number, one in held:
        until = "still there" if one.to_at is None else f"until {_at(one.to_at)}: {one.end_reason}"
        typer.echo(f"  patient {record_number} from {_at(one.association.from_at)}, {until}")
    if not held:
        typer.echo("  nobody had it yet")


def at_risk(
    within_days: Annotated[
        int, typer.Option(help="Due within so many days; 0 is today.", min=0, max=60)
    ] = 7,
    organization: Organization = None,
) -> None:
    """List running windows that lose a code unless a reading comes soon, the nearest day first."""
    from rpm.actions.refresh_contacts import refresh_contacts
    from rpm.store.engine import reading
    from rpm.store.queries.at_risk import at_risk_page
    from rpm.store.readiness_refresh import refresh
    from rpm.store.scope import Scope

    with opened_organization(organization, "devices") as (engine, actor, _, now):
        scope = Scope.of(actor)
        refresh_contacts(engine, scope)
        refresh(engine, scope, now)
        with reading(engine) as db:
            rows = at_risk_page(db, scope, now, within_days, limit=_EVERY_ROW)
    for one in rows:
        held = f"; held by {', '.join(one.row.findings)}" if one.row.findings else ""
        typer.echo(
            f"{one.due_day} ({one.days_left} days left)  {one.row.due_code}  patient"
            f" {one.record_number}: {one.row.measured} days so far, window ends {one.row.end_day}"
            f"{held}"
        )
        for device in one.devices:
            typer.echo(f"  {_line(device)}")
        if not one.devices:
            typer.echo("  no device")
    typer.echo(f"{len(rows)} windows at risk" if rows else "no window is at risk")


def swap(
    device: DeviceName,
    new_device: Annotated[str, typer.Argument(metavar="NEW", help="What takes its place.")],
    reason: Why,
    at: At = None,
    old_condition: Annotated[
        str, typer.Option(help="What is known of the old device: working, lost or broken.")
    ] = "working",
    organization: Organization = None,
) -> None:
    """Replace a patient's device by another of its kind, in one action."""
    from rpm.actions.swap_device import SwapDevice, swap_device
    from rpm.store.engine import transaction
    from rpm.store.scope import Scope

    with (
        opened_organization(organization, "devices") as (engine, actor, _, now),
        transaction(engine) as db,
    ):
        scope = Scope.of(actor)
        old, new = (_named(db, scope, now, text).device for text in (device, new_device))
        when = _instant(at, now)
        command = SwapDevice(
            device_id=old.id,
            new_device_id=new.id,
            at=when,
            reason=reason,
            old_condition=_condition(old_condition),
        )
        swap_device(db, actor, now, command)
    typer.echo(f"{new.vendor_device_id} takes the place of {old.vendor_device_id} from {_at(when)}")


def return_(
    device: DeviceName, reason: Why, at: At = None, organization: Organization = None
) -> None:
    """Take a device back into stock."""
    from rpm.actions.swap_device import ReturnDevice, return_device
    from rpm.store.engine import transaction
    from rpm.store.scope import Scope

    with (
        opened_organization(organization, "devices") as (engine, actor, _, now),
        transaction(engine) as db,
    ):
        found = _named(db, Scope.of(actor), now, device).device
        when = _instant(at, now)
        return_device(db, actor, now, ReturnDevice(device_id=found.id, at=when, reason=reason))
    typer.echo(f"{found.vendor_device_id} is in stock from {_at(when)}")


def report(
    device: DeviceName,
    condition: Annotated[str, typer.Argument(help="lost, broken, or working again.")],
    reason: Why,
    at: At = None,
    organization: Organization = None,
) -> None:
    """Report a device lost or broken, which takes it from its patient, or working again."""
    from rpm.actions.report_device import ReportDevice, report_device
    from rpm.store.engine import transaction
    from rpm.store.scope import Scope

    with (
        opened_organization(organization, "devices") as (engine, actor, _, now),
        transaction(engine) as db,
    ):
        found = _named(db, Scope.of(actor), now, device).device
        when = _instant(at, now)
        command = ReportDevice(
            device_id=found.id, condition=_condition(condition), at=when, reason=reason
        )
        report_device(db, actor, now, command)
    typer.echo(f"{found.vendor_device_id} is {condition} from {_at(when)}")


def _condition(text: str) -> str:
    from rpm.errors import InvalidRequest
    from rpm.store.queries.device_state import CONDITIONS

    if text not in CONDITIONS:
        raise InvalidRequest(f"a condition is one of {', '.join(CONDITIONS)}")
    return text


_EVERY_ROW = 1_000_000


def _devices(chosen: "InventoryFilter", organization: str | None) -> "list[InventoryDevice]":
    from rpm.actions.refresh_contacts import refresh_contacts
    from rpm.store.engine import reading
    from rpm.store.queries.inventory import inventory_of
    from rpm.store.scope import Scope

    with opened_organization(organization, "devices") as (engine, actor, _, now):
        scope = Scope.of(actor)
        refresh_contacts(engine, scope)
        with reading(engine) as db:
            return inventory_of(db, scope, now, chosen)


def _named(db: "Session", scope: "Scope", now: "datetime", text: str) -> "InventoryDevice":
    """The one device of this id, vendor's id, IMEI or serial number."""
    from uuid import UUID

    from rpm.errors import InvalidRequest, NotFound
    from rpm.store.queries.device_state import InventoryFilter
    from rpm.store.queries.inventory import inventory_of

    try:
        found = inventory_of(db, scope, now, InventoryFilter(ids=[UUID(text)]))
    except ValueError:
        found = []
    found = found or inventory_of(db, scope, now, InventoryFilter(identifier=text))
    if not found:
        raise NotFound("there is no such device")
    if len(found) > 1:
        raise InvalidRequest("several devices are named so: give our id (devices list)")
    return found[0]


def _instant(text: str | None, now: "datetime") -> "datetime":
    from datetime import datetime

    from rpm.errors import InvalidRequest

    if text is None:
        return now
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise InvalidRequest("an instant is written like 2026-01-12T16:00:00Z")
    return found


def _line(found: "InventoryDevice") -> str:
    """A device in one line."""
    device, contact = found.device, found.contact
    heard = f"heard {_at(contact.heard_at)} ({contact.heard_as})" if contact else "never heard"
    if found.connection == "no_connection":
        heard += ", its vendor has no connection"
    notes = [f"{found.silent_days} days without a reading"] if found.is_silent else []
    notes += ["idle: nobody uses it and it still sends"] if found.is_idle else []
    return "; ".join(
        [
            f"{device.id}  {device.vendor} {device.vendor_device_id}  {device.kind}"
            f"  {found.status}",
            heard,
            *notes,
        ]
    )


def _at(instant: "datetime | None") -> str:
    return f"{instant:%Y-%m-%d %H:%M} UTC" if instant is not None else "never"

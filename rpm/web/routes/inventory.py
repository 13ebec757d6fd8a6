"""The inventory: every device with where it is and what was last heard of it.

Owns the addresses and what is shown. Does not own the list (``rpm.store.queries.inventory``),
registration and single associations (``routes.devices``) nor moves (``routes.device_moves``). What
was last heard is brought up to date before it is shown: cheap when little came since.
"""

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Query, Request
from pydantic import BaseModel, Field
from sqlmodel import col

from devices.device_ids import imei
from rpm.access import Actor
from rpm.actions.command import Command, Name
from rpm.store.queries.at_risk import WITHIN_DAYS, AtRisk, at_risk_page
from rpm.store.queries.connections import last_delivered
from rpm.store.queries.device_state import CONTACT_COLUMNS, InventoryDevice, InventoryFilter
from rpm.store.queries.episodes import associations
from rpm.store.queries.inventory import inventory_of, inventory_page
from rpm.store.tables.monitoring import Connection, Device
from rpm.web.deps import PROBLEMS, Now, Page, Paging, area_router, permit
from rpm.web.projections import up_to_date
from rpm.web.routes.devices import AssociationOut, DeviceOut, shown_association
from rpm.web.routes.readings import after_id

router = area_router("Devices")

_STATUS = (
    "`in_use`, `awaits_return` (its patient's episode is over), `in_stock` (with nobody), or"
    " `lost` or `broken`: not to be given to anybody."
)
_CONNECTION = (
    "`heard` (within 3 days), `quiet`, `never_heard`, or `no_connection`: its vendor has none."
)


class InventoryOut(DeviceOut):
    """A device, where it is now, and what was last heard of it."""

    imei: str | None = Field(description="The vendor's id as IMEI with check digit, if it is one.")
    status: str = Field(description=_STATUS, examples=["in_use"])
    connection: str = Field(description=_CONNECTION, examples=["heard"])
    idle: bool = Field(description="Not in use, and yet it sent something in the last 30 days.")
    episode_id: UUID | None = Field(description="The episode that has it now.")
    patient_id: UUID | None
    since: datetime | None = Field(description="When it came there.")
    silent_since: date | None = Field(
        description="Day of its last reading, or the day it came; null where it is not in use."
    )
    silent_days: int | None
    heard_at: datetime | None = Field(
        description="When the last delivery arrived that names it; null: never."
    )
    heard_as: str | None = Field(
        description="`reading`, `file` (imported), or a notice such as `heartbeat` or `battery`."
    )
    measured_at: datetime | None = Field(description="When it measured last.")
    battery: str | None = Field(description="As the vendor sends it.", examples=["84 %"])
    battery_at: datetime | None


class VendorConnectionOut(BaseModel):
    """A connection through which the device's vendor delivers."""

    connection_id: UUID
    name: str
    last_delivered_at: datetime | None


class DeviceHistoryOut(InventoryOut):
    """A device with everyone who had it."""

    associations: list[AssociationOut] = Field(description="In order of their beginning.")
    connections: list[VendorConnectionOut] = Field(description="Its vendor's, not retired.")


class AtRiskOut(BaseModel):
    """A running window: without a reading on `due_day` the code is lost."""

    patient_id: UUID
    family_name: str
    given_name: str
    record_number: str
    episode_id: UUID
    ladder: str = Field(examples=["device-supply"])
    due_day: date = Field(description="The last day to go on: on it and every later day.")
    days_left: int = Field(description="0: today is the last day.", examples=[2])
    due_code: str = Field(examples=["99454"])
    start_day: date
    end_day: date
    measured: int = Field(description="Days with a reading so far.", examples=[12])
    findings: list[str] = Field(description="Codes of what holds the lines all the same.")
    devices: list[InventoryOut] = Field(description="What the episode has now; may be empty.")


class FindDevices(Command):
    """Which device to look for."""

    identifier: Name = Field(
        description="The vendor's id, an IMEI in any spelling, or the serial number.",
        examples=["135540012345670"],
    )


def shown_device(found: InventoryDevice) -> InventoryOut:
    """A device of the inventory."""
    return InventoryOut.model_validate(_values(found))


def _values(found: InventoryDevice) -> dict[str, Any]:
    held, contact = found.held, found.contact
    return {
        **found.device.model_dump(),
        "imei": imei(found.device.vendor_device_id),
        "status": found.status,
        "connection": found.connection,
        "idle": found.is_idle,
        "episode_id": held and held.episode_id,
        "patient_id": held and held.patient_id,
        "since": held and held.from_at,
        "silent_since": found.silent_since,
        "silent_days": found.silent_days,
        **{name: contact and getattr(contact, name) for name in CONTACT_COLUMNS},
    }


def _shown_risk(found: AtRisk) -> AtRiskOut:
    names = ("patient_id", "episode_id", "ladder", "due_code", "start_day", "end_day", "measured")
    return AtRiskOut(
        family_name=found.family_name,
        given_name=found.given_name,
        record_number=found.record_number,
        due_day=found.due_day,
        days_left=found.days_left,
        findings=found.row.findings,
        devices=[shown_device(device) for device in found.devices],
        **found.row.model_dump(include=set(names)),
    )


def _page(
    request: Request, now: datetime, actor: Actor, paging: Paging, chosen: InventoryFilter
) -> Page[InventoryOut]:
    with up_to_date(request, actor, now) as (db, scope):
        rows = inventory_page(db, scope, now, chosen, after=after_id(paging), limit=paging.fetch)
    page: Page[Any] = paging.page(rows, lambda row: (row.device.id,))
    return Page(items=[shown_device(row) for row in page.items], next_cursor=page.next_cursor)


@router.get(
    "/devices",
    summary="List devices",
    description="Every device with where it is and what was last heard of it, in the order they"
    " were registered.",
    operation_id="list_devices",
    response_model=Page[InventoryOut],
    responses=PROBLEMS,
)
def list_devices(
    request: Request,
    now: Now,
    actor: Annotated[Actor, permit("patients:read")],
    paging: Paging,
    status: Annotated[
        Literal["in_use", "awaits_return", "in_stock", "lost", "broken"] | None,
        Query(description=_STATUS),
    ] = None,
    silent: Annotated[
        bool | None, Query(description="In use and without a reading for 3 days, or not.")
    ] = None,
    idle: Annotated[bool | None, Query(description="Not in use and still sending, or not.")] = None,
    vendor: Annotated[str | None, Query(description="Only this vendor's.")] = None,
    kind: Annotated[str | None, Query(description="Only this kind.")] = None,
) -> Page[InventoryOut]:
    """A page of devices."""
    chosen = InventoryFilter(status=status, silent=silent, idle=idle, vendor=vendor, kind=kind)
    return _page(request, now, actor, paging, chosen)


@router.post(
    "/devices/search",
    summary="Find a device by what is printed on it",
    description="Devices with this vendor id, IMEI or serial number; a number that may be an IMEI"
    " is found in every spelling.",
    operation_id="find_devices",
    response_model=Page[InventoryOut],
    responses=PROBLEMS,
)
def find_devices(
    request: Request,
    now: Now,
    actor: Annotated[Actor, permit("patients:read")],
    paging: Paging,
    command: FindDevices,
) -> Page[InventoryOut]:
    """A page of devices."""
    return _page(request, now, actor, paging, InventoryFilter(identifier=command.identifier))


@router.get(
    "/devices/at-risk",
    summary="List windows that lose a code unless a reading comes soon",
    description="Running windows of device supply by the last day to go on: who measures on that"
    " day and on every later one of the window just gets the code; without a reading on it the"
    " code is lost. The nearest day first.",
    operation_id="list_days_at_risk",
    response_model=Page[AtRiskOut],
    responses=PROBLEMS,
)
def list_at_risk(
    request: Request,
    now: Now,
    actor: Annotated[Actor, permit("ledger:read")],
    paging: Paging,
    within_days: Annotated[
        int, Query(ge=0, le=60, description="Due within so many days; 0: today.", examples=[3])
    ] = WITHIN_DAYS,
) -> Page[AtRiskOut]:
    """A page of windows."""
    with up_to_date(request, actor, now, readiness=True) as (db, scope):
        rows = at_risk_page(db, scope, now, within_days, after=paging.after, limit=paging.fetch)
    page: Page[Any] = paging.page(rows, lambda row: row.key)
    return Page(items=[_shown_risk(row) for row in page.items], next_cursor=page.next_cursor)


@router.get(
    "/devices/{device_id}",
    summary="Show a device with everyone who had it",
    description="The device, where it is and what was last heard of it, its associations with their"
    " ends as they count now, and the connections through which its vendor delivers.",
    operation_id="get_device",
    response_model=DeviceHistoryOut,
    responses=PROBLEMS,
)
def get_device(
    request: Request,
    now: Now,
    actor: Annotated[Actor, permit("patients:read")],
    device_id: UUID,
) -> DeviceHistoryOut:
    """The device."""
    with up_to_date(request, actor, now) as (db, scope):
        scope.get(db, Device, device_id)
        (found,) = inventory_of(db, scope, now, InventoryFilter(ids=[device_id]))
        held = associations(db, scope, device_id=device_id)
        doors = scope.all_of(
            db,
            Connection,
            col(Connection.vendor) == found.device.vendor,
            col(Connection.retired_at).is_(None),
        )
        last = last_delivered(db, scope.organization_id, [door.id for door in doors])
    return DeviceHistoryOut.model_validate(
        {
            **_values(found),
            "associations": [shown_association(one) for one in held],
            "connections": [
                VendorConnectionOut(
                    connection_id=door.id, name=door.name, last_delivered_at=last.get(door.id)
                )
                for door in doors
            ],
        }
    )

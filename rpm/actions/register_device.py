"""Register a device of a vendor.

Owns what makes the same device (vendor and the vendor's id) and whether its readings can count at
all. Does not own with whom it is (``associate_device``).
"""

from datetime import datetime
from typing import Annotated

from pydantic import Field, StringConstraints
from sqlmodel import Session

from billing.ledger.facts import KINDS
from rpm.access import Actor, require
from rpm.actions.command import Command, Name, OneOf
from rpm.actions.natural_key import same_or_conflict
from rpm.actions.take_readings import attach_readings
from rpm.errors import Conflict
from rpm.store.chain import recording
from rpm.store.queries.assignments import known_devices
from rpm.store.queries.episodes import device_with_vendor_id
from rpm.store.queries.people import hold_organization, organization_of
from rpm.store.scope import Scope
from rpm.store.tables.monitoring import Device

VendorName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]


class RegisterDevice(Command):
    """A device as its vendor names it."""

    vendor: VendorName = Field(examples=["generic"])
    vendor_device_id: Name = Field(examples=["BP-00417"])
    kind: Annotated[str, OneOf(KINDS)] = Field(examples=["bp"])
    make: Name | None = None
    model: Name | None = None
    serial: Name | None = None
    fda_listed: bool = Field(description="Meets the FDCA's definition of a medical device.")
    automatic: bool = Field(description="Sends its readings by itself.")


def register_device(db: Session, actor: Actor, now: datetime, command: RegisterDevice) -> Device:
    """The device under its vendor's id; readings that came before it are judged anew.

    ``Conflict`` when it is recorded with other content, or under another spelling of its IMEI.
    """
    require(actor, "episodes:write")
    scope = Scope.of(actor)
    hold_organization(db, scope)
    wanted = command.model_dump()
    recorded = device_with_vendor_id(db, scope, command.vendor, command.vendor_device_id)
    if recorded is not None:
        return same_or_conflict(recorded, wanted, "the device is recorded with other content")
    if known_devices(db, scope.organization_id, command.vendor, [command.vendor_device_id]):
        raise Conflict("the device is recorded under another spelling of its IMEI")
    with recording(db, actor, now, "device.register") as record:
        device = record.add(Device(**wanted))
        record.subject["device_id"] = device.id
        attach_readings(
            db,
            record,
            organization_of(db, scope),
            vendor=device.vendor,
            vendor_device_id=device.vendor_device_id,
            now=now,
        )
    return device

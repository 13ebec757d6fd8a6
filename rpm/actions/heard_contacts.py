"""Heard: what deliveries and readings tell of when a device last said something, and what.

Owns reading them. A reading names its device itself; a notice stands only in the body of its
delivery, which is read again where an item was passed over. Does not own the projection that keeps
the answer (``refresh_contacts``).
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import String, case, cast, func, select
from sqlmodel import Session, col

from devices.delivery import NOT_OF_A_DEVICE, Notice
from devices.device_ids import same_device_ids
from rpm.actions.connection_settings import settings_of
from rpm.actions.take_delivery import parsed_or_problem
from rpm.store.queries.connections import READ
from rpm.store.queries.device_state import BY_FILE
from rpm.store.tables.monitoring import Connection, Delivery, DeliveryReplay, Device, Reading

READING = "reading"
"""How a device was heard where it was no notice and no file (``BY_FILE``)."""
_BATTERY = "battery"
_IGNORED = '%"ignored"%'
_ROWS_AT_ONCE = 500

Sender = tuple[str, str]
"""A device as it is named in deliveries: vendor, and the vendor's id as sent."""
Contact = dict[str, Any]
"""What was last heard of a device: the columns of ``DeviceContact`` by name, but for its key."""


def heard(db: Session, organization_id: UUID, after: int, until: int) -> dict[Sender, Contact]:
    """What readings and notices recorded by some audit events tell, by sender."""
    news: dict[Sender, Contact] = {}
    for sender, contact in (
        *_by_readings(db, organization_id, after, until),
        *_by_notices(db, organization_id, after, until),
    ):
        news[sender] = later(news.get(sender), contact)
    return news


def later(known: Contact | None, contact: Contact) -> Contact:
    """Both as one: the later arrival, the later measurement, the later battery."""
    if known is None:
        return contact
    said = contact if contact["heard_at"] > known["heard_at"] else known
    charged = [one for one in (contact, known) if one["battery_at"] is not None]
    measured = [one["measured_at"] for one in (contact, known) if one["measured_at"] is not None]
    power = max(charged, key=lambda one: one["battery_at"], default=known)
    return {
        "heard_at": said["heard_at"],
        "heard_as": said["heard_as"],
        "measured_at": max(measured, default=None),
        "battery": power["battery"],
        "battery_at": power["battery_at"],
    }


def _contact(heard_at: datetime, heard_as: str, measured_at: datetime | None = None) -> Contact:
    return {
        "heard_at": heard_at,
        "heard_as": heard_as,
        "measured_at": measured_at,
        "battery": None,
        "battery_at": None,
    }


def _by_readings(
    db: Session, organization_id: UUID, after: int, until: int
) -> Iterator[tuple[Sender, Contact]]:
    """A clock that runs ahead does not make a reading of the future."""
    received = func.max(col(Reading.received_at))
    measured = func.max(
        case(
            (col(Reading.measured_at) > col(Reading.received_at), col(Reading.received_at)),
            else_=col(Reading.measured_at),
        )
    )
    by_file = col(Reading.delivery_id).is_(None)
    rows = db.execute(
        select(
            col(Reading.vendor),
            col(Reading.vendor_device_id),
            by_file.label("by_file"),
            received,
            measured,
        )
        .where(
            col(Reading.organization_id) == organization_id,
            col(Reading.audit_number) > after,
            col(Reading.audit_number) <= until,
        )
        .group_by(col(Reading.vendor), col(Reading.vendor_device_id), by_file)
    )
    for vendor, device_id, from_file, received_at, measured_at in rows:
        heard_as = BY_FILE if from_file else READING
        yield (vendor, device_id), _contact(received_at, heard_as, measured_at)


def _by_notices(
    db: Session, organization_id: UUID, after: int, until: int
) -> Iterator[tuple[Sender, Contact]]:
    settings = {
        row.id: settings_of(row)
        for row in db.execute(
            select(Connection).where(col(Connection.organization_id) == organization_id)
        ).scalars()
    }
    rows = _passed_over(db, organization_id, after, until)
    for connection_id, vendor, received_at, body, headers in rows:
        parsed = parsed_or_problem(settings[connection_id], body, headers)
        if isinstance(parsed, str):
            continue
        for item in parsed.items:
            if isinstance(item, Notice) and item.kind not in NOT_OF_A_DEVICE:
                contact = _contact(received_at, item.kind)
                if item.kind == _BATTERY:
                    contact |= {"battery": item.value, "battery_at": received_at}
                yield (vendor, item.device_id), contact


def _passed_over(
    db: Session, organization_id: UUID, after: int, until: int
) -> Iterator[tuple[UUID, str, datetime, bytes, Mapping[str, str]]]:
    """Deliveries, and dead letters read since, of which an item was no reading."""
    columns = (
        col(Delivery.connection_id),
        col(Delivery.vendor),
        col(Delivery.received_at),
        col(Delivery.body),
        col(Delivery.headers),
    )
    of_delivery = (col(DeliveryReplay.organization_id) == col(Delivery.organization_id)) & (
        col(DeliveryReplay.delivery_id) == col(Delivery.id)
    )
    sources: tuple[tuple[type[Delivery | DeliveryReplay], Any], ...] = (
        (Delivery, select(*columns)),
        (DeliveryReplay, select(*columns).join(DeliveryReplay, of_delivery)),
    )
    for table, statement in sources:
        rows = db.execute(
            statement.where(
                col(table.organization_id) == organization_id,
                col(table.audit_number) > after,
                col(table.audit_number) <= until,
                col(table.state) == READ,
                cast(col(table.results), String).like(_IGNORED),
            ).execution_options(yield_per=_ROWS_AT_ONCE)
        )
        yield from rows


def registered_since(db: Session, organization_id: UUID, after: int, until: int) -> set[Sender]:
    """The names under which devices registered since may have been heard before."""
    devices = db.execute(
        select(col(Device.vendor), col(Device.vendor_device_id)).where(
            col(Device.organization_id) == organization_id,
            col(Device.audit_number) > after,
            col(Device.audit_number) <= until,
        )
    )
    return {(vendor, text) for vendor, own in devices for text in same_device_ids(own)}

"""A vendor's door in a test: a connection, signed bodies, and devices with patients.

Posts through ``authenticate`` and ``take_delivery`` as the webhook route does.
"""

import base64
import hmac
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from ledger_practice import Practice
from sqlalchemy.engine import Engine
from sqlmodel import Session, col, select

from devices.delivery import Incoming
from rpm.access import Actor, system_actor
from rpm.actions.authenticate_delivery import authenticate
from rpm.actions.manage_connections import CreateConnection, create_connection
from rpm.actions.take_delivery import DeliveryAnswer, take_delivery
from rpm.actions.take_readings import attach_readings
from rpm.ids import uuid7
from rpm.keys import KeyRing, load_keys
from rpm.settings import Settings
from rpm.store.chain import recording
from rpm.store.engine import reading, transaction
from rpm.store.queries.people import organization_of
from rpm.store.scope import Scope
from rpm.store.tables.base import Row
from rpm.store.tables.monitoring import (
    AssociationEnd,
    Device,
    DeviceAssociation,
    DeviceDay,
    Reading,
)
from rpm.store.tables.people import Organization

LONG_AGO = datetime(2025, 11, 1, tzinfo=UTC)


def weight(reading_id: str, measured_at: str = "2026-01-14T08:15:00-05:00", **parts: Any) -> Any:
    """A reading of a scale in the generic format."""
    value, unit = parts.pop("value", "72.5"), parts.pop("unit", "kg")
    return {
        "id": reading_id,
        "device_id": "scale-1",
        "kind": "weight",
        "components": [{"code": "29463-7", "value": value, "unit": unit}],
        "measured_at": measured_at,
        "entry_method": "device",
    } | parts


def signed(secret: str, message_id: str, at: datetime, body: bytes) -> dict[str, str]:
    """Headers of a Standard Webhooks request over any bytes (the library signs text only)."""
    key, seconds = base64.b64decode(secret.removeprefix("whsec_")), str(int(at.timestamp()))
    digest = hmac.digest(key, f"{message_id}.{seconds}.".encode() + body, "sha256")
    return {
        "content-type": "application/json",
        "webhook-id": message_id,
        "webhook-timestamp": seconds,
        "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
    }


def body_of(*readings: Any) -> bytes:
    """A batch in the generic format."""
    return json.dumps({"readings": list(readings)}).encode()


class Door:
    """One organization's connection, of the generic vendor unless told, and what is behind it."""

    def __init__(
        self, engine: Engine, settings: Settings, actor: Actor, now: datetime, **command: Any
    ) -> None:
        self.engine, self.actor, self.now = engine, actor, now
        self.ring: KeyRing = load_keys(settings).field_encryption
        self.practice = Practice(engine, actor, now)
        with transaction(engine) as db:
            asked = CreateConnection(**{"vendor": "generic", "name": "Test gateway"} | command)
            made = create_connection(db, actor, now, self.ring, asked)
        assert made.token is not None
        self.connection, self.token = made.connection, made.token
        self.secret = made.secret or ""
        self._sent = 0

    @property
    def organization_id(self) -> UUID:
        """The organization behind the door."""
        return self.actor.organization_id

    def send(self, *readings: Any) -> DeliveryAnswer:
        """Post a batch under a new message id."""
        self._sent += 1
        return self.post(f"msg-{self._sent}", body_of(*readings))

    def statuses(self, *readings: Any) -> list[str]:
        """Post a batch; the status of each item."""
        return [item["status"] for item in self.send(*readings).items]

    def post(self, message_id: str, body: bytes) -> DeliveryAnswer:
        """Post a body signed with the connection's secret."""
        return self.take(Incoming(signed(self.secret, message_id, self.now, body), body))

    def take(self, incoming: Incoming) -> DeliveryAnswer:
        """Post a request as it is; ``NotAuthentic`` as the webhook route raises it."""
        vendor = self.connection.vendor
        with reading(self.engine) as db:
            sender = authenticate(db, self.ring, self.now, vendor, self.token, incoming)
        with transaction(self.engine) as db:
            return take_delivery(db, sender, self.now, incoming)

    def record(self, action: str, *rows: Row, device: str | None = None) -> list[Reading]:
        """Record facts as one action; the readings of a device are attached anew."""
        scope = Scope.of(self.actor)
        with (
            transaction(self.engine) as db,
            recording(db, self.actor, self.now, action) as record,
        ):
            record.add_all(rows)
            if device is None:
                return []
            return attach_readings(
                db,
                record,
                organization_of(db, scope),
                vendor=self.connection.vendor,
                vendor_device_id=device,
                now=self.now,
            )

    def device(self, name: str = "scale-1", **values: Any) -> UUID:
        """Register a listed scale that sends by itself; its readings are attached."""
        device_id = self.practice.new_id()
        row: dict[str, Any] = {"kind": "scale", "fda_listed": True, "automatic": True} | values
        self.record(
            "device.register",
            Device(id=device_id, vendor=self.connection.vendor, vendor_device_id=name, **row),
            device=name,
        )
        return device_id

    def assign(
        self,
        device_id: UUID,
        patient_id: UUID,
        episode_id: UUID,
        from_at: datetime = LONG_AGO,
        name: str = "scale-1",
    ) -> UUID:
        """Give a device to a patient; its readings are attached."""
        association_id = self.practice.new_id()
        row = DeviceAssociation(
            id=association_id,
            device_id=device_id,
            patient_id=patient_id,
            episode_id=episode_id,
            from_at=from_at,
        )
        self.record("device.associate", row, device=name)
        return association_id

    def take_back(self, association_id: UUID, at: datetime, name: str = "scale-1") -> None:
        """End an association; readings measured later are let go."""
        end = AssociationEnd(association_id=association_id, to_at=at, reason="returned")
        self.record("association.end", end, device=name)

    def enrolled_with_scale(self, **patient: Any) -> UUID:
        """A patient with an episode and a scale; the episode's id."""
        patient_id = self.practice.patient(**patient)
        episode_id = self.practice.episode(patient_id)
        self.assign(self.device(), patient_id, episode_id)
        return episode_id

    def readings(self) -> Sequence[Reading]:
        """All readings of the organization in order of recording."""
        with reading(self.engine) as db:
            return db.exec(
                select(Reading)
                .where(col(Reading.organization_id) == self.organization_id)
                .order_by(col(Reading.audit_number), col(Reading.id))
            ).all()

    def days(self) -> Mapping[tuple[date, str], tuple[int, int]]:
        """Qualifying and refused readings by day and refusal word, over all episodes."""
        with reading(self.engine) as db:
            return {
                (date.fromordinal(row.day + EPOCH), row.refused_reason): (
                    row.qualifying_count,
                    row.refused_count,
                )
                for row in device_day_rows(db, self.organization_id)
            }


EPOCH = date(1970, 1, 1).toordinal()


def device_day_rows(db: Session, organization_id: UUID) -> Sequence[DeviceDay]:
    """The projection of an organization as it stands."""
    return db.exec(select(DeviceDay).where(col(DeviceDay.organization_id) == organization_id)).all()


def new_organization(engine: Engine, now: datetime) -> Actor:
    """An organization of its own for one example of a property test."""
    organization_id = uuid7(now)
    actor = system_actor(organization_id, "test")
    row = Organization(
        id=organization_id,
        name="Example Practice",
        timezone="America/New_York",
        npi="1234567893",
        created_at=now,
    )
    with transaction(engine) as db, recording(db, actor, now, "organization.create") as record:
        record.add(row)
    return actor

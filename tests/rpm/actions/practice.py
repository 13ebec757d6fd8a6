"""A practice with people and patients, made by the real actions, on both databases."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select
from sqlmodel import Session

from rpm.access import ROLE_PERMISSIONS, Actor
from rpm.actions.associate_device import AssociateDevice, associate_device
from rpm.actions.enroll import Enroll, enroll
from rpm.actions.log_entry import LogEntry, Logged, log_entry
from rpm.actions.manage_access import AddUser, add_user
from rpm.actions.register_device import RegisterDevice, register_device
from rpm.actions.register_patient import RegisterPatient, register_patient
from rpm.errors import ServiceError
from rpm.store.tables import METADATA
from rpm.store.tables.monitoring import Device, DeviceAssociation, Episode
from rpm.store.tables.people import Patient, User
from rpm.store.tables.security import AuditEvent

_numbers = count(1)


@dataclass
class Practice:
    """An organization at work; every method carries out one action with sensible content."""

    db: Session
    actor: Actor
    stranger: Actor  # may do everything in another organization
    now: datetime  # 2026-01-15 10:00 in New York

    def without(self, permission: str) -> Actor:
        """The actor with every permission but one."""
        return replace(self.actor, permissions=self.actor.permissions - {permission})

    def register_patient(self, **changes: Any) -> Patient:
        """A new patient."""
        content: dict[str, Any] = {
            "record_number": f"MRN-{next(_numbers)}",
            "family_name": "Example",
            "given_name": "Pat",
            "birth_date": date(1951, 4, 23),
            "sex": "F",
        }
        command = RegisterPatient(**(content | changes))
        return register_patient(self.db, self.actor, self.now, command)

    def enroll(self, patient: Patient | None = None, **changes: Any) -> Episode:
        """An open RPM episode since November, of a new patient unless one is given."""
        patient = patient or self.register_patient()
        content: dict[str, Any] = {
            "patient_id": patient.id,
            "program": "RPM",
            "opened_day": date(2025, 11, 3),
        }
        return enroll(self.db, self.actor, self.now, Enroll(**(content | changes)))

    def register_device(self, **changes: Any) -> Device:
        """A blood pressure cuff that sends by itself."""
        content: dict[str, Any] = {
            "vendor": "generic",
            "vendor_device_id": f"BP-{next(_numbers)}",
            "kind": "bp",
            "fda_listed": True,
            "automatic": True,
        }
        return register_device(self.db, self.actor, self.now, RegisterDevice(**(content | changes)))

    def associate(self, device: Device, episode: Episode) -> DeviceAssociation:
        """The device goes to the episode's patient ten days ago."""
        command = AssociateDevice(
            device_id=device.id, episode_id=episode.id, from_at=self.now - timedelta(days=10)
        )
        return associate_device(self.db, self.actor, self.now, command)

    def add_user(self, role: str, practitioner_id: UUID | None = None) -> tuple[User, Actor]:
        """A user, and the actor with all the role's permissions."""
        command = AddUser(
            name=f"User {next(_numbers)}",
            email=f"user{next(_numbers)}@example.org",
            role=role,
            practitioner_id=practitioner_id,
        )
        user = add_user(self.db, self.actor, self.now, command)
        permissions = ROLE_PERMISSIONS[role]
        return user, Actor(self.actor.organization_id, user.id, None, role, permissions, user.name)

    def log(self, patient_id: UUID, actor: Actor | None = None, **changes: Any) -> Logged:
        """Eight minutes of talk that began half an hour ago, by a nurse unless said otherwise."""
        content: dict[str, Any] = {
            "client_id": uuid4(),
            "patient_id": patient_id,
            "role": "rn",
            "work": "RPM",
            "mode": "live",
            "activity": "talk about readings",
        }
        if "local_day" not in changes:
            content |= {"started_at": self.now - timedelta(minutes=30)}
        if "ended_at" not in changes:
            content |= {"duration_seconds": 480}
        command = LogEntry(**(content | changes))
        return log_entry(self.db, actor or self.actor, self.now, command)

    def rows(self) -> dict[str, int]:
        """How many rows each table holds."""
        return {
            name: self.db.connection().execute(select(func.count()).select_from(table)).scalar_one()
            for name, table in METADATA.tables.items()
        }

    def last_event(self) -> AuditEvent:
        """The newest audit event of the organization."""
        table = METADATA.tables["audit_event"]
        row = (
            self.db.connection()
            .execute(
                select(table)
                .where(table.c.organization_id == self.actor.organization_id)
                .order_by(table.c.number.desc())
            )
            .first()
        )
        assert row is not None
        return AuditEvent(**row._mapping)

    @contextmanager
    def refused(self, error: type[ServiceError]) -> Iterator[pytest.ExceptionInfo[ServiceError]]:
        """What is done inside raises this error and leaves no row behind."""
        before = self.rows()
        with pytest.raises(error) as caught:
            yield caught
        assert self.rows() == before

"""The practice that the simulator works in: made once by the product's own actions, then copied.

Owns its people, papers and devices. Does not own what happens to them (``sim_steps``).
"""

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy.engine import Engine
from sqlmodel import Session

from rpm.access import PERMISSIONS, Actor
from rpm.actions.add_payer import AddPayer, add_payer
from rpm.actions.associate_device import AssociateDevice, associate_device
from rpm.actions.bootstrap_organization import BootstrapOrganization, bootstrap_organization
from rpm.actions.enroll import Enroll, Order, enroll
from rpm.actions.manage_access import AddUser, add_user
from rpm.actions.manage_connections import CreateConnection, create_connection
from rpm.actions.record_consent import ConsentGiven
from rpm.actions.record_coverage import RecordCoverage, record_coverage
from rpm.actions.register_device import RegisterDevice, register_device
from rpm.actions.register_patient import RegisterPatient, register_patient
from rpm.keys import KeyRing, load_keys
from rpm.settings import Settings
from rpm.store.engine import make_engine, transaction
from rpm.store.migrations import migrate

T = TypeVar("T")
PRACTICE_ZONE = "America/New_York"
NPI = "1234567893"


@dataclass(frozen=True)
class Staff:
    """A person who logs work, and in which role."""

    user_id: UUID
    name: str
    role: str


@dataclass(frozen=True)
class Kit:
    """A device: whose it is, how its vendor names it, and what it measures."""

    vendor: str
    device: str
    kind: str  # devices.kinds
    ledger_kind: str  # billing.ledger.facts.KINDS


@dataclass(frozen=True)
class Chart:
    """A patient with an episode and devices."""

    patient_id: UUID
    episode_id: UUID
    zone: str
    kits: tuple[Kit, ...]


@dataclass(frozen=True)
class Door:
    """A vendor's connection."""

    token: str
    secret: str


@dataclass(frozen=True)
class Office:
    """All that a step needs to know of the practice, and the file that holds it."""

    template: Path
    opened_day: date
    actor: Actor
    staff: tuple[Staff, ...]
    charts: tuple[Chart, ...]
    doors: Mapping[str, Door]  # by vendor


def settings_on(path: Path) -> Settings:
    """The installation on a database file; the keys are the same in every run."""
    return Settings(
        database_url=f"sqlite:///{path}",
        secret_key="simulated secret key, long enough for it",
        audit_key="simulated audit key, long enough for this",
        field_key="simulated field key, long enough for this",
    )


@cache
def office_opened(folder: Path, opened_day: date) -> Office:
    """The practice on the morning of a day, as a file to be copied; made once in a process."""
    draft, path = folder / "draft.db", folder / f"template-{opened_day}.db"
    settings = settings_on(draft)
    engine = make_engine(settings)
    migrate(engine)
    now = datetime.combine(opened_day, time(15), UTC)
    opening = _Opening(engine, now, _bootstrapped(engine, now))
    staff = tuple(opening.hired(name, role, worked) for name, role, worked in _PEOPLE)
    payer_id = opening.done(add_payer, AddPayer(key="MEDICARE_B", name="Medicare Part B")).id
    charts = tuple(opening.charted(payer_id, number) for number in range(len(_PATIENTS)))
    ring = load_keys(settings).field_encryption
    doors = {vendor: opening.connected(vendor, ring) for vendor in _VENDORS}
    engine.dispose()  # the last connection writes the log back into the file
    shutil.move(draft, path)
    return Office(path, opened_day, opening.actor, staff, charts, doors)


_PEOPLE = (
    ("Nora Nurse", "clinical_staff", "rn"),
    ("Mel Assistant", "clinical_staff", "ma"),
    ("Dr. Quinn", "practitioner", "qhp"),
)
_PATIENTS = (
    ("America/New_York", (Kit("tenovi", "SIM-0-bp", "bp", "bp"),)),
    (
        "America/Chicago",
        (
            Kit("generic", "SIM-1-weight", "weight", "scale"),
            Kit("telli", "864593054464085", "bp", "bp"),
        ),
    ),
    ("America/Los_Angeles", (Kit("generic", "SIM-2-spo2", "spo2", "pulseox"),)),
)
_VENDORS = ("generic", "tenovi", "telli")


def _bootstrapped(engine: Engine, now: datetime) -> Actor:
    command = BootstrapOrganization(
        name="Simulated Practice",
        timezone=PRACTICE_ZONE,
        npi=NPI,
        admin_name="Ada Admin",
        admin_email="ada@example.org",
    )
    with transaction(engine) as db:
        user = bootstrap_organization(db, now, command).user
    return Actor(user.organization_id, user.id, None, user.role, PERMISSIONS, user.name)


@dataclass(frozen=True)
class _Opening:
    engine: Engine
    now: datetime
    actor: Actor

    def done(self, act: Callable[[Session, Actor, datetime, Any], T], command: Any) -> T:
        with transaction(self.engine) as db:
            return act(db, self.actor, self.now, command)

    def hired(self, name: str, role: str, worked: str) -> Staff:
        email = f"{name.split()[-1].lower()}@example.org"
        user = self.done(add_user, AddUser(name=name, email=email, role=role))
        return Staff(user.id, name, worked)

    def charted(self, payer_id: UUID, number: int) -> Chart:
        zone, kits = _PATIENTS[number]
        register = RegisterPatient(
            record_number=f"SIM-{number}",
            family_name="Example",
            given_name=f"Pat {number}",
            birth_date=date(1950, 5, 17),
            sex="U",
            timezone=zone,
        )
        patient_id = self.done(register_patient, register).id
        coverage = RecordCoverage(
            patient_id=patient_id,
            payer_id=payer_id,
            member_id=f"000{number}",
            from_day=date(2020, 1, 1),
        )
        self.done(record_coverage, coverage)
        episode_id = self.done(enroll, self._enrollment(patient_id, kits[0].ledger_kind)).id
        for kit in kits:
            self._handed_out(kit, episode_id)
        return Chart(patient_id, episode_id, zone, kits)

    def _handed_out(self, kit: Kit, episode_id: UUID) -> None:
        registered = RegisterDevice(
            vendor=kit.vendor,
            vendor_device_id=kit.device,
            kind=kit.ledger_kind,
            fda_listed=True,
            automatic=True,
        )
        device_id = self.done(register_device, registered).id
        handed_out = AssociateDevice(
            device_id=device_id, episode_id=episode_id, from_at=self.now - timedelta(days=1)
        )
        self.done(associate_device, handed_out)

    def connected(self, vendor: str, ring: KeyRing) -> Door:
        command = CreateConnection(vendor=vendor, name="Simulated gateway")
        with transaction(self.engine) as db:
            made = create_connection(db, self.actor, self.now, ring, command)
        assert made.token is not None
        assert made.secret is not None
        return Door(made.token, made.secret)

    def _enrollment(self, patient_id: UUID, device_kind: str) -> Enroll:
        day = self.now.date()
        return Enroll(
            patient_id=patient_id,
            program="RPM",
            opened_day=day,
            setup_day=day,
            order=Order(
                order_day=day, ordering_npi=NPI, device_kind=device_kind, diagnosis_codes=["I10"]
            ),
            consent=ConsentGiven(
                consent_day=day, mode="verbal", taken_by="Nora Nurse", cost_share_told=True
            ),
            established_from_day=day,
        )

"""Practices behind a door: patients with devices and a connection, and services to post to.

Owns making them by the product's own actions, starting the two services, and filling the table of
readings for the figure with a full table.
"""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import text
from sqlalchemy.engine import Engine

from benchmarks.intake_load import DAYS, DEVICES, Target
from benchmarks.load import LoadedPractice, served_settings
from rpm.access import Actor
from rpm.actions.associate_device import AssociateDevice, associate_device
from rpm.actions.bootstrap_organization import BootstrapOrganization, bootstrap_organization
from rpm.actions.enroll import Enroll, enroll
from rpm.actions.manage_connections import CreateConnection, create_connection
from rpm.actions.register_device import RegisterDevice, register_device
from rpm.actions.register_patient import RegisterPatient, register_patient
from rpm.keys import load_keys
from rpm.settings import Settings
from rpm.store.engine import reading, transaction
from rpm.store.scope import actor_of_token

START_SECONDS = 60
ROOT = Path(__file__).parent.parent


@dataclass(frozen=True)
class Sender:
    """What a practice's gateway is told."""

    token: str
    secret: str

    def to(self, port: int) -> Target:
        """Where it posts on a server."""
        return Target(port, f"/webhooks/generic/{self.token}", self.secret)


def sender_of(practice: LoadedPractice, number: int) -> Sender:
    """A practice with devices at patients, and its connection."""
    now = datetime.now(UTC)
    actor = _organization(practice.engine, now, number)
    opened = (now - timedelta(days=DAYS + 2)).date()
    with transaction(practice.engine) as db:
        for device in range(DEVICES):
            _patient_with_device(db, actor, now, opened, device)
    ring = load_keys(practice.settings).field_encryption
    with transaction(practice.engine) as db:
        asked = CreateConnection(vendor="generic", name="Gateway")
        made = create_connection(db, actor, now, ring, asked)
    assert made.token is not None
    assert made.secret is not None
    return Sender(made.token, made.secret)


def _organization(engine: Engine, now: datetime, number: int) -> Actor:
    npi = _npi(number)
    with transaction(engine) as db:
        command = BootstrapOrganization(
            name=f"Practice {number}",
            timezone="America/New_York",
            npi=npi,
            admin_name="Ada Admin",
            admin_email="ada@example.org",
        )
        secret = bootstrap_organization(db, now, command).secret
    with reading(engine) as db:
        return actor_of_token(db, secret, now)


def _npi(number: int) -> str:
    """A number with the right check digit."""
    first = f"1{number:08d}"
    digits = [int(digit) for digit in f"80840{first}"]
    doubled = (sum(divmod(2 * digit, 10)) for digit in digits[-1::-2])
    return first + str(-(sum(doubled) + sum(digits[-2::-2])) % 10)


def _patient_with_device(db: Any, actor: Actor, now: datetime, opened: Any, number: int) -> None:
    patient = register_patient(
        db,
        actor,
        now,
        RegisterPatient(
            record_number=f"MRN-{number}",
            family_name="Example",
            given_name=f"Pat {number}",
            birth_date="1951-04-23",
            sex="U",
        ),
    )
    episode = enroll(
        db, actor, now, Enroll(patient_id=patient.id, program="RPM", opened_day=str(opened))
    )
    device = register_device(
        db,
        actor,
        now,
        RegisterDevice(
            vendor="generic",
            vendor_device_id=f"scale-{number}",
            kind="scale",
            fda_listed=True,
            automatic=True,
        ),
    )
    from_at = (now - timedelta(days=DAYS + 1)).isoformat(timespec="seconds")
    associate_device(
        db, actor, now, AssociateDevice(device_id=device.id, episode_id=episode.id, from_at=from_at)
    )


@dataclass
class Service:
    """A service in a process of its own."""

    port: int
    process: subprocess.Popen[bytes]

    @property
    def resident_megabytes(self) -> float:
        """Memory that the process holds now, in units of 1,000,000 bytes."""
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
        line = next(line for line in status.splitlines() if line.startswith("VmRSS:"))
        return int(line.split()[1]) * 1024 / 1e6


@contextmanager
def product(practice: LoadedPractice, served: Settings) -> Iterator[Service]:
    """The product as ``rpm-ledger serve`` starts it."""
    port = _free_port()
    names = ("secret_key", "audit_key", "field_key")
    variables = {
        f"RPMLEDGER_{name.upper()}": getattr(practice.settings, name).get_secret_value()
        for name in names
    }
    variables["RPMLEDGER_DATABASE_URL"] = served.database_url
    arguments = ["-c", "from rpm.cli import main; main()", "serve", "--port", str(port)]
    with _service(arguments, port, variables) as service:
        yield service


@contextmanager
def naive(url: str, secret: str) -> Iterator[Service]:
    """The service it is measured beside."""
    port = _free_port()
    arguments = ["-m", "benchmarks.naive_service", str(port), url, secret]
    with _service(arguments, port, {}) as service:
        yield service


@contextmanager
def _service(arguments: list[str], port: int, variables: Mapping[str, str]) -> Iterator[Service]:
    environment = os.environ | {"PYTHONPATH": str(ROOT), **variables}
    process = subprocess.Popen(
        [sys.executable, *arguments], env=environment, stderr=subprocess.DEVNULL
    )
    try:
        _wait_for(port, process)
        yield Service(port, process)
    finally:
        process.terminate()
        process.wait(timeout=START_SECONDS)


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise RuntimeError("a service did not start")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def settings_to_serve(practice: LoadedPractice) -> Settings:
    """As a server is given them; made once for a database."""
    return served_settings(practice)


def fill(engine: Engine, rows: int) -> None:
    """Add readings of earlier years like one that is there, by the database, undigested."""
    name = engine.dialect.name
    made = dict.fromkeys(_COPIED.split(), "") | _MADE[name]
    columns = ", ".join(made)
    values = ", ".join(value or f"old.{column}" for column, value in made.items())
    insert = f"INSERT INTO reading ({columns})"
    chosen = f"SELECT {values} FROM n, (SELECT * FROM reading ORDER BY id LIMIT 1) AS old"
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if name == "sqlite":
            connection.execute(text("PRAGMA foreign_keys = OFF"))
            connection.execute(text(f"{_COUNTED} {insert} {chosen}"), {"rows": rows})
        else:
            connection.execute(text("SET session_replication_role = replica"))
            connection.execute(text(f"{insert} {_COUNTED} {chosen}"), {"rows": rows})
        connection.execute(text("ANALYZE"))
        connection.invalidate()


_COUNTED = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :rows)"
_COPIED = (
    "organization_id recorded_at audit_number delivery_id connection_id version vendor"
    " vendor_device_id device_id kind measure components measured_at vendor_time zone zone_origin"
    " time_quality received_at received_day entry_method status countable refused_reason"
    " reason_code flags content_hash"
)
_MADE = {
    "sqlite": {
        "id": "printf('%032x', i)",
        "identity_key": "'vendor:' || lower(hex(randomblob(32)))",
        "local_day": "date('2019-01-01', '+' || (i % 1500) || ' days')",
    },
    "postgresql": {
        "id": "CAST(lpad(to_hex(i), 32, '0') AS uuid)",
        "identity_key": "'vendor:' || encode(sha256(CAST(CAST(i AS text) AS bytea)), 'hex')",
        "local_day": "DATE '2019-01-01' + i % 1500",
    },
}

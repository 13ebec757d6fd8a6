"""The inventory measured: pages of a practice's devices, and days at risk.

Owns the devices, which are given to the synthetic practice's episodes, and the figures. Every
figure is a request to the application with its token, permission, query and JSON. Run as
``python -m benchmarks.devices [--devices N] [--quick]``.
"""

import argparse
import os
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import UUID

from sqlalchemy import insert
from sqlmodel import col, select

from benchmarks.asking import Asker, asking
from benchmarks.facts import parts
from benchmarks.load import ENGINES, LoadedPractice, database_url, loaded_practice
from benchmarks.measure import Stopwatch, repeated_in_turn, say
from benchmarks.result import RESULTS, Result
from rpm.ids import uuid7
from rpm.store.chain import chain_head, recording
from rpm.store.engine import reading, transaction
from rpm.store.scope import Scope
from rpm.store.tables.base import METADATA
from rpm.store.tables.inventory import DeviceContact, DeviceContactMark
from rpm.store.tables.monitoring import AssociationEnd, Device, DeviceAssociation, Episode

NOW = datetime(2026, 3, 20, 16, 0, tzinfo=UTC)
CAME = datetime(2026, 1, 5, 15, tzinfo=UTC)
SPARE_OF = 10  # every so many devices one is in stock
IDLE_OF = 500  # every so many devices one is in stock and still sends
SILENT_OF = 8
HOW = [
    "The synthetic practice of the dashboard with one month of facts; most episodes have a device,"
    " a tenth of the devices are in stock. Each figure is a request to the application in the same"
    " process.",
]


def main(arguments: Sequence[str] | None = None) -> Result:
    """Measure, print and keep the result."""
    options = _options().parse_args(arguments)
    load_before = os.getloadavg()[0]
    size = f"{options.devices:,} devices"
    result = Result("devices", HOW, date.today(), size)  # noqa: DTZ011 - the day it was run, for people
    repeats = 5 if options.quick else 30
    rows = [row for name in options.engines for row in _on_engine(name, options.devices, repeats)]
    result.table("Requests, median milliseconds", ("engine", "asked for", "rows", "ms"), rows)
    result.machine(load_before)
    say(f"kept in {result.save(options.results)}")
    return result


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.devices", description=__doc__)
    parser.add_argument("--devices", type=int, default=10_000)
    parser.add_argument("--engines", nargs="+", choices=ENGINES, default=ENGINES)
    parser.add_argument("--quick", action="store_true", help="a sixth of the repeats")
    parser.add_argument("--results", type=Path, default=RESULTS)
    return parser


def _on_engine(engine_name: str, devices: int, repeats: int) -> Iterator[tuple[str, ...]]:
    episodes = max(devices - devices // SPARE_OF, 2)
    with (
        TemporaryDirectory() as folder,
        database_url(engine_name, Path(folder)) as url,
        loaded_practice(url, parts(episodes, months=1), NOW) as practice,
    ):
        say(f"recording {devices:,} devices on {engine_name}")
        some = _record(practice, devices)
        with asking(practice) as asker:
            watch = Stopwatch()
            asker.get("/v1/devices/at-risk")
            yield engine_name, "days at risk, a new day", "", f"{watch.seconds * 1000:.0f}"
            works = _requests(asker, some)
            taken = repeated_in_turn(works, repeats)
            for name, series in taken.items():
                found: Any = works[name]()
                count = len(found.get("items", [found]))
                yield engine_name, name, str(count), f"{series.median:.1f}"


def _requests(asker: Asker, some: UUID) -> dict[str, Callable[[], object]]:
    pages = {
        "first page": "",
        "a page of 200": "limit=200",
        "in stock": "status=in_stock",
        "silent": "silent=true",
        "idle, the whole list": "idle=true",
    }
    return {
        **{name: partial(asker.get, f"/v1/devices?{query}") for name, query in pages.items()},
        "one device": partial(asker.get, f"/v1/devices/{some}"),
        "by its vendor id": partial(
            asker.post, "/v1/devices/search", {"identifier": "device-000042"}
        ),
        "days at risk": partial(asker.get, "/v1/devices/at-risk"),
        "silent episodes": partial(asker.get, "/v1/devices/silent"),
    }


def _record(practice: LoadedPractice, count: int) -> UUID:
    """Devices, to whom each is given, and what was last heard; the id of one of them."""
    with reading(practice.engine) as db:
        episodes = db.exec(Scope.of(practice.actor).rows(Episode).order_by(col(Episode.id))).all()
    waiting = iter(episodes)
    rows: list[Device | DeviceAssociation | AssociationEnd] = []
    contacts: list[dict[str, object]] = []
    for number in range(count):
        device = _device(practice, number)
        rows.append(device)
        spare = number % SPARE_OF == 0
        episode = next(waiting, None)
        if episode is not None:
            rows += _given(practice, device.id, episode, back=spare)
        contacts.append(_contact(practice, device, number))
    with transaction(practice.engine) as db:
        with recording(db, practice.actor, practice.now, "benchmark.devices") as record:
            record.add_all(rows)
        db.connection().execute(insert(METADATA.tables[str(DeviceContact.__tablename__)]), contacts)
        organization_id = practice.actor.organization_id
        head = chain_head(db, organization_id).number
        db.add(DeviceContactMark(organization_id=organization_id, computed_through=head))
    with reading(practice.engine) as db:
        return db.exec(select(Device.id).limit(1)).one()


def _device(practice: LoadedPractice, number: int) -> Device:
    return Device(
        id=uuid7(practice.now),
        vendor="generic",
        vendor_device_id=f"device-{number:06}",
        kind="bp",
        serial=f"SN-{number:06}",
        fda_listed=True,
        automatic=True,
    )


def _given(
    practice: LoadedPractice, device_id: UUID, episode: Episode, *, back: bool
) -> list[Device | DeviceAssociation | AssociationEnd]:
    held = DeviceAssociation(
        id=uuid7(practice.now),
        device_id=device_id,
        episode_id=episode.id,
        patient_id=episode.patient_id,
        from_at=CAME,
    )
    if not back:
        return [held]
    returned = AssociationEnd(
        association_id=held.id, to_at=CAME + timedelta(days=30), reason="returned"
    )
    return [held, returned]


def _contact(practice: LoadedPractice, device: Device, number: int) -> dict[str, object]:
    quiet = number % SILENT_OF == 0 or (number % SPARE_OF == 0 and number % IDLE_OF)
    heard_at = CAME + timedelta(days=1) if quiet else practice.now - timedelta(hours=number % 48)
    return {
        "organization_id": practice.actor.organization_id,
        "vendor": device.vendor,
        "vendor_device_id": device.vendor_device_id,
        "device_id": device.id,
        "heard_at": heard_at,
        "heard_as": "reading",
        "measured_at": heard_at,
        "battery": "84 %",
        "battery_at": heard_at,
    }


if __name__ == "__main__":
    main()

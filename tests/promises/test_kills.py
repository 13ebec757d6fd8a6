"""R1: what was acknowledged is kept, once, wherever the process that took it is killed."""

import random
import time
from pathlib import Path

import pytest
from cut_place import run_program
from cut_practice import prepared
from intake_door import Door
from promised import Promised
from sending import Vendor, lost_or_doubled
from served import Service
from sqlalchemy.engine import Engine

from rpm.access import Actor
from rpm.settings import Settings

SEED = 20_261
WRITERS = 4


@pytest.mark.promise("R1")
def test_a_killed_process_keeps_what_it_acknowledged(
    engine: Engine, owner_settings: Settings, actor: Actor, run_folder: Path, promised: Promised
) -> None:
    """Killed at random moments while it takes deliveries: each acknowledged one is there, once."""
    kills = promised.count(100, 5)
    practice = prepared(engine, owner_settings, actor, run_folder)
    found = run_program("kill_program", str(kills), str(SEED), practice)
    assert found["wrong"] == []
    assert found["acknowledged"] > kills
    promised.reached(
        f"{engine.dialect.name}: killed {kills} times at store level,"
        f" {found['acknowledged']:,} deliveries acknowledged: 0 lost, 0 double, verify good"
    )


@pytest.mark.promise("R1")
def test_a_killed_server_keeps_what_it_acknowledged(
    engine: Engine, actor: Actor, door: Door, service: Service, promised: Promised
) -> None:
    """Killed at random moments under several senders: each delivery is there, once."""
    kills, draw = promised.count(30, 2), random.Random(SEED)
    vendor = Vendor(service, door, SEED)
    for _ in range(kills):
        service.start()
        vendor.deliver_rest()
        with vendor.delivering(WRITERS):
            time.sleep(draw.uniform(0.02, 0.5))
            service.kill()
    service.start()
    vendor.deliver_rest()
    service.kill()
    assert vendor.refused == []
    assert vendor.told_otherwise == []
    assert lost_or_doubled(engine, actor, vendor.acknowledged) == []
    assert vendor.cut_off > 0, "no kill met a delivery"
    promised.reached(
        f"{engine.dialect.name}: killed {kills} times under {WRITERS} senders,"
        f" {len(vendor.acknowledged):,} deliveries acknowledged: 0 lost, 0 double"
    )

"""R6: a database server that is restarted at once, under writers, loses nothing."""

import random
import time
from datetime import UTC, datetime

import pytest
from conftest import make_organization
from intake_door import Door
from own_server import OwnServer
from promised import Promised
from sending import Vendor, lost_or_doubled
from served import Program, Service

from rpm.store.engine import make_engine

SEED = 20_261
WRITERS, HEALTHY_SECONDS = 6, 5.0


def seconds_until_taken(vendor: Vendor) -> float:
    """How long it takes until something more is acknowledged."""
    began, known = time.monotonic(), len(vendor.acknowledged)
    while len(vendor.acknowledged) == known:
        assert time.monotonic() - began < 4 * HEALTHY_SECONDS, "nothing is taken any more"
        time.sleep(0.01)
    return time.monotonic() - began


@pytest.mark.promise("R6")
def test_a_restarted_database_loses_nothing(
    own_server: OwnServer, program: Program, promised: Promised
) -> None:
    """The service stays, answers 503 meanwhile, and goes on: each delivery is there, once."""
    restarts, draw = promised.count(6, 2), random.Random(SEED)
    owner, settings = own_server.new_database("restarted")
    engine = make_engine(owner)
    actor = make_organization(engine, datetime.now(UTC))
    door = Door(engine, owner, actor, datetime.now(UTC))
    door.enrolled_with_scale()
    engine.dispose()
    service = Service(program, settings)
    vendor, healthy = Vendor(service, door, SEED), []
    service.start()
    try:
        with vendor.delivering(WRITERS):
            for _ in range(restarts):
                seconds_until_taken(vendor)
                time.sleep(draw.uniform(0.1, 0.8))
                own_server.restart_at_once()
                healthy.append(seconds_until_taken(vendor))
        vendor.deliver_rest()
        assert service.is_ready()
    finally:
        service.kill()
    assert {answer.status for answer in vendor.refused} == {503}
    assert vendor.cut_off == 0
    assert vendor.told_otherwise == []
    assert lost_or_doubled(engine, actor, vendor.acknowledged) == []
    engine.dispose()
    assert max(healthy) <= HEALTHY_SECONDS
    promised.reached(
        f"postgresql: {restarts} restarts under {WRITERS} writers, {len(vendor.acknowledged):,}"
        f" acknowledged: 0 lost, 0 double, healthy after {max(healthy):.1f} s"
    )

"""R3: what is acknowledged is on the disk."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
from conftest import make_organization
from intake_door import Door
from own_server import OwnServer
from promised import Promised
from sending import Parcel, sent
from served import Program, Service
from sqlalchemy.engine import make_url
from system_calls import POSSIBLE
from watched import SyncWatch

from rpm.settings import Settings
from rpm.store.engine import make_engine

SENDERS = 4


@pytest.mark.promise("R3")
@pytest.mark.skipif(not POSSIBLE, reason="traces system calls of Linux on x86-64")
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_each_acknowledgement_is_synced_before(
    settings: Settings, door: Door, program: Program, promised: Promised
) -> None:
    """Each delivery's commit is synced to the log before the first byte of its answer is sent."""
    count, began = promised.count(200, 20), datetime.now(UTC)
    parcels = [Parcel.of(number, began) for number in range(count)]
    service = Service(program, settings, traced=True)
    service.start()
    watch = SyncWatch(service.process, Path(str(make_url(settings.database_url).database)).parent)
    try:
        watch.start()
        with ThreadPoolExecutor(SENDERS) as pool:
            answers = list(pool.map(lambda parcel: sent(service, door, parcel), parcels))
    finally:
        service.kill()
        watch.end()
    assert {answer.status for answer in answers} == {200}
    acknowledged = {
        parcel.message_id: answer.json()["delivery_id"]
        for parcel, answer in zip(parcels, answers, strict=True)
    }
    assert len(set(acknowledged.values())) == count
    assert watch.unsynced(acknowledged) == []
    promised.reached(f"sqlite: {count} acknowledgements, {watch.syncs} syncs of commits, 0 without")


def held_commits(server: psycopg.Connection[tuple[object, ...]]) -> list[object]:
    """Processes of the server that have committed and wait for a copy that never answers."""
    rows = server.execute("SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep'")
    return [pid for (pid,) in rows]


def until_held(server: psycopg.Connection[tuple[object, ...]]) -> list[object]:
    """The processes whose commit is held, as soon as there is one."""
    until = time.monotonic() + 20
    while not (found := held_commits(server)):
        assert time.monotonic() < until, "no commit was held"
        time.sleep(0.002)
    return found


@pytest.fixture
def holding(own_server: OwnServer) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    """The server, while every safe commit waits for a copy that is not there."""
    with psycopg.connect(own_server.url, autocommit=True) as server:
        server.execute("SET synchronous_commit = local")  # for this session alone
        server.execute("ALTER SYSTEM SET synchronous_standby_names = 'nobody'")
        server.execute("SELECT pg_reload_conf()")
        yield server
        server.execute("ALTER SYSTEM RESET synchronous_standby_names")
        server.execute("SELECT pg_reload_conf()")


@pytest.mark.promise("R3")
def test_an_answer_waits_for_its_commit(
    own_server: OwnServer, program: Program, request: pytest.FixtureRequest, promised: Promised
) -> None:
    """PostgreSQL syncs, the service's sessions ask for it, and no answer precedes its commit."""
    owner, settings = own_server.new_database("synced")
    engine = make_engine(owner)
    actor = make_organization(engine, datetime.now(UTC))
    door = Door(engine, owner, actor, datetime.now(UTC))
    door.enrolled_with_scale()
    engine.dispose()
    ours = make_engine(settings)
    with ours.connect() as session:
        for name in ("fsync", "synchronous_commit", "full_page_writes"):
            assert session.exec_driver_sql(f"SHOW {name}").scalar_one() == "on", name
    ours.dispose()
    count, began, service = promised.count(200, 20), datetime.now(UTC), Service(program, settings)
    service.start()
    try:
        assert sent(service, door, Parcel.of(count, began)).status == 200
        server: psycopg.Connection[tuple[object, ...]] = request.getfixturevalue("holding")
        with ThreadPoolExecutor(1) as pool:
            for number in range(count):
                answer = pool.submit(sent, service, door, Parcel.of(number, began))
                held = until_held(server)
                time.sleep(0.005)
                assert not answer.done(), "answered before the commit returned"
                while not answer.done():
                    for process in held:
                        server.execute("SELECT pg_cancel_backend(%s)", [process])
                    time.sleep(0.002)
                    held = held_commits(server)
                assert answer.result().status == 200
    finally:
        service.kill()
    promised.reached(
        f"postgresql: fsync and synchronous_commit on, {count} commits held: 0 answers before"
    )

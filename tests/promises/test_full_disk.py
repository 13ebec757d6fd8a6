"""R4: a full or failing disk harms nothing, and writing goes on when it is well again."""

import errno
import time
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import pytest
from intake_door import Door
from promised import Promised
from sending import Parcel, lost_or_doubled, sent
from served import Answer, Program, Service
from sqlalchemy.engine import Engine, make_url
from sqlmodel import func, select
from system_calls import POSSIBLE
from watched import FaultyDisk

from rpm.access import Actor
from rpm.settings import Settings
from rpm.store.engine import reading
from rpm.store.tables.accesses import AccessRecord

WELL_SECONDS, ROOM_BYTES = 5.0, 65_536


def told_to_come_again(answer: Answer) -> bool:
    """Whether a sender is told so."""
    return answer.status == 503 and int(answer.headers["retry-after"]) >= 1


def taken_within(service: Service, door: Door, parcel: Parcel) -> tuple[float, Answer]:
    """Seconds until a delivery is taken, and the answer."""
    began = time.monotonic()
    while (answer := sent(service, door, parcel)).status != 200:
        assert told_to_come_again(answer)
        assert time.monotonic() - began < 4 * WELL_SECONDS, "nothing is taken any more"
    return time.monotonic() - began, answer


@pytest.mark.promise("R4")
@pytest.mark.skipif(not POSSIBLE, reason="traces system calls of Linux on x86-64")
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_disk_that_fails_at_any_call_harms_nothing(
    engine: Engine,
    actor: Actor,
    settings: Settings,
    door: Door,
    program: Program,
    promised: Promised,
) -> None:
    """No space, or an error, at each call on a file from one on: 503, then as if nothing was."""
    service, began, numbers = Service(program, settings, traced=True), datetime.now(UTC), count()
    acknowledged, refused, slowest = {}, 0, 0.0
    service.start()
    disk = FaultyDisk(service.process, Path(str(make_url(settings.database_url).database)).parent)
    try:
        disk.start()
        sent(service, door, Parcel.of(next(numbers), began))
        disk.fail(errno.EIO, 10**9)  # counts only
        sent(service, door, Parcel.of(next(numbers), began))
        calls = disk.calls
        first_calls = range(1, calls + 1, promised.count(1, max(1, calls // 4)))
        cuts = [(error, at) for error in (errno.ENOSPC, errno.EIO) for at in first_calls]
        for error, at in cuts:
            parcel = Parcel.of(next(numbers), began)
            disk.fail(error, at)
            answer = sent(service, door, parcel)
            disk.mend()
            where = (errno.errorcode[error], at)
            assert answer.status == 200 or told_to_come_again(answer), where
            refused += answer.status == 503
            seconds, again = taken_within(service, door, parcel)
            assert seconds <= WELL_SECONDS, where
            slowest = max(slowest, seconds)
            acknowledged[parcel.number] = again.json()
            if answer.status == 200:
                assert again.json() == answer.json(), where
    finally:
        service.kill()
        disk.end()
    assert refused > len(cuts) / 2
    assert lost_or_doubled(engine, actor, acknowledged) == []
    promised.reached(
        f"ENOSPC and EIO from each of {len(first_calls)} of {calls} calls on files on: {refused}"
        f" answers 503, 0 lost, taken {slowest:.1f} s after at the latest"
    )


@pytest.mark.promise("R4")
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_full_disk_harms_nothing(
    engine: Engine,
    actor: Actor,
    settings: Settings,
    door: Door,
    service: Service,
    token: dict[str, str],
    promised: Promised,
) -> None:
    """Files that may not grow: 503 and reads go on; once they may, what was refused is taken."""
    log = Path(f"{make_url(settings.database_url).database}-wal")
    began, numbers, acknowledged = datetime.now(UTC), count(), {}
    rounds, slowest, refused = promised.count(5, 2), 0.0, 0
    service.start()
    for _ in range(rounds):
        with service.no_file_larger_than(log.stat().st_size + ROOM_BYTES):
            while True:
                parcel = Parcel.of(next(numbers), began)
                answer = sent(service, door, parcel)
                if answer.status != 200:
                    break
                acknowledged[parcel.number] = answer.json()
            until = time.monotonic() + promised.count(3, 1)
            while time.monotonic() < until:
                assert told_to_come_again(answer)
                assert service.ask("GET", "/v1/readings", None, token).status == 200
                refused += 1
                answer = sent(service, door, parcel)
        seconds, answer = taken_within(service, door, parcel)
        acknowledged[parcel.number] = answer.json()
        slowest = max(slowest, seconds)
    service.kill()
    assert slowest <= WELL_SECONDS
    assert lost_or_doubled(engine, actor, acknowledged) == []
    promised.reached(
        f"files that may not grow {rounds} times: {refused} deliveries 503, reads go on, 0 lost of"
        f" {len(acknowledged):,}, taken {slowest:.1f} s after at the latest"
    )


@pytest.mark.promise("R4")
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_full_disk_forgets_no_access(
    engine: Engine,
    settings: Settings,
    service: Service,
    token: dict[str, str],
    promised: Promised,
) -> None:
    """Who reads while nothing can be written is answered, and each read is on the trail later."""
    log = Path(f"{make_url(settings.database_url).database}-wal")
    service.start()
    reads = promised.count(200, 20)
    with service.no_file_larger_than(log.stat().st_size):
        answers = [service.ask("GET", "/v1/readings", None, token).status for _ in range(reads)]
    well, noted = time.monotonic(), 0
    while noted < reads and time.monotonic() < well + WELL_SECONDS:
        time.sleep(0.1)
        with reading(engine) as session:
            noted = session.exec(select(func.count()).select_from(AccessRecord)).one()
    assert answers == [200] * reads
    assert noted == reads
    promised.reached(f"{reads} reads of a service whose files may not grow: all answered, all kept")

"""Runs of jobs: planned instants, one taker of each run, and what is left behind."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from apscheduler.schedulers.background import BackgroundScheduler
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.engine import Engine
from sqlmodel import select

from rpm.jobs.runs import claim, latest_slot, run_once, show_life
from rpm.settings import Settings
from rpm.store.engine import make_engine, reading
from rpm.store.queries.lease import LEASE
from rpm.store.tables.security import JobRun
from tests.conftest import FixedClock

SLOT = datetime(2026, 1, 15, 3, 15, tzinfo=UTC)
instants = st.datetimes(timezones=st.just(UTC))


@given(instants, st.sampled_from([(1440, 195), (60, 5), (1440, 0)]))
def test_the_latest_slot_is_planned_and_not_ahead(now: datetime, plan: tuple[int, int]) -> None:
    """The latest slot is at or before now, less than a period ago, and at the planned minute."""
    every, after = timedelta(minutes=plan[0]), timedelta(minutes=plan[1])
    slot = latest_slot(now, every, after)
    assert timedelta(0) <= now - slot < every
    midnight = slot.replace(hour=0, minute=0, second=0, microsecond=0)
    assert (slot - midnight - after) % every == timedelta(0)


def test_a_run_is_taken_once(engine: Engine, clock: FixedClock) -> None:
    """The second claim of a run fails, another run of the job does not."""
    assert claim(engine, "job", "a", clock.now())
    assert not claim(engine, "job", "a", clock.now())
    assert claim(engine, "job", "b", clock.now())
    assert claim(engine, "other", "a", clock.now())


def test_eight_at_once_one_takes_it(settings: Settings, clock: FixedClock) -> None:
    """Of eight claimers with connections of their own exactly one takes the run."""
    engines = [make_engine(settings) for _ in range(8)]
    barrier = threading.Barrier(8)

    def take(engine: Engine) -> bool:
        barrier.wait()
        return claim(engine, "job", "a", clock.now())

    with ThreadPoolExecutor(8) as pool:
        taken = list(pool.map(take, engines))
    for engine in engines:
        engine.dispose()
    assert sorted(taken) == [False] * 7 + [True]


def test_two_schedulers_one_run(settings: Settings, clock: FixedClock) -> None:
    """Two schedulers with the same job, as in two processes: its work is done once."""
    done: list[str] = []
    tried = threading.Barrier(3)

    def work() -> str:
        done.append("worked")
        return "good"

    def tick(engine: Engine) -> None:
        run_once(engine, clock, "job", SLOT, work)
        tried.wait(10)

    engines = [make_engine(settings) for _ in range(2)]
    schedulers = [BackgroundScheduler(timezone=UTC) for _ in engines]
    for scheduler, engine in zip(schedulers, engines, strict=True):
        scheduler.add_job(tick, args=(engine,))
        scheduler.start()
    tried.wait(10)
    for scheduler in schedulers:
        scheduler.shutdown(wait=True)
    for engine in engines:
        engine.dispose()
    assert done == ["worked"]


def test_a_run_keeps_its_result(engine: Engine, clock: FixedClock) -> None:
    """A finished run tells when it was taken, when it ended and with what result."""

    def work() -> str:
        clock.advance(minutes=2)
        return "3 closed"

    began = clock.now()
    assert run_once(engine, clock, "job", SLOT, work) == "3 closed"
    with reading(engine) as session:
        row = session.exec(select(JobRun)).one()
    assert (row.job, row.slot, row.result) == ("job", "2026-01-15T03:15:00+00:00", "3 closed")
    assert (row.claimed_at, row.finished_at) == (began, clock.now())


def test_a_failure_is_the_result(engine: Engine, clock: FixedClock) -> None:
    """Work that fails ends its run with the type of the error, without its text."""

    def work() -> str:
        raise ValueError("Zebulon Planted")

    assert run_once(engine, clock, "job", SLOT, work) == "failed: ValueError"
    assert run_once(engine, clock, "job", SLOT, work) is None


def test_life_is_one_row(engine: Engine) -> None:
    """The sign of life is one row that moves on."""
    for minute in range(3):
        show_life(engine, SLOT + timedelta(minutes=minute))
    with reading(engine) as session:
        row = session.exec(select(JobRun)).one()
    assert ((row.job, row.slot), row.claimed_at) == (LEASE, SLOT + timedelta(minutes=2))


@pytest.mark.parametrize("naive", [SLOT.replace(tzinfo=None)])
def test_a_claim_needs_an_aware_instant(engine: Engine, naive: datetime) -> None:
    """A naive instant is refused and nothing is claimed."""
    with pytest.raises(Exception, match="time zone"):
        claim(engine, "job", "a", naive)
    assert claim(engine, "job", "a", SLOT)

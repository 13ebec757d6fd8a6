"""What the jobs do: months that are due, verification, silent devices; on both engines."""

from datetime import UTC, date, datetime, timedelta

import pytest
from ledger_practice import Practice
from sqlalchemy.engine import Engine
from sqlmodel import select

from rpm.access import Actor
from rpm.actions.close_month import CloseMonth, close_month
from rpm.jobs.runs import latest_slot, show_life
from rpm.jobs.schedule import JOBS, background, run_latest
from rpm.jobs.work import (
    CLOSE_ON_DAY,
    close_due_months,
    due_month,
    forget_answers,
    forget_runs,
    refresh_readiness,
    verify_all,
)
from rpm.settings import Settings
from rpm.store.chain import recording
from rpm.store.engine import make_engine, reading, transaction
from rpm.store.readiness_refresh import is_fresh
from rpm.store.scope import Scope
from rpm.store.tables.ledger import Close
from rpm.store.tables.people import PracticeSetting
from rpm.store.tables.security import IdempotencyKey, JobRun
from tests.conftest import FixedClock

JANUARY = date(2026, 1, 1)


def at(day: int, hour: int = 12) -> datetime:
    """An instant in February 2026."""
    return datetime(2026, 2, day, hour, tzinfo=UTC)


def choose_day(engine: Engine, actor: Actor, now: datetime, value: str) -> None:
    """The practice chooses the day of its scheduled close."""
    with transaction(engine) as session, recording(session, actor, now, "setting.set") as record:
        record.add(PracticeSetting(key=CLOSE_ON_DAY, value=value, reason="our habit"))


def months(engine: Engine) -> list[date]:
    """Months that were closed."""
    with reading(engine) as session:
        return list(session.exec(select(Close.month_start_day)))


@pytest.mark.parametrize(
    ("chosen", "now", "expected"),
    [
        (None, at(20), None),
        ("by-hand", at(20), None),
        ("5", at(4), None),
        ("5", at(5), JANUARY),
        ("5", at(5, 3), None),  # 22:00 of the 4th in New York
        ("5", at(28), JANUARY),
        ("1", at(1), JANUARY),
    ],
)
def test_a_month_is_due_on_the_practice_day(
    engine: Engine,
    actor: Actor,
    clock: FixedClock,
    chosen: str | None,
    now: datetime,
    expected: date | None,
) -> None:
    """The month before is due from the chosen day on, by the practice's calendar."""
    if chosen is not None:
        choose_day(engine, actor, clock.now(), chosen)
    with reading(engine) as session:
        assert due_month(session, Scope.of(actor), now) == expected


def test_a_closed_month_is_not_due(engine: Engine, actor: Actor, clock: FixedClock) -> None:
    """A month that a person closed already is left alone."""
    choose_day(engine, actor, clock.now(), "1")
    with transaction(engine) as session:
        close_month(session, actor, at(1), CloseMonth(month="2026-01"))
    with reading(engine) as session:
        assert due_month(session, Scope.of(actor), at(2)) is None


def test_due_months_are_closed_once(
    engine: Engine, settings: Settings, actor: Actor, other_actor: Actor, clock: FixedClock
) -> None:
    """Practices that chose a day get their month closed, once; others wait for a person."""
    choose_day(engine, actor, clock.now(), "3")
    assert close_due_months(engine, settings, at(2)) == "0 closed, 0 failed"
    assert close_due_months(engine, settings, at(3)) == "1 closed, 0 failed"
    assert close_due_months(engine, settings, at(4)) == "0 closed, 0 failed"
    assert months(engine) == [JANUARY]


def test_one_failure_does_not_stop_the_others(
    engine: Engine, settings: Settings, actor: Actor, other_actor: Actor, clock: FixedClock
) -> None:
    """A practice whose close fails is counted; the next one is closed all the same."""
    choose_day(engine, actor, clock.now(), "not a day")
    choose_day(engine, other_actor, clock.now(), "3")
    assert close_due_months(engine, settings, at(3)) == "1 closed, 1 failed"


def test_verification_counts_what_does_not_fit(
    engine: Engine, settings: Settings, actor: Actor, clock: FixedClock
) -> None:
    """A record that fits gives no findings; an event that was changed behind its back gives one."""
    choose_day(engine, actor, clock.now(), "3")
    assert verify_all(engine, settings, clock.now()) == "0 findings, 0 failed"
    with transaction(engine) as session:
        session.connection().exec_driver_sql("UPDATE organization_head SET last_number = 7")
    assert verify_all(engine, settings, clock.now()).startswith("1 findings")


def test_the_list_is_ready_before_a_new_day_is_looked_at(
    engine: Engine, settings: Settings, actor: Actor, clock: FixedClock
) -> None:
    """After midnight of the practice the hourly job computes its list for the new day, once."""
    Practice(engine, actor, clock.now()).enrolled(opened_day=date(2026, 1, 2))
    scope = Scope.of(actor)
    assert refresh_readiness(engine, settings, at(5, 4)) == "1 patients, 0 failed"
    assert refresh_readiness(engine, settings, at(5, 4)) == "0 patients, 0 failed"
    with reading(engine) as session:
        assert is_fresh(session, scope, at(5, 4))
        assert not is_fresh(session, scope, at(5, 6))  # midnight in New York has passed
    assert refresh_readiness(engine, settings, at(5, 6)) == "1 patients, 0 failed"


def test_old_answers_are_forgotten(
    engine: Engine, settings: Settings, actor: Actor, clock: FixedClock
) -> None:
    """Answers kept for repeated requests go after the hours that the settings name."""
    for hours_old in (47, 49):
        with transaction(engine) as session:
            row = IdempotencyKey(
                organization_id=actor.organization_id,
                key=f"{hours_old} hours",
                request_hash="",
                status=201,
                created_at=clock.now() - timedelta(hours=hours_old),
            )
            session.add(row)
    assert forget_answers(engine, settings, clock.now()) == "1 forgotten"
    with reading(engine) as session:
        assert session.exec(select(IdempotencyKey.key)).all() == ["47 hours"]


def test_old_runs_are_forgotten(engine: Engine, settings: Settings, clock: FixedClock) -> None:
    """Runs go after their days, by the service's own role; the sign of life stays."""
    show_life(engine, clock.now() - timedelta(days=40))
    for days_old in (34, 36):
        with transaction(engine) as session:
            at = clock.now() - timedelta(days=days_old)
            session.add(JobRun(job="watch-alerts", slot=at.isoformat(), claimed_at=at))
    served = make_engine(settings)
    assert forget_runs(served, settings, clock.now()) == "1 forgotten"
    served.dispose()
    with reading(engine) as session:
        assert {row.job for row in session.exec(select(JobRun))} == {"watch-alerts", "scheduler"}


def test_a_scheduler_does_what_is_due(engine: Engine, settings: Settings, actor: Actor) -> None:
    """A started scheduler shows its life and does each job's latest run at once, one time."""
    began = datetime.now(UTC)
    for _ in range(2):
        with background(engine, settings):
            deadline = datetime.now(UTC) + timedelta(seconds=20)
            wanted = {"scheduler", *(job.name for job in JOBS)}
            while datetime.now(UTC) < deadline and set(finished(engine)) != wanted:
                pass
    assert set(finished(engine)) == wanted
    for job in JOBS:  # a minute may have passed meanwhile
        planned = (latest_slot(datetime.now(UTC), job.every, job.after) - began) // job.every + 2
        assert finished(engine).count(job.name) <= planned
    assert run_latest(engine, settings, JOBS[0]) is None


def finished(engine: Engine) -> list[str]:
    """Jobs with a run that ended, and the sign of life."""
    with reading(engine) as session:
        rows = session.exec(select(JobRun)).all()
    return [row.job for row in rows if row.finished_at or row.job == "scheduler"]

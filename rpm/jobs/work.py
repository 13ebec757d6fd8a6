"""What the scheduled jobs do, organization by organization.

Owns which months are due, and the words of each result. Does not own closing, verifying or the
list of silent devices. One organization's failure does not keep the others waiting: it is logged
and counted.
"""

from collections.abc import Callable
from datetime import date, datetime, timedelta

import structlog
from sqlalchemy import delete
from sqlalchemy.engine import Engine
from sqlmodel import Session, col, select

from billing.finding import Severity
from rpm import logs
from rpm.access import Actor, system_actor
from rpm.actions.close_month import post_close
from rpm.actions.compute_close import compute_close
from rpm.actions.refresh_contacts import refresh_contacts
from rpm.actions.run_timer import settle_timers
from rpm.actions.verify import verify_record
from rpm.clock import local_day
from rpm.settings import Settings
from rpm.store.engine import reading, transaction, within
from rpm.store.queries.lease import LEASE
from rpm.store.queries.people import practice_settings
from rpm.store.queries.silence import silent_episodes
from rpm.store.readiness_refresh import refresh
from rpm.store.scope import Scope
from rpm.store.tables.ledger import Close
from rpm.store.tables.people import Organization
from rpm.store.tables.security import IdempotencyKey, JobRun

CLOSE_ON_DAY = "close_on_day"
"""Practice setting: the day of the month ("1" to "28") on which the month before is closed.

``BY_HAND``, or no such setting: a person closes.
"""
BY_HAND = "by-hand"

SILENT_DAYS = 3
RUNS_KEPT = timedelta(days=35)
ACTOR_NAME = "scheduler"

_log = structlog.get_logger()


def close_due_months(engine: Engine, _settings: Settings, now: datetime) -> str:
    """Close the month before, for each practice whose day has come and that has not closed it."""

    def close(actor: Actor) -> int:
        own = within(engine, actor.organization_id)
        with reading(own) as session:
            month = due_month(session, Scope.of(actor), now)
            if month is None:
                return 0
            computed = compute_close(session, Scope.of(actor), now, month)
        with transaction(own) as session:
            closed = post_close(session, actor, now, computed, "scheduled close")
        return 0 if closed.repeated else 1

    done, failed = for_each(engine, "close-due-months", close)
    return f"{done} closed, {failed} failed"


def due_month(db: Session, scope: Scope, now: datetime) -> date | None:
    """The first day of the month that is due for its scheduled close; None when none is."""
    setting = practice_settings(db, scope).get(CLOSE_ON_DAY)
    if setting is None or setting.value == BY_HAND:
        return None
    organization = db.get_one(Organization, scope.organization_id)
    today = local_day(now, organization.timezone)
    if today.day < int(setting.value):
        return None
    month = (today.replace(day=1) - timedelta(days=1)).replace(day=1)
    closed = db.exec(scope.rows(Close).where(col(Close.month_start_day) >= month)).first()
    return None if closed is not None else month


def verify_all(engine: Engine, _settings: Settings, _now: datetime) -> str:
    """Verify every organization's record; what does not fit is logged and counted."""

    def verify(actor: Actor) -> int:
        with reading(within(engine, actor.organization_id)) as session:
            findings = verify_record(session, actor)
        for finding in findings:
            tell = _log.error if finding.severity is Severity.ERROR else _log.warning
            tell(
                "record_does_not_fit",
                job="nightly-verify",
                organization_id=actor.organization_id,
                error=finding.code,
                places=[finding.where],
            )
        return len(findings)

    done, failed = for_each(engine, "nightly-verify", verify)
    return f"{done} findings, {failed} failed"


def list_silent_devices(engine: Engine, _settings: Settings, now: datetime) -> str:
    """Count the episodes that fell silent; the list itself is at ``GET /v1/devices/silent``."""

    def count(actor: Actor) -> int:
        with reading(within(engine, actor.organization_id)) as session:
            return len(silent_episodes(session, Scope.of(actor), now, SILENT_DAYS))

    done, failed = for_each(engine, "silent-devices", count)
    return f"{done} silent, {failed} failed"


def refresh_readiness(engine: Engine, _settings: Settings, now: datetime) -> str:
    """Bring every practice's readiness up to date, so that no page waits for a new day."""

    def bring_up_to_date(actor: Actor) -> int:
        return refresh(engine, Scope.of(actor), now)

    done, failed = for_each(engine, "refresh-readiness", bring_up_to_date)
    return f"{done} patients, {failed} failed"


def refresh_all_contacts(engine: Engine, _settings: Settings, _now: datetime) -> str:
    """Read what deliveries tell of devices since the last time, so that no list waits for it."""

    def bring_up_to_date(actor: Actor) -> int:
        return refresh_contacts(engine, Scope.of(actor))

    done, failed = for_each(engine, "refresh-contacts", bring_up_to_date)
    return f"{done} devices heard, {failed} failed"


def end_timers(engine: Engine, _settings: Settings, now: datetime) -> str:
    """End the intervals of timers whose page is gone or whose person is."""

    def end(actor: Actor) -> int:
        with transaction(within(engine, actor.organization_id)) as session:
            return settle_timers(session, Scope.of(actor), now)

    done, failed = for_each(engine, "end-timers", end)
    return f"{done} ended, {failed} failed"


def forget_answers(engine: Engine, settings: Settings, now: datetime) -> str:
    """Remove answers kept for repeated requests once they are older than the setting says."""
    before = now - timedelta(hours=settings.idempotency_hours)

    def forget(actor: Actor) -> int:
        with transaction(within(engine, actor.organization_id)) as session:
            done = session.connection().execute(
                delete(IdempotencyKey).where(
                    col(IdempotencyKey.organization_id) == actor.organization_id,
                    col(IdempotencyKey.created_at) < before,
                )
            )
            return done.rowcount

    done, failed = for_each(engine, "forget-answers", forget)
    return f"{done} forgotten" + (f", {failed} failed" if failed else "")


def forget_runs(engine: Engine, _settings: Settings, now: datetime) -> str:
    """Remove runs of jobs after ``RUNS_KEPT``: some jobs run every minute."""
    with transaction(engine) as session:
        done = session.connection().execute(
            delete(JobRun).where(
                col(JobRun.claimed_at) < now - RUNS_KEPT, col(JobRun.job) != LEASE[0]
            )
        )
        return f"{done.rowcount} forgotten"


def for_each(engine: Engine, job: str, work: Callable[[Actor], int]) -> tuple[int, int]:
    """Work for every organization; the sum of what it gives, and how many failed."""
    with reading(engine) as session:
        organizations = session.exec(select(Organization.id).order_by(col(Organization.id))).all()
    total = failed = 0
    for organization_id in organizations:
        try:
            total += work(system_actor(organization_id, ACTOR_NAME))
        except Exception as error:  # noqa: BLE001 - the other practices are served all the same
            failed += 1
            _log.error(
                "job_failed_for_organization",
                job=job,
                organization_id=organization_id,
                **logs.about(error),
            )
    return total, failed

"""Health, readiness and counters, on both engines."""

import pytest
from sqlalchemy.engine import Engine
from starlette.testclient import TestClient

import rpm
from rpm.clock import SystemClock
from rpm.errors import NotReady
from rpm.settings import Settings
from rpm.store.engine import transaction
from rpm.store.queries.lease import LEASE
from rpm.store.tables.security import JobRun
from rpm.web.app import create_app


def test_alive_without_database(client: TestClient) -> None:
    """/healthz tells the version and needs no token."""
    answer = client.get("/healthz")
    assert (answer.status_code, answer.json()) == (
        200,
        {"status": "ok", "version": rpm.__version__},
    )


def test_ready_tells_when_the_scheduler_reported(client: TestClient, engine: Engine) -> None:
    """/readyz is ready without a scheduler and tells its age in seconds once there is one."""
    before = client.get("/readyz")
    assert before.status_code == 200
    assert before.json()["scheduler_seconds_ago"] is None
    with transaction(engine) as session:
        now = SystemClock().now()
        session.add(JobRun(job=LEASE[0], slot=LEASE[1], claimed_at=now))
    assert 0 <= client.get("/readyz").json()["scheduler_seconds_ago"] < 60


def test_not_ready_behind_the_version(client: TestClient, engine: Engine) -> None:
    """/readyz answers 503 and says that the database is behind."""
    with transaction(engine) as session:
        session.connection().exec_driver_sql("UPDATE alembic_version SET version_num = '0001'")
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["database"]) == (503, "behind")


def test_an_empty_database_is_refused_at_start(tmp_path: object) -> None:
    """The application does not start on a database that was not migrated, and says why."""
    settings = Settings(database_url=f"sqlite:///{tmp_path}/empty.db")
    with pytest.raises(NotReady, match="rpm-ledger migrate"), TestClient(create_app(settings)):
        pass

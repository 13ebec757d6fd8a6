"""A running server for promises that are about processes."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from intake_door import Door
from served import Program, Service
from sqlalchemy.engine import Engine

from rpm.access import Actor
from rpm.settings import Settings


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

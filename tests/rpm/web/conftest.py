"""The real application on the test's database, and headers to call it with.

A test that also writes on its own does so in ``with transaction(engine)`` blocks: on SQLite an open
writing session (the ``session`` fixture) keeps the application waiting.
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import Protocol
from uuid import uuid4

import pytest
from fastapi import FastAPI
from sqlalchemy.engine import Engine
from starlette.testclient import TestClient

from rpm.access import PERMISSIONS, Actor, new_token, token_hash
from rpm.clock import Clock
from rpm.settings import Settings
from rpm.store.engine import transaction
from rpm.store.tables.people import ApiToken
from rpm.web.app import create_app


class MakeHeaders(Protocol):
    """Headers of a new token of an actor with these permissions, all of them unless told."""

    def __call__(self, actor: Actor, *permissions: str) -> dict[str, str]:
        """The headers."""


@pytest.fixture
def app(settings: Settings, clock: Clock) -> FastAPI:
    """The application; it starts with ``client``."""
    return create_app(settings, clock)


@pytest.fixture
def client(app: FastAPI) -> Iterator[TestClient]:
    """A client of the started application that carries no token."""
    with TestClient(app, follow_redirects=False) as client:
        yield client


@pytest.fixture
def headers_of(engine: Engine, clock: Clock) -> MakeHeaders:
    """Makes a token and gives the headers that carry it."""

    def make(actor: Actor, *permissions: str) -> dict[str, str]:
        token, now = new_token(), clock.now()
        with transaction(engine) as session:
            session.add(
                ApiToken(
                    organization_id=actor.organization_id,
                    id=uuid4(),
                    user_id=actor.user_id,
                    token_hash=token_hash(token),
                    name="test",
                    permissions=sorted(permissions or PERMISSIONS),
                    created_at=now,
                    expires_at=now + timedelta(days=90),
                )
            )
        return {"Authorization": f"Bearer {token}"}

    return make


@pytest.fixture
def admin(actor: Actor, headers_of: MakeHeaders) -> dict[str, str]:
    """Headers of a token that may do everything in the test's organization."""
    return headers_of(actor)


@pytest.fixture
def stranger(other_actor: Actor, headers_of: MakeHeaders) -> dict[str, str]:
    """Headers of a token that may do everything in another organization."""
    return headers_of(other_actor)

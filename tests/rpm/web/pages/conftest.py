"""Browsers without a window: clients of the started application that are signed in as a role."""

from collections.abc import Callable, Iterator

import pytest
from conftest import FixedClock
from fastapi import FastAPI
from signing_in import COOKIE, FORM_HEADERS, Person, cookie_of, person_of
from sqlalchemy.engine import Engine
from starlette.testclient import TestClient

from rpm.access import Actor
from rpm.keys import Keys, load_keys
from rpm.settings import Settings
from rpm.web.app import create_app

SignedIn = Callable[..., TestClient]
"""``signed_in("clinical_staff")`` or ``signed_in(actor=person.actor)``."""


@pytest.fixture
def app(settings: Settings, clock: FixedClock) -> FastAPI:
    """The application; it starts with ``browser``."""
    return create_app(settings, clock)


@pytest.fixture
def keys(settings: Settings) -> Keys:
    """The installation's keys."""
    return load_keys(settings)


@pytest.fixture
def browser(app: FastAPI) -> Iterator[TestClient]:
    """A browser of nobody on the started application; it follows no redirect by itself."""
    with TestClient(app, follow_redirects=False, headers=FORM_HEADERS) as client:
        yield client


@pytest.fixture
def person(engine: Engine, keys: Keys, actor: Actor, clock: FixedClock) -> Callable[..., Person]:
    """Makes a person of a role in the test's practice, or in that of the administrator given."""

    def make(role: str, admin: Actor | None = None) -> Person:
        return person_of(engine, keys, admin or actor, clock.now(), role)

    return make


@pytest.fixture
def signed_in(
    browser: TestClient,
    engine: Engine,
    clock: FixedClock,
    person: Callable[..., Person],
) -> SignedIn:
    """Makes a browser that is signed in as a role, or as a given actor."""

    def make(role: str = "practice_admin", actor: Actor | None = None) -> TestClient:
        who = actor or person(role).actor
        client = TestClient(browser.app, follow_redirects=False, headers=FORM_HEADERS)
        client.portal = browser.portal  # of the application that is started already
        client.cookies.set(COOKIE, cookie_of(engine, who, clock.now()))
        return client

    return make

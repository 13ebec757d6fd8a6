"""Real pages in the system's Chromium: a served practice, and pages that may not complain.

Each test has a database, a server and a browser context of its own; the browser is started once
for the tests of a module, and only when one asks for it: while it runs, its library keeps the event
loop of the thread. The server stands in a thread of the test and goes by a clock that stands still
until the test moves it. What a page writes to the console as an error, what its scripts throw and
what its content policy refuses fails the test, unless it said beforehand that it provokes it.
"""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from browsing import chromium
from conftest import FixedClock, make_organization, settings_for
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
from practice import Practice
from signing_in import COOKIE, Person, cookie_of, person_of
from sqlalchemy.engine import Engine
from windows import AtWork, Complaints, Machine, MakePerson, NewContext, PageOf, Served

from rpm.access import Actor
from rpm.keys import load_keys
from rpm.settings import Settings
from rpm.store.engine import make_engine, transaction

PATIENCE_MILLISECONDS = 15_000
"""How long a page may take on a machine that does other things too."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The system's Chromium without a window."""
    expect.set_options(timeout=PATIENCE_MILLISECONDS)
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=chromium(), args=["--disable-dev-shm-usage", "--disable-gpu"]
        )
        yield started
        started.close()


@pytest.fixture
def complaints() -> Iterator[Complaints]:
    """What the test's pages complain of; any fails it at its end."""
    complaints = Complaints()
    yield complaints
    assert complaints.heard == []


@pytest.fixture
def served_settings(sqlite_template: Path, tmp_path: Path) -> Settings:
    """Settings of a service on a fresh migrated SQLite database."""
    path = tmp_path / "practice.db"
    shutil.copyfile(sqlite_template, path)
    return settings_for(f"sqlite:///{path}")


@pytest.fixture
def engine(served_settings: Settings) -> Iterator[Engine]:
    """An engine of the test's own on the served database."""
    engine = make_engine(served_settings)
    yield engine
    engine.dispose()


@pytest.fixture
def actor(engine: Engine, clock: FixedClock) -> Actor:
    """The administrator of the served practice."""
    return make_organization(engine, clock.now())


@pytest.fixture
def stranger(engine: Engine, clock: FixedClock) -> Actor:
    """The administrator of another practice in the same database."""
    return make_organization(engine, clock.now(), "Other Practice")


@pytest.fixture
def at_work(engine: Engine, actor: Actor, stranger: Actor, clock: FixedClock) -> AtWork:
    """Does something in the practice by its real actions, in a transaction that ends at once."""

    def work(deed: Callable[[Practice], object]) -> object:
        with transaction(engine) as session:
            return deed(Practice(session, actor, stranger, clock.now()))

    return work


@pytest.fixture
def served(served_settings: Settings, actor: Actor, clock: FixedClock) -> Iterator[Served]:
    """The practice on its server."""
    served = Served(served_settings, clock)
    served.start()
    yield served
    served.end()


@pytest.fixture
def new_context(browser: Browser, served: Served, complaints: Complaints) -> Iterator[NewContext]:
    """Makes browser contexts: each is a machine of its own, with its own cookies."""
    made: list[BrowserContext] = []

    def make(**options: object) -> BrowserContext:
        context = browser.new_context(base_url=served.url, **options)  # type: ignore[arg-type]
        context.set_default_timeout(PATIENCE_MILLISECONDS)
        context.on("page", complaints.listen)
        made.append(context)
        return context

    yield make
    for context in made:
        context.close()


@pytest.fixture
def anonymous(new_context: NewContext) -> Page:
    """A page of nobody."""
    return new_context().new_page()


@pytest.fixture
def person(
    engine: Engine, served_settings: Settings, actor: Actor, clock: FixedClock
) -> MakePerson:
    """Makes people of a role in the served practice, who can sign in."""
    keys = load_keys(served_settings)

    def make(role: str, admin: Actor | None = None) -> Person:
        return person_of(engine, keys, admin or actor, clock.now(), role)

    return make


@pytest.fixture
def machine(new_context: NewContext, engine: Engine, clock: FixedClock, served: Served) -> Machine:
    """Makes browser contexts that are signed in as a person, without the form."""

    def make(who: Person) -> BrowserContext:
        context = new_context()
        cookie = cookie_of(engine, who.actor, clock.now())
        context.add_cookies([{"name": COOKIE, "value": cookie, "url": served.url}])
        return context

    return make


@pytest.fixture
def page_of(machine: Machine, person: MakePerson) -> PageOf:
    """Makes pages that are signed in as a new person of a role: ``page_of("clinical_staff")``."""
    return lambda role: machine(person(role)).new_page()

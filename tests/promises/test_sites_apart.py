"""S9: somebody who is limited to a site meets nobody of another one, on any page."""

import re
from collections.abc import Iterator
from datetime import date
from uuid import UUID, uuid4

import pytest
from conftest import FixedClock
from fastapi import FastAPI
from foreign import fill, id_of
from ledger_practice import Practice
from promised import Promised
from role_table import WORDS, is_page, routes
from signing_in import COOKIE, FORM_HEADERS, cookie_of, person_of
from sqlalchemy.engine import Engine
from starlette.testclient import TestClient
from test_roles import TRAIL, rows_in_all

from rpm import logs
from rpm.access import LIMITED_ROLES, Actor
from rpm.actions.manage_sites import (
    AddSite,
    LimitUser,
    PlacePatient,
    add_site,
    limit_user,
    place_patient,
)
from rpm.keys import load_keys
from rpm.settings import Settings
from rpm.store.engine import transaction
from rpm.store.tables import METADATA
from rpm.web.app import create_app
from rpm.web.pages.site_gate import knows_sites

FILLED = {"alert", "practitioner", "proposed_entry", "saved_view", "timer", "visit"}
"""Rows that pages ask for by id; what the ledger is computed from must make sense."""
KEPT = {"readiness_row", "readiness_mark", "worklist_row", "device_contact", "device_contact_mark"}
"""Brought up to date before a list is shown, for the whole practice."""
PARTS = re.compile(r"{(\w+)}")
FAMILY, NUMBER = "Elsewherefamily", "ELSEWHERE-1"
OWN = re.compile(r"^/(account|sign-|invitations|demo|$)|^/emergency$")
"""Pages about the person, or of nobody; each has its own tests."""


@pytest.fixture
def app(settings: Settings, clock: FixedClock) -> FastAPI:
    """The application."""
    return create_app(settings, clock)


@pytest.fixture
def elsewhere(engine: Engine, actor: Actor, clock: FixedClock) -> Practice:
    """A practice whose only patient, named by rows of many kinds, belongs to the south."""
    practice = Practice(engine, actor, clock.now())
    patient = practice.patient(family_name=FAMILY, record_number=NUMBER)
    practice.entry(patient, practice.episode(patient), date(2026, 1, 12), 300)
    with transaction(engine) as db:
        south = add_site(db, actor, clock.now(), AddSite(name="South")).id
    with transaction(engine) as db:
        place_patient(db, actor, clock.now(), PlacePatient(patient_id=patient, site_id=south))
    fill(engine, actor.organization_id, without=METADATA.tables.keys() - FILLED)
    return practice


@pytest.fixture
def client(app: FastAPI) -> Iterator[TestClient]:
    """A client of nobody."""
    logs.configure("error")
    with TestClient(app, follow_redirects=False) as client:
        yield client


def limited(
    engine: Engine, settings: Settings, admin: Actor, clock: FixedClock, role: str
) -> dict[str, str]:
    """The headers of a browser of somebody who works in the north only."""
    person = person_of(engine, load_keys(settings), admin, clock.now(), role)
    with transaction(engine) as db:
        north = add_site(db, admin, clock.now(), AddSite(name=f"North of {role}")).id
    with transaction(engine) as db:
        command = LimitUser(user_id=person.actor.user_id, site_ids=[north], reason="works there")
        limit_user(db, admin, clock.now(), command)
    cookie = cookie_of(engine, person.actor, clock.now())
    return FORM_HEADERS | {"Cookie": f"{COOKIE}={cookie}"}


def recorded(engine: Engine) -> dict[str, int]:
    """How many rows each table has, but for what is only kept for quick lists."""
    return {name: count for name, count in rows_in_all(engine).items() if name not in KEPT}


def known_id(engine: Engine, organization_id: UUID, path: str, name: str) -> str:
    """The patient's row for a part of an address; of a page that refuses anyway, nobody's."""
    is_asked = name == "patient_id" or (knows_sites(path) and not path.startswith("/patients/"))
    return id_of(engine, organization_id, name) if is_asked else str(uuid4())


@pytest.mark.promise("S9")
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_no_page_shows_or_changes_another_sites_patient(
    app: FastAPI,
    client: TestClient,
    engine: Engine,
    settings: Settings,
    elsewhere: Practice,
    clock: FixedClock,
    promised: Promised,
) -> None:
    """Every page and form by every role that can be limited, asked for the other site's ids."""
    organization_id, tried = elsewhere.actor.organization_id, 0
    pages = [
        place for place, route in routes(app).items() if is_page(route) and not OWN.match(place[1])
    ]
    for role in sorted(LIMITED_ROLES):
        headers = limited(engine, settings, elsewhere.actor, clock, role)
        before = recorded(engine)
        for method, path in pages:
            names = [name for name in PARTS.findall(path) if name not in WORDS]
            ids = {name: known_id(engine, organization_id, path, name) for name in names}
            address = PARTS.sub(lambda found, ids=ids: ids.get(found[1], WORDS.get(found[1])), path)
            form = {"patient_id": id_of(engine, organization_id, "patient_id")}
            sent = {} if method == "GET" else {"data": form | {"record_number": NUMBER}}
            answer = client.request(method, address, headers=headers, **sent)
            assert answer.status_code < 500, (role, method, path)
            assert FAMILY not in answer.text, (role, method, path)
            if "{patient_id}" in path:
                assert answer.status_code in {403, 404}, (role, method, path)
            if not knows_sites(path):
                assert answer.status_code == 403, (role, method, path)
            tried += 1
        assert recorded(engine) == before
    assert TRAIL not in before
    promised.reached(f"{tried} pages and forms by people of another site: 0 patients seen")

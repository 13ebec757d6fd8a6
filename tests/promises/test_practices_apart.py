"""S7: no practice sees another: its ids are answered as ids that are nobody's."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import uuid4

import pytest
from conftest import FixedClock
from evidence_practice import FEBRUARY_CLOSE, close, record_practitioner, supply_long, supply_short
from fastapi import FastAPI
from fastapi.routing import APIRoute
from foreign import MARK, counts_of, fill, id_of
from ledger_practice import Practice
from promised import Promised
from role_table import ROLES, WORDS, is_page, routes
from signing_in import person_of
from sqlalchemy.engine import Engine
from starlette.testclient import TestClient
from test_inputs import writes
from test_roles import Caller, caller_of

from rpm import logs
from rpm.access import Actor
from rpm.keys import load_keys
from rpm.settings import Settings
from rpm.web.app import create_app

SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
PARTS = re.compile(r"{(\w+)}")
UUID_IN = re.compile(r"[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}")
FAMILY = "Foreignfamily"
NO_IDS = {
    *("client_id", "member_id", "payer_id_of_edi", "vendor_device_id", "edi_payer_id", "tax_id"),
    "submitter_id",
}
"""Fields of bodies that name something outside the record."""
ENOUGH = 3
OPEN_PARTS = {"vendor", "connection", "secret", "organization_id"}
"""Parts of addresses that are themselves the proof, or where a practice's people sign in."""


@dataclass(frozen=True)
class Two:
    """A practice that asks, and another one whose rows it asks for."""

    own: Practice
    foreign: Practice


@pytest.fixture
def app(settings: Settings, clock: FixedClock) -> FastAPI:
    """The application."""
    return create_app(settings, clock)


@pytest.fixture
def two(engine: Engine, actor: Actor, other_actor: Actor, clock: FixedClock) -> Two:
    """Both have patients, entries and a closed January."""
    clock.instant = FEBRUARY_CLOSE
    practices = []
    for who in (actor, other_actor):
        practice = Practice(engine, who, clock.now())
        record_practitioner(practice)
        supply_long(practice)
        patient = practice.patient(family_name=FAMILY if who is other_actor else "Own")
        practice.entry(patient, practice.episode(patient), date(2026, 1, 12), 1_200)
        supply_short(practice)
        close(practice, "2026-01", clock.now())
        practices.append(practice)
    return Two(*practices)


@pytest.fixture
def client(app: FastAPI, two: Two) -> Iterator[TestClient]:
    """A client of nobody."""
    logs.configure("error")
    with TestClient(app, follow_redirects=False, raise_server_exceptions=True) as client:
        yield client


def plain(text: str, asked: str) -> str:
    """An answer without what names the request: its id in the log, and the id that it named."""
    without = re.sub(r'("request_id":"|log this is )[0-9a-f]+', "", text)
    return without.replace(asked, "ID").replace(asked.replace("-", ""), "ID")


def asked_by(
    client: TestClient, place: tuple[str, str], who: Caller, page: bool, body: dict[str, Any]
) -> tuple[int, str, str]:
    """Status, place to go on to, and text of an answer."""
    headers = who.headers(page=page)
    kind = {} if place[0] == "GET" else {"data" if page else "json": body}
    answer = client.request(*place, headers=headers, **kind)  # type: ignore[arg-type]
    return answer.status_code, answer.headers.get("location", ""), answer.text


def filled(path: str, ids: dict[str, str]) -> str:
    """An address with these ids."""
    return PARTS.sub(lambda found: ids.get(found[1], WORDS.get(found[1], "")), path)


@SQLITE
@pytest.mark.promise("S7")
def test_a_foreign_id_in_an_address_is_nobodys(
    app: FastAPI,
    client: TestClient,
    two: Two,
    engine: Engine,
    settings: Settings,
    clock: FixedClock,
    promised: Promised,
) -> None:
    """On every route with an id, by every role: the same answer as for an id that is not there."""
    keys, foreign = load_keys(settings), two.foreign.actor.organization_id
    people = [
        caller_of(engine, person_of(engine, keys, two.own.actor, clock.now(), role).actor, clock)
        for role in ROLES[: promised.count(len(ROLES), 1)]
    ]
    fill(engine, foreign)
    before, tried = counts_of(engine, foreign), 0
    for (method, path), route in routes(app).items():
        names = [name for name in PARTS.findall(path) if name not in {*WORDS, *OPEN_PARTS}]
        names += ["key"] if "{key}" in path else []
        page = is_page(route)
        for name in names:
            others = {other: str(uuid4()) for other in names}
            theirs, nobodys = id_of(engine, foreign, name), str(uuid4())
            if name == "key":
                nobodys = UUID_IN.sub(lambda _found: uuid4().hex, theirs)
            for who in people:
                told = [
                    (status, plain(to, asked), plain(text, asked))
                    for asked in (theirs, nobodys)
                    for status, to, text in [
                        asked_by(
                            client, (method, filled(path, others | {name: asked})), who, page, {}
                        )
                    ]
                ]
                assert told[0] == told[1], (method, path, name, who.role)
                assert FAMILY not in told[0][2]
                tried += 1
    assert counts_of(engine, foreign) == before
    promised.reached(f"{tried:,} foreign ids in addresses: answered as ids of nobody; 0 leaks")


@SQLITE
@pytest.mark.promise("S7")
def test_a_foreign_id_in_a_body_is_nobodys(
    app: FastAPI,
    client: TestClient,
    two: Two,
    engine: Engine,
    clock: FixedClock,
    promised: Promised,
) -> None:
    """In every id field of every write and form: the same answer as for an id of nobody."""
    foreign, own = two.foreign.actor.organization_id, two.own.actor.organization_id
    admin = caller_of(engine, two.own.actor, clock)
    fill(engine, foreign)
    before, tried = counts_of(engine, foreign), 0
    bodies = [((one.method, one.address()), False, one.body) for one in writes(app)]
    bodies += [
        ((method, filled(path, dict.fromkeys(PARTS.findall(path), str(uuid4())))), True, fields)
        for (method, path), route in routes(app).items()
        if is_page(route) and (fields := form_ids(route))
    ]
    for place, page, body in bodies:
        ids = [name for name in body if name.endswith("_id") and name not in NO_IDS]
        mine = {name: own_id(engine, own, name) for name in ids}
        for name in ids:
            theirs, nobodys = id_of(engine, foreign, name), str(uuid4())
            told = [
                (status, plain(to, asked), plain(text, asked))
                for asked in (theirs, nobodys)
                for status, to, text in [
                    asked_by(client, place, admin, page, body | mine | {name: asked})
                ]
            ]
            assert told[0] == told[1], (place, name)
            tried += 1
    assert counts_of(engine, foreign) == before
    promised.reached(f"{tried} foreign ids in bodies and forms: answered as ids of nobody")


def own_id(engine: Engine, organization_id: Any, name: str) -> str:
    """An id of the practice that asks, or one of nobody where it has none."""
    try:
        return id_of(engine, organization_id, name)
    except AssertionError:
        return str(uuid4())


def form_ids(route: APIRoute) -> dict[str, Any]:
    """The id fields of a page's form."""
    names = [param.alias for param in route.dependant.body_params]
    return {name: "" for name in names if name.endswith("_id") and name not in NO_IDS}


@SQLITE
@pytest.mark.promise("S7")
def test_no_list_shows_another_practice(
    app: FastAPI,
    client: TestClient,
    two: Two,
    engine: Engine,
    clock: FixedClock,
    promised: Promised,
) -> None:
    """Whatever can be read without an id shows nothing of the other practice, to no role."""
    admin, other = (caller_of(engine, one.actor, clock) for one in (two.own, two.foreign))
    marks = (MARK, FAMILY, "Other Practice", two.foreign.actor.organization_id.hex)
    lists = [
        (place, is_page(route))
        for place, route in routes(app).items()
        if place[0] == "GET" and not PARTS.findall(place[1].replace("{month}", ""))
    ]
    seen = 0
    for (method, path), page in lists:
        place = (method, filled(path, {}))
        text = asked_by(client, place, admin, page, {})[2]
        assert not any(mark in text for mark in marks), path
        if seen < ENOUGH and FAMILY in asked_by(client, place, other, page, {})[2]:
            seen += 1
    assert seen == ENOUGH, "the other practice itself sees its own rows"
    promised.reached(f"{len(lists)} lists and pages: 0 leaks")


@SQLITE
def test_the_ids_are_real(
    app: FastAPI, client: TestClient, two: Two, engine: Engine, clock: FixedClock
) -> None:
    """The other practice's own administrator opens its patient, close, entry and device."""
    admin = caller_of(engine, two.foreign.actor, clock)
    organization = two.foreign.actor.organization_id
    paths = (
        "/v1/patients/{patient_id}",
        "/v1/closes/{close_id}",
        "/v1/readings/{reading_id}/history",
        "/patients/{patient_id}",
        "/close/closes/{close_id}",
        "/admin/users/{user_id}",
    )
    for path in paths:
        ids = {name: id_of(engine, organization, name) for name in PARTS.findall(path)}
        page = not path.startswith("/v1")
        assert asked_by(client, ("GET", filled(path, ids)), admin, page, {})[0] == 200, path

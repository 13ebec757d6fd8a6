"""S9: roles mean what they say. S12: other sites cannot act for a person."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import cycle, islice

import pytest
from conftest import FixedClock
from fastapi import FastAPI
from fastapi.routing import APIRoute
from promised import Promised
from role_table import OPEN, OWN, ROLES, called, is_page, kept, routes
from signing_in import COOKIE, FORM_HEADERS, cookie_of, person_of
from sqlalchemy import func, select
from sqlalchemy.engine import Engine
from starlette.testclient import TestClient

from rpm import logs
from rpm.access import Actor, new_token, token_hash
from rpm.ids import uuid7
from rpm.keys import load_keys
from rpm.settings import Settings
from rpm.store.engine import transaction
from rpm.store.tables import METADATA
from rpm.store.tables.people import ApiToken
from rpm.web.app import create_app

REFUSED = {401, 403}
TRAIL = "access_record"
"""Grows with every request of somebody known, that being its purpose."""
UNSAFE = ("POST", "PUT", "PATCH", "DELETE")


@dataclass(frozen=True)
class Caller:
    """Somebody of a role, with a token for the API and a browser for the pages."""

    role: str
    token: dict[str, str]
    cookies: dict[str, str]

    def headers(self, *, page: bool) -> dict[str, str]:
        """What proves them to a route."""
        return FORM_HEADERS | self.cookies if page else self.token


@pytest.fixture
def app(settings: Settings, clock: FixedClock) -> FastAPI:
    """The application; it starts with ``client``."""
    return create_app(settings, clock)


@pytest.fixture
def client(app: FastAPI) -> Iterator[TestClient]:
    """A client of nobody."""
    logs.configure("error")
    with TestClient(app, follow_redirects=False) as client:
        yield client


@pytest.fixture
def callers(
    engine: Engine, settings: Settings, actor: Actor, clock: FixedClock
) -> dict[str, Caller]:
    """Somebody of each role."""
    keys = load_keys(settings)
    return {
        role: caller_of(engine, person_of(engine, keys, actor, clock.now(), role).actor, clock)
        for role in ROLES
    }


def caller_of(engine: Engine, actor: Actor, clock: FixedClock) -> Caller:
    """A token with all that the role has, and a signed-in browser."""
    text, now = new_token(), clock.now()
    with transaction(engine) as db:
        db.add(
            ApiToken(
                organization_id=actor.organization_id,
                id=uuid7(now),
                user_id=actor.user_id,
                token_hash=token_hash(text),
                name="test",
                permissions=sorted(actor.permissions),
                created_at=now,
                expires_at=now.replace(year=now.year + 1),
            )
        )
    cookie = f"{COOKIE}={cookie_of(engine, actor, now)}"
    return Caller(actor.role, {"Authorization": f"Bearer {text}"}, {"Cookie": cookie})


def rows_in_all(engine: Engine) -> dict[str, int]:
    """How many rows each table has, but for the trail of accesses."""
    with engine.connect() as connection:
        return {
            table.name: connection.execute(select(func.count()).select_from(table)).scalar_one()
            for table in METADATA.sorted_tables
            if table.name != TRAIL
        }


def test_every_route_stands_in_the_table(app: FastAPI) -> None:
    """A new route needs a line of allowed.csv, and a line needs its route."""
    assert set(routes(app)) == set(kept())


@pytest.mark.promise("S9")
def test_nobody_in_particular_opens_nothing(
    app: FastAPI, client: TestClient, engine: Engine, promised: Promised
) -> None:
    """Without token and cookie every route but the open ones sends the caller away."""
    before, closed = rows_in_all(engine), closed_routes(app)
    for method, path in closed:
        answer = client.request(method, called(path), headers=FORM_HEADERS)
        to_sign_in = answer.headers.get("location", "").startswith("/sign-in")
        assert answer.status_code == 401 or to_sign_in, (method, path, answer.status_code)
    assert rows_in_all(engine) == before
    promised.reached(f"{engine.dialect.name}: {len(closed)} routes without a login: all refused")


def closed_routes(app: FastAPI) -> list[tuple[str, str]]:
    """Routes that are not for everybody."""
    table = kept()
    return [place for place in routes(app) if OPEN not in table[place].values()]


@pytest.mark.promise("S9")
def test_each_role_may_call_what_the_table_says(
    app: FastAPI,
    client: TestClient,
    engine: Engine,
    callers: dict[str, Caller],
    promised: Promised,
) -> None:
    """Every route, by every role: let in or turned away as the table has it."""
    if engine.dialect.name != "sqlite":
        pytest.skip("who is let in does not depend on the database")
    table, turns = kept(), cycle(ROLES)
    calls = [
        (place, role, table[place][role])
        for place in closed_routes(app)
        for role in islice(turns, promised.count(len(ROLES), 2))
        if table[place][role] != OWN
    ]
    before, wrong = rows_in_all(engine), []
    for word, is_right in (("no", turned_away), ("yes", let_in)):
        for place, role, expected in calls:
            if expected == word:
                page = is_page(routes_of(app)[place])
                status = call(client, place, callers[role], page=page)
                wrong += [] if is_right(status) else [(place, role, status)]
        if word == "no":
            assert rows_in_all(engine) == before, "what was turned away changed something"
    assert wrong == []
    promised.reached(
        f"{len(table)} routes, {len(calls)} calls of {len(ROLES)} roles: all as the table says;"
        " 0 rows by denied ones"
    )


def turned_away(status: int) -> bool:
    """A role that may not."""
    return status == 403


def let_in(status: int) -> bool:
    """A role that may: what was sent may still be wrong."""
    return status not in REFUSED and status < 500


@cache
def routes_of(app: FastAPI) -> dict[tuple[str, str], APIRoute]:
    """The routes, found once."""
    return routes(app)


def call(client: TestClient, place: tuple[str, str], caller: Caller, *, page: bool) -> int:
    """The status of a call without any content."""
    method, path = place
    headers = caller.headers(page=page)
    body = {"json": {}} if method in UNSAFE and not page else {}
    answer = client.request(method, called(path), headers=headers, **body)  # type: ignore[arg-type]
    if page and "/sign-in" in answer.headers.get("location", ""):
        return 401
    return answer.status_code


@pytest.mark.promise("S12")
def test_other_sites_cannot_act_for_a_person(
    app: FastAPI,
    client: TestClient,
    engine: Engine,
    callers: dict[str, Caller],
    promised: Promised,
) -> None:
    """Each unsafe route refuses a signed-in browser that another site sends."""
    if engine.dialect.name != "sqlite":
        pytest.skip("where a request comes from does not depend on the database")
    admin = callers["practice_admin"]
    foreign: list[dict[str, str]] = [
        {},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://testserver.evil.example"},
        {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"},
        {"Sec-Fetch-Site": "same-site", "Origin": "http://other.testserver"},
        {"Sec-Fetch-Site": "none"},
        {"Sec-Fetch-Site": "cross-site", "Origin": "http://testserver"},
    ]
    unsafe = [place for place in routes(app) if place[0] in UNSAFE]
    before, tried, pages = rows_in_all(engine), 0, 0
    for method, path in unsafe:
        page = is_page(routes_of(app)[(method, path)])
        pages += page
        for headers in foreign:
            sent = headers | admin.cookies
            answer = client.request(method, called(path), headers=sent, data={"reason": "x"})
            tried += 1
            # the API knows no cookies: there a browser is nobody, and vendors prove themselves
            expected = {403} if page else {401, 404, 415}
            assert answer.status_code in expected, (method, path, headers, answer.status_code)
    assert rows_in_all(engine) == before
    promised.reached(
        f"{len(unsafe)} unsafe routes ({pages} of pages), {tried} requests of other sites:"
        " 100 % refused, 0 rows"
    )


def test_our_own_pages_are_let_through(client: TestClient, callers: dict[str, Caller]) -> None:
    """A form of this address is taken, also by a browser that only knows ``Origin``."""
    for headers in ({"Sec-Fetch-Site": "same-origin"}, {"Origin": "http://testserver"}):
        admin = callers["practice_admin"]
        answer = client.post("/admin/users", headers=headers | admin.cookies, data={})
        assert answer.status_code == 422


def test_the_words_of_the_table_are_known() -> None:
    """Each cell says yes, no, open or own, and the last two stand in whole lines only."""
    for place, row in kept().items():
        cells = {row[role] for role in ROLES}
        assert cells <= {"yes", "no"} or cells in ({OPEN}, {OWN}), place

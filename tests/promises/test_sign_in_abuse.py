"""S11: sign-in resists abuse. S21: emergency access works and shows."""

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from conftest import FixedClock
from promised import Promised
from signing_in import COOKIE, FORM_HEADERS, PASSWORD, Person, cookie_of, person_of
from sqlalchemy.engine import Engine
from sqlmodel import col, select
from starlette.testclient import TestClient

from rpm import logs
from rpm.access import Actor
from rpm.actions.credentials import EndAccess, end_access
from rpm.actions.emergency import EMERGENCY
from rpm.actions.manage_access import ChangeUser, change_user
from rpm.actions.sign_in import (
    MOST_TRIES_OF_NAME,
    MOST_TRIES_OF_SENDER,
    ProvePerson,
    begin_sign_in,
)
from rpm.keys import load_keys
from rpm.settings import Settings
from rpm.store.engine import reading, transaction
from rpm.store.sign_ins import IDLE, LONGEST, TRIES_WINDOW
from rpm.store.tables.security import AuditEvent
from rpm.store.tables.sign_ins import SignIn
from rpm.web.app import create_app

ACCOUNT = "/account"
MakePerson = Callable[..., Person]


@pytest.fixture
def client(settings: Settings, clock: FixedClock) -> Iterator[TestClient]:
    """A browser of nobody on the started application."""
    logs.configure("error")
    app = create_app(settings, clock)
    with TestClient(app, follow_redirects=False, headers=FORM_HEADERS) as client:
        yield client


@pytest.fixture
def person(engine: Engine, settings: Settings, actor: Actor, clock: FixedClock) -> MakePerson:
    """Makes a person of a role who can sign in."""
    keys = load_keys(settings)
    return lambda role="biller": person_of(engine, keys, actor, clock.now(), role)


def typed(person: Person, clock: FixedClock, **other: str) -> dict[str, str]:
    """What the person types."""
    right = {"address": person.address, "password": PASSWORD, "code": person.code(clock.now())}
    return right | other


def is_in(client: TestClient, cookie: str | None = None) -> bool:
    """Whether a browser is signed in, with its own cookie or the given one."""
    if cookie is None:
        return client.get(ACCOUNT).status_code == 200
    client.cookies.clear()
    return client.get(ACCOUNT, headers={"Cookie": f"{COOKIE}={cookie}"}).status_code == 200


@pytest.mark.promise("S11")
def test_a_known_cookie_is_not_signed_in(
    client: TestClient, person: MakePerson, clock: FixedClock, promised: Promised
) -> None:
    """Fixation: a cookie put into the browser beforehand is never the one that is signed in."""
    planted = "planted-by-somebody-else"
    client.cookies.set(COOKIE, planted)
    answer = client.post("/sign-in", data=typed(person(), clock))
    assert answer.status_code == 303
    fresh = answer.cookies[COOKIE]
    assert fresh != planted
    assert not is_in(client, planted)
    assert is_in(client, fresh)
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    promised.reached("fixation refused")


def counted_only(engine: Engine, settings: Settings, clock: FixedClock, names: list[str]) -> None:
    """Tries that are counted as any other, without the slow work of comparing."""
    keys = load_keys(settings)
    for name in names:
        command = ProvePerson(address=name, password="wrong", code="000000")
        with transaction(engine) as db:
            begin_sign_in(db, keys, clock.now(), command, "testclient")


@pytest.mark.promise("S11")
def test_guessing_ends_soon(
    client: TestClient,
    person: MakePerson,
    engine: Engine,
    settings: Settings,
    clock: FixedClock,
    promised: Promised,
) -> None:
    """After ten tries of a name even the right ones are refused, for a quarter of an hour."""
    victim, other = person(), person()
    unseen = promised.count(0, MOST_TRIES_OF_NAME - 2)
    counted_only(engine, settings, clock, [victim.address] * unseen)
    told = Counter(
        client.post("/sign-in", data=typed(victim, clock, code=f"{n:06d}")).status_code
        for n in range(MOST_TRIES_OF_NAME - unseen + 5)
    )
    assert told == {401: MOST_TRIES_OF_NAME - unseen, 429: 5}
    assert client.post("/sign-in", data=typed(victim, clock)).status_code == 429
    assert client.post("/sign-in", data=typed(other, clock)).status_code == 303
    client.cookies.clear()
    clock.instant += TRIES_WINDOW
    assert client.post("/sign-in", data=typed(victim, clock)).status_code == 303
    promised.reached(f"no try of a name is taken after {MOST_TRIES_OF_NAME} in 15 min")


@pytest.mark.promise("S11")
def test_guessing_many_names_ends_too(
    client: TestClient,
    person: MakePerson,
    engine: Engine,
    settings: Settings,
    clock: FixedClock,
    promised: Promised,
) -> None:
    """A sender who tries one password with many names is refused as well."""
    spray = {"password": "Spring2026!", "code": "000000"}
    unseen = promised.count(0, MOST_TRIES_OF_SENDER - 2)
    counted_only(engine, settings, clock, [f"u{n}@practice.example" for n in range(unseen)])
    told = Counter(
        client.post("/sign-in", data=spray | {"address": f"n{n}@practice.example"}).status_code
        for n in range(MOST_TRIES_OF_SENDER - unseen + 3)
    )
    assert told == {401: MOST_TRIES_OF_SENDER - unseen, 429: 3}
    assert client.post("/sign-in", data=typed(person(), clock)).status_code == 429
    promised.reached(f"no try of a sender is taken after {MOST_TRIES_OF_SENDER} in 15 min")


@pytest.mark.promise("S11")
def test_a_code_is_good_once(
    client: TestClient,
    person: MakePerson,
    clock: FixedClock,
    engine: Engine,
    promised: Promised,
) -> None:
    """One code, sent by many at the same time: one sign-in; afterwards none."""
    victim = person()
    data = typed(victim, clock)

    def enter(_turn: int) -> int:
        return client.post("/sign-in", data=data).status_code

    at_once = promised.count(8, 4)
    with ThreadPoolExecutor(at_once) as pool:
        answers = Counter(pool.map(enter, range(at_once)))
    assert answers == {303: 1, 401: at_once - 1}
    with reading(engine) as db:
        rows = db.exec(select(SignIn).where(col(SignIn.user_id) == victim.actor.user_id)).all()
    assert len(rows) == 1
    client.cookies.clear()
    assert client.post("/sign-in", data=data).status_code == 401
    clock.advance(seconds=30)
    earlier = typed(victim, clock) | {"code": data["code"]}
    assert client.post("/sign-in", data=earlier).status_code == 401
    assert client.post("/sign-in", data=typed(victim, clock)).status_code == 303
    promised.reached(f"{engine.dialect.name}: a code is taken once, also by {at_once} at once")


@pytest.mark.promise("S11")
def test_what_is_over_is_over(
    client: TestClient,
    person: MakePerson,
    actor: Actor,
    engine: Engine,
    clock: FixedClock,
    promised: Promised,
) -> None:
    """After signing out, signing out everywhere, a reset or the end of the access: refused."""
    now = clock.now()

    def signed_out(who: Person, cookie: str) -> None:
        client.post("/sign-out", headers={"Cookie": f"{COOKIE}={cookie}"})

    def out_everywhere(who: Person, cookie: str) -> None:
        other = cookie_of(engine, who.actor, now)
        client.post("/sign-out-everywhere", headers={"Cookie": f"{COOKIE}={other}"})

    def was_reset(who: Person, cookie: str) -> None:
        assert who.actor.user_id is not None
        command = EndAccess(user_id=who.actor.user_id, reason="phone lost")
        with transaction(engine) as db:
            end_access(db, actor, now, now, command)

    def was_disabled(who: Person, cookie: str) -> None:
        assert who.actor.user_id is not None
        command = ChangeUser(user_id=who.actor.user_id, active=False, reason="left")
        with transaction(engine) as db:
            change_user(db, actor, now, command)

    ends = (signed_out, out_everywhere, was_reset, was_disabled)
    for end in ends:
        who = person()
        cookie = cookie_of(engine, who.actor, now)
        assert is_in(client, cookie)
        end(who, cookie)
        assert not is_in(client, cookie), end.__name__
    promised.reached(f"{engine.dialect.name}: {len(ends)} ways of ending, each at once")


@pytest.mark.promise("S11")
def test_a_beating_timer_keeps_nobody_signed_in(
    client: TestClient,
    person: MakePerson,
    engine: Engine,
    clock: FixedClock,
    promised: Promised,
) -> None:
    """A page that beats every half minute is signed out after 15 idle minutes, to the second."""
    cookie = cookie_of(engine, person("clinical_staff").actor, clock.now())
    began, beats = clock.now(), 0
    client.cookies.set(COOKIE, cookie)
    step = timedelta(seconds=promised.count(30, 120))
    while clock.now() + step < began + IDLE:
        clock.instant += step
        assert "/sign-in" not in client.post("/time/beat").headers.get("location", "")
        beats += 1
    clock.instant = began + IDLE
    assert client.post("/time/beat").headers.get("location", "").startswith("/sign-in")
    assert not is_in(client)
    promised.reached(f"{engine.dialect.name}: out after 15 min idle despite {beats} beats")


@pytest.mark.promise("S11")
def test_twelve_hours_are_the_end(
    client: TestClient,
    person: MakePerson,
    engine: Engine,
    clock: FixedClock,
    promised: Promised,
) -> None:
    """Somebody who clicks all day is signed out twelve hours after signing in."""
    began = clock.now()
    client.cookies.set(COOKIE, cookie_of(engine, person().actor, began))
    while clock.now() + timedelta(minutes=14) < began + LONGEST:
        clock.advance(minutes=14)
        assert is_in(client)
    clock.instant = began + LONGEST - timedelta(seconds=1)
    assert is_in(client)
    clock.instant = began + LONGEST
    assert not is_in(client)
    promised.reached(f"{engine.dialect.name}: out after 12 h of work")


@pytest.mark.promise("S21")
def test_emergency_access_ends_and_is_marked(
    client: TestClient,
    person: MakePerson,
    engine: Engine,
    clock: FixedClock,
    promised: Promised,
) -> None:
    """All that is recorded while it runs carries its id; after four hours nothing opens more."""
    clerk = person("clerical_staff")
    client.cookies.set(COOKIE, cookie_of(engine, clerk.actor, clock.now()))
    assert client.get("/figures").status_code == 403
    assert client.post("/emergency", data={"reason": ""}).status_code == 422
    assert client.post("/emergency", data={"reason": "patient on the phone"}).status_code == 303
    began, steps = clock.now(), 0
    while clock.now() + timedelta(minutes=14) < began + EMERGENCY:
        clock.advance(minutes=14)
        assert client.get("/figures").status_code == 200
        steps += 1
    client.post("/sign-out-everywhere")
    with reading(engine) as db:
        events = db.exec(select(AuditEvent).order_by(col(AuditEvent.number))).all()
    taken = next(event for event in events if event.action == "emergency.take")
    after = [event for event in events if event.number > taken.number]
    marked = [
        one for one in after if one.actor.get("emergency_id") == taken.subject["emergency_id"]
    ]
    assert after
    assert marked == after
    assert taken.reason == "patient on the phone"
    clock.instant = began + EMERGENCY
    client.cookies.set(COOKIE, cookie_of(engine, clerk.actor, clock.now()))
    assert client.get("/figures").status_code == 403
    promised.reached(
        f"{engine.dialect.name}: ends after 4 h; {len(marked)} of {len(after)} events marked"
    )

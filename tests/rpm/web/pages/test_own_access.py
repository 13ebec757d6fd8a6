"""People change their own password, app and recovery codes, and end their own sign-ins."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from conftest import FixedClock
from signing_in import COOKIE, PASSWORD, Person, cookie_of
from sqlalchemy.engine import Engine
from sqlmodel import select
from starlette.testclient import TestClient

from rpm.actions import sign_in as sign_in_module
from rpm.proofs import RECOVERY_CODES, totp_code
from rpm.store.engine import reading
from rpm.store.tables.security import AuditEvent

MakePerson = Callable[..., Person]
SignedIn = Callable[..., TestClient]
NEW = "harbor-lantern-58"


@pytest.fixture
def nurse(person: MakePerson) -> Person:
    """A person with a password and an app."""
    return person("clinical_staff")


@pytest.fixture
def desk(signed_in: SignedIn, nurse: Person) -> TestClient:
    """A browser in which the person is signed in."""
    return signed_in(actor=nurse.actor)


def sign_in(browser: TestClient, who: Person, code: str, password: str = PASSWORD) -> int:
    """What the form answers; 303 is in."""
    browser.cookies.clear()
    typed = {"address": who.address, "password": password, "code": code}
    return int(browser.post("/sign-in", data=typed).status_code)


def recorded(engine: Engine) -> list[str]:
    """What the audit trail says was done to ways in."""
    with reading(engine) as db:
        found = db.exec(select(AuditEvent.action).order_by(AuditEvent.number))
        return [action for action in found if action.startswith("user.")]


@pytest.mark.parametrize("database_url", ["sqlite", "postgresql"], indirect=True)
def test_a_password_is_changed_by_who_knows_it(
    desk: TestClient,
    browser: TestClient,
    nurse: Person,
    engine: Engine,
    clock: FixedClock,
) -> None:
    """The new one signs in and the old one does not; other browsers are out, this one stays."""
    other = cookie_of(engine, nurse.actor, clock.now())
    typed = {"present": PASSWORD, "password": NEW, "again": NEW}
    assert desk.post("/account/password", data=typed).headers["location"] == "/account"
    assert "Your password is changed" in desk.get("/account").text
    browser.cookies.set(COOKIE, other)
    assert browser.get("/account").status_code == 303
    assert sign_in(browser, nurse, nurse.code(clock.now())) == 401
    assert sign_in(browser, nurse, nurse.code(clock.now()), NEW) == 303
    assert "user.password" in recorded(engine)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ({"present": "not this one"}, "This is not your password"),
        ({"again": "harbor-lantern-59"}, "This is not the same password"),
        ({"password": "short", "again": "short"}, "12 characters at least"),
        ({"password": "pat-clinical-2026", "again": "pat-clinical-2026"}, "tried first"),
        ({"present": ""}, "required"),
    ],
)
def test_nothing_is_changed_by_a_wrong_form(
    desk: TestClient, engine: Engine, typed: dict[str, str], told: str
) -> None:
    """A wrong present password, a slip, a weak or missing one: told beside the field."""
    before = recorded(engine)
    answer = desk.post(
        "/account/password", data={"present": PASSWORD, "password": NEW, "again": NEW} | typed
    )
    assert answer.status_code == 422
    assert told in answer.text
    assert recorded(engine) == before


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_an_open_browser_is_no_way_to_guess(
    desk: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After its tries even the right password is not taken for a quarter of an hour."""
    monkeypatch.setattr(sign_in_module, "MOST_TRIES_OF_NAME", 2)
    for _ in range(2):
        assert desk.post("/account/codes", data={"present": "a guess"}).status_code == 422
    answer = desk.post("/account/codes", data={"present": PASSWORD})
    assert answer.status_code == 422
    assert "too many tries" in answer.text


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_recovery_codes_are_renewed(
    desk: TestClient, browser: TestClient, nurse: Person, engine: Engine
) -> None:
    """The new ones are shown once, and one of them signs in once; earlier ones are over."""
    shown = desk.post("/account/codes", data={"present": PASSWORD})
    first = re.findall(r"<code>([a-z0-9-]+)</code>", shown.text)
    second = re.findall(
        r"<code>([a-z0-9-]+)</code>",
        desk.post("/account/codes", data={"present": PASSWORD}).text,
    )
    assert len(first) == len(second) == RECOVERY_CODES
    assert sign_in(browser, nurse, first[0]) == 401
    assert sign_in(browser, nurse, second[0]) == 303
    assert sign_in(browser, nurse, second[0]) == 401
    assert recorded(engine).count("user.recovery_codes") == 2


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_another_app_takes_over(
    desk: TestClient, browser: TestClient, nurse: Person, clock: FixedClock
) -> None:
    """Its first code confirms it; from then on codes of the earlier app are refused."""
    page = desk.get("/account/app").text
    key, sealed = shown_key(page)
    typed = {"present": PASSWORD, "offered": sealed, "code": "000000"}
    wrong = desk.post("/account/app", data=typed)
    assert wrong.status_code == 422
    assert shown_key(wrong.text)[0] == key  # the app need not be set up a second time
    typed["code"] = totp_code(key, clock.now())
    assert desk.post("/account/app", data=typed).status_code == 303
    clock.advance(minutes=1)
    assert sign_in(browser, nurse, nurse.code(clock.now())) == 401
    assert sign_in(browser, nurse, totp_code(key, clock.now())) == 303


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_key_is_offered_to_one_person_for_a_while(
    desk: TestClient, signed_in: SignedIn, person: MakePerson, clock: FixedClock
) -> None:
    """One that waited, one of somebody else and one made up are answered with a new key."""
    other = signed_in(actor=person("biller").actor)
    key, sealed = shown_key(desk.get("/account/app").text)
    foreign_key, foreign = shown_key(other.get("/account/app").text)
    for offered, code in (
        (foreign, totp_code(foreign_key, clock.now())),
        ("bm90aGluZw==", "000000"),
        ("é", "000000"),
    ):
        typed = {"present": PASSWORD, "offered": offered, "code": code}
        answer = desk.post("/account/app", data=typed)
        assert "here is a new one" in answer.text
        assert shown_key(answer.text)[0] not in {key, foreign_key}
    for _ in range(2):  # the person goes on working
        clock.instant += timedelta(minutes=8)
        assert desk.get("/account").status_code == 200
    typed = {"present": PASSWORD, "offered": sealed, "code": totp_code(key, clock.now())}
    assert "here is a new one" in desk.post("/account/app", data=typed).text


def shown_key(page: str) -> tuple[str, str]:
    """The key that a page shows for typing, and the same as the form carries it."""
    shown = re.search(r"<code>([A-Z2-7 ]+)</code>", page)
    carried = re.search(r'name="offered" value="([^"]+)"', page)
    assert shown is not None
    assert carried is not None
    return shown[1].replace(" ", ""), carried[1]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_own_browsers_are_signed_out_one_by_one(
    desk: TestClient,
    browser: TestClient,
    signed_in: SignedIn,
    nurse: Person,
    person: MakePerson,
    engine: Engine,
    clock: FixedClock,
) -> None:
    """The list ends a browser of one's own at once; somebody else's is not there."""
    browser.cookies.set(COOKIE, cookie_of(engine, nurse.actor, clock.now()))
    assert browser.get("/account").status_code == 200
    (path,) = re.findall(r'action="(/account/sign-ins/[0-9a-f-]+/end)"', desk.get("/account").text)
    stranger = signed_in(actor=person("biller").actor)
    assert stranger.post(path).status_code == 404
    assert browser.get("/account").status_code == 200
    assert desk.post(path).headers["location"] == "/account"
    assert browser.get("/account").status_code == 303
    assert desk.get("/account").status_code == 200

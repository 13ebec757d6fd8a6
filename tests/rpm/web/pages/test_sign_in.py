"""Signing in and out in a browser without a window."""

from collections.abc import Callable
from datetime import timedelta

from conftest import FixedClock
from signing_in import COOKIE, PASSWORD, Person, cookie_of
from sqlalchemy.engine import Engine
from sqlmodel import select
from starlette.testclient import TestClient

from rpm.store.engine import reading
from rpm.store.sign_ins import IDLE, LONGEST
from rpm.store.tables.security import AuditEvent

MakePerson = Callable[..., Person]


def form_of(person: Person, clock: FixedClock, **other: str) -> dict[str, str]:
    """What the person types."""
    typed = {"address": person.address, "password": PASSWORD, "code": person.code(clock.now())}
    return typed | other


def test_a_person_signs_in_and_out(
    browser: TestClient, person: MakePerson, clock: FixedClock
) -> None:
    """Address, password and code open the account; signing out closes it at once."""
    nurse = person("clinical_staff")
    assert browser.get("/account").headers["location"] == "/sign-in?next=/account"
    answer = browser.post("/sign-in", data=form_of(nurse, clock, next="/account"))
    assert (answer.status_code, answer.headers["location"]) == (303, "/account")
    page = browser.get("/account")
    assert nurse.actor.name_for_audit in page.text
    kept = browser.cookies[COOKIE]
    assert browser.post("/sign-out").headers["location"] == "/sign-in"
    assert "You are signed out" in browser.get("/sign-in").text
    browser.cookies.set(COOKIE, kept)
    assert browser.get("/account").status_code == 303


def test_every_wrong_is_answered_alike(
    browser: TestClient, person: MakePerson, clock: FixedClock
) -> None:
    """Wrong password, wrong code and unknown address get the same page; the address stays."""
    nurse = person("clinical_staff")
    wrongs = [{"password": "not this one!"}, {"code": "000000"}, {"address": "who@nowhere.example"}]
    answers = [browser.post("/sign-in", data=form_of(nurse, clock, **wrong)) for wrong in wrongs]
    assert {answer.status_code for answer in answers} == {401}
    texts = {
        answer.text.replace(nurse.address, "").replace("who@nowhere.example", "")
        for answer in answers
    }
    assert len(texts) == 1
    assert "is not right" in texts.pop()


def test_signing_in_leads_only_to_our_own_pages(
    browser: TestClient, person: MakePerson, clock: FixedClock
) -> None:
    """An address of another site in ``next`` is left out."""
    nurse = person("clinical_staff")
    hostile = form_of(nurse, clock, next="//evil.example/")
    assert browser.post("/sign-in", data=hostile).headers["location"] == "/"
    assert "evil" not in browser.get("/sign-in?next=https://evil.example").text


def test_an_open_page_keeps_a_person_for_a_quarter_of_an_hour(
    browser: TestClient, person: MakePerson, clock: FixedClock, engine: Engine
) -> None:
    """Each own request begins the quarter anew; after it the browser must sign in again."""
    browser.cookies.set(COOKIE, cookie_of(engine, person("biller").actor, clock.now()))
    for _ in range(3):
        clock.advance(minutes=14)
        assert browser.get("/account").status_code == 200
    clock.instant += IDLE
    assert browser.get("/account").status_code == 303


def test_nobody_stays_longer_than_twelve_hours(
    browser: TestClient, person: MakePerson, clock: FixedClock, engine: Engine
) -> None:
    """However busy the person is, a sign-in ends twelve hours after it began."""
    began = clock.now()
    browser.cookies.set(COOKIE, cookie_of(engine, person("biller").actor, began))
    while clock.now() + timedelta(minutes=10) < began + LONGEST:
        clock.advance(minutes=10)
        assert browser.get("/account").status_code == 200
    clock.instant = began + LONGEST
    assert browser.get("/account").status_code == 303


def test_signing_in_and_its_refusal_leave_a_trace(
    browser: TestClient, person: MakePerson, clock: FixedClock, engine: Engine
) -> None:
    """Both stand in the audit trail with the user."""
    nurse = person("clinical_staff")
    browser.post("/sign-in", data=form_of(nurse, clock, code="000000"))
    browser.post("/sign-in", data=form_of(nurse, clock))
    with reading(engine) as db:
        events = db.exec(select(AuditEvent).order_by(AuditEvent.number)).all()
    told = [(one.action, one.subject["user_id"]) for one in events[-2:]]
    user_id = nurse.actor.user_id.hex if nurse.actor.user_id else ""
    assert told == [("sign_in.refuse", user_id), ("sign_in.start", user_id)]


def test_errors_are_pages_for_people_and_problems_for_programs(browser: TestClient) -> None:
    """The same unknown address is a page with a way home, or a problem document."""
    page = browser.get("/nowhere")
    assert (page.status_code, page.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert 'href="/"' in page.text
    problem = browser.get("/nowhere", headers={"Accept": "application/json"})
    assert problem.json()["code"] == "not_found"
    assert browser.get("/v1/patients").headers["content-type"] == "application/problem+json"

"""Somebody who may approve others' time finishes or discards a timer that was left behind."""

import re
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from conftest import FixedClock
from sqlalchemy.engine import Engine
from sqlmodel import select
from starlette.testclient import TestClient

from rpm.access import Actor
from rpm.store.engine import reading
from rpm.store.tables.security import AuditEvent
from rpm.store.tables.timers import Timer
from tests.rpm.web.pages.test_timer_pages import Desk

SignedIn = Callable[..., TestClient]
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def desk(engine: Engine, actor: Actor, clock: FixedClock, signed_in: SignedIn) -> Desk:
    """A nurse who worked for two minutes and went home with the timer running."""
    desk = Desk(engine, actor, clock, signed_in("clinical_staff"))
    desk.start()
    desk.work(120)
    return desk


def left_behind(engine: Engine) -> Timer:
    """The one timer."""
    with reading(engine) as db:
        return db.exec(select(Timer)).one()


def last_event(engine: Engine, action: str) -> AuditEvent:
    """The latest of its kind."""
    with reading(engine) as db:
        query = select(AuditEvent).where(AuditEvent.action == action)
        return db.exec(query.order_by(AuditEvent.number.desc())).first()  # type: ignore[attr-defined,return-value]


def finish(browser: TestClient, timer: Timer, **changes: Any) -> Any:
    """The form is sent."""
    form = {
        "client_id": str(uuid4()),
        "contact": "review",
        "live": "no",
        "activity": "look at readings",
        "role": "rn",
        "reason": "went home",
    }
    return browser.post(f"/time/timers/{timer.id}/finish", data=form | changes)


def test_a_finished_timer_is_the_persons_entry(
    desk: Desk, engine: Engine, signed_in: SignedIn
) -> None:
    """It ends at the last activity, keeps its person, and says who finished it and why."""
    timer = left_behind(engine)
    desk.clock.advance(minutes=30)
    practitioner = signed_in("practitioner")
    assert f"/time/timers/{timer.id}/finish" in practitioner.get("/time").text
    assert "Pat Clinical Staff" in practitioner.get(f"/time/timers/{timer.id}/finish").text
    assert finish(practitioner, timer).headers["location"] == "/time"
    (entry,) = desk.entries()
    assert (entry.actor_user_id, entry.duration_seconds) == (timer.user_id, 120)
    assert entry.origin == "timer"
    assert entry.note == "Finished by Pat Practitioner: went home"
    event = last_event(engine, "timer.finish")
    assert (event.actor["name"], event.reason) == ("Pat Practitioner", "went home")
    with reading(engine) as db:
        assert db.exec(select(Timer)).all() == []


def test_only_who_may_approve_finishes_and_never_their_own(
    desk: Desk, engine: Engine, signed_in: SignedIn
) -> None:
    """Another nurse may not; one's own timer is stopped as ever; without a reason nothing is."""
    timer = left_behind(engine)
    assert finish(signed_in("clinical_staff"), timer).status_code == 403
    admin = signed_in("practice_admin")
    assert "Why do you finish it?" in finish(admin, timer, reason="").text
    answer = finish(admin, timer, contact="message", live="yes")
    assert "no live two-way talk" in answer.text
    admin.post("/time/start", data={"patient_id": str(desk.patient)})
    with reading(engine) as db:
        own = db.exec(select(Timer).where(Timer.id != timer.id)).one()
    assert finish(admin, own).status_code == 409
    assert desk.entries() == []


def test_a_timer_left_behind_may_be_discarded(
    desk: Desk, engine: Engine, signed_in: SignedIn
) -> None:
    """It leaves no entry; the audit trail keeps whose it was, how long, and who says why."""
    timer, admin = left_behind(engine), signed_in("practice_admin")
    place = f"/time/timers/{timer.id}/discard"
    assert admin.post(place, data={"reason": ""}).status_code == 422
    assert admin.post(place, data={"reason": "wrong chart"}).status_code == 303
    event = last_event(engine, "timer.discard")
    assert event.subject["user_id"] == timer.user_id.hex
    assert (event.subject["seconds"], event.reason) == (120, "wrong chart")
    assert desk.entries() == []


def test_the_last_role_is_chosen_already(desk: Desk) -> None:
    """Who stopped a timer as a registered nurse finds that role chosen the next time."""
    assert chosen_role(desk.browser.get("/time/stop").text) is None
    assert desk.stop(role="lpn").status_code == 303
    desk.start()
    assert chosen_role(desk.browser.get("/time/stop").text) == "lpn"


def chosen_role(page: str) -> str | None:
    """The role that the form proposes."""
    found = re.search(r'<option value="(\w+)" selected>(?:licensed|registered|medical)', page)
    return found[1] if found else None

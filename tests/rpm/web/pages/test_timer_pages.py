"""The timer on pages: every step is a form, and every page shows how it stands."""

import re
from collections.abc import Callable
from datetime import date
from typing import Any
from uuid import UUID, uuid4

import pytest
from conftest import FixedClock
from practice import Practice
from sqlalchemy.engine import Engine
from starlette.testclient import TestClient

from rpm.access import ROLE_PERMISSIONS, Actor
from rpm.store.engine import reading, transaction
from rpm.store.queries.entries import entries_page
from rpm.store.scope import Scope
from rpm.store.tables.ledger import InteractionEntry
from rpm.store.tables.monitoring import Episode
from rpm.store.tables.people import User


class Desk:
    """A nurse's browser and two patients."""

    def __init__(self, engine: Engine, actor: Actor, clock: FixedClock, nurse: TestClient) -> None:
        self.engine, self.actor, self.clock, self.browser = engine, actor, clock, nurse
        self.patient, self.other = self._enrolled("One"), self._enrolled("Two")

    def _enrolled(self, family_name: str) -> UUID:
        with transaction(self.engine) as session:
            practice = Practice(session, self.actor, self.actor, self.clock.now())
            patient = practice.register_patient(family_name=family_name)
            episode: Episode = practice.enroll(patient, opened_day=date(2025, 11, 3))
            return episode.patient_id

    def post(self, path: str, **form: Any) -> Any:
        """A form is sent."""
        return self.browser.post(path, data=form)

    def bar(self, chart: UUID | None = None) -> str:
        """The bar as it is shown now."""
        query = f"?chart={chart}" if chart else ""
        answer = self.browser.get(f"/time/bar{query}")
        assert answer.status_code == 200
        return str(answer.text)

    def timer_id(self) -> str:
        """The id that the bar's forms carry."""
        found = re.search(r'data-timer="([^"]+)"', self.bar())
        assert found is not None
        return found[1]

    def start(self, patient: UUID | None = None) -> str:
        """The timer runs."""
        assert self.post("/time/start", patient_id=patient or self.patient).status_code == 303
        return self.timer_id()

    def work(self, seconds: int) -> None:
        """The nurse is busy, and her page is heard."""
        timer_id = self.timer_id()
        for _ in range(seconds // 60):
            self.clock.advance(seconds=60)
            self.post("/time/beat", timer_id=timer_id)
        self.clock.advance(seconds=seconds % 60)

    def stop(self, **changes: Any) -> Any:
        """The form of a stop is sent."""
        form = {
            "timer_id": self.timer_id(),
            "client_id": uuid4(),
            "contact": "call",
            "live": "yes",
            "activity": "talk about readings",
            "role": "rn",
        }
        return self.post("/time/stop", **(form | changes))

    def entries(self) -> list[InteractionEntry]:
        """What is recorded."""
        with reading(self.engine) as session:
            return list(entries_page(session, Scope.of(self.actor)))


@pytest.fixture
def desk(
    engine: Engine, actor: Actor, clock: FixedClock, signed_in: Callable[..., TestClient]
) -> Desk:
    """A nurse at work."""
    return Desk(engine, actor, clock, signed_in("clinical_staff"))


def test_a_chart_offers_the_timer(desk: Desk) -> None:
    """On a chart with an open episode it says when it starts by itself, and there is a button."""
    shown = desk.bar(desk.patient)
    assert 'data-grace="5"' in shown
    assert "Start timer" in shown
    assert "Start timer" not in desk.bar()


def test_every_page_shows_the_timer(desk: Desk) -> None:
    """The account page knows nothing of timers and shows it all the same."""
    desk.start()
    desk.work(90)
    page = desk.browser.get("/account").text
    assert "1 min 30 s" in page
    assert "One, Pat" in page


def test_a_stop_is_the_entry(desk: Desk) -> None:
    """The form that stops the timer is all there is to fill in."""
    desk.start()
    desk.work(125)
    answer = desk.stop(template="All well.", note="Walks daily.")
    assert (answer.status_code, answer.headers["location"]) == (303, f"/patients/{desk.patient}")
    [entry] = desk.entries()
    assert (entry.duration_seconds, entry.origin, entry.mode) == (125, "timer", "live")
    assert entry.note == "All well.\nWalks daily."
    assert 'data-state="none"' in desk.bar()


def test_a_stop_that_says_too_little_is_asked_again(desk: Desk) -> None:
    """What was typed stays, the fields are named, and the timer is still there."""
    desk.start()
    desk.work(60)
    answer = desk.stop(live="", activity="", note="Walks daily.")
    assert answer.status_code == 422
    assert 'href="#f-live"' in answer.text
    assert 'href="#f-activity"' in answer.text
    assert "Walks daily." in answer.text
    assert desk.entries() == []
    assert 'data-state="running"' in desk.bar()


def test_a_stop_of_nothing_says_what_to_do(desk: Desk) -> None:
    """In the second of its start nothing was counted yet: it can be discarded."""
    desk.start()
    answer = desk.stop()
    assert answer.status_code == 422
    assert "discard the timer" in answer.text


def test_a_second_start_shows_the_way_out(desk: Desk) -> None:
    """From another chart the start is refused, and the same page offers to switch over."""
    desk.start()
    desk.work(60)
    answer = desk.post("/time/start", patient_id=desk.other)
    assert answer.status_code == 409
    assert "You already have a timer" in answer.text
    assert f'name="next_patient_id" value="{desk.other}"' in answer.text
    answer = desk.stop(next_patient_id=desk.other)
    assert answer.headers["location"] == f"/patients/{desk.other}"
    assert [entry.patient_id for entry in desk.entries()] == [desk.patient]
    assert "Two, Pat" in desk.bar()


def test_a_script_is_told_that_another_timer_runs(desk: Desk) -> None:
    """A start by itself changes nothing while another timer runs."""
    desk.start()
    answer = desk.browser.post(
        "/time/start", data={"patient_id": str(desk.other)}, headers={"Accept": "application/json"}
    )
    assert answer.status_code == 409
    assert "One, Pat" in desk.bar()


def test_the_idle_question_is_answered_on_any_page(desk: Desk) -> None:
    """After ten quiet minutes the bar asks; the answer decides what counts."""
    timer_id = desk.start()
    for minute in range(1, 11):
        desk.clock.advance(minutes=1)
        answer = desk.post("/time/beat", timer_id=timer_id, quiet_seconds=minute * 60)
    assert answer.json() == {"state": "asking", "timer_id": timer_id, "seconds": 600}
    assert "Still working?" in desk.bar()
    answer = desk.post("/time/answer", timer_id=timer_id, answer="drop-and-go-on")
    assert answer.status_code == 303
    desk.work(30)
    desk.stop()
    assert [entry.duration_seconds for entry in desk.entries()] == [30]


def test_beats_keep_nobody_signed_in(desk: Desk) -> None:
    """A page left open beats on, and its person is signed out after a quarter of an hour."""
    timer_id = desk.start()
    for minute in range(1, 16):
        desk.clock.advance(minutes=1)
        answer = desk.browser.post(
            "/time/beat",
            data={"timer_id": timer_id, "quiet_seconds": minute * 60},
            headers={"Accept": "application/json"},
        )
    assert answer.status_code == 401


def test_signing_out_ends_the_interval(desk: Desk, signed_in: Callable[..., TestClient]) -> None:
    """Who signs out while the timer runs finds it ended there at the next sign-in."""
    desk.start()
    desk.work(100)
    with reading(desk.engine) as session:
        [nurse] = [
            row
            for row in Scope.of(desk.actor).all_of(session, User)
            if row.role == "clinical_staff"
        ]
    desk.post("/sign-out")
    desk.clock.advance(hours=1)
    held = ROLE_PERMISSIONS["clinical_staff"]
    actor = Actor(nurse.organization_id, nurse.id, None, nurse.role, held, nurse.name)
    desk.browser = signed_in(actor=actor)
    assert "You were signed out" in desk.bar()
    desk.stop()
    assert [entry.duration_seconds for entry in desk.entries()] == [100]


def test_an_old_page_is_told_that_its_timer_is_gone(desk: Desk) -> None:
    """A window that still shows a stopped timer draws itself anew."""
    timer_id = desk.start()
    desk.work(60)
    desk.stop()
    assert desk.post("/time/beat", timer_id=timer_id).json()["state"] == "gone"


def test_a_discarded_timer_needs_a_reason(desk: Desk) -> None:
    """Without a reason it stays; with one it is gone and nothing is recorded."""
    timer_id = desk.start()
    desk.work(60)
    assert desk.post("/time/discard", timer_id=timer_id).status_code == 422
    answer = desk.post("/time/discard", timer_id=timer_id, reason="wrong chart")
    assert answer.status_code == 303
    assert desk.entries() == []


def test_without_a_timer_there_is_nothing_to_stop(desk: Desk) -> None:
    """The form leads on instead of failing."""
    assert desk.browser.get("/time/stop").headers["location"] == "/time"


def test_who_logs_no_work_has_no_timer(signed_in: Callable[..., TestClient]) -> None:
    """A biller's pages have no bar, and its addresses are refused."""
    biller = signed_in("biller")
    assert "ledger-timer" not in biller.get("/account").text
    assert biller.get("/time/stop").status_code == 403

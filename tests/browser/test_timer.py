"""The timer in a real browser: whatever happens to the page, the right interval is recorded."""

import time
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from urllib.parse import parse_qs
from uuid import UUID

import pytest
from conftest import START, FixedClock
from playwright.sync_api import BrowserContext, Page, Request, expect
from practice import Practice
from signing_in import Person
from sqlalchemy.engine import Engine
from windows import AtWork, Complaints, Machine, MakePerson, PageOf, Served, no_violations

from rpm.access import Actor
from rpm.actions.set_practice_setting import SetPracticeSetting, set_practice_setting
from rpm.store.engine import reading
from rpm.store.queries.entries import entries_page
from rpm.store.queries.timers import timer_of
from rpm.store.scope import Scope
from rpm.store.tables.people import Patient

BEATS_BY_THE_TEST = """
const every = window.setInterval;
window.setInterval = (what, pause) => (pause < 15000 ? every(what, pause) : 0);
const machine = Date.now.bind(Date);
window.ahead = 0;
Date.now = () => machine() + window.ahead;
"""
"""Only the test's beats are sent, and the machine's clock goes on with the server's."""


@dataclass
class Ward:
    """A nurse at a machine, and patients with charts."""

    engine: Engine
    actor: Actor
    clock: FixedClock
    served: Served
    machine: Machine
    nurse: Person
    context: BrowserContext
    patients: list[UUID]

    def window(self) -> Page:
        """A window of the nurse's machine, whose beats the test sends."""
        page = self.context.new_page()
        page.add_init_script(BEATS_BY_THE_TEST)
        return page

    def open(self, page: Page, number: int = 0) -> None:
        """Open a chart."""
        page.goto(f"/patients/{self.patients[number]}")

    def pass_time(self, *pages: Page, seconds: int) -> None:
        """Let time pass while the pages beat, as they do by themselves."""
        for _ in range(seconds // 15):
            self.go_on(*pages, seconds=15)
            for page in pages:
                beat(page)
        self.go_on(*pages, seconds=seconds % 15)

    def go_on(self, *pages: Page, seconds: int) -> None:
        """Time passes on the server and on the machine."""
        self.clock.advance(seconds=seconds)
        for page in pages:
            page.evaluate("(seconds) => { ahead += seconds * 1000; }", seconds)

    def record_number(self, number: int) -> str:
        """The practice's number of a patient."""
        with reading(self.engine) as session:
            return Scope.of(self.actor).get(session, Patient, self.patients[number]).record_number

    def settle_at(self, seconds: int) -> None:
        """Wait until the window's goodbye was heard: what counts then is this."""
        until = time.monotonic() + 15
        while time.monotonic() < until:
            with reading(self.engine) as session:
                row = timer_of(session, Scope.of(self.actor), self.user_id)
                if row is not None and row.beat_at == START + timedelta(seconds=seconds):
                    return
            time.sleep(0.02)
        raise AssertionError("the window left without a word")

    def sign_in_again(self) -> Page:
        """Sign the nurse in on another machine."""
        self.context = self.machine(self.nurse)
        return self.window()

    @property
    def user_id(self) -> UUID:
        """The nurse."""
        assert self.nurse.actor.user_id is not None
        return self.nurse.actor.user_id

    def intervals(self) -> list[tuple[UUID, int]]:
        """Patient and seconds of what is recorded."""
        with reading(self.engine) as session:
            rows = entries_page(session, Scope.of(self.actor))
            return [(row.patient_id, row.duration_seconds) for row in rows]


def beat(page: Page, quiet_seconds: int = 0) -> None:
    """The page sends the beat that is due; the person was quiet for so long."""
    page.evaluate(
        "async (quiet) => { touchedAt = Date.now() - quiet * 1000;"
        " await document.querySelector('ledger-timer').beat(); }",
        quiet_seconds,
    )


def timer(page: Page) -> Any:
    """The bar."""
    return page.locator("ledger-timer")


def start(page: Page) -> None:
    """Start by hand; the grace would do it a little later."""
    page.get_by_role("button", name="Start timer").click()
    expect(timer(page).get_by_text("running", exact=True)).to_be_visible()


def stop(page: Page) -> None:
    """Fill in what was done, and record it."""
    timer(page).get_by_role("link", name="Stop").click()
    page.get_by_label("Yes", exact=True).check()
    page.get_by_label("What did you do?").fill("talk about readings")
    page.get_by_label("You worked as").select_option("rn")
    page.get_by_role("button", name="Record").click()
    expect(page.get_by_role("status").filter(has_text="recorded")).to_be_visible()


@pytest.fixture
def ward(
    engine: Engine,
    actor: Actor,
    clock: FixedClock,
    served: Served,
    at_work: AtWork,
    machine: Machine,
    person: MakePerson,
) -> Ward:
    """A nurse signed in, and two patients."""

    patients: list[UUID] = []

    def enrolled(practice: Practice) -> None:
        patients.append(practice.enroll(opened_day=date(2025, 11, 3)).patient_id)

    for _ in range(2):
        at_work(enrolled)
    nurse = person("clinical_staff")
    grace(at_work, "off")
    return Ward(engine, actor, clock, served, machine, nurse, machine(nurse), patients)


def grace(at_work: AtWork, seconds: str) -> None:
    """The practice chooses when a chart starts the timer of clinical staff."""
    command = SetPracticeSetting(
        key="timer_grace_clinical_staff", value=seconds, reason="as we work"
    )
    at_work(
        lambda practice: set_practice_setting(practice.db, practice.actor, practice.now, command)
    )


def test_a_timer_starts_with_the_chart_and_stops_as_an_entry(ward: Ward, at_work: AtWork) -> None:
    """The chart is opened, the timer starts after its grace, ticks, and its stop is the entry."""
    grace(at_work, "1")
    page = ward.window()
    ward.open(page)
    expect(timer(page).get_by_text("running", exact=True)).to_be_visible()
    expect(timer(page).locator(".timer-clock")).not_to_have_text("0 s")
    ward.pass_time(page, seconds=120)
    no_violations(page)
    stop(page)
    assert ward.intervals() == [(ward.patients[0], 120)]


def test_a_closed_window_ends_the_interval_when_it_closed(ward: Ward) -> None:
    """The window says goodbye when it is closed; a minute later nothing more was counted."""
    page = ward.window()
    ward.open(page)
    start(page)
    ward.pass_time(page, seconds=100)
    page.close(run_before_unload=True)
    ward.settle_at(100)
    ward.clock.advance(minutes=30)
    again = ward.sign_in_again()
    again.goto("/account")
    expect(timer(again).get_by_text("ended by itself")).to_be_visible()
    no_violations(again)
    stop(again)
    assert ward.intervals() == [(ward.patients[0], 100)]


def test_a_crashed_window_ends_the_interval_at_its_last_beat(ward: Ward) -> None:
    """A window that is gone without a word counts up to when it was last heard."""
    page = ward.window()
    ward.open(page)
    start(page)
    ward.pass_time(page, seconds=60)
    page.route("**/time/beat", lambda route: route.abort())
    page.close()
    ward.clock.advance(minutes=30)
    again = ward.sign_in_again()
    again.goto("/account")
    stop(again)
    assert ward.intervals() == [(ward.patients[0], 60)]


def test_a_pulled_network_ends_the_interval_at_the_last_beat(
    ward: Ward, complaints: Complaints
) -> None:
    """The page says that it is not connected; when it is again, it shows where the time ended."""
    complaints.expect("ERR_INTERNET_DISCONNECTED")
    page = ward.window()
    ward.open(page)
    start(page)
    ward.pass_time(page, seconds=90)
    ward.context.set_offline(True)
    beat(page)
    expect(timer(page).get_by_text("not connected")).to_be_visible()
    ward.go_on(page, seconds=300)
    ward.context.set_offline(False)
    beat(page)
    expect(timer(page).get_by_text("the connection lost")).to_be_visible()
    stop(page)
    assert ward.intervals() == [(ward.patients[0], 90)]


def test_a_short_gap_of_the_network_costs_nothing(ward: Ward, complaints: Complaints) -> None:
    """A minute without a connection is counted once the page is heard again."""
    complaints.expect("ERR_INTERNET_DISCONNECTED")
    page = ward.window()
    ward.open(page)
    start(page)
    ward.pass_time(page, seconds=30)
    ward.context.set_offline(True)
    ward.go_on(page, seconds=60)
    beat(page)
    ward.context.set_offline(False)
    beat(page)
    expect(timer(page).get_by_text("running", exact=True)).to_be_visible()
    stop(page)
    assert ward.intervals() == [(ward.patients[0], 90)]


def test_two_windows_show_and_count_one_timer(ward: Ward) -> None:
    """A second window starts no second timer; both tick, beat and stop the same one."""
    first, second = ward.window(), ward.window()
    ward.open(first)
    start(first)
    ward.open(second, 1)
    expect(timer(second).get_by_role("link", name="Switch to this patient")).to_be_visible()
    ward.pass_time(first, second, seconds=60)
    timer(second).get_by_role("link", name="Switch to this patient").click()
    second.get_by_label("No", exact=True).check()
    second.get_by_label("What did you do?").fill("review")
    second.get_by_label("You worked as").select_option("rn")
    second.get_by_role("button", name="Record, and start").click()
    expect(timer(second).get_by_text("running", exact=True)).to_be_visible()
    # the first window, still on the first chart, draws the new timer by itself
    expect(timer(first).get_by_role("link", name="Switch to this patient")).to_be_visible()
    ward.pass_time(first, second, seconds=45)
    stop(first)
    expect(timer(second).get_by_role("button", name="Start timer")).to_be_visible()
    assert ward.intervals() == [(ward.patients[0], 60), (ward.patients[1], 45)]


def test_an_idle_lunch_is_left_out_when_nobody_answers(ward: Ward, complaints: Complaints) -> None:
    """The page stays open over a long lunch: the interval ends at the last activity."""
    complaints.expect("401")
    page = ward.window()
    ward.open(page)
    start(page)
    ward.pass_time(page, seconds=120)
    for minute in range(1, 12):
        ward.go_on(page, seconds=60)
        beat(page, quiet_seconds=minute * 60)
    expect(timer(page).get_by_role("alert")).to_contain_text("Still working?")
    no_violations(page)
    ward.clock.advance(hours=1)
    page.evaluate("() => { document.querySelector('ledger-timer').beat(); }")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    again = ward.sign_in_again()
    again.goto("/account")
    expect(timer(again).get_by_text("ended at your last activity")).to_be_visible()
    stop(again)
    assert ward.intervals() == [(ward.patients[0], 120)]


@pytest.mark.parametrize(
    ("answer", "seconds"),
    [("keep it", [780]), ("go on", [120, 60]), ("Leave it out, stop", [120])],
)
def test_the_idle_question_has_three_answers(ward: Ward, answer: str, seconds: list[int]) -> None:
    """After ten quiet minutes each answer does what its button says."""
    page = ward.window()
    ward.open(page)
    start(page)
    ward.pass_time(page, seconds=120)
    for minute in range(1, 11):
        ward.go_on(page, seconds=60)
        beat(page, quiet_seconds=minute * 60)
    timer(page).get_by_role("button", name=answer).click()
    if "stop" not in answer:
        expect(timer(page).get_by_text("running", exact=True)).to_be_visible()
        ward.pass_time(page, seconds=60)
    stop(page)
    assert [length for _, length in ward.intervals()] == seconds


def test_signing_out_while_running_ends_the_interval_there(ward: Ward) -> None:
    """Signed out with the button: the interval ends at that moment and waits to be said."""
    page = ward.window()
    ward.open(page)
    start(page)
    ward.pass_time(page, seconds=75)
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    ward.clock.advance(hours=2)
    again = ward.sign_in_again()
    again.goto("/account")
    expect(timer(again).get_by_text("You were signed out")).to_be_visible()
    stop(again)
    assert ward.intervals() == [(ward.patients[0], 75)]


def test_a_server_restart_costs_nothing(ward: Ward, complaints: Complaints) -> None:
    """The server is stopped and started while the timer runs: it runs on."""
    complaints.expect("ERR_CONNECTION_REFUSED|ERR_CONNECTION_RESET|ERR_EMPTY_RESPONSE")
    page = ward.window()
    ward.open(page)
    start(page)
    ward.pass_time(page, seconds=60)
    ward.served.stop()
    ward.go_on(page, seconds=60)
    ward.served.start()
    ward.pass_time(page, seconds=30)
    expect(timer(page).get_by_text("running", exact=True)).to_be_visible()
    stop(page)
    assert ward.intervals() == [(ward.patients[0], 150)]


def quiet_seconds(request: Request) -> int:
    """What a beat tells."""
    return int(parse_qs(request.post_data or "")["quiet_seconds"][0])


def test_a_page_beats_by_itself(ward: Ward) -> None:
    """Every quarter of a minute the page is heard, and tells how long nobody has touched it."""
    page = ward.context.new_page()
    page.clock.install()
    ward.open(page)
    start(page)
    with page.expect_request("**/time/beat") as first:
        page.clock.run_for(15_000)
    with page.expect_request("**/time/beat") as second:
        page.clock.run_for(15_000)
    page.keyboard.press("Shift")
    with page.expect_request("**/time/beat") as third:
        page.clock.run_for(15_000)
    assert quiet_seconds(first.value) in {14, 15}
    assert quiet_seconds(second.value) in {29, 30}
    assert quiet_seconds(third.value) in {14, 15}


def test_the_keyboard_does_it_all(ward: Ward) -> None:
    """Pause, go on and stop without a mouse."""
    page = ward.window()
    ward.open(page)
    page.keyboard.press("Alt+Shift+KeyP")
    expect(timer(page).get_by_text("running", exact=True)).to_be_visible()
    ward.pass_time(page, seconds=30)
    page.keyboard.press("Alt+Shift+KeyP")
    expect(timer(page).get_by_text("paused", exact=True)).to_be_visible()
    ward.clock.advance(minutes=3)
    page.keyboard.press("Alt+Shift+KeyP")
    expect(timer(page).get_by_text("running", exact=True)).to_be_visible()
    ward.pass_time(page, seconds=15)
    page.keyboard.press("Alt+Shift+KeyS")
    expect(page.get_by_role("heading", name="Stop the timer")).to_be_visible()
    no_violations(page)


def test_the_screens_of_time_are_for_everybody(
    ward: Ward, page_of: PageOf, complaints: Complaints
) -> None:
    """The log, the typed form, an entry and the way out of a second start break no rule."""
    complaints.expect("status of (409|422)")
    page = ward.window()
    page.goto("/time/type")
    page.get_by_label("Record number of the patient").fill(ward.record_number(0))
    page.get_by_label("Yes", exact=True).check()
    page.get_by_label("Minutes").fill("45")
    page.get_by_label("What did you do?").fill("talk about readings")
    page.get_by_label("You worked as").select_option("rn")
    page.get_by_label("Why is it typed?").fill("called from the car")
    no_violations(page)
    page.get_by_role("button", name="Record").click()
    expect(page.get_by_text("somebody else decides")).to_be_visible()
    doctor = page_of("practitioner")
    doctor.goto("/time")
    no_violations(doctor)
    doctor.get_by_label("Why do you approve or refuse it?").fill("I heard the call")
    doctor.get_by_role("button", name="Approve").click()
    expect(doctor.get_by_text("It is approved and recorded.")).to_be_visible()
    page.goto("/time")
    no_violations(page)
    page.locator("table").get_by_role("link").click()
    expect(page.get_by_role("heading", name="Take it back")).to_be_visible()
    no_violations(page)
    ward.open(page)
    start(page)
    other = ward.window()
    ward.open(other, 1)
    timer(other).get_by_role("link", name="Switch to this patient").click()
    no_violations(other)
    other.get_by_role("button", name="Record, and start").click()
    assert ward.intervals() == [(ward.patients[0], 2700)]

"""A person's timer in the record: one at a time, and its stop is the entry."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from practice import Practice

from rpm.access import Actor
from rpm.actions.log_entry import Logged
from rpm.actions.run_timer import (
    AnswerTimer,
    BeatTimer,
    OneTimer,
    StartTimer,
    answer_timer,
    beat_timer,
    end_on_sign_out,
    pause_timer,
    resume_timer,
    settle_timers,
    start_timer,
)
from rpm.actions.stop_timer import (
    DiscardTimer,
    StopTimer,
    SwitchTimer,
    discard_timer,
    stop_timer,
    switch_timer,
)
from rpm.errors import Conflict, InvalidRequest, NotAllowed, NotFound
from rpm.store.queries.timers import timer_of
from rpm.store.scope import Scope
from rpm.store.tables.monitoring import Episode
from rpm.store.tables.timers import Timer


class Desk:
    """A nurse at work for one patient, by a clock in seconds after the practice's now."""

    def __init__(self, practice: Practice) -> None:
        self.practice = practice
        self.episode = practice.enroll()
        _, self.nurse = practice.add_user("clinical_staff")
        self.begin = practice.now

    def at(self, seconds: float) -> datetime:
        """So many seconds after the beginning."""
        return self.begin + timedelta(seconds=seconds)

    def start(self, seconds: float = 0, episode: Episode | None = None) -> Timer:
        """The nurse opens a chart."""
        command = StartTimer(patient_id=(episode or self.episode).patient_id)
        return start_timer(self.practice.db, self.nurse, self.at(seconds), command)

    def beat(self, timer: Timer, seconds: float, quiet_seconds: int = 0) -> Timer:
        """The page is heard."""
        command = BeatTimer(timer_id=timer.id, quiet_seconds=quiet_seconds)
        return beat_timer(self.practice.db, self.nurse, self.at(seconds), command)

    def work(self, timer: Timer, until: int) -> None:
        """The nurse is busy, and the page is heard every minute."""
        for second in range(60, until, 60):
            self.beat(timer, second)

    def content(self, timer: Timer, **changes: Any) -> dict[str, Any]:
        """What the nurse says when she stops."""
        return {
            "timer_id": timer.id,
            "client_id": uuid4(),
            "contact": "call",
            "live": True,
            "activity": "talk about readings",
            "role": "rn",
        } | changes

    def stop(self, timer: Timer, seconds: float, **changes: Any) -> Logged:
        """The nurse stops."""
        command = StopTimer(**self.content(timer, **changes))
        return stop_timer(self.practice.db, self.nurse, self.at(seconds), command)

    def mine(self) -> Timer | None:
        """The nurse's timer."""
        user_id = self.nurse.user_id
        assert user_id is not None
        return timer_of(self.practice.db, Scope.of(self.nurse), user_id)


@pytest.fixture
def desk(practice: Practice) -> Desk:
    """A nurse and a patient."""
    return Desk(practice)


def test_stopping_is_the_entry(desk: Desk) -> None:
    """The entry holds the interval to the second, the person, the program and that it was timed."""
    timer = desk.start()
    desk.work(timer, 700)
    [entry] = desk.stop(timer, 700.9, note="all within limits").entries
    assert (entry.started_at, entry.duration_seconds) == (desk.begin, 700)
    assert (entry.origin, entry.work, entry.mode) == ("timer", "RPM", "live")
    assert (entry.actor_user_id, entry.role) == (desk.nurse.user_id, "rn")
    assert (entry.episode_id, entry.note) == (desk.episode.id, "all within limits")
    assert entry.activity == "phone call: talk about readings"
    assert desk.mine() is None
    assert desk.practice.last_event().action == "entry.log"


def test_a_running_timer_is_no_fact(desk: Desk) -> None:
    """Starting, beating and pausing write no audit event: nothing is recorded before the stop."""
    number = desk.practice.last_event().number
    timer = desk.start()
    desk.beat(timer, 15)
    pause_timer(desk.practice.db, desk.nurse, desk.at(20), OneTimer(timer_id=timer.id))
    assert desk.practice.last_event().number == number


def test_each_interval_is_an_entry(desk: Desk) -> None:
    """A pause splits the work in two entries; the same stop again gives the same two."""
    timer = desk.start()
    one = OneTimer(timer_id=timer.id)
    pause_timer(desk.practice.db, desk.nurse, desk.at(100), one)
    resume_timer(desk.practice.db, desk.nurse, desk.at(300), one)
    content = desk.content(timer)
    first = stop_timer(desk.practice.db, desk.nurse, desk.at(350), StopTimer(**content))
    assert [(entry.started_at, entry.duration_seconds) for entry in first.entries] == [
        (desk.begin, 100),
        (desk.at(300), 50),
    ]
    rows = desk.practice.rows()
    again = stop_timer(desk.practice.db, desk.nurse, desk.at(400), StopTimer(**content))
    assert {entry.id for entry in again.entries} == {entry.id for entry in first.entries}
    assert desk.practice.rows() == rows


def test_across_midnight_it_is_two_entries(desk: Desk) -> None:
    """Work through the practice's midnight lies on both days."""
    desk.begin = datetime(2026, 1, 16, 4, 50, tzinfo=UTC)  # 23:50 in New York
    timer = desk.start()
    desk.work(timer, 1200)
    entries = desk.stop(timer, 1200).entries
    assert [(entry.local_day, entry.duration_seconds) for entry in entries] == [
        (date(2026, 1, 15), 600),
        (date(2026, 1, 16), 600),
    ]


@pytest.mark.parametrize(
    ("begin", "day"),
    [
        (datetime(2026, 3, 8, 6, 50, tzinfo=UTC), date(2026, 3, 8)),  # 01:50, then it is 03:00
        (datetime(2026, 11, 1, 5, 50, tzinfo=UTC), date(2026, 11, 1)),  # 01:50, then 01:00 again
    ],
)
def test_seconds_are_right_when_clocks_change(desk: Desk, begin: datetime, day: date) -> None:
    """Through an hour that is skipped or comes twice the timer counts what passed."""
    desk.begin = begin
    timer = desk.start()
    desk.work(timer, 1800)
    [entry] = desk.stop(timer, 1800).entries
    assert (entry.local_day, entry.duration_seconds) == (day, 1800)


def test_a_person_has_one_timer(desk: Desk) -> None:
    """A second start for another patient is refused; for the same one it is the same timer."""
    timer = desk.start()
    other = desk.practice.enroll()
    with desk.practice.refused(Conflict):
        desk.start(10, other)
    assert desk.start(20).id == timer.id


def test_two_people_each_have_one(desk: Desk) -> None:
    """Another nurse may work for the same patient at the same time."""
    timer = desk.start()
    _, desk.nurse = desk.practice.add_user("clinical_staff")
    assert desk.start().id != timer.id


def test_switching_stops_one_and_starts_the_other(desk: Desk) -> None:
    """The first timer is an entry, the next runs for the other patient."""
    timer, other = desk.start(), desk.practice.enroll()
    command = SwitchTimer(**desk.content(timer), next_patient_id=other.patient_id)
    logged, running = switch_timer(desk.practice.db, desk.nurse, desk.at(90), command)
    assert [entry.duration_seconds for entry in logged.entries] == [90]
    assert (running.patient_id, running.since) == (other.patient_id, desk.at(90))


def test_another_timer_is_not_stopped_by_an_old_page(desk: Desk) -> None:
    """A page that still shows a timer that ended cannot end the one after it."""
    first = desk.start()
    desk.stop(first, 60)
    second = desk.start(70)
    with desk.practice.refused(Conflict):
        desk.stop(first, 80)
    with desk.practice.refused(Conflict):
        desk.beat(first, 80)
    assert second.since == desk.at(70)


def test_without_a_timer_nothing_is_stopped(desk: Desk) -> None:
    """A stop of nothing says so."""
    with desk.practice.refused(NotFound):
        stop_timer(
            desk.practice.db,
            desk.nurse,
            desk.at(1),
            StopTimer(**desk.content(Timer(id=uuid4()))),
        )


def test_a_timer_of_no_second_is_discarded(desk: Desk) -> None:
    """Not a second makes no entry; it may be discarded, for a reason that the audit trail keeps."""
    timer = desk.start()
    with desk.practice.refused(InvalidRequest):
        desk.stop(timer, 0)
    command = DiscardTimer(timer_id=timer.id, reason="opened the wrong chart")
    discard_timer(desk.practice.db, desk.nurse, desk.at(30), command)
    event = desk.practice.last_event()
    assert (event.action, event.reason) == ("timer.discard", "opened the wrong chart")
    assert event.subject["seconds"] == 30
    assert desk.mine() is None


@pytest.mark.parametrize("contact", ["message", "review"])
def test_what_cannot_be_live_is_refused(desk: Desk, contact: str) -> None:
    """A message is no live two-way talk, whatever is ticked."""
    timer = desk.start()
    with desk.practice.refused(InvalidRequest):
        desk.stop(timer, 60, contact=contact)


@pytest.mark.parametrize(
    ("contact", "live", "mode"),
    [
        ("call", True, "live"),
        ("call", False, "voicemail"),
        ("message", False, "text"),
        ("review", False, "async"),
        ("video", True, "live"),
    ],
)
def test_the_ledger_gets_its_own_word(desk: Desk, contact: str, live: bool, mode: str) -> None:
    """How somebody worked becomes the mode that the rules know."""
    [entry] = desk.stop(desk.start(), 60, contact=contact, live=live).entries
    assert entry.mode == mode


def test_idle_time_is_kept_or_dropped_as_said(desk: Desk) -> None:
    """Ten minutes after the last activity it asks; here the idle part is dropped."""
    timer = desk.start()
    desk.beat(timer, 100)
    for second in range(200, 801, 100):
        desk.beat(timer, second, quiet_seconds=second - 100)
    command = AnswerTimer(timer_id=timer.id, answer="drop-and-go-on")
    answer_timer(desk.practice.db, desk.nurse, desk.at(800), command)
    logged = desk.stop(timer, 860)
    assert [entry.duration_seconds for entry in logged.entries] == [100, 60]


def test_what_ended_by_itself_is_settled_by_the_job(desk: Desk) -> None:
    """A closed page ends at its last beat, also in the row once the job has looked."""
    timer = desk.start()
    desk.beat(timer, 45)
    scope = Scope.of(desk.practice.actor)
    assert settle_timers(desk.practice.db, scope, desk.at(60)) == 0
    assert settle_timers(desk.practice.db, scope, desk.at(5_000)) == 1
    assert settle_timers(desk.practice.db, scope, desk.at(5_060)) == 0
    assert (timer.since, timer.pause) == (None, "lost")
    [entry] = desk.stop(timer, 6_000).entries
    assert entry.duration_seconds == 45


@pytest.mark.parametrize(("by_hand", "seconds"), [(True, 100), (False, 40)])
def test_signing_out_ends_the_interval(desk: Desk, by_hand: bool, seconds: int) -> None:
    """Signed out by hand it ends now, else at the last activity; the entry is still to be said."""
    timer = desk.start()
    desk.beat(timer, 100, quiet_seconds=60)
    end_on_sign_out(desk.practice.db, desk.nurse, desk.at(100), by_hand=by_hand)
    [entry] = desk.stop(timer, 500).entries
    assert entry.duration_seconds == seconds


def test_a_patient_without_an_open_episode_has_no_timer(desk: Desk) -> None:
    """There is nothing that the time could be logged for."""
    patient = desk.practice.register_patient()
    with desk.practice.refused(InvalidRequest):
        start_timer(desk.practice.db, desk.nurse, desk.begin, StartTimer(patient_id=patient.id))


def test_timers_need_their_permission(desk: Desk) -> None:
    """Who may not log work has no timer, and nobody touches another practice's."""
    timer = desk.start()
    biller = desk.practice.add_user("biller")[1]
    beat = BeatTimer(timer_id=timer.id)
    with desk.practice.refused(NotAllowed):
        beat_timer(desk.practice.db, biller, desk.begin, beat)
    with desk.practice.refused(NotFound):
        beat_timer(desk.practice.db, desk.practice.stranger, desk.begin, beat)
    with desk.practice.refused(NotFound):
        command = StartTimer(patient_id=desk.episode.patient_id)
        start_timer(desk.practice.db, desk.practice.stranger, desk.begin, command)


def test_the_service_itself_has_no_timer(desk: Desk) -> None:
    """A timer belongs to a user."""
    nobody: Actor = replace(desk.nurse, user_id=None)
    with desk.practice.refused(InvalidRequest):
        command = StartTimer(patient_id=desk.episode.patient_id)
        start_timer(desk.practice.db, nobody, desk.begin, command)

"""R14 through the browser: two people, one of them in two windows, and no second counts twice.

A case is a walk of starts, pauses, stops and races of both windows, on two patients, while the
clock goes on. A plain set of seconds is kept beside it: whose, for which patient, which second.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from random import Random
from uuid import UUID, uuid4

import pytest
from conftest import FixedClock
from ledger_practice import Practice
from playwright.sync_api import Page
from promised import Promised
from sqlalchemy.engine import Engine
from test_seconds import OPENED, counted
from windows import Complaints, Machine, MakePerson, Served

from rpm.store.engine import reading
from rpm.store.queries.entries import entries_page
from rpm.store.scope import Scope
from rpm.store.tables.ledger import InteractionEntry

EVENING = datetime(2026, 1, 31, 3, 50, tzinfo=UTC)  # 22:50 in New York, the month's last night
STEPS = 8
REFUSED = {404, 409}
SEND = """
([path, form]) => {
  window.sent = fetch(path, {
    method: "POST", body: new URLSearchParams(form), redirect: "manual",
    headers: { Accept: "application/json" },
  }).then(async (answer) => [answer.status, answer.status === 200 ? await answer.json() : null]);
}
"""


@dataclass
class Worker:
    """A person as plain sets see them."""

    windows: list[Page]
    timer_id: str | None = None
    patient: UUID | None = None
    since: datetime | None = None
    pending: set[tuple[UUID, datetime]] = field(default_factory=set)
    worked: set[tuple[UUID, datetime]] = field(default_factory=set)

    def stand_still(self, now: datetime) -> None:
        """What ran until now is kept."""
        while self.since is not None and self.since < now:
            assert self.patient is not None
            self.pending.add((self.patient, self.since))
            self.since += timedelta(seconds=1)
        self.since = None

    def end(self) -> None:
        """There is no timer any more."""
        self.timer_id = self.patient = self.since = None
        self.pending = set()


class Walk:
    """One case: what was done in windows, and the sets beside it."""

    def __init__(self, draw: Random, clock: FixedClock, patients: list[UUID]) -> None:
        self.draw, self.clock, self.patients = draw, clock, patients

    def send(self, page: Page, path: str, **form: str) -> None:
        """A window sends a form; its answer is taken later."""
        page.evaluate(SEND, [path, form])

    def answer(self, page: Page) -> tuple[int, dict[str, str] | None]:
        """Status and content of the answer; 0 for a way on to another page."""
        status, content = page.evaluate("() => window.sent")
        return status, content

    def shown(self, page: Page) -> str:
        """The timer that a window shows, which may be an old one."""
        found = page.evaluate("() => document.querySelector('ledger-timer').dataset.timer ?? ''")
        return found or str(uuid4())

    def step(self, who: Worker) -> None:
        """Something happens in one of a person's windows, or in both at once."""
        page = self.draw.choice(who.windows)
        deed = self.draw.choice((self.start, self.start, self.pause, self.resume, self.stop))
        if len(who.windows) > 1 and who.timer_id is None and self.draw.random() < 0.5:
            self.race(who)
        else:
            deed(who, page)
        self.pass_time(self.draw.randrange(0, 15))

    def race(self, who: Worker) -> None:
        """Both windows start a timer at once, each for another patient: one of them has it."""
        for page, patient in zip(who.windows, self.patients, strict=True):
            self.send(page, "/time/start", patient_id=str(patient))
        answers = [self.answer(page) for page in who.windows]
        assert sorted(status for status, _ in answers) == [200, 409]
        for (status, content), patient in zip(answers, self.patients, strict=True):
            if status == 200:
                self._started(who, patient, content)

    def start(self, who: Worker, page: Page) -> None:
        """A timer for a patient, if there is none yet."""
        patient = self.draw.choice(self.patients)
        self.send(page, "/time/start", patient_id=str(patient))
        status, content = self.answer(page)
        assert status == (409 if who.patient not in {None, patient} else 200)
        if who.timer_id is None:
            self._started(who, patient, content)

    def _started(self, who: Worker, patient: UUID, content: dict[str, str] | None) -> None:
        assert content is not None
        who.timer_id, who.patient, who.since = content["timer_id"], patient, self.clock.now()

    def pause(self, who: Worker, page: Page) -> None:
        """The timer that the window shows waits."""
        if self._sent(who, page, "/time/pause"):
            who.stand_still(self.clock.now())

    def resume(self, who: Worker, page: Page) -> None:
        """The timer that the window shows goes on."""
        if self._sent(who, page, "/time/resume") and who.since is None:
            who.since = self.clock.now()

    def _sent(self, who: Worker, page: Page, path: str) -> bool:
        timer_id = self.shown(page)
        self.send(page, path, timer_id=timer_id)
        status, _ = self.answer(page)
        is_mine = timer_id == who.timer_id
        assert status == 0 if is_mine else status in REFUSED
        return is_mine

    def stop(self, who: Worker, page: Page) -> None:
        """The timer that the window shows becomes entries, if it counted a second."""
        timer_id = self.shown(page)
        said = {"contact": "call", "live": "yes", "activity": "talk", "role": "rn"}
        self.send(page, "/time/stop", timer_id=timer_id, client_id=str(uuid4()), **said)
        status, _ = self.answer(page)
        if timer_id != who.timer_id:
            # without any timer the form leads on to the log
            assert status in (REFUSED if who.timer_id else {0, *REFUSED})
            return
        running = who.since
        who.stand_still(self.clock.now())
        if not who.pending:
            assert status == 422
            who.since = running
            return
        assert status == 0
        who.worked |= who.pending
        who.end()

    def pass_time(self, seconds: int) -> None:
        """The clock goes on."""
        self.clock.advance(seconds=seconds)

    def finish(self, who: Worker) -> None:
        """Every window hears how it stands; what is left is stopped or discarded."""
        for page in who.windows:
            page.evaluate("() => document.querySelector('ledger-timer').redraw()")
        if who.timer_id is None:
            return
        page = who.windows[0]
        self.stop(who, page)
        if who.timer_id is not None:
            self.send(page, "/time/discard", timer_id=who.timer_id, reason="nothing counted")
            assert self.answer(page)[0] == 0
            who.end()


def seconds_of(rows: list[InteractionEntry]) -> Counter[tuple[UUID | None, UUID, datetime]]:
    """Person, patient and second of what is recorded."""
    return Counter(
        (row.actor_user_id, row.patient_id, row.started_at + timedelta(seconds=second))
        for row in rows
        if row.started_at is not None
        for second in range(row.duration_seconds)
    )


@pytest.mark.promise("R14")
def test_no_second_counts_twice_in_two_windows_of_two_people(
    engine: Engine,
    served: Served,
    clock: FixedClock,
    machine: Machine,
    person: MakePerson,
    complaints: Complaints,
    promised: Promised,
) -> None:
    """What is recorded, and what is counted for each patient and month, are the seconds of sets."""
    complaints.expect("status of (404|409|422)")
    clock.instant = EVENING
    practice = Practice.opened(engine, clock.now())
    patients = [practice.enrolled(opened_day=OPENED)[0] for _ in range(2)]
    nurse, colleague = (person("clinical_staff", practice.actor) for _ in range(2))
    workers: dict[UUID | None, Worker] = {}
    for who, count in ((nurse, 2), (colleague, 1)):
        context = machine(who)
        pages = [context.new_page() for _ in range(count)]
        for page in pages:
            page.goto("/account")
        workers[who.actor.user_id] = Worker(pages)
    cases = promised.count(100, 4)
    for seed in range(cases):
        walk = Walk(Random(seed), clock, patients)
        for _ in range(STEPS):
            walk.step(walk.draw.choice(list(workers.values())))
        for worker in workers.values():
            walk.finish(worker)
    with reading(engine) as session:
        rows = list(entries_page(session, Scope.of(practice.actor), limit=100_000))
    told = Counter(
        {
            (user_id, patient_id, second): 1
            for user_id, worker in workers.items()
            for patient_id, second in worker.worked
        }
    )
    assert seconds_of(rows) == told
    months: dict[tuple[UUID, str, date], set[datetime]] = defaultdict(set)
    for worker in workers.values():
        for patient_id, second in worker.worked:
            month = (second - timedelta(hours=5)).date().replace(day=1)
            months[patient_id, "RPM", month].add(second)
    assert counted(practice) == {key: len(seconds) for key, seconds in months.items()}
    assert sum(len(seconds) for seconds in months.values()) < len(told)
    promised.reached(
        f"sqlite, a browser: {cases} cases of two people, one in two windows: 0 differences"
    )

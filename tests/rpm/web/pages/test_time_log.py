"""The time log: every interval with its origin, typed work, second persons and corrections."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from conftest import FixedClock
from practice import Practice
from sqlalchemy.engine import Engine
from starlette.testclient import TestClient

from rpm.access import Actor
from rpm.store.engine import reading, transaction
from rpm.store.queries.entries import entries_page
from rpm.store.scope import Scope
from rpm.store.tables.ledger import InteractionEntry

SignedIn = Callable[..., TestClient]


class Office:
    """A practice with a patient, and a nurse's browser."""

    def __init__(self, engine: Engine, actor: Actor, clock: FixedClock, nurse: TestClient) -> None:
        self.engine, self.actor, self.clock, self.nurse = engine, actor, clock, nurse
        with transaction(engine) as session:
            practice = Practice(session, actor, actor, clock.now())
            patient = practice.register_patient(record_number="A-17", family_name="One")
            self.patient_id: UUID = practice.enroll(patient).patient_id

    def log(self, count: int) -> None:
        """Entries of the administrator."""
        with transaction(self.engine) as session:
            practice = Practice(session, self.actor, self.actor, self.clock.now())
            for number in range(count):
                start = self.clock.now() - timedelta(minutes=30 * (number + 1))
                practice.log(self.patient_id, started_at=start, origin="imported")

    def type(self, length: int, **changes: Any) -> Any:
        """The nurse types work of yesterday."""
        form = {
            "client_id": uuid4(),
            "record_number": "A-17",
            "work": "RPM",
            "contact": "call",
            "live": "yes",
            "local_day": "2026-01-14",
            "minutes": length,
            "activity": "talk about readings",
            "role": "rn",
            "reason": "called from the car",
        }
        return self.nurse.post("/time/type", data=form | changes)

    def entries(self) -> list[InteractionEntry]:
        """What is recorded."""
        with reading(self.engine) as session:
            return list(entries_page(session, Scope.of(self.actor)))


@pytest.fixture
def office(engine: Engine, actor: Actor, clock: FixedClock, signed_in: SignedIn) -> Office:
    """See the class."""
    return Office(engine, actor, clock, signed_in("clinical_staff"))


def test_an_empty_log_teaches(office: Office) -> None:
    """Where nothing is recorded it says how time comes about."""
    assert "No time is recorded here yet" in office.nurse.get("/time").text


def test_the_log_shows_each_interval_with_its_origin(office: Office) -> None:
    """A nurse sees her own work first, and everybody's when asked."""
    office.log(1)
    assert office.type(10).status_code == 303
    mine = office.nurse.get("/time").text
    assert ("10 min 00 s" in mine, "typed" in mine, "called from the car" in mine) == (True,) * 3
    assert "8 min 00 s" not in mine
    everybody = office.nurse.get("/time?who=all").text
    assert "8 min 00 s" in everybody
    assert "8 min 00 s" not in office.nurse.get("/time?who=all&origin=typed").text
    assert "10 min 00 s" not in office.nurse.get("/time?who=all&from=2026-01-15").text


def test_a_long_log_comes_in_pages(office: Office) -> None:
    """No page holds more than fifty; the next one goes on where it ended."""
    office.log(52)
    first = office.nurse.get("/time?who=all").text
    assert first.count("/time/entries/") == 50
    link = first.split('rel="next"')[0].rsplit('href="', 1)[1].split('"')[0]
    second = office.nurse.get(link.replace("&amp;", "&")).text
    assert second.count("/time/entries/") == 2


def test_a_start_is_of_the_practices_clock(office: Office) -> None:
    """Typed with a time of day, the entry lies there by the practice's zone."""
    office.type(10, begin="09:15")
    [entry] = office.entries()
    assert (entry.local_day, entry.start_second) == (date(2026, 1, 14), 9 * 3600 + 15 * 60)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"record_number": "A-18"}, "record_number"),
        ({"reason": ""}, "reason"),
        ({"minutes": "ten"}, "minutes"),
        ({"local_day": "2026-01-16"}, "local_day"),
        ({"begin": "25:00"}, "begin"),
        ({"contact": "message"}, "live"),
    ],
)
def test_what_is_wrong_is_named(office: Office, changes: dict[str, str], field: str) -> None:
    """The form comes back with what was typed and the field that is wrong; nothing is recorded."""
    answer = office.type(10, **changes)
    assert answer.status_code == 422
    assert f'href="#f-{field}"' in answer.text
    assert "talk about readings" in answer.text
    assert office.entries() == []


def test_an_address_of_nothing_is_no_failure(office: Office) -> None:
    """Ids that are none lead nowhere instead of failing."""
    assert office.type(10, patient_id="nobody", record_number="").status_code == 422
    assert office.nurse.get("/time/entries/nobody").status_code == 422
    assert office.nurse.get("/time?cursor=nothing").status_code == 400


def test_long_typed_work_needs_a_second_person(office: Office, signed_in: SignedIn) -> None:
    """The nurse sees it wait; a practitioner approves it with a reason."""
    office.type(45)
    assert "somebody else decides" in office.nurse.get("/time").text
    assert office.entries() == []
    doctor = signed_in("practitioner")
    page = doctor.get("/time").text
    address = page.split('action="/time/waiting/')[1].split('"')[0]
    form = {"approve": "yes", "reason": ""}
    assert doctor.post(f"/time/waiting/{address}", data=form).status_code == 422
    form["reason"] = "the call is in the phone's list"
    assert doctor.post(f"/time/waiting/{address}", data=form).status_code == 303
    assert [entry.duration_seconds for entry in office.entries()] == [2700]
    assert "Waiting for a second person" not in doctor.get("/time").text


def test_who_approves_sees_the_timers_of_the_practice(office: Office, signed_in: SignedIn) -> None:
    """A timer that nobody finishes is seen by a practitioner, but not by other nurses."""
    office.nurse.post("/time/start", data={"patient_id": str(office.patient_id)})
    office.clock.advance(seconds=75)
    page = signed_in("practitioner").get("/time").text
    assert "Timers now" in page
    assert "1 min 15 s" in page
    assert "Timers now" not in signed_in("clinical_staff").get("/time").text


def test_an_entry_is_taken_back_with_a_reason(office: Office) -> None:
    """Both stay visible, with who and why."""
    office.type(10)
    [entry] = office.entries()
    address = f"/time/entries/{entry.id}"
    assert "Take it back" in office.nurse.get(address).text
    assert office.nurse.post(f"{address}/reversal", data={"reason": ""}).status_code == 422
    answer = office.nurse.post(f"{address}/reversal", data={"reason": "wrong patient"})
    assert answer.status_code == 303
    page = office.nurse.get(address).text
    assert "wrong patient" in page
    assert "<h2>Take it back</h2>" not in page
    assert [row.duration_seconds for row in office.entries()] == [600, -600]


def test_an_auditor_reads_and_changes_nothing(office: Office, signed_in: SignedIn) -> None:
    """The log is open to who may read entries; every form is refused."""
    office.log(1)
    auditor = signed_in("auditor")
    page = auditor.get("/time").text
    assert "8 min 00 s" in page
    assert "Type time afterwards" not in page
    assert auditor.get("/time/type").status_code == 403
    [entry] = office.entries()
    form = {"reason": "x"}
    assert auditor.post(f"/time/entries/{entry.id}/reversal", data=form).status_code == 403


def test_another_practice_sees_none_of_it(
    office: Office, signed_in: SignedIn, other_actor: Actor
) -> None:
    """Its log is empty, and the address of an entry leads nowhere."""
    office.log(1)
    [entry] = office.entries()
    stranger = signed_in(actor=other_actor)
    assert "8 min 00 s" not in stranger.get("/time?who=all").text
    assert stranger.get(f"/time/entries/{entry.id}").status_code == 404
    assert stranger.get(f"/time/type?patient={office.patient_id}").status_code == 404

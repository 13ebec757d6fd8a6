"""Timers and typed entries through the API."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from conftest import FixedClock
from practice import Practice
from sqlalchemy.engine import Engine
from starlette.testclient import TestClient

from rpm.access import Actor
from rpm.store.engine import transaction

MakeHeaders = Callable[..., dict[str, str]]


class Api:
    """A practice with two patients, and its administrator's token."""

    def __init__(
        self, client: TestClient, headers: dict[str, str], clock: FixedClock, patients: list[str]
    ) -> None:
        self.client, self.headers, self.clock, self.patients = client, headers, clock, patients

    def post(self, path: str, status: int = 200, **body: Any) -> Any:
        """POST, and the answer."""
        answer = self.client.post(f"/v1/{path}", json=body, headers=self.headers)
        assert answer.status_code == status, answer.text
        return answer.json()

    def get(self, path: str) -> Any:
        """GET, and the answer."""
        answer = self.client.get(f"/v1/{path}", headers=self.headers)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def said(self, timer: Any, **changes: Any) -> dict[str, Any]:
        """What is said when a timer stops."""
        content = {
            "timer_id": timer["id"],
            "client_id": str(uuid4()),
            "contact": "call",
            "live": True,
            "activity": "talk",
            "role": "rn",
        }
        return content | changes


@pytest.fixture
def api(
    client: TestClient, admin: dict[str, str], engine: Engine, actor: Actor, clock: FixedClock
) -> Api:
    """See the class."""
    with transaction(engine) as session:
        practice = Practice(session, actor, actor, clock.now())
        patients = [str(practice.enroll().patient_id) for _ in range(2)]
    return Api(client, admin, clock, patients)


def test_a_timer_lives_from_start_to_stop(api: Api) -> None:
    """Started, heard, paused, resumed and stopped; its intervals are the entries."""
    assert api.get("timers/current") == {"timer": None}
    timer = api.post("timers", 201, patient_id=api.patients[0])
    assert (timer["state"], timer["work"]) == ("running", "RPM")
    api.clock.advance(seconds=60)
    beaten = api.post("timers/beats", timer_id=timer["id"], quiet_seconds=10)
    assert beaten["counted_seconds"] == 60
    paused = api.post("timers/pauses", timer_id=timer["id"])
    assert (paused["state"], paused["pause"]) == ("paused", "by-hand")
    api.clock.advance(seconds=60)
    api.post("timers/resumptions", timer_id=timer["id"])
    api.clock.advance(seconds=30)
    assert api.get("timers/current")["timer"]["counted_seconds"] == 90
    logged = api.post("timers/stops", 201, **api.said(timer))
    assert [entry["duration_seconds"] for entry in logged["entries"]] == [60, 30]
    assert {entry["origin"] for entry in logged["entries"]} == {"timer"}
    assert api.get("timers/current") == {"timer": None}


def test_a_second_timer_is_a_conflict_and_may_be_switched_to(api: Api) -> None:
    """409 for another patient; switching stops the one and starts the other."""
    timer = api.post("timers", 201, patient_id=api.patients[0])
    api.clock.advance(seconds=60)
    problem = api.post("timers", 409, patient_id=api.patients[1])
    assert problem["code"] == "conflict"
    done = api.post("timers/switches", 201, **api.said(timer), next_patient_id=api.patients[1])
    assert [entry["duration_seconds"] for entry in done["logged"]["entries"]] == [60]
    assert done["timer"]["patient_id"] == api.patients[1]
    assert api.post("timers/discards", timer_id=done["timer"]["id"], reason="wrong chart")


def test_the_idle_question_is_answered(api: Api) -> None:
    """After ten quiet minutes the state is asking; kept time counts."""
    timer = api.post("timers", 201, patient_id=api.patients[0])
    for minute in range(1, 11):
        api.clock.advance(minutes=1)
        told = api.post("timers/beats", timer_id=timer["id"], quiet_seconds=60 * minute)
    assert told["state"] == "asking"
    told = api.post("timers/answers", timer_id=timer["id"], answer="keep")
    assert (told["state"], told["counted_seconds"]) == ("running", 600)


def test_long_typed_work_waits_for_a_decision(
    api: Api, engine: Engine, actor: Actor, headers_of: MakeHeaders, clock: FixedClock
) -> None:
    """It is listed as waiting; somebody else's approval makes the entry."""
    typed = api.post(
        "typed-entries",
        201,
        client_id=str(uuid4()),
        patient_id=api.patients[0],
        work="RPM",
        contact="call",
        live=True,
        started_at=(clock.now() - timedelta(hours=2)).isoformat(),
        duration_seconds=3600,
        activity="talk",
        role="rn",
        reason="the computer was down",
    )
    assert typed["logged"] is None
    [waiting] = api.get("typed-entries")["items"]
    decision = {"proposal_id": waiting["id"], "approve": True, "reason": "I was there"}
    assert api.post("typed-entry-decisions", 403, **decision)["code"] == "not_allowed"
    with transaction(engine) as session:
        practice = Practice(session, actor, actor, clock.now())
        _, doctor = practice.add_user("practitioner")
    api.headers = headers_of(doctor, "entries:approve", "entries:read")
    decided = api.post("typed-entry-decisions", 201, **decision)
    assert [entry["duration_seconds"] for entry in decided["logged"]["entries"]] == [3600]
    assert api.get("typed-entries")["items"] == []
    assert len(api.get("typed-entries?state=approved")["items"]) == 1

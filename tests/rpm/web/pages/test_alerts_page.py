"""Alerts as a page: seen, acted on, closed, and always with what alerts are not."""

import re
from collections.abc import Callable

import pytest
from conftest import FixedClock
from ledger_practice import Practice
from sqlalchemy.engine import Engine
from starlette.testclient import TestClient

from devices.alerts import NOTICE
from rpm.access import Actor
from rpm.store.tables.alerts import Alert, AlertLimit

SignedIn = Callable[..., TestClient]
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""The steps are tried on both engines elsewhere."""


def alert(key: str = "one", **values: object) -> Alert:
    """A systolic value beyond its limit."""
    row: dict[str, object] = {
        "key": key,
        "rule": "bp.systolic.high.red",
        "subject": "reading",
        "band": "red",
        "level": "alert",
        "value": "191",
        "unit": "mm[Hg]",
        "comparison": "above",
        "limit_value": "180",
        "detail": {},
        "route": ["clinical_staff"],
        "escalate_after_minutes": 60,
    }
    return Alert(**(row | values))


@pytest.fixture
def practice(engine: Engine, actor: Actor, clock: FixedClock) -> Practice:
    """The test's practice, with a patient who has an open alert."""
    practice = Practice(engine, actor, clock.now())
    patient_id = practice.patient(family_name="Highvalue")
    practice.record(alert(patient_id=patient_id, told_from=clock.now()))
    return practice


def form_of(page: str) -> str:
    """Where the first alert of a page is answered."""
    found = re.search(r'action="(/alerts/[^"]*/answer)"', page)
    assert found is not None
    return found[1]


def test_an_alert_is_seen_acted_on_and_closed(practice: Practice, signed_in: SignedIn) -> None:
    """Each answer moves it on, with who said what."""
    nurse = signed_in("clinical_staff")
    page = nurse.get("/alerts").text
    assert "Systolic 191 mmHg" in page
    assert "Highvalue, Pat" in page
    address = form_of(page)
    assert nurse.post(address, data={"step": "acknowledged"}).status_code == 303
    assert "Highvalue" not in nurse.get("/alerts").text
    note = "called: feels well"
    assert nurse.post(address, data={"step": "acted", "note": note}).status_code == 303
    assert note in nurse.get("/alerts?state=acted").text
    assert nurse.post(address, data={"step": "closed", "note": "below 150 now"}).status_code == 303
    closed = nurse.get("/alerts?state=closed").text
    assert "below 150 now" in closed
    assert '/answer"' not in closed


def test_what_was_done_must_be_said(practice: Practice, signed_in: SignedIn) -> None:
    """Closing without a word is refused beside its field; answering a closed one is told."""
    nurse = signed_in("clinical_staff")
    address = form_of(nurse.get("/alerts").text)
    page = nurse.post(address, data={"step": "closed", "note": " "})
    assert page.status_code == 422
    assert 'class="error" id="e-note-' in page.text
    nurse.post(address, data={"step": "closed", "note": "fine"})
    again = nurse.post(address, data={"step": "acknowledged"})
    assert again.status_code == 422
    assert "The alert is closed." in again.text


def test_every_page_with_alerts_says_what_they_are_not(
    practice: Practice, signed_in: SignedIn
) -> None:
    """The list, the worklist and the chart carry the notice; the list says that no limit holds."""
    nurse = signed_in("clinical_staff")
    listed = nurse.get("/alerts").text
    chart = re.search(r'href="(/patients/[0-9a-f-]+)"', listed)
    assert chart is not None
    for page in (listed, nurse.get("/worklist").text, nurse.get(chart[1]).text):
        assert NOTICE in page
    assert "no reading raises an alert" in listed
    practice.record(
        AlertLimit(
            rule="bp.systolic.high.red",
            active=True,
            content={"subject": "reading"},
            origin="",
            set_by="Ada Admin",
            reason="ordered",
        )
    )
    assert "no reading raises an alert" not in nurse.get("/alerts").text


def test_who_may_read_need_not_answer(
    practice: Practice, signed_in: SignedIn, other_actor: Actor
) -> None:
    """An auditor sees the list without forms; a clerk and another practice do not see it."""
    address = form_of(signed_in("clinical_staff").get("/alerts").text)
    auditor = signed_in("auditor")
    assert '/answer"' not in auditor.get("/alerts").text
    assert auditor.post(address, data={"step": "acknowledged"}).status_code == 403
    assert signed_in("clerical_staff").get("/alerts").status_code == 403
    stranger = signed_in(actor=other_actor)
    assert "Highvalue" not in stranger.get("/alerts").text
    assert stranger.post(address, data={"step": "acknowledged"}).status_code == 404


def test_alerts_of_one_patient_are_answered_together(
    practice: Practice, signed_in: SignedIn, clock: FixedClock
) -> None:
    """One note closes those that were shown; what comes meanwhile, and other patients', stays."""
    nurse, patient_id = signed_in("clinical_staff"), practice.patient(family_name="Often")
    for value in ("181", "185", "183"):
        practice.record(
            alert(f"often-{value}", value=value, patient_id=patient_id, told_from=clock.now())
        )
    assert "and 2 more since" in nurse.get(f"/patients/{patient_id}").text
    page = nurse.get(f"/alerts?patient={patient_id}").text
    assert "Answer these 3 together" in page
    assert "Highvalue" not in page
    last = re.search(r'name="last" value="([^"]*)"', page)
    assert last is not None
    practice.record(alert("late", value="199", patient_id=patient_id, told_from=clock.now()))
    given = {"state": "open", "last": last[1], "step": "closed", "note": " "}
    address = f"/alerts/patients/{patient_id}/answer"
    refused = nurse.post(address, data=given)
    assert refused.status_code == 422
    assert 'id="e-note-all"' in refused.text
    assert nurse.post(address, data=given | {"note": "called: well"}).status_code == 303
    open_ones = nurse.get("/alerts").text
    assert "Systolic 199 mmHg" in open_ones
    assert "Systolic 183 mmHg" not in open_ones
    assert "Highvalue" in open_ones
    assert nurse.get(f"/alerts?state=closed&patient={patient_id}").text.count("called: well") == 3

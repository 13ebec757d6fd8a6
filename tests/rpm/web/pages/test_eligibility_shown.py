"""What a payer said of a patient, on the worklist and with a visit; what it did not say, too."""

from datetime import date
from typing import Any

import pytest
from conftest import FixedClock
from ledger_practice import Practice
from sqlalchemy.engine import Engine

from rpm.access import Actor
from rpm.store.tables.proposals import EligibilityAnswer, InboundMessage

FORM = {
    "dos": "2026-01-13",
    "payer": "MCR",
    "modality": "AV",
    "patient_location": "HOME",
    "state": "OH",
    "patient_status": "EST",
    "provider_type": "MD",
    "provider_site": "OFFICE",
}
sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@sqlite
def test_worklist_and_visit_show_the_last_answer(
    signed_in: Any, engine: Engine, actor: Actor, clock: FixedClock
) -> None:
    """Covered with plan and copay; what was not told is said so; without an answer nothing is."""
    practice = Practice(engine, actor, clock.now())
    patient_id = practice.enrolled()[0]
    browser = signed_in("practice_admin")
    visit = browser.post(f"/patients/{patient_id}/visits/new", data=FORM).headers["location"]
    assert "no payer has answered yet" in browser.get(visit).text
    message = InboundMessage(
        id=practice.new_id(), source="271", sha256="0", content=b"", state="read", findings=[]
    )
    about: dict[str, Any] = {
        "message_id": message.id, "patient_id": patient_id, "checked_on": date(2026, 1, 14),
        "detail": {},
    }  # fmt: skip
    said = EligibilityAnswer(
        ordinal=1, standing="active", plan_name="<b>GOLD", copay_cents=2_000,
        covers_telehealth=True, covers_monitoring=None, **about,
    )  # fmt: skip
    practice.record(message, said)
    shown = " ".join(browser.get(visit).text.split())
    assert "covered</span> asked" in shown
    assert "plan &lt;b&gt;GOLD; copay $20.00; telehealth covered; monitoring not told" in shown
    assert "covered</span>" in browser.get("/worklist").text
    practice.record(EligibilityAnswer(ordinal=2, standing="inactive", **about))
    assert "not covered</span>" in browser.get("/worklist").text
    assert "copay not told" in " ".join(browser.get(visit).text.split())

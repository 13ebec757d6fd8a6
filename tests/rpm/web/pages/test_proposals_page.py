"""The screens of proposals: shown beside the record, accepted or dismissed by a person."""

from datetime import date
from typing import Any
from uuid import UUID

import pytest
from conftest import FixedClock
from ledger_practice import Practice
from sqlalchemy.engine import Engine
from sqlmodel import col

from rpm.access import Actor
from rpm.actions.take_message import take_message
from rpm.store.engine import reading, transaction
from rpm.store.scope import Scope
from rpm.store.tables.claims import PatientAddress
from rpm.store.tables.coding import Visit
from rpm.store.tables.people import Coverage, Patient
from rpm.store.tables.proposals import Proposal

ADT = (
    "MSH|^~\\&|EHR|F|RPM|F|20260101||ADT^A04^ADT_A01|17|P|2.5.1\rEVN|A04\r"
    "PID|1||00042^^^F^MR||<b>O\\T\\Brien^Ann||19500102|F|||22 Elm St^^Town^IL^62704\r"
    "IN1|1|P|MEDICARE_B|Medicare||||||||20250101" + "|" * 24 + "1EG4TE5MK73\r"
).encode()
EVENT = (
    b'{"type":"visit.ended","data":{"visit_id":"v1","patient_record_number":"00042",'
    b'"started_at":"2026-01-13T15:00:00Z","ended_at":"2026-01-13T15:23:00Z","modality":"AV"}}'
)


@pytest.fixture
def practice(engine: Engine, actor: Actor, clock: FixedClock) -> Practice:
    """A practice with a payer."""
    practice = Practice(engine, actor, clock.now())
    practice.payer("MEDICARE_B")
    return practice


def taken(practice: Practice, source: Any, content: bytes) -> list[UUID]:
    """A message taken in; the ids of its proposals."""
    with transaction(practice.engine) as db:
        made = take_message(db, practice.actor, practice.now, source, "m", content)
        return [one.id for one in made.proposals]


def rows(practice: Practice, table: type[Any]) -> list[Any]:
    """All rows of a table."""
    with reading(practice.engine) as db:
        return list(Scope.of(practice.actor).all_of(db, table))


def test_a_new_patient_with_coverage_and_visit_is_accepted(
    signed_in: Any, practice: Practice
) -> None:
    """Nothing is recorded until a person accepts; then patient, address, coverage and visit are."""
    patient, coverage = taken(practice, "adt-file", ADT)
    (visit,) = taken(practice, "visit-event", EVENT)
    assert rows(practice, Patient) == rows(practice, Coverage) == rows(practice, Visit) == []
    browser = signed_in("practice_admin")
    listed = browser.get("/proposals").text
    assert listed.count("00042") == 3
    shown = browser.get(f"/proposals/{patient}").text
    assert "&lt;b&gt;O&amp;Brien" in shown
    assert "<b>O" not in shown
    payer = practice.payer("MEDICARE_B")
    early = browser.post(
        f"/proposals/{coverage}/coverage",
        data={"payer_id": str(payer), "member_id": "1", "from_day": "2025-01-01"},
    )
    assert early.status_code == 422
    assert "accept the patient first" in early.text
    form = {
        "family_name": "O'Brien", "given_name": "Ann", "birth_date": "1950-01-02", "sex": "F",
        "street": "22 Elm St", "city": "Town", "state": "IL",
    }  # fmt: skip
    lacking = browser.post(f"/proposals/{patient}/patient", data=form)
    assert lacking.status_code == 422
    assert rows(practice, Patient) == []
    form["postal_code"] = "62704"
    assert browser.post(f"/proposals/{patient}/patient", data=form).status_code == 303
    assert [one.record_number for one in rows(practice, Patient)] == ["00042"]
    assert [one.city for one in rows(practice, PatientAddress)] == ["Town"]
    page = browser.get(f"/proposals/{coverage}").text
    assert f'<option value="{payer}" selected>' in page
    told = {"payer_id": str(payer), "member_id": "1EG4TE5MK73", "from_day": "2025-01-01"}
    assert browser.post(f"/proposals/{coverage}/coverage", data=told).status_code == 303
    assert [one.member_id for one in rows(practice, Coverage)] == ["1EG4TE5MK73"]
    assert 'value="2026-01-13"' in browser.get(f"/proposals/{visit}").text
    facts = {
        "dos": "2026-01-13", "payer": "MCR", "modality": "AV", "patient_location": "HOME",
        "state": "OH", "provider_type": "MD", "provider_site": "OFFICE", "patient_status": "EST",
    }  # fmt: skip
    assert browser.post(f"/proposals/{visit}/visit", data=facts).status_code == 303
    assert [one.facts["modality"] for one in rows(practice, Visit)] == ["AV"]
    assert "Nothing waits" in browser.get("/proposals").text
    again = browser.post(f"/proposals/{visit}/visit", data=facts)
    assert again.status_code == 422
    assert "answered this proposal already" in again.text


def test_a_record_is_never_overwritten(signed_in: Any, practice: Practice) -> None:
    """Of a patient on record another name is refused; the same with an address adds the address."""
    practice.patient(
        record_number="00042", family_name="Roe", given_name="Ann", sex="F",
        birth_date=date(1950, 1, 2),
    )  # fmt: skip
    patient, _ = taken(practice, "adt-file", ADT)
    browser = signed_in("practice_admin")
    assert "differs" in browser.get(f"/proposals/{patient}").text
    form = {
        "family_name": "O'Brien", "given_name": "Ann", "birth_date": "1950-01-02", "sex": "F",
        "street": "22 Elm St", "city": "Town", "state": "IL", "postal_code": "62704",
    }  # fmt: skip
    refused = browser.post(f"/proposals/{patient}/patient", data=form)
    assert refused.status_code == 422
    assert "not changed by a message" in refused.text
    assert rows(practice, PatientAddress) == []
    accepted = browser.post(f"/proposals/{patient}/patient", data=form | {"family_name": "Roe"})
    assert accepted.status_code == 303
    assert [one.family_name for one in rows(practice, Patient)] == ["Roe"]
    assert len(rows(practice, PatientAddress)) == 1


def test_a_proposal_is_dismissed_with_a_reason_and_unreadable_ones_are_listed(
    signed_in: Any, practice: Practice
) -> None:
    """Without a reason it stays; a message that cannot be read is listed without its content."""
    patient, coverage = taken(practice, "adt-file", ADT)
    taken(practice, "adt-file", b"Planted")
    browser = signed_in("clerical_staff")
    assert browser.post(f"/proposals/{patient}/dismiss", data={"reason": ""}).status_code == 422
    for one in (patient, coverage):
        answer = browser.post(f"/proposals/{one}/dismiss", data={"reason": "not ours"})
        assert answer.status_code == 303
    page = browser.get("/proposals").text
    assert "It is not one HL7 v2 message" in page
    assert "Planted" not in page
    assert rows(practice, Patient) == []
    assert "not ours" in browser.get(f"/proposals/{patient}").text
    with reading(practice.engine) as db:
        kinds = Scope.of(practice.actor).all_of(db, Proposal, col(Proposal.kind) == "patient")
    assert len(kinds) == 1

"""The screens of visits: the form with its coding, the list, one visit, and the decision."""

import re
from datetime import date
from typing import Any
from uuid import UUID, uuid4

import pytest
from conftest import FixedClock
from ledger_practice import Practice
from sqlalchemy.engine import Engine
from starlette.testclient import TestClient

from rpm.access import Actor
from rpm.store.engine import reading
from rpm.store.queries.visits import visits_page
from rpm.store.scope import Scope
from rpm.store.tables.coding import PractitionerAuthority
from rpm.store.tables.people import Practitioner
from rpm.web.pages import visit_list

FORM = {
    "dos": "2026-01-13",
    "payer": "MCR",
    "modality": "AV",
    "patient_location": "HOME",
    "state": "OH",
    "patient_status": "EST",
    "provider_type": "MD",
    "provider_site": "OFFICE",
    "level_basis": "MDM",
    "mdm": "MOD",
    "consent": "documented",
}


@pytest.fixture
def practice(engine: Engine, actor: Actor, clock: FixedClock) -> Practice:
    """A practice on January 15, 2026."""
    return Practice(engine, actor, clock.now())


@pytest.fixture
def patient_id(practice: Practice) -> UUID:
    """A patient."""
    return practice.enrolled()[0]


def recorded(browser: TestClient, patient_id: UUID, **changes: str) -> str:
    """Records a visit by the form and gives its address."""
    answer = browser.post(f"/patients/{patient_id}/visits/new", data=FORM | changes)
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"])


def test_the_form_shows_the_coding_while_it_is_filled_in(signed_in: Any, patient_id: UUID) -> None:
    """What is typed so far comes back as lines, or as what is still missing; nothing is kept."""
    biller = signed_in("biller")
    form = biller.get(f"/patients/{patient_id}/visits/new")
    assert form.status_code == 200
    assert 'hx-post="/patients/' in form.text
    check = f"/patients/{patient_id}/visits/check"
    coded = biller.post(check, data=FORM).text
    assert "99214" in coded
    assert "can leave" in coded
    assert "<html" not in coded
    untold = biller.post(check, data=FORM | {"level_basis": "", "mdm": ""}).text
    assert "Tell first" in untold
    assert "must not leave" not in untold
    wrong = biller.post(check, data=FORM | {"submitted": "99214@11"}).text
    assert "TH-POS-01" in wrong
    assert "Set POS" in wrong
    assert "Field required" in biller.post(check, data=FORM | {"dos": ""}).text
    assert "minutes therapy" in biller.post(check, data=FORM | {"minutes_therapy": "x"}).text
    noted = biller.post(check, data=FORM | {"specialty": "behavioral-health", "consent": "missing"})
    assert "Before the note is signed: behavioral health" in noted.text
    assert noted.text.count(">missing<") == 1
    assert "No visit is found" in biller.get("/visits").text


def test_a_visit_is_recorded_listed_and_accepted(
    signed_in: Any, practice: Practice, patient_id: UUID
) -> None:
    """From the form to the list and the decision, by whom and when."""
    biller = signed_in("biller")
    address = recorded(biller, patient_id)
    listed = biller.get("/visits").text
    assert address in listed
    assert "99214@10" in listed
    assert address not in biller.get("/visits?payer=UHC_COM").text
    assert address not in biller.get("/visits?from_day=2026-01-14").text
    for asked, is_listed in (
        ("status=CLEAN", True), ("status=BLOCK", False), ("decision=open", True),
        ("decision=accepted", False), ("edit=th-pos", False),
    ):  # fmt: skip
        assert (address in biller.get(f"/visits?{asked}").text) is is_listed, asked
    page = biller.get(address)
    assert "How it is coded today" in page.text
    decided = biller.post(f"{address}/decision", data={"decision": "accept"})
    assert decided.status_code == 303
    assert "What was decided" in biller.get(address).text
    with reading(practice.engine) as db:
        visits = visits_page(db, Scope.of(practice.actor), standing=True)
    assert [visit.facts["fields"] for visit in visits] == ["consent=documented"]


def test_visits_are_found_by_finding_and_practitioner_page_by_page(
    signed_in: Any, practice: Practice, patient_id: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Filters of the coding look at a share of the visits for each page, and the next goes on."""
    monkeypatch.setattr(visit_list, "ROWS", 2)
    monkeypatch.setattr(visit_list, "MOST_LOOKED_AT", 4)
    biller, person = signed_in("biller"), uuid4()
    practice.record(Practitioner(id=person, npi="1245319599", name="Dana Demo", credential="MD"))
    wrong = [recorded(biller, patient_id, submitted="99214@11")]
    clean = [recorded(biller, patient_id) for _ in range(4)]
    wrong.append(recorded(biller, patient_id, submitted="99214@11", practitioner_id=str(person)))
    first = biller.get("/visits?edit=TH-POS").text
    assert [one in first for one in wrong] == [True, False]
    address = re.search(r'rel="next" href="([^"]+)"', first)
    assert address is not None
    following = biller.get(address[1].replace("&amp;", "&")).text
    assert [one in following for one in wrong] == [False, True]
    assert not any(one in first + following for one in clean)
    hers = biller.get(f"/visits?practitioner={person}").text
    assert [one in hers for one in (*wrong, *clean)] == [False, True, *(False,) * 4]


def test_an_error_is_overruled_on_the_page(signed_in: Any, patient_id: UUID) -> None:
    """Without an overruling the page says which edit stands; with its reason it is kept."""
    biller = signed_in("biller")
    address = recorded(biller, patient_id, consent="missing")
    refused = biller.post(f"{address}/decision", data={"decision": "accept"})
    assert refused.status_code == 422
    assert "not overruled: TH-DOC-04" in refused.text
    overruling = {"decision": "accept", "overrule_TH-DOC-04": "consent stands on paper"}
    assert biller.post(f"{address}/decision", data=overruling).status_code == 303
    assert "consent stands on paper" in biller.get(address).text


def test_a_visit_is_corrected_and_withdrawn(signed_in: Any, patient_id: UUID) -> None:
    """The form comes back filled in; a reason is asked for; the old row leads to the new one."""
    biller = signed_in("biller")
    address = recorded(biller, patient_id, more="age=60")
    form = biller.get(f"{address}/correct").text
    assert re.search(r'<option value="MOD" selected', form)
    assert "age=60" in form
    without = biller.post(f"{address}/correct", data=FORM | {"mdm": "LOW"})
    assert without.status_code == 422
    changed = FORM | {"mdm": "LOW", "reason": "level was mistyped"}
    corrected = biller.post(f"{address}/correct", data=changed)
    newer = corrected.headers["location"]
    assert "99213@10" in biller.get("/visits").text
    assert newer in biller.get(address).text
    again = biller.post(f"{address}/correct", data=changed)
    assert again.status_code == 422
    assert "corrected already" in again.text
    gone = biller.post(f"{newer}/correct", data={"withdraw": "yes", "reason": "twice"})
    assert "was withdrawn" in biller.get(gone.headers["location"]).text
    assert "No visit is found" in biller.get("/visits").text


def test_a_wrong_form_says_where(signed_in: Any, patient_id: UUID) -> None:
    """Facts that cannot be read are told beside their field, and nothing is recorded."""
    biller = signed_in("biller")
    address = f"/patients/{patient_id}/visits/new"
    for changes, field in (
        ({"dos": "2026-02-01"}, "dos"),
        ({"minutes_e_visit": "4+5"}, "minutes_e_visit"),
        ({"more": "color=blue"}, "more"),
        ({"submitted": "99214 10"}, "submitted"),
        ({"payer": "NOBODY"}, "payer"),
    ):
        answer = biller.post(address, data=FORM | changes)
        assert answer.status_code == 422
        assert f'href="#f-{field}"' in answer.text, field
    assert "No visit is found" in biller.get("/visits").text


def test_a_minor_is_known_by_the_birth_date(
    signed_in: Any, practice: Practice, clock: FixedClock
) -> None:
    """The patient's age on the day of service comes from the record."""
    child = practice.patient(birth_date=date(2017, 1, 14))
    biller = signed_in("biller")
    check = f"/patients/{child}/visits/check"
    minor = {"more": "guardian_consent=missing"}
    assert "TH-DOC-06" in biller.post(check, data=FORM | minor).text


def test_a_license_that_ends_soon_stands_on_the_worklist(
    signed_in: Any, practice: Practice, clock: FixedClock
) -> None:
    """Who must renew, which license and until when; a renewal takes it from the list."""
    person = practice.new_id()
    practice.record(Practitioner(id=person, npi="1234567893", name="Dr. Renewal", credential="MD"))
    held = PractitionerAuthority(
        id=practice.new_id(),
        practitioner_id=person,
        kind="STATE_LICENSE",
        jurisdiction="OH",
        active=True,
        valid_to=date(2026, 2, 1),
        verified_on=date(2026, 1, 1),
    )
    practice.record(held)
    biller = signed_in("biller")
    assert "Dr. Renewal" in biller.get("/worklist").text
    renewal = {name: getattr(held, name) for name in ("practitioner_id", "kind", "jurisdiction")}
    practice.record(
        PractitionerAuthority(
            **renewal,
            id=practice.new_id(),
            active=True,
            valid_to=date(2028, 2, 1),
            verified_on=date(2026, 1, 14),
            replaces_id=held.id,
        )
    )
    assert "Dr. Renewal" not in biller.get("/worklist").text


def test_who_may_see_and_record_visits(signed_in: Any, patient_id: UUID) -> None:
    """An auditor reads visits and decides nothing."""
    address = recorded(signed_in("practitioner"), patient_id)
    auditor = signed_in("auditor")
    page = auditor.get(address)
    assert page.status_code == 200
    assert "Accept the lines" not in page.text
    assert auditor.get(f"/patients/{patient_id}/visits/new").status_code == 403
    assert auditor.post(f"{address}/decision", data={"decision": "accept"}).status_code == 403

"""Sites: patients belong to one, the worklist is narrowed to one, people are limited to some."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from uuid import UUID

import pytest
from conftest import FixedClock
from ledger_practice import Practice
from signing_in import Person
from sqlalchemy.engine import Engine
from starlette.testclient import TestClient

from rpm.access import Actor
from rpm.actions.manage_sites import (
    AddSite,
    LimitUser,
    PlacePatient,
    add_site,
    limit_user,
    place_patient,
)
from rpm.store.engine import transaction

MakePerson = Callable[..., Person]
SignedIn = Callable[..., TestClient]
SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@dataclass(frozen=True)
class Sites:
    """Two sites with a patient in care at each."""

    north: UUID
    south: UUID
    north_patient: UUID
    south_patient: UUID


@pytest.fixture
def sites(engine: Engine, actor: Actor, clock: FixedClock) -> Sites:
    """A practice with two sites."""
    practice = Practice(engine, actor, clock.now())
    ids, patients = [], []
    for name in ("North", "South"):
        patient = practice.patient(family_name=f"{name}ern")
        practice.entry(patient, practice.episode(patient), date(2026, 1, 12), 300)
        with transaction(engine) as db:
            ids.append(add_site(db, actor, clock.now(), AddSite(name=f"{name} clinic")).id)
            placed = PlacePatient(patient_id=patient, site_id=ids[-1])
        with transaction(engine) as db:
            place_patient(db, actor, clock.now(), placed)
        patients.append(patient)
    return Sites(*ids, *patients)


@pytest.fixture
def nurse(
    person: MakePerson, sites: Sites, engine: Engine, actor: Actor, clock: FixedClock
) -> Person:
    """A nurse who works in the north."""
    nurse = person("clinical_staff")
    command = LimitUser(user_id=nurse.actor.user_id, site_ids=[sites.north], reason="works there")
    with transaction(engine) as db:
        limit_user(db, actor, clock.now(), command)
    return nurse


@pytest.mark.parametrize("database_url", ["sqlite", "postgresql"], indirect=True)
def test_the_worklist_is_narrowed_to_a_site(signed_in: SignedIn, sites: Sites) -> None:
    """Rows and counts are those of the site; a kept view remembers it."""
    admin = signed_in("practice_admin")
    everywhere = admin.get("/worklist").text
    assert "Northern" in everywhere
    assert "Southern" in everywhere
    south = admin.get(f"/worklist?site={sites.south}").text
    assert "Northern" not in south
    assert "Southern" in south
    admin.post("/worklist/views", data={"name": "South", "site": str(sites.south)})
    assert f"/worklist?site={sites.south}" in admin.get("/worklist").text


@pytest.mark.parametrize("database_url", ["sqlite", "postgresql"], indirect=True)
def test_a_limited_person_sees_their_own_sites(
    signed_in: SignedIn, nurse: Person, sites: Sites
) -> None:
    """Lists hold the site's patients; a chart of another site is not there; the rest is refused."""
    browser = signed_in(actor=nurse.actor)
    for address in ("/worklist", "/patients", "/time?who=all"):
        page = browser.get(address).text
        assert "Northern" in page, address
        assert "Southern" not in page, address
    assert browser.get(f"/patients/{sites.north_patient}").status_code == 200
    assert browser.get(f"/patients/{sites.south_patient}").status_code == 404
    refused = browser.get("/close")
    assert refused.status_code == 403
    assert 'href="/close"' not in browser.get("/worklist").text


@SQLITE
def test_nothing_can_be_done_to_another_sites_patient(
    signed_in: SignedIn, nurse: Person, sites: Sites
) -> None:
    """Timer, typed time by id and by record number, and moving the patient over are refused."""
    browser, theirs = signed_in(actor=nurse.actor), str(sites.south_patient)
    assert browser.post("/time/start", data={"patient_id": theirs}).status_code == 404
    assert browser.post(f"/patients/{theirs}/site", data={"site": str(sites.north)}).is_error
    mine = str(sites.north_patient)
    browser.post(f"/patients/{mine}/site", data={"site": str(sites.south)})
    assert "one of your own sites" in browser.get("/worklist").text
    assert browser.get(f"/patients/{mine}").status_code == 200


@SQLITE
def test_who_registers_a_patient_sees_them(signed_in: SignedIn, nurse: Person) -> None:
    """A patient whom a limited person registers belongs to their site."""
    browser = signed_in(actor=nurse.actor)
    made = browser.post(
        "/patients/new",
        data={
            "record_number": "N-1",
            "family_name": "Newcomer",
            "given_name": "Nan",
            "birth_date": "1950-02-03",
            "sex": "F",
        },
    )
    assert made.status_code == 303
    assert "Newcomer" in browser.get("/patients").text


@SQLITE
def test_emergency_access_opens_every_site(
    signed_in: SignedIn, nurse: Person, sites: Sites
) -> None:
    """With a stated reason the other site's chart opens, and stands in the report."""
    browser = signed_in(actor=nurse.actor)
    assert "charts of every site" in browser.get("/emergency").text
    assert browser.post("/emergency", data={"reason": "patient on the phone"}).status_code == 303
    assert browser.get(f"/patients/{sites.south_patient}").status_code == 200
    assert "patient on the phone" in signed_in("auditor").get("/admin/emergencies").text


@SQLITE
def test_an_administrator_limits_people_and_lifts_it(
    signed_in: SignedIn, nurse: Person, person: MakePerson, sites: Sites
) -> None:
    """On the user's page; roles of the whole practice and their names are told why not."""
    admin, browser = signed_in("practice_admin"), signed_in(actor=nurse.actor)
    page = f"/admin/users/{nurse.actor.user_id}"
    assert admin.get(page).text.count(" checked") == 1
    admin.post(f"{page}/sites", data={"reason": "helps out everywhere"})
    assert "The sites are changed" in admin.get(page).text
    assert browser.get(f"/patients/{sites.south_patient}").status_code == 200
    biller = f"/admin/users/{person('biller').actor.user_id}"
    admin.post(f"{biller}/sites", data={"site": str(sites.north), "reason": "x"})
    assert "of the whole practice" in admin.get(biller).text


@SQLITE
def test_a_limited_person_gets_no_token_and_no_wider_role(
    signed_in: SignedIn, nurse: Person
) -> None:
    """Both are of the whole practice."""
    admin = signed_in("practice_admin")
    page = f"/admin/users/{nurse.actor.user_id}"
    answer = admin.post(f"{page}/role", data={"role": "biller", "reason": "new work"})
    assert answer.status_code == 409
    token = {"user_id": str(nurse.actor.user_id), "name": "x", "permissions": "patients:read"}
    assert admin.post("/admin/tokens", data=token).is_error


@SQLITE
def test_sites_have_names_of_their_own(signed_in: SignedIn, sites: Sites) -> None:
    """The list counts patients; a second site of a name is told beside the field."""
    admin = signed_in("practice_admin")
    assert sites.north != sites.south
    assert admin.get("/admin/sites").text.count('data-label="Patients">1<') == 2
    assert admin.post("/admin/sites", data={"name": "West clinic"}).status_code == 303
    again = admin.post("/admin/sites", data={"name": "West clinic"})
    assert again.status_code == 422
    assert "A site has this name" in again.text

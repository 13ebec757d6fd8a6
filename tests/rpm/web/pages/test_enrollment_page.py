"""Enrollment as a guided page: step by step, left and taken up again, errors beside the fields."""

from collections.abc import Callable
from uuid import uuid4

import pytest
from conftest import FixedClock
from ledger_practice import Practice
from sqlalchemy.engine import Engine
from starlette.testclient import TestClient

from rpm.access import Actor
from rpm.store.tables.people import Practitioner

SignedIn = Callable[..., TestClient]
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""The acts behind the forms are tried on both engines elsewhere."""
NPI = "1234567893"
PATIENT = {
    "record_number": "MRN-1",
    "family_name": "Fresh",
    "given_name": "Fay",
    "birth_date": "1950-01-02",
    "sex": "F",
}
ORDER = {
    "program": "RPM",
    "setting": "OFFICE",
    "opened_day": "2026-01-15",
    "order_day": "2026-01-14",
    "ordering_npi": NPI,
    "device_kind": "bp",
    "diagnosis_codes": "i10, e11.9",
    "reason": "below 130",
}
CONSENT = {
    "consent_day": "2026-01-15",
    "mode": "verbal",
    "taken_by": "Nora Nurse",
    "cost_share_told": "yes",
}
DEVICE = {
    "vendor": "generic",
    "vendor_device_id": "BP-1",
    "kind": "bp",
    "fda_listed": "yes",
    "automatic": "yes",
    "from_day": "2026-01-15",
    "from_time": "08:00",
}


@pytest.fixture
def practice(engine: Engine, actor: Actor, clock: FixedClock) -> Practice:
    """The test's practice, with a practitioner and a payer."""
    practice = Practice(engine, actor, clock.now())
    practice.record(Practitioner(id=uuid4(), name="Dr. Dana", npi=NPI, credential="MD"))
    return practice


@pytest.fixture
def nurse(practice: Practice, signed_in: SignedIn) -> TestClient:
    """A nurse of the practice."""
    return signed_in("clinical_staff")


def registered(browser: TestClient) -> str:
    """The address of the enrollment of a patient who was registered on the page."""
    answer = browser.post("/patients/new", data=PATIENT)
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


def test_one_step_follows_the_other(practice: Practice, nurse: TestClient) -> None:
    """Each form records its step and shows the next one; in the end everything is on record."""
    address = registered(nurse)
    coverage = {
        "payer_id": str(practice.payer("MEDICARE_B")),
        "member_id": "1EG4",
        "from_day": "2025-01-01",
    }
    established = {"from_day": "2025-06-01", "reference": "visit"}
    setup = {"setup_day": "2026-01-15", "trained_by": "Nora Nurse"}
    for step, form in (
        ("coverage", coverage),
        ("order", ORDER),
        ("established", established),
        ("consent", CONSENT),
        ("device", DEVICE),
        ("setup", setup),
    ):
        assert f'action="{address}/{step}"' in nurse.get(address).text
        answer = nurse.post(f"{address}/{step}", data=form)
        assert (answer.status_code, answer.headers.get("location")) == (303, address)
    page = nurse.get(address).text
    assert "Everything is on record" in page
    assert "I10, E11.9" in page


def test_it_can_be_left_and_taken_up_by_somebody_else(
    practice: Practice, nurse: TestClient, signed_in: SignedIn
) -> None:
    """Where it stands is what is on record, whoever looks."""
    address = registered(nurse)
    nurse.post(f"{address}/order", data=ORDER)
    page = signed_in("practitioner").get(address).text
    assert "RPM since" in page
    assert f'action="{address}/coverage"' in page
    assert (
        f'action="{address}/consent"'
        in signed_in("practitioner").get(f"{address}?step=consent").text
    )


@pytest.mark.parametrize(
    ("step", "form", "field"),
    [
        ("order", ORDER | {"diagnosis_codes": "not a code"}, "diagnosis_codes"),
        ("order", ORDER | {"opened_day": "2026-02-01"}, "opened_day"),
        ("order", ORDER | {"ordering_npi": "123"}, "ordering_npi"),
        ("coverage", {"member_id": "1", "from_day": "2025-01-01"}, "payer_id"),
    ],
)
def test_a_mistake_is_told_beside_its_field(
    nurse: TestClient, step: str, form: dict[str, str], field: str
) -> None:
    """The form comes back with what was typed, the field marked, and a link to it on top."""
    address = registered(nurse)
    page = nurse.post(f"{address}/{step}", data=form)
    assert page.status_code == 422
    assert f'id="e-{field}"' in page.text
    assert f'href="#f-{field}"' in page.text


@pytest.mark.parametrize(
    ("form", "field"),
    [
        (DEVICE | {"from_time": "noon"}, "from_time"),
        (DEVICE | {"from_day": ""}, "from_day"),
        (DEVICE | {"vendor_device_id": ""}, "vendor_device_id"),
        (DEVICE | {"from_time": "23:59"}, "from_at"),
    ],
)
def test_a_device_needs_a_time_that_has_come(
    nurse: TestClient, form: dict[str, str], field: str
) -> None:
    """Readings follow the device from the very minute, so the minute must be a real one."""
    address = registered(nurse)
    nurse.post(f"{address}/order", data=ORDER)
    page = nurse.post(f"{address}/device", data=form)
    assert page.status_code == 422
    assert f"#f-{field}" in page.text


def test_an_order_may_come_later(nurse: TestClient) -> None:
    """The episode opens without it, and the step stays open until it is here."""
    address = registered(nurse)
    nurse.post(f"{address}/order", data=ORDER | {"no_order": "yes"})
    page = nurse.get(f"{address}?step=order").text
    assert "open without an order" in page
    late = {"from_day": "2026-01-15", "reference": "Dr. Dana for I10"}
    assert nurse.post(f"{address}/order", data=late).status_code == 303
    assert "open without an order" not in nurse.get(address).text


def test_a_second_enrollment_beside_the_first_is_refused_in_words(nurse: TestClient) -> None:
    """A coverage on the same days is a conflict that the page tells."""
    address = registered(nurse)
    page = nurse.post(f"{address}/consent", data=CONSENT)
    assert page.status_code == 422
    assert "Record the order first" in page.text


def test_a_clerk_registers_and_covers_and_leaves_the_rest(
    practice: Practice, signed_in: SignedIn
) -> None:
    """Papers of the payer are a clerk's work; orders and consents are not."""
    clerk = signed_in("clerical_staff")
    address = registered(clerk)
    coverage = {
        "payer_id": str(practice.payer("MEDICARE_B")),
        "member_id": "1EG4",
        "from_day": "2025-01-01",
    }
    assert clerk.post(f"{address}/coverage", data=coverage).status_code == 303
    assert "for clinical staff" in clerk.get(address).text
    assert clerk.post(f"{address}/order", data=ORDER).status_code == 403


def test_the_same_record_number_is_told(nurse: TestClient) -> None:
    """Another patient under it is refused beside the field."""
    registered(nurse)
    page = nurse.post("/patients/new", data=PATIENT | {"family_name": "Else"})
    assert page.status_code == 422
    assert 'id="e-record_number"' in page.text


def test_patients_are_found_by_the_beginning_of_a_name(nurse: TestClient) -> None:
    """The list has everybody; a search narrows it by name or by the whole record number."""
    registered(nurse)
    assert "Fresh, Fay" in nurse.get("/patients").text
    assert "Fresh, Fay" in nurse.post("/patients/search", data={"family_name": "fr"}).text
    assert "Fresh, Fay" in nurse.post("/patients/search", data={"record_number": "MRN-1"}).text
    assert "Nobody is found" in nurse.post("/patients/search", data={"family_name": "x"}).text


def test_a_step_that_there_is_not(nurse: TestClient) -> None:
    """An unknown step is not found."""
    assert nurse.post(f"{registered(nurse)}/party").status_code == 404

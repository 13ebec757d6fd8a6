"""What claims need, recorded on pages: identity, names, payers, charges, addresses, coverages."""

from typing import Any

import pytest
from claims_practice import FEBRUARY, HOME, IDENTITY, BilledPractice
from conftest import FixedClock
from sqlalchemy.engine import Engine
from starlette.testclient import TestClient

from rpm.access import Actor
from rpm.store.engine import reading
from rpm.store.queries.billing import addresses_of, charges, coverage_details, practice_billing
from rpm.store.scope import Scope
from rpm.store.tables.people import Coverage, Payer, Practitioner

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def practice(engine: Engine, actor: Actor, clock: FixedClock) -> BilledPractice:
    """A practice with a patient, a practitioner, and nothing that claims need."""
    clock.instant = FEBRUARY
    practice = BilledPractice(engine, actor)
    practice.record(Practitioner(name="Dr. Green", npi="1234567893", credential="MD"))
    return practice


def test_the_billing_identity_is_recorded_on_its_page(
    signed_in: Any, practice: BilledPractice, engine: Engine
) -> None:
    """What is wrong is told beside its field, with what was typed; then it counts."""
    biller: TestClient = signed_in("biller")
    assert "not recorded" in biller.get("/admin/billing").text
    wrong = biller.post("/admin/billing", data=IDENTITY | {"postal_code": "62701"})
    assert wrong.status_code == 422
    assert "nine digits" in wrong.text
    assert "LAKESIDE MEDICAL GROUP" in wrong.text
    typed = IDENTITY | {"postal_code": "62701-0001", "state": "il", "tax_id": "37-1234567"}
    assert biller.post("/admin/billing", data=typed).status_code == 303
    with reading(engine) as db:
        row = practice_billing(db, Scope.of(practice.actor))
        (person,) = Scope.of(practice.actor).all_of(db, Practitioner)
    assert row is not None
    assert (row.postal_code, row.state, row.tax_id) == ("627010001", "IL", "371234567")
    place = f"/admin/billing/practitioners/{person.id}"
    assert biller.post(place, data={"last": "GREEN"}).status_code == 422
    assert biller.post(place, data={"last": "GREEN", "first": "ALICE"}).status_code == 303
    assert 'value="ALICE"' in biller.get("/admin/billing").text
    auditor: TestClient = signed_in("auditor")
    assert "LAKESIDE" in auditor.get("/admin/billing").text
    assert auditor.post("/admin/billing", data=IDENTITY).status_code == 403


def test_how_a_payer_is_billed(signed_in: Any, practice: BilledPractice, engine: Engine) -> None:
    """An address by halves is refused; days are numbers; the list of payers leads there."""
    practice.patient()
    admin: TestClient = signed_in("practice_admin")
    with reading(engine) as db:
        (payer,) = Scope.of(practice.actor).all_of(db, Payer)
    place = f"/admin/payers/{payer.id}/billing"
    assert place in admin.get("/admin/payers").text
    given = {"edi_payer_id": "06102", "filing_code": "MB", "timely_filing_days": "365"}
    assert admin.post(place, data=given | {"street": "1 A ST"}).status_code == 422
    assert admin.post(place, data=given | {"appeal_days": "many"}).status_code == 422
    assert admin.post(place, data=given | {"day_range": "yes"}).status_code == 303
    assert 'value="365"' in admin.get(place).text


def test_charges_are_loaded_and_set(
    signed_in: Any, practice: BilledPractice, engine: Engine
) -> None:
    """A file's refused rows are told by line and the rest counts; one charge is set by hand."""
    biller: TestClient = signed_in("biller")
    content = b"procedure,fee\n99454,65.00\n99457,oops\n"
    data = {"first_day": "2026-01-01", "file_reason": "schedule of 2026"}
    answer = biller.post(
        "/admin/charges/file", data=data, files={"file": ("fees.csv", content, "text/csv")}
    )
    assert answer.status_code == 422
    assert "line 3, fee" in answer.text
    one = {"procedure": "99457", "dollars": "55", "from_day": "2026-01-01", "reason": "new"}
    assert biller.post("/admin/charges", data=one | {"dollars": "a lot"}).status_code == 422
    assert biller.post("/admin/charges", data=one).status_code == 303
    empty = biller.post("/admin/charges/file", data=data)
    assert "Choose a file first" in empty.text
    with reading(engine) as db:
        found = charges(db, Scope.of(practice.actor))
    assert [(row.procedure, row.cents) for row in found] == [("99454", 6_500), ("99457", 5_500)]
    assert "$65.00" in biller.get("/admin/charges").text


def test_a_patients_address_and_coverage(
    signed_in: Any, practice: BilledPractice, engine: Engine
) -> None:
    """Who holds a coverage is asked for when it is another person; both forms stand on one page."""
    patient_id = practice.patient()
    clerk: TestClient = signed_in("clerical_staff")
    place = f"/patients/{patient_id}/billing"
    assert "no address" in clerk.get(place).text
    assert clerk.post(f"{place}/address", data=HOME | {"postal_code": "6"}).status_code == 422
    assert clerk.post(f"{place}/address", data=HOME | {"state": "il"}).status_code == 303
    with reading(engine) as db:
        scope = Scope.of(practice.actor)
        assert addresses_of(db, scope, [patient_id])[patient_id].state == "IL"
        (coverage,) = scope.all_of(db, Coverage)
    at = f"{place}/coverages/{coverage.id}"
    assert clerk.post(at, data={"rank": "P", "relationship": "01"}).status_code == 422
    spouse = {"rank": "P", "relationship": "01", "last": "DOE", "first": "SAM", "group_number": "7"}
    assert clerk.post(at, data=spouse).status_code == 303
    assert 'value="SAM"' in clerk.get(place).text
    with reading(engine) as db:
        detail = coverage_details(db, Scope.of(practice.actor), [coverage.id])[coverage.id]
    assert (detail.relationship, detail.subscriber) == ("01", {"last": "DOE", "first": "SAM"})
    assert clerk.get(f"/patients/{practice.new_id()}/billing").status_code == 404

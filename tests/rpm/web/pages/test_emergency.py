"""Emergency access: taken with a reason, ended by itself, reported with all that was done."""

from collections.abc import Callable

from conftest import FixedClock
from signing_in import Person
from starlette.testclient import TestClient

from rpm.actions.emergency import EMERGENCY

SignedIn = Callable[..., TestClient]
MakePerson = Callable[..., Person]
WHY = {"reason": "patient called, breathless, nurse is out"}


def test_a_clerk_opens_more_for_four_hours(
    signed_in: SignedIn, person: MakePerson, clock: FixedClock
) -> None:
    """With a reason the account page tells more permissions, until four hours have passed."""
    clerk = person("clerical_staff").actor
    browser = signed_in(actor=clerk)
    assert "readings read" not in browser.get("/account").text
    assert browser.post("/emergency").status_code == 422
    assert browser.post("/emergency", data=WHY).status_code == 303
    page = browser.get("/account").text
    assert "readings read" in page
    assert "Emergency access until" in page
    assert browser.post("/emergency", data=WHY).status_code == 409
    clock.instant += EMERGENCY
    later = signed_in(actor=clerk)
    assert "readings read" not in later.get("/account").text


def test_a_role_that_opens_everything_needs_none(signed_in: SignedIn) -> None:
    """A nurse reads every chart already; there is nothing to take."""
    nurse = signed_in("clinical_staff")
    assert "nothing to add" in nurse.get("/emergency").text
    assert nurse.post("/emergency", data=WHY).status_code == 409


def test_auditors_see_who_took_it_and_what_was_done(
    signed_in: SignedIn, person: MakePerson
) -> None:
    """The report names the person, the reason and each event; clerks do not see it."""
    clerk = person("clerical_staff").actor
    browser = signed_in(actor=clerk)
    browser.post("/emergency", data=WHY)
    browser.post("/sign-out-everywhere")
    auditor = signed_in("auditor")
    page = auditor.get("/admin/emergencies").text
    assert clerk.name_for_audit in page
    assert WHY["reason"] in page
    place = page.split('href="/admin/emergencies/')[1].split('"')[0]
    assert "sign in end all" in auditor.get(f"/admin/emergencies/{place}").text
    assert signed_in(actor=clerk).get("/admin/emergencies").status_code == 403

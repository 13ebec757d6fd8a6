"""The screens of answers: upload, outcome, payments, matching, and a patient's account."""

import re
from typing import Any

import pytest
from answered_practice import AnsweredPractice
from remittances_made import Payment, denied, file_of, paid, taken_back
from sqlalchemy.engine import Engine

from rpm.access import Actor

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def practice(engine: Engine, actor: Actor) -> AnsweredPractice:
    """Two claims that were sent."""
    return AnsweredPractice(engine, actor, ("C1", "C2"))


def uploaded(browser: Any, content: bytes, name: str = "era.835") -> str:
    """Sends a file by the form and gives the address of what became of it."""
    answer = browser.post("/claims/answers", files={"file": (name, content)})
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"])


def links(text: str, beginning: str) -> list[str]:
    """Addresses in a page that begin so."""
    return re.findall(rf'href="({beginning}/[0-9a-f-]{{36}})"', text)


def test_an_uploaded_payment_is_shown_to_the_cent(
    signed_in: Any, practice: AnsweredPractice
) -> None:
    """From the empty list to the payment's equation, its claims, lines and adjustments in words."""
    biller = signed_in("biller")
    assert "No answers yet" in biller.get("/claims/answers").text
    content = file_of(
        Payment(
            [paid("C1"), denied("C2"), paid("C9", last="ROE")], adjustments=(("WO", "X7", 500),)
        )
    )
    file = biller.get(uploaded(biller, content)).text
    assert "posted, look at it" in file
    assert "names no claim of ours" in file
    listed = biller.get("/claims/answers").text
    assert "era.835" in listed
    assert "$40.00</strong> in 1 answer names no claim" in listed
    (address,) = set(links(file, "/claims/remittances"))
    payment = biller.get(address).text
    for told in (
        "$75.00",
        "$80.00",
        "−$5.00",
        "Claims less provider adjustments are the payment",
        "CO-45, charge above the allowed amount",
        "PR-2, coinsurance",
        "CO-197, authorization or notice missing",
        "RARC M127, medical record missing",
        "denied",
        "no claim found",
    ):
        assert told in payment, told
    assert address in biller.get("/claims/remittances").text


def test_a_person_finds_the_claim(signed_in: Any, practice: AnsweredPractice) -> None:
    """A wrong number is told beside its field; the right one posts the money."""
    practice.post(file_of(Payment([paid("C9", last="ROE")])))
    biller = signed_in("biller")
    (address,) = links(biller.get("/claims/unmatched").text, "/claims/unmatched")
    wrong = biller.post(address, data={"control_number": "C8", "reason": "guess"})
    assert wrong.status_code == 422
    assert "there is no claim of this number" in wrong.text
    done = biller.post(address, data={"control_number": "C1", "reason": "old number"})
    assert done.status_code == 303
    assert "All money has its claim" in biller.get("/claims/unmatched").text
    assert "has its claim" in biller.get(address).text


def test_what_was_taken_back_is_settled_with_a_reason(
    signed_in: Any, practice: AnsweredPractice
) -> None:
    """It stands with its day until somebody settles it."""
    practice.post(file_of(Payment([paid("C1")])))
    practice.post(file_of(Payment([taken_back(paid("C1"))], trace="T2", day="20260110")))
    biller = signed_in("biller")
    page = biller.get("/claims/overpayments").text
    assert "Mar 11, 2026" in page
    (address,) = links(page, "/claims/overpayments")
    assert biller.post(address, data={"reason": ""}).status_code == 422
    assert biller.post(address, data={"reason": "taken off T2"}).status_code == 303
    assert "Nothing was taken back" in biller.get("/claims/overpayments").text
    assert biller.get(address).status_code == 404


def test_a_file_that_cannot_be_read_is_shown_and_read_again(
    signed_in: Any, practice: AnsweredPractice
) -> None:
    """Kept whole; reading it again says the same; nothing chosen is told."""
    biller = signed_in("biller")
    address = uploaded(biller, b"%PDF-1.7", "../../x.pdf")
    page = biller.get(address).text
    assert "cannot be read" in page
    assert "E_NOT_X12" in page
    assert biller.post(f"{address}/read").status_code == 303
    assert biller.post("/claims/answers").headers["location"] == "/claims/answers"
    other = file_of(Payment([paid("C1")])).replace(b"XX*1234567893", b"XX*1003000126")
    address = uploaded(biller, other)
    assert "For another NPI" in biller.get(address).text
    assert biller.post(f"{address}/read", data={"any_payee": "yes"}).status_code == 303
    assert "For another NPI" not in biller.get(address).text


def test_a_patients_account_tells_what_is_owed(signed_in: Any, practice: AnsweredPractice) -> None:
    """The share, a payment, one taken back, wrong amounts beside their field, and the statement."""
    practice.post(file_of(Payment([paid("C1"), denied("C2")])))
    biller, patient = signed_in("biller"), f"/patients/{practice.patient_id}"
    page = biller.get(f"{patient}/balance").text
    assert "$10.00</span> is owed by the patient" in page
    form = {"on_day": "2026-01-10", "method": "card", "claim_id": str(practice.claims["C1"])}
    wrong = biller.post(f"{patient}/payments", data=form | {"dollars": "ten"})
    assert wrong.status_code == 422
    assert "an amount such as 25" in wrong.text
    late = biller.post(f"{patient}/payments", data=form | {"dollars": "4", "on_day": "2027-01-01"})
    assert late.status_code == 422
    assert biller.post(f"{patient}/payments", data=form | {"dollars": "4.00"}).status_code == 303
    page = biller.get(f"{patient}/balance").text
    assert "$6.00</span>" in page
    (reverse,) = re.findall(r'action="(/patients/[^"]+/reverse)"', page)
    assert biller.post(reverse).status_code == 303
    assert "$10.00</span>" in biller.get(f"{patient}/balance").text
    statement = biller.get(f"{patient}/statement.pdf")
    assert statement.headers["content-type"] == "application/pdf"
    assert statement.content.startswith(b"%PDF")


def test_readers_see_and_may_not_post(signed_in: Any, practice: AnsweredPractice) -> None:
    """An auditor sees lists without forms and is refused; staff without claims see nothing."""
    auditor = signed_in("auditor")
    page = auditor.get("/claims/answers")
    assert page.status_code == 200
    assert '<form method="post" action="/claims' not in page.text
    assert auditor.post("/claims/answers", files={"file": ("x", b"x")}).status_code == 403
    assert signed_in("clinical_staff").get("/claims/answers").status_code == 403

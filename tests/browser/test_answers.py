"""A biller's walk through answers: a payment taken in, its cents, its claim found, an account."""

from answered_practice import AnsweredPractice
from conftest import FixedClock
from playwright.sync_api import expect
from remittances_made import Payment, denied, file_of, paid, taken_back
from sqlalchemy.engine import Engine
from windows import PageOf, no_violations

from rpm.access import Actor

WIDTHS = (320, 1280)


def test_a_payment_is_taken_in_and_every_screen_keeps_wcag(
    engine: Engine, actor: Actor, clock: FixedClock, page_of: PageOf
) -> None:
    """The equation balances, money without a claim finds it, and the patient's account follows."""
    practice = AnsweredPractice(engine, actor, ("C1", "C2", "C3", "C4"))
    clock.instant = practice.now
    practice.post(file_of(Payment([paid("C3")], "T0")))
    practice.post(file_of(Payment([taken_back(paid("C3"))], "T1", day="20261103")))
    told = [paid("C1"), denied("C2"), paid("C9", last="ROE", patient_id="M9")]
    content = file_of(Payment(told, "T2", adjustments=(("WO", "X7", 500),)))
    page = page_of("biller")
    page.goto("/claims/answers")
    page.get_by_label("A file from a payer or clearinghouse").set_input_files(
        {"name": "era.835", "mimeType": "text/plain", "buffer": content}
    )
    page.get_by_role("button", name="Store and post").click()
    expect(page.get_by_text("The file is stored; it is posted, look at it.")).to_be_visible()
    file = page.url
    page.get_by_role("link", name="MEDICARE EXAMPLE").click()
    payment = page.url
    expect(page.get_by_text("Claims less provider adjustments are the payment.")).to_be_visible()
    page.goto("/claims/unmatched")
    page.get_by_role("link", name="C9").click()
    answer = page.url
    lists = (f"/patients/{practice.patient_id}/balance", "/claims/remittances")
    more = ("/claims/overpayments", f"/claims/overpayments/{practice.claims['C3']}")
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        for address in (
            "/claims/answers",
            file,
            payment,
            "/claims/unmatched",
            answer,
            *lists,
            *more,
        ):
            page.goto(address)
            no_violations(page)
            wide = page.evaluate("document.documentElement.scrollWidth")
            assert wide <= width, address
    page.goto(answer)
    page.get_by_label("Number of the claim it is for").fill("C4")
    page.get_by_label("How you know").fill("billed under the old number")
    page.keyboard.press("Enter")
    expect(page.get_by_text("The money is posted to the claim.")).to_be_visible()
    page.goto(lists[0])
    expect(page.get_by_text("$20.00")).to_be_visible()

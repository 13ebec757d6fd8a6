"""A biller's walk through claims: what is on none, mended, made, released, looked at."""

from claims_practice import FEBRUARY, BilledPractice
from conftest import FixedClock
from playwright.sync_api import expect
from sqlalchemy.engine import Engine
from windows import PageOf, no_violations

from rpm.access import Actor

WIDTHS = (320, 1280)


def test_a_month_becomes_claims_and_every_screen_keeps_wcag(
    engine: Engine, actor: Actor, clock: FixedClock, page_of: PageOf
) -> None:
    """Held lines lead to where they are mended; then claims are made and released by keys."""
    clock.instant = FEBRUARY
    practice = BilledPractice(engine, actor)
    practice.identity()
    practice.resident(1)
    patient_id, _ = practice.resident(2, address=False)
    practice.close()
    page = page_of("practice_admin")
    page.goto("/claims")
    page.get_by_role("link", name="January 2026: 4 lines").click()
    expect(page.get_by_text("patient, address").first).to_be_visible()
    page.get_by_role("link", name="Address and coverage").first.click()
    page.get_by_label("Street").first.fill("22 Elm Street")
    page.get_by_label("City").first.fill("Springfield")
    page.get_by_label("State, two letters").fill("il")
    page.get_by_label("Postal code").first.fill("62704")
    page.get_by_role("button", name="Record the address").click()
    expect(page.get_by_text("The address is recorded.")).to_be_visible()
    page.goto("/claims/months/2026-01")
    page.get_by_role("button", name="Make 2 claims").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("2 claims are made.")).to_be_visible()
    page.get_by_role("button", name="Release the marked claims").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("2 claims are released.")).to_be_visible()
    claim = page.get_by_role("link", name="RL000000001").get_attribute("href") or ""
    addresses = ("/claims", "/claims/months/2026-01", claim, "/claims/files", "/claims/corrections")
    more = ("/admin/billing", "/admin/charges", f"/patients/{patient_id}/billing")
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        for address in (*addresses, *more):
            page.goto(address)
            no_violations(page)
            wide = page.evaluate("document.documentElement.scrollWidth")
            assert wide <= width, address

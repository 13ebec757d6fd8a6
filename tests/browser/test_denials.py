"""A biller's walk through the denials: queue, one claim, the letter, without a mouse."""

from claims_practice import FEBRUARY
from conftest import FixedClock
from denied_practice import opened, refused
from playwright.sync_api import expect
from sqlalchemy.engine import Engine
from windows import PageOf, no_violations

from rpm.access import Actor

WIDTHS = (320, 1280)


def test_denials_are_worked_by_keyboard_and_keep_wcag(
    engine: Engine, actor: Actor, clock: FixedClock, page_of: PageOf
) -> None:
    """Every screen is sound at 320 and 1280 px; a note and an appeal are made by keys alone."""
    clock.instant = FEBRUARY
    practice, (one, two, three) = opened(engine, actor)
    practice.answered(refused(one, "151", "N362"), refused(two, "4"), refused(three, "X1"))
    page = page_of("biller")
    addresses = ("/denials", "/denials/causes", f"/denials/{one.id}", f"/denials/{one.id}/appeal")
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        for address in (*addresses, "/denials/looks-for/TH-NCCI-09"):
            page.goto(address)
            no_violations(page)
            wide = page.evaluate("document.documentElement.scrollWidth")
            assert wide <= width, address
    page.goto("/denials")
    page.get_by_role("link", name=one.control_number).focus()
    page.keyboard.press("Enter")
    page.get_by_label("What was found or done").focus()
    page.keyboard.type("sent the log")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_text("The note is kept.")).to_be_visible()
    page.get_by_role("link", name="Write an appeal").focus()
    page.keyboard.press("Enter")
    letter = page.get_by_label("Letter")
    letter.fill(letter.input_value().replace("[CHECK] ", ""))
    page.get_by_role("button", name="Make the packet").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("The appeal is recorded.")).to_be_visible()
    expect(page.get_by_role("link", name="Packet (PDF)")).to_be_visible()

"""A clerk's walk: what an EHR tells, beside the record, accepted by keyboard."""

from playwright.sync_api import expect
from windows import AtWork, PageOf, no_violations

from rpm.actions.take_message import take_message

ADT = (
    b"MSH|^~\\&|EHR|F|RPM|F|20260101||ADT^A04^ADT_A01|17|P|2.5.1\r"
    b"PID|1||00042^^^F^MR||<img src=x onerror=window.ran=1>^Ann||19500102|F|||"
    b"22 Elm St^^Town^IL^62704\r"
)


def test_a_proposal_is_looked_at_and_accepted(page_of: PageOf, at_work: AtWork) -> None:
    """List and proposal meet WCAG 2.2 AA; what was sent is shown as text."""

    def send(practice: object) -> None:
        db, actor, now = practice.db, practice.actor, practice.now  # type: ignore[attr-defined]  # a practice
        take_message(db, actor, now, "adt-file", "a", ADT)
        take_message(db, actor, now, "adt-file", "b", b"no message")

    at_work(send)
    page = page_of("clerical_staff")
    page.goto("/proposals")
    expect(page.get_by_text("Could not be read")).to_be_visible()
    no_violations(page)
    page.get_by_role("link", name="00042").click()
    expect(page.get_by_role("cell", name="<img src=x onerror=window.ran=1>")).to_be_visible()
    no_violations(page)
    page.locator("#f-family_name").fill("Doe")
    page.get_by_role("button", name="Accept").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("The proposal is accepted.")).to_be_visible()
    assert page.evaluate("window.ran === undefined")

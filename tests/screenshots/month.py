"""A month in the browser, as the people of the demo work it: the walk behind the guide's pictures.

Owns the steps and what each must show. A step that does not end as told fails the command. The
nurse's two minutes are two minutes: the timer is the server's.
"""

import re
from dataclasses import dataclass

from demo_process import DemoProcess
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from rpm.web.pages.listed import page_paths
from screenshots.album import Album

_DRAWN_ELSEWHERE = frozenset(
    {"/", "/sign-in", "/worklist", "/close", "/time", "/time/bar", "/time/stop", "/demo/clock"}
)
"""By another step, or no page of their own."""


@dataclass
class Walk:
    """The demo, a browser, and the album that the walk fills."""

    demo: DemoProcess
    browser: Browser
    album: Album

    def sign_in(self, who: str) -> Page:
        """Someone at a machine of their own, signed in by password and one-time code."""
        context: BrowserContext = self.browser.new_context(base_url=self.demo.url)
        page = context.new_page()
        page.on("pageerror", self._complain)
        page.goto("/sign-in")
        if who == "nora":
            self.album.add(page, "sign-in")
        page.get_by_label("Address").fill(self.demo.address(who))
        page.get_by_label("Password").fill(self.demo.password())
        page.get_by_label("One-time code").fill(self.demo.code(who))
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("heading", name="Sign in")).to_have_count(0)
        return page

    def draw(self, page: Page, address: str, name: str) -> None:
        """Open a page and draw it."""
        page.goto(address)
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        self.album.add(page, name)

    @staticmethod
    def _complain(error: Exception) -> None:
        raise AssertionError(f"a page's script failed: {error}")


def row_of(page: Page, patient: str) -> Locator:
    """A patient's row of the worklist."""
    table = page.get_by_role("table")
    return table.get_by_role("row").filter(has=page.get_by_role("link", name=patient))


def nurse_calls(walk: Walk) -> None:
    """Thea Twenty lacks two minutes; a call that the timer counts makes her ready."""
    page = walk.sign_in("nora")
    page.goto("/worklist")
    expect(row_of(page, "Twenty, Thea")).to_contain_text("18 of 20 min")
    walk.album.add(page, "worklist")
    row_of(page, "Twenty, Thea").get_by_role("link").click()
    timer = page.get_by_role("region", name="Timer")
    expect(timer).to_contain_text("running", timeout=30_000)
    walk.album.add(page, "patient")
    expect(timer.locator(".timer-clock")).to_have_text(
        re.compile(r"^2 min \d+ s$"), timeout=150_000
    )
    page.get_by_role("link", name="Stop").click()
    page.get_by_label("How did you work?").select_option(index=0)
    page.get_by_label("Yes").check()
    page.get_by_label("What did you do?").fill("call about readings")
    walk.album.add(page, "timer-stop")
    page.get_by_label("You worked as").select_option(label="registered nurse")
    page.get_by_role("button", name=re.compile("^Record")).click()
    expect(page.get_by_role("heading", name="Twenty, Thea")).to_be_visible()
    page.goto("/worklist")
    expect(row_of(page, "Twenty, Thea")).to_contain_text("20 of 40 min")
    expect(row_of(page, "Twenty, Thea")).to_contain_text("ready")
    walk.draw(page, "/time", "time")


def clock_moves(walk: Walk) -> None:
    """The month is over, and not closed yet."""
    page = walk.sign_in("admin")
    walk.draw(page, "/demo/clock", "demo-clock")
    page.get_by_label("To another day").fill("2026-03-01")
    page.locator("form").filter(has=page.get_by_label("To another day")).get_by_role(
        "button"
    ).click()
    expect(page.get_by_text("The clock stands on the evening of")).to_be_visible(timeout=120_000)
    for address in sorted(page_paths() - _DRAWN_ELSEWHERE):
        if "{" not in address:
            walk.draw(page, address, address.strip("/").replace("/", "-"))
    chart = thea(page)
    for part in ("why", "what-if", "enrollment", "visits/new"):
        walk.draw(page, f"{chart}/{part}", f"patient-{part.replace('/', '-')}")


def biller_closes(walk: Walk) -> None:
    """Preview, confirmation, close, file."""
    page = walk.sign_in("biller")
    walk.draw(page, "/close", "close")
    page.get_by_role("link", name="Preview of Feb 2026").click()
    go_on = page.get_by_role("button", name="Go on to close Feb 2026")
    expect(go_on).to_be_visible(timeout=60_000)
    walk.album.add(page, "close-preview")
    go_on.click()
    page.get_by_role("button", name="Close Feb 2026").click()
    page.get_by_role("link", name="See the close and download its files").click(timeout=60_000)
    expect(page.get_by_role("heading", name="Feb 2026, close 1")).to_be_visible()
    walk.album.add(page, "closed")
    with page.expect_download() as waiting:
        page.get_by_role("region", name="Download").get_by_role("button").first.click()
    lines = waiting.value.path().read_text(encoding="utf-8")
    assert "Twenty" in lines, "the file of the close has no line of Thea's"


def auditor_reads(walk: Walk) -> None:
    """The auditor opens the evidence of a line, and has nothing to change anything with."""
    page = walk.sign_in("auditor")
    page.goto("/close")
    page.get_by_role("link", name="Feb 2026").first.click()
    with page.expect_download() as waiting:
        page.get_by_role("button", name=re.compile("^PDF of ")).first.click()
    assert waiting.value.path().read_bytes().startswith(b"%PDF")
    chart = thea(page)
    expect(page.get_by_role("button", name="Start timer")).to_have_count(0)
    expect(page.get_by_role("link", name="Enrollment")).to_have_count(0)
    refused = page.request.post("/time/start", form={"patient_id": chart.rsplit("/", 1)[1]})
    assert refused.status == 403, f"an auditor started a timer: {refused.status}"


def thea(page: Page) -> str:
    """The address of Thea Twenty's chart."""
    page.goto("/worklist")
    row_of(page, "Twenty, Thea").get_by_role("link").click()
    return page.url.partition("?")[0]


STEPS = (nurse_calls, clock_moves, biller_closes, auditor_reads)

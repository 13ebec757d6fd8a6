"""The biller's and the administrator's screens in a real browser: a close, and pages by axe."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from conftest import FixedClock
from evidence_practice import management, record_practitioner, supply_long, supply_short
from ledger_practice import Practice
from playwright.sync_api import Page, expect
from sqlalchemy.engine import Engine
from windows import PageOf, no_violations

from rpm.access import Actor

FEBRUARY = datetime(2026, 2, 2, 15, tzinfo=UTC)
WIDTHS = (320, 768, 1440)
ADMIN_PAGES = (
    "/admin",
    "/admin/payers",
    "/admin/rules/medicare-b-2026",
    "/admin/connections",
    "/admin/connections/dead-letters",
    "/admin/tokens",
    "/admin/audit",
)


@pytest.fixture
def practice(engine: Engine, actor: Actor, clock: FixedClock) -> Practice:
    """Three patients that earn codes in January; it is February 2, 2026."""
    clock.instant = FEBRUARY
    practice = Practice(engine, actor, clock.now())
    supply_long(practice)
    supply_short(practice)
    management(practice, record_practitioner(practice))
    return practice


def stands(page: Page) -> None:
    """The page breaks no rule of WCAG and fits every width."""
    no_violations(page)
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        over: int = page.evaluate(
            "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        assert over <= 0, (page.url, width)


def test_a_biller_closes_the_month_and_downloads_the_file(
    practice: Practice, page_of: PageOf, tmp_path: Path
) -> None:
    """Four screens: overview, preview, confirmation, the close; then the file for the system."""
    page = page_of("biller")
    page.goto("/close")
    stands(page)
    page.get_by_role("link", name="Preview of Jan 2026").click()
    expect(page.get_by_role("heading", name="What close 1 would post")).to_be_visible()
    expect(page.get_by_role("status", name="Progress")).to_be_hidden()
    stands(page)
    amount = page.locator(".figure").first.inner_text()
    page.get_by_role("button", name="Go on to close Jan 2026").click()
    expect(page.locator(".figure").first).to_have_text(amount)
    stands(page)
    page.get_by_label("Remark for the audit trail").fill("January")
    page.get_by_role("button", name="Close Jan 2026").click()
    page.get_by_role("link", name="See the close and download its files").click()
    expect(page.locator(".figure").first).to_have_text(amount)
    stands(page)
    with page.expect_download() as downloading:
        page.get_by_role("button", name="Service lines (CSV)").click()
    downloading.value.save_as(tmp_path / "lines.csv")
    assert downloading.value.suggested_filename == "close-2026-01-1-service-lines.csv"
    assert b"99454" in (tmp_path / "lines.csv").read_bytes()
    for path in (
        "/figures",
        "/figures/readings",
        "/figures/checks",
        "/figures/checks/not-all-parts",
    ):
        page.goto(path)
        stands(page)


def test_pages_of_administration_stand(practice: Practice, page_of: PageOf) -> None:
    """No rule of WCAG is broken at any width, also on a page that shows a secret once."""
    page = page_of("practice_admin")
    for path in ADMIN_PAGES:
        page.goto(path)
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        stands(page)
    page.goto("/admin/connections")
    page.get_by_label("Name", exact=True).fill("Gateway")
    page.get_by_role("button", name="Make the connection").click()
    expect(page.get_by_text("Copy it now")).to_be_visible()
    stands(page)
    page.get_by_role("link", name="I have copied it").click()
    stands(page)

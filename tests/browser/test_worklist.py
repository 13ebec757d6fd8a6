"""A nurse's morning in a real browser: from the worklist to the call, with the keyboard alone."""

import re
from datetime import date
from uuid import UUID, uuid4

import pytest
from conftest import FixedClock
from ledger_practice import Practice, days
from playwright.sync_api import Page, expect
from sqlalchemy.engine import Engine
from test_timer import BEATS_BY_THE_TEST, beat, grace, start, stop
from windows import AtWork, Complaints, PageOf, no_violations

from rpm.access import Actor
from rpm.store.tables.alerts import Alert
from rpm.store.tables.people import Practitioner

WINDOW_START = date(2025, 12, 31)
WIDTHS = (320, 768, 1440)


@pytest.fixture
def practice(engine: Engine, actor: Actor, clock: FixedClock) -> Practice:
    """The served practice."""
    practice = Practice(engine, actor, clock.now())
    practice.record(Practitioner(id=uuid4(), name="Dr. Dana", npi="1234567893", credential="MD"))
    return practice


@pytest.fixture
def thea(practice: Practice) -> UUID:
    """A patient at the top of her days and at 18 of 20 minutes."""
    patient_id = practice.patient(family_name="Twenty", given_name="Thea")
    episode_id = practice.episode(patient_id, opened_day=WINDOW_START)
    practice.readings(patient_id, episode_id, days(WINDOW_START, 16), measure="bp")
    practice.entry(patient_id, episode_id, date(2026, 1, 5), 1_080)
    return patient_id


@pytest.fixture
def held(practice: Practice) -> UUID:
    """A patient without consent, with an excluded reading, a reversed entry and an alert."""
    patient_id = practice.patient(family_name="Noconsent", given_name="Ned")
    episode_id = practice.episode(patient_id, opened_day=WINDOW_START, consent=False)
    rows = practice.readings(patient_id, episode_id, days(WINDOW_START, 10), measure="bp")
    practice.exclude(rows[3])
    practice.reverse(practice.entry(patient_id, episode_id, date(2026, 1, 5), 600))
    practice.record(
        Alert(
            key="one",
            rule="bp.systolic.high.red",
            subject="reading",
            band="red",
            level="alert",
            patient_id=patient_id,
            value="191",
            unit="mm[Hg]",
            comparison="above",
            limit_value="180",
            detail={},
            told_from=practice.now,
            route=["clinical_staff"],
            escalate_after_minutes=60,
        )
    )
    return patient_id


def fits(page: Page) -> bool:
    """Whether nothing reaches beyond the side of the window."""
    wide: int = page.evaluate(
        "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    return wide <= 0


def test_a_call_turns_the_row_ready(
    thea: UUID, clock: FixedClock, page_of: PageOf, at_work: AtWork
) -> None:
    """From the list to the chart and to a live call by keyboard: 18 of 20 becomes 20, and ready."""
    grace(at_work, "off")
    page = page_of("clinical_staff")
    page.add_init_script(BEATS_BY_THE_TEST)
    page.goto("/worklist")
    row = page.get_by_role("row").filter(has_text="Twenty, Thea")
    expect(row.get_by_text("18 of 20 min")).to_be_visible()
    expect(row.get_by_text("to do", exact=True)).to_be_visible()
    name = page.get_by_role("link", name="Twenty, Thea").first
    for _ in range(60):
        if name.evaluate("one => one === document.activeElement"):
            break
        page.keyboard.press("Tab")
    expect(name).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Twenty, Thea")
    start(page)
    for _ in range(8):
        clock.advance(seconds=15)
        beat(page)
    stop(page)
    page.goto(f"/patients/{thea}")
    expect(page.get_by_text("20 of 40 min")).to_be_visible()
    page.goto("/worklist?show=ready")
    row = page.get_by_role("row").filter(has_text="Twenty, Thea")
    expect(row.get_by_text("ready", exact=True)).to_be_visible()


def test_pages_are_readable_for_everybody(thea: UUID, held: UUID, page_of: PageOf) -> None:
    """No rule of WCAG 2.2 AA is broken, and nothing is cut off at any width."""
    page = page_of("practice_admin")
    for address in (
        "/worklist",
        f"/patients/{thea}",
        f"/patients/{held}",
        f"/patients/{held}/why?month=2026-01&code=99454",
        f"/patients/{thea}/what-if",
        f"/patients/{held}/enrollment",
        "/patients",
        "/patients/new",
        "/alerts",
    ):
        page.set_viewport_size({"width": 1440, "height": 900})
        page.goto(address)
        expect(page.get_by_role("heading", level=1)).to_have_count(1)
        no_violations(page)
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            assert fits(page), f"{address} at {width} px"


def test_the_dark_has_enough_contrast(held: UUID, page_of: PageOf) -> None:
    """The pages with the most colors break no rule in the dark either."""
    page = page_of("practice_admin")
    page.emulate_media(color_scheme="dark")
    for address in ("/worklist", f"/patients/{held}"):
        page.goto(address)
        no_violations(page)


@pytest.mark.parametrize("step", ["order", "consent"])
def test_mistakes_of_an_enrollment_lead_to_their_fields(
    practice: Practice, page_of: PageOf, complaints: Complaints, step: str
) -> None:
    """The summary links to each wrong field, and each step's form is readable for everybody."""
    complaints.expect("status of 422")
    patient_id = practice.patient(family_name="Fresh")
    if step != "order":
        practice.episode(patient_id, consent=False)
    page = page_of("clinical_staff")
    page.goto(f"/patients/{patient_id}/enrollment?step={step}")
    no_violations(page)
    page.evaluate("() => document.querySelectorAll('form').forEach(one => one.noValidate = true)")
    page.get_by_label(re.compile("Diagnosis codes|Taken by")).first.fill("")
    page.get_by_role("button", name="Record, and go on").click()
    summary = page.get_by_role("alert")
    expect(summary).to_be_visible()
    no_violations(page)
    summary.get_by_role("link").first.click()
    assert "#f-" in page.url


def test_the_list_works_without_scripts(
    thea: UUID, page_of: PageOf, complaints: Complaints
) -> None:
    """Search, order and views are forms and links: nothing waits for a script."""
    complaints.expect("ERR_FAILED")
    page = page_of("clinical_staff")
    page.route("**/*.js*", lambda route: route.abort())
    page.goto("/worklist")
    page.get_by_label("Family name begins with").fill("twe")
    page.get_by_role("button", name="Find").click()
    expect(page.get_by_role("link", name="Twenty, Thea").first).to_be_visible()
    assert "twe" not in page.url
    page.get_by_label("Keep this choice as").fill("Morning")
    page.get_by_role("button", name="Keep").click()
    expect(page.get_by_role("link", name="Morning")).to_be_visible()

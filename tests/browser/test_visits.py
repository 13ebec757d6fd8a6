"""A biller's walk: what the form of a visit shows while it is filled in."""

from datetime import date
from typing import Any

from playwright.sync_api import Page, expect
from windows import AtWork, PageOf, no_violations

WALK: dict[str, tuple[dict[str, str], list[str]]] = {
    "video for Medicare at home": (
        {"payer": "MCR", "state": "OH", "level_basis": "MDM", "mdm": "MOD"},
        ["CLEAN", "99214", "10", "decision making MOD supports 99214"],
    ),
    "audio-only for UnitedHealthcare": (
        {
            "payer": "UHC_COM",
            "state": "OH",
            "modality": "AUDIO",
            "level_basis": "MDM",
            "mdm": "LOW",
        },
        ["BLOCK", "No line is left to bill", "TH-CODE-21", "Appendix T"],
    ),
    "a photo for Medi-Cal": (
        {
            "payer": "MCD_CA",
            "state": "CA",
            "modality": "ASYNC",
            "service": "image_review",
            "code_chosen": "99213",
        },
        ["CLEAN", "99213", "GQ", "not settled"],
    ),
    "behavioral care across a state line": (
        {
            "payer": "MCR",
            "state": "OH",
            "provider_type": "LPC",
            "service": "therapy",
            "minutes_therapy": "45",
            "more": "licence=TX:ACTIVE",
        },
        ["BLOCK", "TH-LIC-01", "not authorized in OH"],
    ),
}
"""What is chosen in the form, and what must stand beside it."""


def filled(page: Page, choices: dict[str, str]) -> None:
    """Choose and type as a person does."""
    for name, value in choices.items():
        field = page.locator(f"#f-{name}")
        if name in ("more", "submitted"):
            page.get_by_text("Lines to judge, and further facts").click()
        if field.evaluate("element => element.tagName") == "SELECT":
            field.select_option(value)
        else:
            field.fill(value)


def test_the_form_shows_result_and_reason(page_of: PageOf, at_work: AtWork) -> None:
    """Code, place, modifiers or the edit that stops it appear without the form being sent."""
    patient: Any = at_work(lambda practice: practice.register_patient(birth_date=date(1951, 4, 23)))
    page = page_of("biller")
    for choices, expected in WALK.values():
        page.goto(f"/patients/{patient.id}/visits/new")
        filled(page, choices)
        for text in expected:
            expect(page.locator("#coding")).to_contain_text(text)
        page.wait_for_load_state("networkidle")


def test_a_visit_is_recorded_and_accepted_by_keyboard_and_reads_well(
    page_of: PageOf, at_work: AtWork
) -> None:
    """The form, the visit and the list meet WCAG 2.2 AA; the decision is kept."""
    patient: Any = at_work(lambda practice: practice.register_patient())
    page = page_of("biller")
    page.goto(f"/patients/{patient.id}/visits/new")
    filled(page, {"state": "OH", "level_basis": "MDM", "mdm": "MOD", "submitted": "99214@11"})
    expect(page.locator("#coding")).to_contain_text("TH-POS-01")
    page.wait_for_load_state("networkidle")
    no_violations(page)
    page.get_by_role("button", name="Record the visit").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("The visit is recorded.")).to_be_visible()
    no_violations(page)
    page.get_by_role("button", name="Accept the lines").click()
    expect(page.get_by_text("The visit is accepted.")).to_be_visible()
    page.goto("/visits")
    expect(page.get_by_role("row").nth(1)).to_contain_text("99214@10")
    no_violations(page)

"""Edits that meet on one line: what is left of it, and how the visit stands."""

from collections.abc import Mapping
from datetime import date
from typing import Any

import pytest

from billing.coding.code_visit import code_visit
from billing.coding.encounter import Encounter
from billing.coding.lines import lines_text, read_lines
from billing.coding.rules_read import shipped_coding_rules

VISIT: Mapping[str, Any] = {
    "payer": "MCR",
    "state": "OH",
    "dos": date(2026, 3, 10),
    "provider_type": "MD",
    "provider_site": "OFFICE",
    "patient_location": "HOME",
    "modality": "AV",
    "patient_status": "EST",
}
MONTH = {"modality": "NONE", "patient_location": "NONE"}
PHONE = {"modality": "AUDIO"}


def settled(lines: str, **facts: object) -> tuple[str, str, set[str]]:
    """Lines that would leave, the status, and the edits that fired on the way."""
    visit = Encounter(**{**VISIT, **facts})
    coded = code_visit(visit, shipped_coding_rules(), visit.known_day, submitted=read_lines(lines))
    return lines_text(coded.lines), coded.status, {one.code for one in coded.findings}


def test_two_edits_on_one_place_are_repaired_once() -> None:
    """POS 10 to UnitedHealthcare in 2021 breaks two rules; one repair answers both."""
    lines, status, fired = settled("99214@10", payer="UHC_COM", dos=date(2021, 6, 10))
    assert (lines, status) == ("99214@02", "FIX")
    assert {"TH-POS-04", "TH-POS-10"} <= fired


def test_a_family_of_care_goes_with_its_addons() -> None:
    """Where two families of care meet, the add-on of the one that goes is not left alone."""
    lines, status, fired = settled("99490@11;99439@11;99491@11", **MONTH)
    assert (lines, status) == ("99491@11", "FIX")
    assert "TH-NCCI-07" in fired


@pytest.mark.parametrize(
    ("dos", "lines", "status"),
    [
        (date(2024, 12, 31), "none", "BLOCK"),
        (date(2025, 1, 1), "99213-93@10", "CLEAN"),
    ],
)
def test_an_office_visit_by_phone_is_medicares_from_2025(
    dos: date, lines: str, status: str
) -> None:
    """Until 2024 an office visit needs video under Medicare; from 2025 the phone is listed."""
    found = settled("99213-93@10", **PHONE, dos=dos)
    assert found[:2] == (lines, status)
    assert ("TH-COV-01" in found[2]) == (status == "BLOCK")


def test_a_modifier_before_its_time_gives_way_to_the_phone_code() -> None:
    """93 on a phone visit of 2021 becomes the phone code that the minutes support."""
    lines, status, fired = settled(
        "99213-93@11", **PHONE, dos=date(2021, 6, 10), discussion_minutes=15
    )
    assert (lines, status) == ("99442@11", "FIX")
    assert "TH-MOD-12" in fired
    assert "TH-COV-01" not in fired


def test_a_hold_keeps_the_lines_though_another_edit_repairs_them() -> None:
    """A missing consent holds the claim; the wrong place of service is still put right."""
    lines, status, fired = settled("99213@11", consent="missing")
    assert (lines, status) == ("99213@10", "BLOCK")
    assert {"TH-POS-01", "TH-DOC-04"} <= fired


def test_florida_asks_for_no_modifier_on_what_it_does_not_cover() -> None:
    """An audio-only visit in Florida Medicaid is not covered; nothing is said of a modifier."""
    lines, status, fired = settled("99213-GT@10", **PHONE, payer="MCD_FL", state="FL")
    assert (lines, status) == ("none", "BLOCK")
    assert "TH-CODE-19" in fired
    assert not {"TH-MOD-01", "TH-MOD-08"} & fired

"""Repairs: what becomes of submitted lines that an edit finds wrong, one story for each."""

from datetime import date
from typing import Any

import pytest
from coded_visits import a_visit, coded, edits, text

from billing.coding.encounter import RelatedVisit

PHONE = {"modality": "AUDIO", "mdm": None, "level_basis": None}
PORTAL = {"modality": "ASYNC", "mdm": None, "level_basis": None}
NOBODY = {"modality": "NONE", "patient_location": "NONE", "mdm": None, "level_basis": None}
CLINIC = {"payer": "MCR_RHC", "provider_type": "RHC", "mdm": None, "level_basis": None}


@pytest.mark.parametrize(
    ("edit", "facts", "submitted", "left"),
    [
        ("TH-POS-02", {"patient_location": "FACILITY"}, "99214@10", "99214@02"),
        ("TH-POS-03", {"payer": "UHC_COM"}, "99214@02", "99214@10"),
        ("TH-POS-05", {"dos": date(2022, 6, 1)}, "99214@10", "99214-95@11"),
        ("TH-POS-06", {**PHONE, "discussion_minutes": 7}, "98016-95@10", "98016@11"),
        (
            "TH-POS-07",
            {"payer": "CIGNA_COM", "dos": date(2022, 1, 5)},
            "99214-95@02",
            "99214-95@11",
        ),
        ("TH-POS-10", {"payer": "UHC_COM", "dos": date(2021, 6, 1)}, "99214@11", "99214@02"),
        ("TH-MOD-01", {"modality": "AUDIO"}, "99214@10", "99214-93@10"),
        ("TH-MOD-03", {"modality": "AUDIO"}, "99214-95-93@10", "99214-93@10"),
        ("TH-MOD-04", {"payer": "HUMANA_MA"}, "99214-GT@10", "99214-95@10"),
        ("TH-MOD-05", {**PORTAL, "service": "image_review"}, "99213-GQ@02", "G2010@11"),
        ("TH-MOD-06", {**PORTAL, "minutes_e_visit": (12,)}, "99213-95@10", "99422@11"),
        ("TH-MOD-06", PORTAL, "99213@10", "none"),
        ("TH-MOD-08", {"payer": "MCD_CA", "state": "CA"}, "99214@10", "99214-95@10"),
        (
            "TH-MOD-12",
            {**PHONE, "dos": date(2021, 3, 1), "discussion_minutes": 12},
            "99213-93@11",
            "99442@11",
        ),
        (
            "TH-COV-01",
            {**PHONE, "dos": date(2024, 6, 5), "discussion_minutes": 14},
            "99213-93@10",
            "99442-93@10",
        ),
        ("TH-CODE-01", CLINIC, "98006", "G2025"),
        ("TH-CODE-02", {"modality": "AUDIO", "mdm": "LOW"}, "99442-93@10", "99213-93@10"),
        ("TH-CODE-02", {**PHONE, "discussion_minutes": 14}, "99442@10", "G2252@11"),
        (
            "TH-CODE-02",
            {"payer": "BCBSM", "modality": "AUDIO", "discussion_minutes": 14},
            "99442@10",
            "98014@10",
        ),
        (
            "TH-CODE-05",
            {**PORTAL, "dos": date(2020, 6, 5), "provider_type": "PT", "minutes_e_visit": (8,)},
            "98970@11",
            "G2061@11",
        ),
        (
            "TH-CODE-08",
            {**PORTAL, "minutes_e_visit": (6, 15)},
            "99421@11;99422@11",
            "99423@11",
        ),
        ("TH-CODE-10", {**PORTAL, "minutes_e_visit": (12,)}, "98971@11", "99422@11"),
        (
            "TH-CODE-11",
            {"payer": "BCBSM", "modality": "AUDIO", "mdm": "LOW", "discussion_minutes": 8},
            "98013@10",
            "98016@11",
        ),
        ("TH-CODE-12", {**CLINIC, **PORTAL, "service": "image_review"}, "G0071", "G2010"),
        ("TH-CODE-14", {**CLINIC, "modality": "NONE", "minutes_ccm_staff": 25}, "G0511", "99490"),
        (
            "TH-CODE-17",
            {"patient_status": "NEW", "last_group_visit": date(2025, 1, 1)},
            "99204@10",
            "99214@10",
        ),
        (
            "TH-CODE-23",
            {"payer": "UHC_COM", "mdm": None, "level_basis": "TIME", "total_minutes": 70},
            "99215@10;G2212@10",
            "99215@10;99417@10x2",
        ),
        (
            "TH-CODE-23",
            {"mdm": None, "level_basis": "TIME", "total_minutes": 60},
            "99215@10;99417@10",
            "99215@10",
        ),
        (
            "TH-LVL-01",
            {"mdm": "LOW", "level_basis": "TIME", "total_minutes": 8},
            "99215@10",
            "99213@10",
        ),
        ("TH-LVL-03", {"mdm": "HIGH", "total_minutes": 80}, "99215@10;G2212@10", "99215@10"),
        ("TH-LVL-04", {"minutes_therapy": 40}, "99214@10;90838@10", "99214@10;90836@10"),
        (
            "TH-LVL-05",
            {"minutes_rpm": 41, "minutes_shared": (("rpm", 6),)},
            "99214@10;99457@11;99458@11",
            "99214@10;99457@11",
        ),
        (
            "TH-LVL-05",
            {"minutes_ccm_staff": 22, "minutes_shared": (("ccm", 6),)},
            "99214@10;99490@11",
            "99214@10",
        ),
        (
            "TH-LVL-07",
            {**NOBODY, "minutes_ccm_staff": 45},
            "99490@11;99439@11x2",
            "99490@11;99439@11",
        ),
        (
            "TH-NCCI-03",
            {**NOBODY, "separate_work": True},
            "99457@11;99091@11",
            "99457@11;99091-59@11",
        ),
        ("TH-NCCI-06", {"minutes_therapy": 45}, "99214@10;90834@10", "99214@10;90836@10"),
        (
            "TH-NCCI-06",
            {"minutes_therapy": 45},
            "90834@10;90836@10;99214@10",
            "90836@10;99214@10",
        ),
        ("TH-NCCI-09", NOBODY, "99490@11;99439@11x3", "99490@11;99439@11x2"),
    ],
)
def test_an_edit_that_the_facts_answer_repairs_its_line(
    edit: str, facts: dict[str, Any], submitted: str, left: str
) -> None:
    """The edit fires on what was submitted, and the line leaves as the facts support it."""
    visit = a_visit(**facts)
    assert edit in edits(coded(visit, submitted))
    assert text(visit, submitted) == left


def test_an_edit_between_codes_does_not_leave_an_add_on_alone() -> None:
    """A visit that an evaluation takes away takes its own add-on with it."""
    visit = a_visit(modality="IN_PERSON", patient_location="FACILITY", patient_status="NEW")
    done = coded(visit, "90791@11;99202@11;G2211@11")
    assert [line.code for line in done.lines] == ["90791"]
    assert {"TH-NCCI-06", "TH-G2211-01"} <= edits(done)


def test_a_repair_that_changes_nothing_is_none() -> None:
    """A line stays only as it is proposed, and what a person must decide is told."""
    visit = a_visit(following_em=(RelatedVisit(date(2026, 3, 11), True),), modality="AUDIO")
    done = coded(visit, "98016@11")
    assert (done.lines, done.status) == ((), "BLOCK")
    assert "TH-CODE-06" in edits(done)

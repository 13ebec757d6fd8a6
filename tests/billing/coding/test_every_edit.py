"""Every edit of the catalog: a visit on which it fires, and one close by on which it is silent."""

from collections.abc import Mapping
from datetime import date
from typing import Any

import pytest

from billing.coding.catalog import shipped_edits
from billing.coding.check import check, registered
from billing.coding.coded import CodedVisit
from billing.coding.encounter import CompactRow, Encounter, Licence, PriorClaim, RelatedVisit
from billing.coding.lines import read_lines
from billing.coding.rules_read import shipped_coding_rules

VIDEO: Mapping[str, Any] = {
    "payer": "MCR",
    "state": "OH",
    "dos": date(2026, 3, 10),
    "provider_type": "MD",
    "provider_site": "OFFICE",
    "patient_location": "HOME",
    "modality": "AV",
    "patient_status": "EST",
}
AUDIO = {"modality": "AUDIO"}
STORED = {"modality": "ASYNC"}
MONTH = {"modality": "NONE", "patient_location": "NONE"}
CLINIC = {"modality": "IN_PERSON", "patient_location": "FACILITY"}
FACILITY = {"patient_location": "FACILITY"}
TIME = {"level_basis": "TIME"}
OF_2020, OF_2021, OF_2022, OF_2023, OF_2024, OF_2025 = (
    {"dos": date(year, 6, 10)} for year in range(2020, 2026)
)
LAPSED = {"dos": date(2025, 10, 20), "submit_date": date(2025, 11, 20)}
MENTAL = {"condition": ("mental_health",)}


def related(year: int, month: int, day: int) -> tuple[RelatedVisit, ...]:
    """One visit for the same problem."""
    return (RelatedVisit(date(year, month, day), related=True),)


def unrelated(year: int, month: int, day: int) -> tuple[RelatedVisit, ...]:
    """One visit for another problem."""
    return (RelatedVisit(date(year, month, day), related=False),)


def claim(answer: str, *day: int) -> tuple[PriorClaim, ...]:
    """The same lines sent before."""
    return (PriorClaim(date(*day), answer),)


def payer(key: str) -> dict[str, str]:
    """Another payer."""
    return {"payer": key}


Side = tuple[str, Mapping[str, Any]]
"""Lines, and what is otherwise than in a Medicare video visit at home on 2026-03-10."""

EDITS: dict[str, tuple[Side, Side]] = {
    # place
    "TH-POS-01": (("99214@11", {}), ("99214@11", OF_2023)),
    "TH-POS-02": (("99214@10", FACILITY), ("99214@02", FACILITY)),
    "TH-POS-03": (("99214@02", {}), ("99214@02", FACILITY)),
    "TH-POS-04": (("99214-95@10", OF_2021), ("99214-95@10", OF_2022)),
    "TH-POS-05": (("99214-95@02", OF_2021), ("99214-95@02", {**OF_2021, "practice_pos": "22"})),
    "TH-POS-06": (("98016@10", AUDIO), ("98016@10", {**AUDIO, **payer("HUMANA_MA")})),
    "TH-POS-07": (
        ("99214-95@10", payer("CIGNA_COM")),
        ("99214-95@11", {**payer("CIGNA_COM"), **OF_2021}),
    ),
    "TH-POS-08": (("99214-95@11", CLINIC), ("99214@11", CLINIC)),
    "TH-POS-09": (
        ("99214@10", {"patient_location": "NONFACILITY"}),
        ("99214@10", {"patient_location": "NONFACILITY", **payer("UHC_COM")}),
    ),
    "TH-POS-10": (
        ("99214@10", {**payer("UHC_COM"), **OF_2021}),
        ("99214@10", {**payer("UHC_COM"), **OF_2022}),
    ),
    # modifiers
    "TH-MOD-01": (("99214@10", AUDIO), ("99214-93@10", AUDIO)),
    "TH-MOD-02": (("99214-93@10", {}), ("99214-93@10", AUDIO)),
    "TH-MOD-03": (("99214-93-95@10", {}), ("99214-95@10", {})),
    "TH-MOD-04": (("99214-GT@10", {}), ("99214-GT@10", {"claim_type": "837I"})),
    "TH-MOD-05": (
        ("99214-GQ@10", {**STORED, "state": "AK"}),
        ("99214-GQ@10", {**STORED, "state": "AK", "federal_demo": True}),
    ),
    "TH-MOD-06": (("99213@11", STORED), ("99213-GQ", {**STORED, **payer("MCD_CA")})),
    "TH-MOD-07": (("99214-FQ@10", AUDIO), ("99214-FQ@10", {**AUDIO, "provider_type": "RHC"})),
    "TH-MOD-08": (("99213@10", payer("MCD_IL")), ("99213-GT@10", payer("MCD_IL"))),
    "TH-MOD-09": (("99213-95@10", payer("MCD_FL")), ("99213-95@10", payer("MCD_TX"))),
    "TH-MOD-10": (
        ("99213@10", {"provider_site": "HOSPITAL"}),
        ("99213-95@10", {"provider_site": "HOSPITAL"}),
    ),
    "TH-MOD-11": (("99213-95@10", {}), ("99213@10", {})),
    "TH-MOD-12": (("99213-93@11", {**AUDIO, **OF_2021}), ("99213-93@11", {**AUDIO, **OF_2022})),
    "TH-MOD-13": (
        ("99213-95-CS@11", OF_2022),
        ("99213-95-CS@11", {**OF_2022, "condition": ("covid_test",)}),
    ),
    "TH-MOD-14": (("99213-CR@10", {}), ("99213-CR@11", CLINIC)),
    "TH-MOD-15": (("99213-G0@10", {}), ("99213-G0@10", {"condition": ("acute_stroke",)})),
    "TH-MOD-16": (("98005-95@10", payer("BCBSM")), ("98005@10", payer("BCBSM"))),
    "TH-MOD-17": (
        ("90834@10", {"supervision": "virtual"}),
        ("90834-FR@10", {"supervision": "virtual"}),
    ),
    "TH-MOD-18": (("99213@02", payer("CIGNA_COM")), ("99213-GT@02", payer("CIGNA_COM"))),
    # codes
    "TH-CODE-01": (("98006@10", {}), ("98006@10", payer("BCBSM"))),
    "TH-CODE-02": (("99442-93@10", {**AUDIO, **OF_2025}), ("99442-93@10", {**AUDIO, **OF_2024})),
    "TH-CODE-03": (("99201-95@11", OF_2021), ("99201-95@11", OF_2020)),
    "TH-CODE-04": (("G2012@11", AUDIO), ("G2012@11", {**AUDIO, **OF_2024})),
    "TH-CODE-05": (("98970@11", {**STORED, **OF_2020}), ("98970@11", {**STORED, **OF_2021})),
    "TH-CODE-06": (
        ("98016@11", {**AUDIO, "prior_em": related(2026, 3, 3)}),
        ("98016@11", {**AUDIO, "prior_em": related(2026, 3, 2)}),
    ),
    "TH-CODE-07": (
        ("99421@11", {**STORED, "following_em": related(2026, 3, 17)}),
        ("99421@11", {**STORED, "following_em": related(2026, 3, 18)}),
    ),
    "TH-CODE-08": (("99421@11;99422@11", STORED), ("99422@11", STORED)),
    "TH-CODE-09": (
        ("99422@11", {**STORED, "minutes_e_visit": (9,), "minutes_e_visit_staff": (2,)}),
        ("99422@11", {**STORED, "minutes_e_visit": (11,), "minutes_e_visit_staff": (2,)}),
    ),
    "TH-CODE-10": (
        ("99421@11", {**STORED, "provider_type": "PT"}),
        ("98970@11", {**STORED, "provider_type": "PT"}),
    ),
    "TH-CODE-11": (
        ("98012@10", {**AUDIO, **payer("BCBSM"), "discussion_minutes": 10}),
        ("98012@10", {**AUDIO, **payer("BCBSM"), "discussion_minutes": 11}),
    ),
    "TH-CODE-12": (
        ("G0071", {**AUDIO, **payer("MCR_RHC"), "provider_type": "RHC"}),
        ("G0071", {**AUDIO, **payer("MCR_RHC"), "provider_type": "RHC", **OF_2025}),
    ),
    "TH-CODE-13": (
        ("G2025", {**payer("MCR_RHC"), "dos": date(2026, 10, 1)}),
        ("G2025", {**payer("MCR_RHC"), "dos": date(2026, 9, 30)}),
    ),
    "TH-CODE-14": (
        ("G0511", {**MONTH, **payer("MCR_RHC"), "dos": date(2025, 10, 1)}),
        ("G0511", {**MONTH, **payer("MCR_RHC"), "dos": date(2025, 9, 30)}),
    ),
    "TH-CODE-15": (("99211@10", TIME), ("99211@10", {"level_basis": "MDM"})),
    "TH-CODE-16": (("99214@10", payer("BCBSM")), ("99214@11", {**payer("BCBSM"), **CLINIC})),
    "TH-CODE-17": (
        ("99204@10", {"patient_status": "NEW", "last_group_visit": date(2023, 3, 11)}),
        ("99204@10", {"patient_status": "NEW", "last_group_visit": date(2023, 3, 10)}),
    ),
    "TH-CODE-18": (
        ("98016@11", {**AUDIO, "patient_status": "NEW"}),
        ("G2012@11", {**AUDIO, "patient_status": "NEW", **OF_2022}),
    ),
    "TH-CODE-19": (
        ("99213@10", {**AUDIO, **payer("MCD_FL")}),
        ("99213@10", {**AUDIO, **payer("MCD_FL"), "dos": date(2023, 5, 11)}),
    ),
    "TH-CODE-20": (
        ("99213-93@10", {**AUDIO, **payer("AETNA_COM")}),
        ("99213-95@10", payer("AETNA_COM")),
    ),
    "TH-CODE-21": (
        ("99213-93@10", {**AUDIO, **payer("UHC_COM")}),
        ("90834-93@10", {**AUDIO, **payer("UHC_COM")}),
    ),
    "TH-CODE-22": (
        ("99447@11", {**MONTH, "prior_em": unrelated(2026, 2, 24)}),
        ("99447@11", {**MONTH, "prior_em": unrelated(2026, 2, 23)}),
    ),
    "TH-CODE-23": (("99215@10;99417@10", {}), ("99215@10;99417@10", payer("UHC_COM"))),
    # levels
    "TH-LVL-01": (
        ("99214@10", {**TIME, "total_minutes": 29}),
        ("99214@10", {**TIME, "total_minutes": 30}),
    ),
    "TH-LVL-02": (
        ("99215@10;G2212@10x2", {**TIME, "total_minutes": 83}),
        ("99215@10;G2212@10x2", {**TIME, "total_minutes": 84}),
    ),
    "TH-LVL-03": (
        ("99215@10;G2212@10", {"level_basis": "MDM", "total_minutes": 90}),
        ("99215@10;G2212@10", {**TIME, "total_minutes": 90}),
    ),
    "TH-LVL-04": (("90834@10", {"minutes_therapy": 37}), ("90834@10", {"minutes_therapy": 38})),
    "TH-LVL-05": (
        ("99214@10;99457@11", {"minutes_rpm": 30, "minutes_shared": (("rpm", 6),)}),
        ("99214@10;99457@11", {"minutes_rpm": 30}),
    ),
    "TH-LVL-06": (
        ("99214@10;99457@11", {"minutes_rpm_practitioner_on_dos": 1}),
        ("99457@11", {"minutes_rpm_practitioner_on_dos": 1}),
    ),
    "TH-LVL-07": (
        ("99490@11;99439@11", {**MONTH, "minutes_ccm_staff": 39}),
        ("99490@11;99439@11", {**MONTH, "minutes_ccm_staff": 40}),
    ),
    # coverage
    "TH-COV-01": (("20610@10", {}), ("20610@11", CLINIC)),
    "TH-COV-02": (("99213-93@02", {**AUDIO, **FACILITY}), ("99213-93@10", AUDIO)),
    "TH-COV-03": (
        ("99213-93@10", {**AUDIO, "audio_reason": "missing"}),
        ("99213-93@10", {**AUDIO, "audio_reason": "missing", **OF_2024}),
    ),
    "TH-COV-04": (
        ("99213@10", {"dos": date(2025, 10, 15), "submit_date": date(2025, 11, 11)}),
        ("99213@10", {"dos": date(2025, 10, 15), "submit_date": date(2025, 11, 12)}),
    ),
    "TH-COV-05": (
        ("90837@10", {"dos": date(2028, 2, 2), "in_person_visit": date(2027, 2, 1)}),
        ("90837@10", {"dos": date(2028, 2, 2), "in_person_visit": date(2027, 2, 2)}),
    ),
    "TH-COV-06": (
        ("99213@10", {"patient_location": "ABROAD", "state": "", "country": "PT"}),
        ("99213@10", {"country": "PR", "state": "PR"}),
    ),
    "TH-COV-07": (
        ("90834-95@11", {**OF_2023, "provider_type": "MFT"}),
        ("90834@10", {**OF_2024, "provider_type": "MFT"}),
    ),
    "TH-COV-08": (
        ("Q3014@11", {**FACILITY, "originating_site": "other"}),
        ("Q3014@11", {**FACILITY, "originating_site": "self"}),
    ),
    "TH-COV-09": (("99232@02", FACILITY), ("99214@02", FACILITY)),
    "TH-COV-10": (("99214-95@10", payer("HUMANA_MA")), ("99214@10", {})),
    "TH-COV-11": (
        ("99214@10", {**LAPSED, "prior_claim": claim("denied", 2025, 11, 11)}),
        ("99214@10", {**LAPSED, "prior_claim": claim("denied", 2025, 11, 12)}),
    ),
    # authority
    "TH-LIC-01": (
        ("99213@10", {"licence": (Licence("TX"),)}),
        ("99213@10", {"licence": (Licence("OH"),)}),
    ),
    "TH-LIC-02": (
        ("99213@10", {"licence": (Licence("TX"),), "compact": (CompactRow("IMLC", "TX"),)}),
        ("99213@10", {"licence": (Licence("OH"),), "compact": (CompactRow("IMLC", "TX"),)}),
    ),
    "TH-LIC-03": (("99213@10", {"enrolled": ("TX",)}), ("99213@10", {"enrolled": ("TX", "OH")})),
    "TH-LIC-04": (
        (
            "90834@10",
            {
                "provider_type": "LPC",
                "compact": (CompactRow("CC", "TX"),),
                "compact_members": (("CC", ("OH",)),),
            },
        ),
        (
            "90834@10",
            {
                "provider_type": "LPC",
                "compact": (CompactRow("CC", "TX"),),
                "compact_members": (("CC", ("OH", "TX")),),
            },
        ),
    ),
    # the note
    "TH-DOC-01": (
        ("99213@10", {"modality_documented": ("AUDIO",)}),
        ("99213@10", {"modality_documented": ("AV", "AUDIO")}),
    ),
    "TH-DOC-02": (("99213@10", {"state": ""}), ("99213@10", {})),
    "TH-DOC-03": (("99213@10", {"clinician_location_documented": False}), ("99213@10", {})),
    "TH-DOC-04": (
        ("99213-93", {**AUDIO, **payer("MCD_CA"), "consent_points": ("in_person", "voluntary")}),
        ("99213@11", {**CLINIC, "consent": "missing"}),
    ),
    "TH-DOC-05": (
        ("90834@10", {"minutes_documented": False}),
        ("99214@10", {"minutes_documented": False, "level_basis": "MDM"}),
    ),
    "TH-DOC-06": (
        ("99213@10", {"age": 17, "guardian_consent": "missing"}),
        ("99213@10", {"age": 18, "guardian_consent": "missing"}),
    ),
    "TH-DOC-07": (("99213@10", {"participants": "missing"}), ("99213@10", {})),
    "TH-DOC-08": (("99213@10", {"dx": ()}), ("99213@10", {"dx": ("I10",)})),
    "TH-RX-01": (
        (
            "99213@10",
            {"dos": date(2027, 1, 1), "controlled_rx": "II", "in_person_visit_none": True},
        ),
        (
            "99213@10",
            {"dos": date(2026, 12, 31), "controlled_rx": "II", "in_person_visit_none": True},
        ),
    ),
    # between codes
    "TH-NCCI-01": (("99212@10;99421@11", {}), ("99212@10", {})),
    "TH-NCCI-02": (("99213@10;99091@11", {}), ("99213@10;99457@11", {})),
    "TH-NCCI-03": (
        ("99457@11;99091@11", MONTH),
        ("99457@11;99091-59@11", {**MONTH, "separate_work": True}),
    ),
    "TH-NCCI-04": (("99457@11;98980@11", MONTH), ("99453@11;98975@11", MONTH)),
    "TH-NCCI-05": (("90834@10;99421@11", {}), ("90834@10", {})),
    "TH-NCCI-06": (("99214@10;90834@10", {}), ("99214@10;90836@10", {})),
    "TH-NCCI-07": (("99490@11;99424@11", MONTH), ("99490@11;99439@11", MONTH)),
    "TH-NCCI-08": (("99490@11;99422@11", MONTH), ("99490@11;99423@11", MONTH)),
    "TH-NCCI-09": (("99457@11;99458@11x4", MONTH), ("99457@11;99458@11x3", MONTH)),
    "TH-NCCI-10": (("99213@10;99454@11", {}), ("99213@10", {})),
    "TH-NCCI-11": (("99213@10;99447@11", {}), ("99447@11", MONTH)),
    "TH-NCCI-12": (("G0506@11;99457@11", MONTH), ("G0506@11;99454@11", MONTH)),
    "TH-NCCI-13": (
        ("99214@10;99417@10", payer("UHC_COM")),
        ("99215@10;99417@10", payer("UHC_COM")),
    ),
    "TH-NCCI-14": (("G0557@11;99490@11", MONTH), ("G0557@11;99457@11", MONTH)),
    "TH-G2211-01": (("99348@12;G2211@12", {**CLINIC, **OF_2025}), ("99348@12;G2211@12", CLINIC)),
    "TH-G2211-02": (
        ("99214-25@11;20610@11;G2211@11", CLINIC),
        ("99214-25@11;G0439@11;G2211@11", CLINIC),
    ),
    # the claim
    "TH-ADM-01": (
        ("99213@10", {"prior_claim": claim("accepted", 2026, 3, 11)}),
        ("99213@10", {"prior_claim": claim("accepted", 2026, 3, 11), "frequency_code": "7"}),
    ),
    "TH-ADM-02": (
        ("99213@10", {**payer("UHC_COM"), "submit_date": date(2026, 6, 9)}),
        ("99213@10", {**payer("UHC_COM"), "submit_date": date(2026, 6, 8)}),
    ),
    "TH-ADM-03": (
        ("99213@10", {**payer("UHC_COM"), "submit_date": date(2026, 5, 25)}),
        ("99213@10", {**payer("UHC_COM"), "submit_date": date(2026, 5, 24)}),
    ),
    "TH-ADM-04": (("99213@10", {"auth": "missing"}), ("99213@10", {"auth": "on_file"})),
    "TH-ADM-05": (
        ("99213@10", {"eligibility": "ma_plan"}),
        ("99213-95@10", {"eligibility": "ma_plan", **payer("HUMANA_MA")}),
    ),
    "TH-ADM-06": (
        ("99213@10", {"submit_date": date(2026, 3, 9)}),
        ("99213@10", {"submit_date": date(2026, 3, 10)}),
    ),
    "TH-ADM-07": (
        ("99213-95-CS@11", {**OF_2022, "condition": ("covid_test",), "patient_paid": True}),
        ("99213-95@11", {**OF_2022, "patient_paid": True}),
    ),
    "TH-ADM-08": (("99213-95@10", payer("MCD_NY")), ("99213@10", {})),
}


def fired(lines: str, facts: Mapping[str, Any]) -> dict[str, str]:
    """The edits that fire on lines of a visit, with their messages."""
    encounter = Encounter(**{**VIDEO, **facts})
    read = read_lines(lines)
    visit = CodedVisit(read, read)
    found = check(encounter, visit, shipped_coding_rules(), encounter.known_day)
    return {finding.code: finding.message for finding in found}


def test_every_edit_can_fire_and_is_tried() -> None:
    """Each edit of the catalog has its predicate and a pair of visits here, and no other does."""
    assert registered() == set(shipped_edits())
    assert set(EDITS) == set(shipped_edits())


@pytest.mark.parametrize("edit", EDITS)
def test_an_edit_fires_and_stays_silent(edit: str) -> None:
    """The edit fires on the first visit, its message filled in, and not on the second."""
    (lines, facts), (other_lines, other_facts) = EDITS[edit]
    found = fired(lines, facts)
    assert edit in found
    assert "{" not in found[edit]
    assert edit not in fired(other_lines, other_facts)


def test_mental_health_is_exempt_from_the_rural_rule() -> None:
    """While the law had lapsed, mental-health care at home was still payable."""
    lapsed = {"dos": date(2025, 10, 15), "submit_date": date(2025, 11, 1)}
    assert "TH-COV-04" not in fired("99213@10", {**lapsed, **MENTAL})
    assert "TH-COV-04" not in fired("90834@10", lapsed)
    assert "TH-COV-04" in fired("99213@10", lapsed)

"""The choice of code, place and modifiers: stories of the reference's tables and bands."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from coded_visits import RULES, a_visit, coded, edits, text

from billing.coding.code_visit import code_visit
from billing.coding.encounter import Encounter
from billing.coding.place import unsettled
from billing.rules.edits import LoadedTable
from billing.rules.fees import FeeSchedules


def by_time(minutes: int, **facts: Any) -> Encounter:
    """A visit whose level rests on minutes."""
    return a_visit(level_basis="TIME", mdm=None, total_minutes=minutes, **facts)


@pytest.mark.parametrize(
    ("minutes", "status", "line"),
    [
        (9, "EST", "none"),
        (10, "EST", "99212@10"),
        (19, "EST", "99212@10"),
        (20, "EST", "99213@10"),
        (29, "EST", "99213@10"),
        (30, "EST", "99214@10"),
        (40, "EST", "99215@10"),
        (68, "EST", "99215@10"),
        (69, "EST", "99215@10;G2212@10"),
        (83, "EST", "99215@10;G2212@10"),
        (84, "EST", "99215@10;G2212@10x2"),
        (14, "NEW", "none"),
        (15, "NEW", "99202@10"),
        (59, "NEW", "99204@10"),
        (60, "NEW", "99205@10"),
        (88, "NEW", "99205@10"),
        (89, "NEW", "99205@10;G2212@10"),
    ],
)
def test_minutes_choose_the_level_and_prolonged_time(minutes: int, status: str, line: str) -> None:
    """A visit by time has the highest level whose minutes were met, and Medicare's G2212."""
    assert text(by_time(minutes, patient_status=status)) == line


def test_in_2020_no_minutes_choose_a_level() -> None:
    """For 2020 no minutes of office visits were read: the level rests on decision making."""
    dos = date(2020, 6, 1)
    assert text(by_time(25, dos=dos)) == "none"
    assert text(a_visit(dos=dos, total_minutes=50)) == "99214-95@11"


def test_the_higher_level_is_proposed_and_the_other_kept() -> None:
    """Of decision making and minutes the higher level is proposed, the other an alternative."""
    done = coded(a_visit(mdm="LOW", total_minutes=31))
    assert done.lines[0].code == "99214"
    assert done.basis == "TIME"
    assert [one.lines[0].code for one in done.alternatives] == ["99213", "99214"]
    assert done.reasons == ("31 minutes reach the 30 of 99214",)


def test_prolonged_time_needs_a_visit_chosen_by_time() -> None:
    """Between equal levels the documented basis stays, and decision making earns no prolonged."""
    assert text(a_visit(mdm="HIGH", total_minutes=80)) == "99215@10"
    assert text(a_visit(mdm="HIGH", level_basis="TIME", total_minutes=80)) == "99215@10;G2212@10"


def test_a_patient_seen_within_three_years_is_established() -> None:
    """A visit to the group within three years makes a new patient established."""
    dos = date(2026, 3, 10)
    new = a_visit(dos=dos, patient_status="NEW", last_group_visit=date(2023, 3, 11))
    assert text(new) == "99214@10"
    assert text(a_visit(dos=dos, patient_status="NEW", last_group_visit=date(2023, 3, 10))) == (
        "99204@10"
    )


@pytest.mark.parametrize(
    ("dos", "location", "line"),
    [
        (date(2020, 4, 1), "HOME", "99214-95@11"),
        (date(2023, 12, 31), "FACILITY", "99214-95@11"),
        (date(2024, 1, 1), "HOME", "99214@10"),
        (date(2024, 1, 1), "FACILITY", "99214@02"),
        (date(2027, 12, 31), "HOME", "99214@10"),
    ],
)
def test_medicare_wants_the_place_of_its_time(dos: date, location: str, line: str) -> None:
    """The place in person with 95 to the end of 2023, then 10 at home and 02 elsewhere."""
    assert text(a_visit(dos=dos, patient_location=location)) == line


@pytest.mark.parametrize(
    ("payer", "dos", "line"),
    [
        ("UHC_COM", date(2020, 6, 1), "99214-95@11"),
        ("UHC_COM", date(2021, 6, 1), "99214@02"),
        ("UHC_COM", date(2022, 6, 1), "99214@10"),
        ("AETNA_COM", date(2020, 6, 1), "99214-95@02"),
        ("CIGNA_COM", date(2022, 6, 30), "99214-95@11"),
        ("CIGNA_COM", date(2022, 7, 1), "99214-95@02"),
        ("ANTHEM_COM", date(2021, 12, 31), "99214@02"),
        ("ANTHEM_COM", date(2022, 1, 1), "99214@10"),
        ("BCBSM", date(2025, 7, 1), "98006@10"),
        ("HORIZON", date(2026, 4, 1), "99214-95@10"),
        ("MCD_IL", date(2024, 6, 1), "99214-GT@10"),
        ("MCD_FL", date(2024, 6, 1), "99214-GT@10"),
        ("MCD_CA", date(2024, 6, 1), "99214-95@10"),
        ("HUMANA_MA", date(2024, 6, 1), "99214-95@10"),
    ],
)
def test_a_video_visit_is_marked_as_its_payer_wants(payer: str, dos: date, line: str) -> None:
    """Family of codes, place and modifier follow the payer's row of the day."""
    assert text(a_visit(payer=payer, dos=dos)) == line


@pytest.mark.parametrize(
    ("facts", "line", "fired"),
    [
        ({"dos": date(2021, 6, 1), "discussion_minutes": 25}, "99443@11", set()),
        ({"dos": date(2023, 6, 1), "discussion_minutes": 12}, "99442-93@11", set()),
        ({"dos": date(2024, 6, 1), "discussion_minutes": 4}, "none", set()),
        (
            {"dos": date(2023, 5, 11), "discussion_minutes": 8, "patient_status": "NEW"},
            "99441-93@11",
            set(),
        ),
        (
            {"dos": date(2023, 5, 12), "discussion_minutes": 8, "patient_status": "NEW"},
            "none",
            set(),
        ),
        ({"dos": date(2025, 6, 1)}, "99214-93@10", set()),
        ({"dos": date(2025, 6, 1), "patient_location": "FACILITY"}, "none", {"TH-COV-02"}),
        ({"payer": "UHC_COM"}, "none", {"TH-CODE-21"}),
        ({"payer": "BCBSM", "discussion_minutes": 11}, "98014@10", set()),
        ({"payer": "BCBSM", "discussion_minutes": 10}, "98016@11", set()),
        ({"payer": "MCD_FL", "state": "FL"}, "none", {"TH-CODE-19"}),
        ({"payer": "MCR_RHC", "provider_type": "RHC"}, "G2025-93", set()),
    ],
)
def test_a_phone_visit_is_what_its_payer_and_day_make_of_it(
    facts: dict[str, Any], line: str, fired: set[str]
) -> None:
    """Phone codes to 2024, office codes with 93 from 2025, a payer's own family, or a finding."""
    done = coded(a_visit(modality="AUDIO", **facts))
    assert text(a_visit(modality="AUDIO", **facts)) == line
    assert fired <= edits(done)


@pytest.mark.parametrize(
    ("facts", "line"),
    [
        ({"service": "check_in", "modality": "AUDIO", "discussion_minutes": 4}, "none"),
        ({"service": "check_in", "modality": "AUDIO", "discussion_minutes": 10}, "98016@11"),
        ({"service": "check_in", "modality": "AUDIO", "discussion_minutes": 11}, "G2252@11"),
        (
            {
                "service": "check_in",
                "modality": "AUDIO",
                "discussion_minutes": 6,
                "provider_type": "PT",
            },
            "G2251@11",
        ),
        ({"service": "e_visit", "modality": "ASYNC", "minutes_e_visit": (4, 6)}, "99421@11"),
        ({"service": "e_visit", "modality": "ASYNC", "minutes_e_visit": (11,)}, "99422@11"),
        ({"service": "e_visit", "modality": "ASYNC", "minutes_e_visit": (21,)}, "99423@11"),
        ({"service": "image_review", "modality": "ASYNC"}, "G2010@11"),
        (
            {
                "service": "image_review",
                "modality": "ASYNC",
                "image_reply_business_hours": 25,
            },
            "none",
        ),
        ({"service": "econsult", "modality": "NONE", "minutes_econsult": 21}, "99448@11"),
        (
            {
                "service": "econsult",
                "modality": "NONE",
                "minutes_econsult": 31,
                "provider_type": "CP",
            },
            "G0549@11",
        ),
        (
            {
                "service": "econsult",
                "modality": "NONE",
                "minutes_econsult": 6,
                "econsult_report": "written",
            },
            "99451@11",
        ),
        ({"modality": "NONE", "minutes_ccm_staff": 61}, "99490@11;99439@11x2"),
        ({"modality": "NONE", "minutes_ccm_practitioner": 59}, "99491@11"),
    ],
)
def test_services_that_are_no_visits_have_codes_of_their_own(
    facts: dict[str, Any], line: str
) -> None:
    """Check-ins, portal visits, images, e-consults and care of a month by their own bands."""
    assert text(a_visit(mdm=None, **facts)) == line


@pytest.mark.parametrize(
    ("minutes", "alone", "beside"),
    [
        (15, "none", "99214@10"),
        (16, "90832@10", "99214@10;90833@10"),
        (37, "90832@10", "99214@10;90833@10"),
        (38, "90834@10", "99214@10;90836@10"),
        (52, "90834@10", "99214@10;90836@10"),
        (53, "90837@10", "99214@10;90838@10"),
    ],
)
def test_psychotherapy_goes_by_its_minutes(minutes: int, alone: str, beside: str) -> None:
    """A sitting has the code of its band, and the add-on beside a prescriber's visit."""
    sitting = a_visit(service="therapy", provider_type="CSW", mdm=None, minutes_therapy=minutes)
    assert text(sitting) == alone
    assert text(a_visit(minutes_therapy=minutes)) == beside


def test_a_clinic_bills_its_own_codes_while_there_are_any() -> None:
    """G2025 for a medical visit, the ordinary code for therapy, G0071 to the end of 2025."""
    clinic: dict[str, Any] = {"payer": "MCR_FQHC", "provider_type": "FQHC"}
    assert text(a_visit(**clinic)) == "G2025"
    therapy: dict[str, Any] = {"service": "therapy", "minutes_therapy": 50, **clinic}
    assert text(a_visit(**therapy)) == "90834"
    assert text(a_visit(dos=date(2022, 1, 1), **therapy)) == "90834"
    assert text(a_visit(dos=date(2021, 12, 31), **therapy)) == "G2025"
    call: dict[str, Any] = {"service": "check_in", "modality": "AUDIO", "discussion_minutes": 8}
    assert text(a_visit(dos=date(2025, 12, 31), **call, **clinic)) == "G0071"
    assert text(a_visit(dos=date(2026, 1, 1), **call, **clinic)) == "98016"


def test_the_known_day_decides_about_a_visit_in_the_lapse() -> None:
    """A visit of 2025-10-15 is not covered as known on 2025-11-01 and is as known on 2025-11-20."""
    visit = a_visit(dos=date(2025, 10, 15))
    before = coded(visit, known=date(2025, 11, 1))
    after = coded(visit, known=date(2025, 11, 20))
    assert (before.lines, before.status, edits(before)) == ((), "BLOCK", {"TH-COV-04"})
    assert [line.text for line in after.lines] == ["99214@10"]
    assert (after.status, edits(after)) == ("CLEAN", set())


def test_behavioral_care_was_covered_in_the_lapse() -> None:
    """The lapse never touched psychotherapy at home."""
    sitting = a_visit(
        dos=date(2025, 10, 15), service="therapy", provider_type="CSW", minutes_therapy=45
    )
    assert text(sitting, known=date(2025, 11, 1)) == "90834@10"


def test_what_was_not_read_is_said_and_never_guessed_silently() -> None:
    """A payer without a row of the day has the general rule and TH-ADM-08 with the reason."""
    done = coded(a_visit(payer="BCBSM", dos=date(2025, 6, 30)))
    assert [line.text for line in done.lines] == ["99214-95@10"]
    assert "TH-ADM-08" in edits(done)
    assert done.unsettled == ("no rule of this payer was read for the date of service",)


def test_a_row_read_long_ago_asks_for_a_person() -> None:
    """Half a year after the last reading a row is told to be old."""
    visit = a_visit(dos=date(2027, 6, 1))
    told = unsettled(visit, coded(visit).lines, RULES, date(2027, 6, 5))
    assert told == ("the payer's row was last read 194 days before",)


def test_telemedicine_codes_are_an_alternative_where_nothing_was_read_of_them() -> None:
    """A payer of which 98000-98015 were not read has them beside the proposal, Medicare not."""
    told = [one.lines for one in coded(a_visit(payer="UHC_COM")).alternatives]
    assert [[line.text for line in lines] for lines in told] == [["98006@10"]]
    medicare = coded(a_visit()).alternatives
    assert all(line.code != "98006" for one in medicare for line in one.lines)
    before = a_visit(payer="CIGNA_COM", dos=date(2024, 6, 1))
    assert coded(before).alternatives == ()


def test_no_documented_level_gives_no_line() -> None:
    """Without decision making and minutes nothing is proposed, and the reason is told."""
    done = coded(a_visit(mdm=None))
    assert (done.lines, done.status) == ((), "BLOCK")
    assert done.reasons[0].startswith("neither decision making nor minutes")


def test_the_clinicians_own_lower_choice_stands() -> None:
    """A picked code at or below the supported level is kept; a higher one is not."""
    assert text(a_visit(code_chosen="99213")) == "99213@10"
    assert text(a_visit(code_chosen="99215")) == "99214@10"


def test_amounts_come_only_from_a_schedule_that_knows_the_code() -> None:
    """Medicare's loaded schedule prices by place; what no schedule knows is absent."""
    units = LoadedTable(
        "rvu",
        "2026",
        date(2026, 1, 1),
        date(2026, 12, 31),
        "units.csv",
        "ab",
        {"factor": "33.00", "codes": [["99214", "A", "1.92", "1.80", "0.80", "0.12"]]},
    )
    fees = FeeSchedules([units])
    home = code_visit(a_visit(), RULES, date(2026, 3, 15), fees=fees)
    away = code_visit(a_visit(patient_location="FACILITY"), RULES, date(2026, 3, 15), fees=fees)
    assert home.amounts == {0: int(Decimal("3.84") * 3300)}
    assert away.amounts == {0: int(Decimal("2.84") * 3300)}
    commercial = code_visit(a_visit(payer="UHC_COM"), RULES, date(2026, 3, 15), fees=fees)
    assert commercial.amounts == {}
    assert coded(a_visit()).amounts == {}

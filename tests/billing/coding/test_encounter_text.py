"""Encounters out of rows: every key of the vocabulary, defaults, and what is refused."""

from datetime import date
from typing import Any

import pytest

from billing.coding.encounter import CompactRow, Encounter, Licence, PriorClaim, RelatedVisit
from billing.coding.encounter_text import REPEATED, SINGLE, read_row
from billing.coding.lines import Line, lines_text, read_line, read_lines

ROW = {
    "case_id": "V1",
    "payer": "MCR",
    "state": "OH",
    "dos": "2026-03-10",
    "provider_type": "MD",
    "provider_site": "OFFICE",
    "patient_location": "HOME",
    "modality": "AV",
}


def read(**cells: str) -> Encounter:
    """The encounter of a row that can be read."""
    row = read_row({**ROW, **cells})
    assert row.findings == ()
    assert row.encounter is not None
    return row.encounter


@pytest.mark.parametrize(
    ("fields", "name", "value"),
    [
        ("service=e_visit", "service", "e_visit"),
        ("code_chosen=99213", "code_chosen", "99213"),
        ("longitudinal_care=N", "longitudinal_care", False),
        ("minutes.e_visit=4|5|6", "minutes_e_visit", (4, 5, 6)),
        ("minutes.shared=rpm:6", "minutes_shared", (("rpm", 6),)),
        ("portal.first_review=2026-03-05", "portal_first_review", date(2026, 3, 5)),
        ("image.reply_business_hours=20", "image_reply_business_hours", 20),
        ("econsult.report=written", "econsult_report", "written"),
        ("prior_em=2026-03-01:related", "prior_em", (RelatedVisit(date(2026, 3, 1), True),)),
        ("prior_em=NONE", "prior_em", ()),
        ("in_person_visit=NONE", "in_person_visit_none", True),
        ("in_person_visit=2025-11-01", "in_person_visit", date(2025, 11, 1)),
        ("last_group_visit=NONE", "last_group_visit", None),
        ("switch.medicare_95_required=Y", "switch_medicare_95_required", True),
        ("condition=sud|other", "condition", ("sud", "other")),
        ("dx=I10|E11.9", "dx", ("I10", "E11.9")),
        ("controlled_rx=NONE", "controlled_rx", None),
        ("licence=NONE", "licence", ()),
        ("licence=TX:ACTIVE", "licence", (Licence("TX"),)),
        (
            "licence=TX:ACTIVE;licence=OH:EXPIRED:2026-01-31",
            "licence",
            (Licence("TX"), Licence("OH", date(2026, 1, 31))),
        ),
        ("compact=PSYPACT:TX", "compact", (CompactRow("PSYPACT", "TX"),)),
        ("compact_members=CC:OH|TX", "compact_members", (("CC", ("OH", "TX")),)),
        (
            "prior_claim=2026-03-12:returned:16:M77",
            "prior_claim",
            (PriorClaim(date(2026, 3, 12), "returned", "16", "M77"),),
        ),
    ],
)
def test_a_key_is_read_into_its_field(fields: str, name: str, value: Any) -> None:
    """Keys of fields become typed facts."""
    assert getattr(read(fields=fields), name) == value


def test_every_key_has_its_field() -> None:
    """No key of the vocabulary is read into nothing."""
    for key in (*SINGLE, *REPEATED):
        assert key.replace(".", "_") in Encounter.__dataclass_fields__


def test_what_is_not_told_has_its_default() -> None:
    """The ordinary case: submitted five days later, POS 11 in person, nothing nearby, consent."""
    visit = read()
    assert visit.known_day == date(2026, 3, 15)
    assert visit.practice_pos == "11"
    assert visit.e_visit_first_day == date(2026, 3, 4)
    assert visit.facility_kind == "other"
    assert read(modality="IN_PERSON").facility_kind == "own_office"
    assert visit.claim_form == "837P"
    assert read(payer="MCR_RHC").claim_form == "837I"
    assert not visit.authority_told
    assert not visit.is_minor
    assert visit.prior_em == ()


@pytest.mark.parametrize(
    ("cells", "where"),
    [
        ({"payer": ""}, "payer"),
        ({"payer": "ACME"}, "payer"),
        ({"state": "ZZ"}, "state"),
        ({"dos": "2026-02-30"}, "dos"),
        ({"dos": "20260310"}, "dos"),
        ({"dos": "2019-12-31"}, "dos"),
        ({"total_minutes": "-3"}, "total_minutes"),
        ({"total_minutes": "2.5"}, "total_minutes"),
        ({"task": "GUESS"}, "task"),
        ({"task": "SCRUB"}, "submitted"),
        ({"submitted": "99213@0"}, "submitted"),
        ({"fields": "consent"}, "fields consent"),
        ({"fields": "favorite=Y"}, "fields"),
        ({"fields": "consent=perhaps"}, "fields consent"),
        ({"fields": "consent=documented;consent=missing"}, "fields consent"),
        ({"fields": "prior_em=2026-03-01"}, "fields prior_em"),
        ({"fields": "licence=OH:EXPIRED"}, "fields licence"),
        ({"fields": "licence=OH:ACTIVE:2026-01-01"}, "fields licence"),
        ({"fields": "dx=COUGH"}, "fields dx"),
        ({"fields": "country=Portugal"}, "fields country"),
    ],
)
def test_what_is_outside_the_format_is_a_finding_with_its_place(
    cells: dict[str, str], where: str
) -> None:
    """A row that cannot be read gives findings that name the place and never the value."""
    row = read_row({**ROW, **cells})
    assert row.encounter is None
    assert where in {one.where for one in row.findings}
    told = " ".join(one.message for one in row.findings)
    for value in cells.values():
        assert not value or value not in told


def test_every_wrong_column_is_told_at_once() -> None:
    """Two wrong cells give two findings."""
    row = read_row({**ROW, "dos": "soon", "modality": "FAX"})
    assert [one.where for one in row.findings] == ["dos", "modality"]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("99214", Line("99214")),
        ("99214@10", Line("99214", (), "10")),
        ("99214-95-25@10", Line("99214", ("95", "25"), "10")),
        ("G2212@10x2", Line("G2212", (), "10", 2)),
        ("G2025-93", Line("G2025", ("93",))),
    ],
)
def test_a_line_is_read_and_written_alike(text: str, line: Line) -> None:
    """The grammar of a line holds code, modifiers, place and units."""
    assert read_line(text) == line
    assert line.text == text


@pytest.mark.parametrize(
    "text", ["", "9921", "99214@1", "99214@00", "99214-95-95", "99214x0", "a;b"]
)
def test_a_text_that_is_no_line_is_refused(text: str) -> None:
    """Anything outside the grammar is a ValueError."""
    with pytest.raises(ValueError, match=r"not a|twice"):
        read_line(text)


def test_no_lines_are_written_as_none() -> None:
    """A list without a line is written as none, and read from it."""
    assert lines_text(()) == "none"
    assert read_lines("none") == read_lines("") == ()
    assert lines_text(read_lines("99213@10; 99457@11")) == "99213@10;99457@11"

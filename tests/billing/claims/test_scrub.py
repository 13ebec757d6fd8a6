"""Claim files checked: real files of others, places in words, and what is no claim file."""

import re
from collections import Counter
from datetime import date
from pathlib import Path
from random import Random

import pytest
from claim_faults import FAULTS, Fault, faulty_file, sound_file
from claims_made import CLAIM, EVERYTHING, VOIDED, claim_file, hostile_claim
from hypothesis import given
from hypothesis import strategies as st

from billing.claims.check_claim import Lists
from billing.claims.diagnoses import billable_diagnoses
from billing.claims.scrub import NotProfessionalError, Scrubbed, scrub
from billing.claims.scrub_texts import TEXTS
from billing.claims.x12.p837 import write_837p
from billing.claims.x12.segments import NotX12Error

FILES = Path(__file__).parents[2] / "files" / "claims"
RECEIVED = sorted(path for path in (FILES / "received").iterdir())
TODAY = date(2026, 11, 24)
LISTS = Lists(frozenset(("99454", "99457", "99458")), billable_diagnoses())


def codes(scrubbed: Scrubbed) -> list[str]:
    """The codes of what was found."""
    return [finding.code for finding in scrubbed.findings]


def told_table() -> str:
    """What is found in the files of others, as the page beside them tells it."""
    lines = [
        "# What is found in the files of others",
        "",
        f"By the checks of `rpm-ledger claims check` on {TODAY}, without lists of codes.",
        "",
        "| file | claims | segments | findings |",
        "|---|---|---|---|",
    ]
    for path in RECEIVED:
        scrubbed = scrub(path.read_bytes(), TODAY)
        found = ", ".join(
            f"{count} {code}" for code, count in sorted(Counter(codes(scrubbed)).items())
        )
        lines.append(f"| `{path.name}` | {scrubbed.claims} | {scrubbed.segments} | {found} |")
    return "\n".join(lines) + "\n"


def test_nothing_is_found_in_sound_files() -> None:
    """Our own claims, corrections, second payers and dependents pass, by all lists."""
    content = write_837p(claim_file((CLAIM, VOIDED), (EVERYTHING,)))
    assert scrub(content, TODAY, LISTS).findings == ()
    assert scrub(sound_file().encode(), TODAY, LISTS).findings == ()


def test_hostile_names_give_no_finding_of_form() -> None:
    """Claims with names that would break a careless writer are as sound as others."""
    chance = Random(3)
    content = write_837p(claim_file(tuple(hostile_claim(n, chance) for n in range(1, 31))))
    assert set(codes(scrub(content, TODAY))) <= {"W_POSTAL_CODE"}  # of the patient's city: no ZIP+4


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: f"{fault.number}-{fault.name}")
def test_each_fault_is_found(fault: Fault) -> None:
    """One change in a sound file is found, under its own name."""
    assert fault.code in codes(scrub(faulty_file(fault), TODAY, LISTS))


def test_what_is_found_in_files_of_others() -> None:
    """Every file is read whole; the page beside them says what was found in each."""
    assert told_table() == (FILES / "received.md").read_text(encoding="utf-8")


def test_a_finding_tells_its_place_and_its_fix_without_a_value() -> None:
    """Segment, element, loop and claim in words; no name, number or code of the file."""
    content = sound_file().replace("*84.00*UN*2*", "*84.00*UN*MANY*", 1)
    (found,) = scrub(content.encode(), TODAY, LISTS).findings
    assert found.code == "E_UNITS"
    assert found.where == "segment 34 (SV1), loop 2400 (service line), claim 1"
    assert found.message == "SV104 is not a number of units above zero."
    assert found.fix == "Correct the units."
    assert (found.segment, found.claim) == (34, 1)


@pytest.mark.parametrize(
    ("old", "new"),
    [("ST*837*", "ST*835*"), ("005010X222A1", "005010X223A2"), ("ST*837", "XX*837")],
)
def test_other_x12_is_no_claim_file(old: str, new: str) -> None:
    """An answer, an institutional claim or a file without a set are told from a faulty 837P."""
    with pytest.raises(NotProfessionalError):
        scrub(sound_file().replace(old, new).encode(), TODAY)


def test_a_file_cut_off_is_told() -> None:
    """A file that ends within a claim has no trailers, and says so three times."""
    content = sound_file().encode()
    found = codes(scrub(content[: content.index(b"LX*2~") + 3], TODAY))
    assert "E_CUT_OFF" in found
    assert found.count("E_TRAILER") == 3


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("20261001-20261030", "20261030-20261001", "E_RANGE"),
        ("DMG*D8*19480302", "DMG*D8*20261015", "E_BEFORE_BIRTH"),
        ("N3*100 MAIN ST", "N3*PO BOX 12", "W_POST_BOX"),
        ("HI*ABK:I10*ABF:E119", "HI*BK:4019*BF:25000", "E_DIAGNOSIS_SYSTEM"),
        ("HI*ABK:I10", "HI*ABK:I1O.9", "E_DIAGNOSIS"),
        ("REF*6R*L0002", "REF*6R*L0001", "E_LINE_TWICE"),
        ("SBR*P*18*", "SBR*P**", "E_RELATIONSHIP"),
        ("N3*22 ELM ST~N4*SPRINGFIELD*IL*62704~", "", "E_PATIENT_ADDRESS"),
        ("HI*ABK:I10*ABF:E119~NM1*82", "NM1*82", "E_SEGMENT_MISSING"),
        ("HI*ABK:I10*ABF:E119~", "HI*ABK:I10*ABF:E119~REF*F8*1~", "E_SEGMENT_ORDER"),
        ("SV1*HC:99457", "SV1*HC:9945", "E_PROCEDURE"),
        ("*DOE*JANE*", "*DOË*JANE*", "E_CHARACTER"),
    ],
)
def test_more_than_the_forty(old: str, new: str, code: str) -> None:
    """What else gets claims rejected is found too."""
    content = sound_file()
    assert old in content
    assert code in codes(scrub(content.replace(old, new, 1).encode(), TODAY, LISTS))


def test_two_payers_of_one_rank_are_found() -> None:
    """A primary beside a primary is a finding; a secondary beside it is none."""
    content = write_837p(claim_file((EVERYTHING,)))
    assert codes(scrub(content.replace(b"SBR*S*", b"SBR*P*"), TODAY)) == ["E_RANK"]


@given(place=st.integers(0, 1_800), junk=st.binary(max_size=6), kept=st.integers(0, 40))
def test_any_change_is_read(place: int, junk: bytes, kept: int) -> None:
    """A file changed anywhere gives findings in words, or is no claim file; never another error."""
    content = sound_file().encode()
    changed = content[:place] + junk + content[place + kept :]
    try:
        scrubbed = scrub(changed, TODAY, LISTS)
    except NotX12Error:
        return
    assert all(finding.where and finding.message and finding.fix for finding in scrubbed.findings)
    assert [one.segment for one in scrubbed.findings] == sorted(
        one.segment for one in scrubbed.findings
    )


def test_the_list_of_diagnoses_holds_what_can_be_billed() -> None:
    """Codes that need no further character are in it, chapters and stems are not."""
    known = billable_diagnoses()
    assert len(known) == 74_731
    assert {"I10", "E119", "J449", "I5022"} <= known
    assert not {"E11", "I50", "I109", "A00-A09"} & known


def test_every_finding_has_words() -> None:
    """The codes that checks give are the codes that have words, no fewer and no more."""
    package = Path(__file__).parents[3] / "billing" / "claims"
    sources = [*package.glob("check_*.py"), package / "x12" / "guide.py"]
    named = {
        code
        for path in sources
        for code in re.findall(r'"([EW]_[A-Z_]+)"', path.read_text(encoding="utf-8"))
    }
    assert named == set(TEXTS)

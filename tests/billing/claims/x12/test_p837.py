"""The 837P as it is written: golden files, the envelope, shared levels, and what is refused."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from claims_made import CLAIM, EVERYTHING, VOIDED, claim_file

from billing.claims.claim import Claim
from billing.claims.scrub import scrub
from billing.claims.x12.envelope import ClaimFile
from billing.claims.x12.p837 import write_837p
from billing.claims.x12.p837_read import read_837p

WRITTEN = Path(__file__).parents[3] / "files" / "claims" / "written"
GOLDEN: dict[str, tuple[tuple[Claim, ...], ...]] = {
    "original.837": ((CLAIM,),),
    "replacement-secondary.837": ((EVERYTHING,),),
    "void.837": ((VOIDED,),),
    "two-sets.837": ((CLAIM, VOIDED, EVERYTHING), (replace(CLAIM, control_number="C000004"),)),
}


def segments(file: ClaimFile) -> list[str]:
    """The segments of a file."""
    return write_837p(file).decode().split("~")[:-1]


@pytest.mark.parametrize("name", sorted(GOLDEN))
def test_golden_files(name: str) -> None:
    """Known claims give known files, byte for byte."""
    golden = (WRITTEN / name).read_bytes().replace(b"\n", b"")
    assert write_837p(claim_file(*GOLDEN[name])) == golden


def test_claims_of_one_coverage_share_its_level() -> None:
    """Two claims of one patient stand under one subscriber; another payer opens a level."""
    other = replace(CLAIM, coverage=replace(CLAIM.coverage, member_id="X1"))
    levels = [one for one in segments(claim_file((CLAIM, VOIDED, other))) if one.startswith("HL*")]
    assert levels == ["HL*1**20*1", "HL*2*1*22*0", "HL*3*1*22*0"]


@pytest.mark.parametrize("claim", [CLAIM, EVERYTHING])
def test_a_level_holds_a_hundred_claims(claim: Claim) -> None:
    """The 101st claim of one patient opens the level anew, and all are read back in order."""
    claims = tuple(replace(claim, control_number=f"C{number}") for number in range(101))
    content = write_837p(claim_file(claims))
    assert content.count(b"*22*") == 2
    assert scrub(content, date(2026, 11, 24)).findings == ()
    assert read_837p(content).sets[0].claims == claims


def test_claims_keep_their_order() -> None:
    """A practice between two claims of another opens three levels: nothing is sorted."""
    other = replace(CLAIM, billing=replace(CLAIM.billing, npi="1245319599"), control_number="B")
    written = segments(claim_file((CLAIM, other, VOIDED)))
    assert [one.split("*")[1] for one in written if one.startswith("CLM*")] == [
        "C000001",
        "B",
        "C000003",
    ]
    assert sum(one.startswith("HL*") and one.split("*")[3] == "20" for one in written) == 3


def test_a_dependent_has_a_level_of_their_own() -> None:
    """The subscriber of a dependent is not said to be the patient, and has a child level."""
    written = segments(claim_file((EVERYTHING,)))
    assert "HL*2*1*22*1" in written
    assert "SBR*S********CI" in written
    assert "HL*3*2*23*0" in written


@pytest.mark.parametrize("number", [0, -1, 1_000_000_000])
def test_a_number_that_does_not_fit_is_refused(number: int) -> None:
    """Control numbers have one to nine digits; nothing is cut off."""
    file = claim_file((CLAIM,))
    with pytest.raises(ValueError, match="control number"):
        write_837p(replace(file, interchange=replace(file.interchange, number=number)))


def test_an_id_too_long_for_the_header_is_refused() -> None:
    """The interchange header has fixed widths: an id of 16 characters is an error, not cut."""
    file = claim_file((CLAIM,))
    sender = replace(file.interchange.sender, interchange_id="A" * 16)
    with pytest.raises(ValueError, match="longer than 15"):
        write_837p(replace(file, interchange=replace(file.interchange, sender=sender)))


def test_a_set_without_claims_is_refused() -> None:
    """A set holds at least one claim."""
    with pytest.raises(ValueError, match="holds 1 to"):
        write_837p(claim_file(()))

"""Charges as DFT^P03: valid to hl7apy, the same values to hl7, whatever a name holds."""

from dataclasses import replace
from datetime import UTC, datetime
from random import Random

import hl7
import pytest
from claims_made import CLAIM, EVERYTHING, HOSTILE, VOIDED, hostile_claim
from hl7_checked import field, valid

from billing.claims.claim import Claim, Name, Person
from billing.claims.hl7v2.dft import Charged, Ends, dft_file, dft_message

AT = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)
ENDS = Ends("LAKESIDE", "EHR", "LAKESIDE")
WRONG = ("a|b", "a^b~c&d", "a\\b", "a\rFT1|9|x", "a\nb", "\x0b\x1c\r", "\\X0D\\", "é ß 漢")


def named(claim: Claim, text: str) -> Claim:
    """The claim of a patient of this name."""
    person = Person(Name(text, text), claim.patient.birth_day, "F", claim.patient.address)
    return replace(claim, coverage=replace(claim.coverage, subscriber=person))


@pytest.mark.parametrize("text", [*HOSTILE, *WRONG])
def test_no_text_ends_a_field_or_a_segment(text: str) -> None:
    """A message has the segments of its claim, and names and numbers come back as they were."""
    message = dft_message(
        Charged(named(CLAIM, text), text), replace(ENDS, sending_facility=text), AT
    )
    read = hl7.parse(message)
    assert [str(one[0]) for one in read] == ["MSH", "EVN", "PID", *["FT1"] * len(CLAIM.lines)]
    pid = read.segment("PID")
    meant = " ".join("".join(c if c >= " " and c != "\x7f" else "\n" for c in text).split("\n"))
    for position, component in ((3, 1), (5, 1), (5, 2)):
        told = field(read, pid, position, component)
        assert told.split() == meant.split()


def test_a_message_is_valid_and_says_what_the_claim_says() -> None:
    """hl7apy finds nothing missing; days, codes, units, money and pointers are the claim's."""
    message = dft_message(Charged(CLAIM, "0042"), ENDS, AT)
    assert valid(message)
    read = hl7.parse(message)
    assert field(read, read.segment("MSH"), 18) == "UNICODE UTF-8"
    assert field(read, read.segment("MSH"), 10) == CLAIM.control_number
    assert field(read, read.segment("PID"), 3) == "0042"
    charges = list(read.segments("FT1"))
    for charge, line in zip(charges, CLAIM.lines, strict=True):
        assert field(read, charge, 2) == line.control_number
        assert field(read, charge, 4) == f"{line.from_day:%Y%m%d}"
        assert field(read, charge, 6) == "CG"
        assert field(read, charge, 7) == field(read, charge, 25) == line.procedure
        assert int(field(read, charge, 10)) == line.units
        assert str(charge(11)) == f"{line.charge_cents // 100}.{line.charge_cents % 100:02d}&USD"
    assert field(read, charges[0], 4, 2) == "20261030"
    assert [str(one[0]) for one in charges[0](19)] == ["I10", "E11.9"]
    assert "99454^^C4" in message


def test_claims_of_any_shape_are_valid_in_a_batch() -> None:
    """Claims with hostile names are valid one by one, and a batch tells how many it holds."""
    chance = Random(3)
    claims = [
        replace(hostile_claim(number, chance), frequency="1", payer_claim_number="")
        for number in range(1, 13)
    ]
    charged = [Charged(claim, f"R{number}") for number, claim in enumerate(claims)]
    for one in charged:
        assert valid(dft_message(one, ENDS, AT))
    content = dft_file(charged, ENDS, AT, "charges").decode()
    assert content.splitlines()[-2:] == ["BTS|12", "FTS|1"]
    (batch,) = hl7.parse_file(content)
    assert len(batch) == 12


def test_a_correction_is_no_charge() -> None:
    """Replacements and voids are refused: a system that adds charges would add them again."""
    for claim in (EVERYTHING, VOIDED):
        with pytest.raises(ValueError, match="correction"):
            dft_message(Charged(claim, "1"), ENDS, AT)
    with pytest.raises(ValueError, match="longer"):
        dft_message(Charged(replace(CLAIM, control_number="C" * 21), "1"), ENDS, AT)

"""S14: what other systems are given carries no formulas, separators or broken lines either."""

import csv
import io
import json
from dataclasses import replace
from datetime import UTC, datetime
from random import Random

import hl7
import pytest
from claims_made import HOSTILE, MEDICARE, PATIENT, hostile_claim, interchange
from fhir_checked import problems
from hl7_checked import field
from promised import Promised

from billing.claims.claim import Claim, Name, Person
from billing.claims.claim_table import claim_rows, profiled_csv, shipped_profiles
from billing.claims.fhir.bundle import as_json, ndjson
from billing.claims.fhir.claims import ClaimIds, claim_resource
from billing.claims.hl7v2.dft import Charged, Ends, dft_message
from billing.claims.x12.p270 import Asking, Inquiry, write_270
from billing.claims.x12.segments import read_segments

AT = datetime(2026, 11, 24, 15, tzinfo=UTC)
FORMULAS = ("=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", "\r=1", '=HYPERLINK("x")')
BREAKING = ("a|b^c~d&e\\f", "a\rFT1|9", "\x0b\x1c\r", 'a"},{"b":1', "a\nb", "\x00", "00123")
TEXTS = (*HOSTILE, *FORMULAS, *BREAKING)


def named(claim: Claim, chance: Random) -> Claim:
    """A first claim of a subscriber whose name and numbers are any of these texts."""
    person = Person(
        Name(chance.choice(TEXTS), chance.choice(TEXTS), chance.choice(TEXTS)),
        claim.coverage.subscriber.birth_day,
        "F",
        claim.coverage.subscriber.address,
    )
    coverage = replace(claim.coverage, subscriber=person, member_id=chance.choice(TEXTS))
    return replace(claim, coverage=coverage, dependent=None, frequency="1", payer_claim_number="")


def meant(text: str) -> list[str]:
    """The words of a text whose control characters part words."""
    return "".join(c if c.isprintable() or c == " " else " " for c in text).split()


@pytest.mark.promise("S14")
def test_charges_keep_their_segments(promised: Promised) -> None:
    """A DFT^P03 has the segments of its claim, and names come back as they were meant."""
    chance = Random(14)
    count = promised.count(2_000, 60)
    for number in range(1, count + 1):
        claim = named(hostile_claim(number, chance), chance)
        charged = Charged(claim, chance.choice(TEXTS))
        message = dft_message(charged, Ends(chance.choice(TEXTS)), AT)
        read = hl7.parse(message)
        assert [str(one[0]) for one in read] == ["MSH", "EVN", "PID", *["FT1"] * len(claim.lines)]
        pid = read.segment("PID")
        assert meant(field(read, pid, 3)) == meant(charged.record_number)
        assert meant(field(read, pid, 5)) == meant(claim.patient.name.last)
        assert meant(field(read, pid, 5, 2)) == meant(claim.patient.name.first)
    promised.reached(f"{count:,} DFT^P03 messages: 0 added segments, every name as it was")


@pytest.mark.promise("S14")
def test_lines_of_resources_stay_whole(promised: Promised) -> None:
    """A claim as FHIR is one line, is found valid by two others, and says its numbers."""
    chance = Random(14)
    count = promised.count(2_000, 60)
    ids = ClaimIds("c", "p", "v", "o", "y", "urn:uuid:x")
    for number in range(1, count + 1):
        claim = named(hostile_claim(number, chance), chance)
        claim = replace(claim, prior_authorization=chance.choice(TEXTS))
        made = claim_resource(claim, replace(ids, coverage=""), AT)
        (line,) = ndjson([made]).decode().split("\n")[:-1]
        assert problems(as_json(made)) == []
        read = json.loads(line)
        total = sum(round(one["net"]["value"] * 100) for one in read["item"])
        assert total == round(read["total"]["value"] * 100) == claim.charge_cents
    promised.reached(f"{count:,} claims as FHIR R4: 0 invalid by two validators, 0 broken lines")


@pytest.mark.promise("S14")
def test_no_cell_of_a_profile_is_live(promised: Promised) -> None:
    """In the tables of every profile no cell is run, and leading zeros stay."""
    chance = Random(14)
    count = promised.count(2_000, 100)
    rows = [
        row
        for number in range(1, count + 1)
        for row in claim_rows(
            named(hostile_claim(number, chance), chance),
            claim_id="c",
            batch_id="b",
            record_number=chance.choice(TEXTS),
        )
    ]
    for profile in shipped_profiles().values():
        content = profiled_csv(profile, rows).decode()
        cells = list(csv.reader(io.StringIO(content, newline="")))
        assert len(cells) == len(rows) + 1
        place = [column.source for column in profile.columns].index("patient_id")
        for row, told in zip(rows, cells[1:], strict=True):
            assert told[place].removeprefix("'") == row["patient_id"].removeprefix("'")
            assert not any(cell[:1] in tuple("=+-@\t\r") for cell in told)
    promised.reached(f"{count:,} claims in {len(shipped_profiles())} CSV profiles: 0 live cells")


@pytest.mark.promise("S14")
def test_inquiries_keep_their_segments(promised: Promised) -> None:
    """A 270 has the segments of its inquiry, whatever the names and numbers hold."""
    chance = Random(14)
    count = promised.count(2_000, 150)
    for number in range(1, count + 1):
        person = Person(Name(*(chance.choice(TEXTS) for _ in range(3))), PATIENT.birth_day, "U")
        asked = Inquiry(
            f"E{number}",
            replace(MEDICARE, name=chance.choice(TEXTS)),
            chance.choice(("1EG4~TE5", "00012*3", "A:B^C", "\r\n1")),
            person,
            AT.date(),
        )
        content = write_270(interchange(), Asking(chance.choice(TEXTS), "1", "371234567"), [asked])
        assert content.count(b"~") == len(read_segments(content).segments) == 18
    promised.reached(f"{count:,} inquiries (270): segment count exact")

"""The 837P read back: equal values, hostile names, other separators, and what cannot be read."""

from contextlib import suppress
from dataclasses import replace
from datetime import date
from random import Random

import pytest
from claims_made import CLAIM, EVERYTHING, HOSTILE, PATIENT, VOIDED, claim_file, hostile_claim
from hypothesis import given
from hypothesis import strategies as st

from billing.claims.claim import Adjudication, Adjustment, Name, ServiceLine
from billing.claims.x12.as_written import as_written
from billing.claims.x12.element import element
from billing.claims.x12.p837 import write_837p
from billing.claims.x12.p837_read import UnreadableClaimError, read_837p
from billing.claims.x12.segments import NotX12Error, read_segments

CENTS = st.integers(0, 9_999_999)
DAYS = st.dates(date(2000, 1, 1), date(2099, 12, 31))
CODE = st.text("ABCDEFGHJK0123456789", min_size=1, max_size=20)
ADJUDICATIONS = st.builds(
    Adjudication,
    payer_id=CODE,
    paid_cents=CENTS,
    units=st.integers(0, 999),
    paid_day=DAYS,
    adjustments=st.lists(
        st.builds(
            Adjustment, st.sampled_from(("CO", "PR")), CODE.map(lambda text: text[:5]), CENTS
        ),
        max_size=3,
    ).map(tuple),
)
LINES = st.builds(
    ServiceLine,
    procedure=st.sampled_from(("99454", "99457", "G0511")),
    charge_cents=CENTS,
    units=st.integers(1, 999),
    from_day=DAYS,
    to_day=DAYS,
    pointers=st.lists(st.integers(1, 12), min_size=1, max_size=4).map(tuple),
    control_number=CODE,
    modifiers=st.lists(st.sampled_from(("95", "KX")), max_size=4).map(tuple),
    place=st.sampled_from(("", "02", "10")),
    adjudications=st.lists(ADJUDICATIONS, max_size=2).map(tuple),
)
NAMES = st.builds(
    Name,
    *(st.sampled_from(HOSTILE) | st.text(max_size=70).filter(element) for _ in range(4)),
)


@given(lines=st.lists(LINES, min_size=1, max_size=4), patient=NAMES, seed=st.integers(0, 10**6))
def test_what_was_written_is_read_back(lines: list[ServiceLine], patient: Name, seed: int) -> None:
    """Claims with any lines and hostile names come back equal, texts as they could leave."""
    coverage = replace(CLAIM.coverage, subscriber=replace(PATIENT, name=patient))
    claims = (
        replace(EVERYTHING, coverage=coverage, lines=tuple(lines)),
        hostile_claim(seed, Random(seed)),
        VOIDED,
    )
    file = claim_file(claims[:2], claims[2:])
    assert read_837p(write_837p(file)) == as_written(file)


def test_the_total_is_the_sum_of_the_lines() -> None:
    """Totals are not stored twice: the claim's charge follows from its lines."""
    read = read_837p(write_837p(claim_file((CLAIM,))))
    assert read.sets[0].claims[0].charge_cents == 20_400


def test_other_separators_and_line_breaks_are_read() -> None:
    """The header says which characters separate; line breaks behind segments change nothing."""
    file = claim_file((CLAIM, EVERYTHING))
    content = write_837p(file)
    other = content.replace(b"*", b"|").replace(b":", b">").replace(b"~", b"\x1d\r\n")
    assert read_837p(b"\xef\xbb\xbf" + other) == file


@pytest.mark.parametrize(
    "content", [b"", b"hello", b"%PDF-1.7", b"ISA*00", b"ISA" + b"A" * 200, b"PK\x03\x04" * 60]
)
def test_what_is_no_x12_says_so(content: bytes) -> None:
    """Content without an interchange header is refused as no X12."""
    with pytest.raises(NotX12Error):
        read_segments(content)


@given(content=st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    """Whatever follows a header, reading ends with segments or one of the two errors."""
    head = write_837p(claim_file((CLAIM,)))[:180]
    with suppress(NotX12Error, UnreadableClaimError):
        read_837p(head + content)


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        (b"*65.00*", b"*6,5*", "SV102"),
        (b"D8*19480302", b"D8*19480230", "DMG02"),
        (b"RD8*20261001-20261030", b"RD8*2026-10", "DTP03"),
        (b"*UN*2*", b"*UN*1.5*", "SV104"),
    ],
)
def test_a_value_that_cannot_be_read_is_named_by_its_place(
    old: bytes, new: bytes, place: str
) -> None:
    """The error names segment and element, and never holds the value."""
    content = write_837p(claim_file((CLAIM,)))
    assert old in content
    with pytest.raises(UnreadableClaimError, match=place) as caught:
        read_837p(content.replace(old, new))
    assert new.decode().strip("*") not in str(caught.value)

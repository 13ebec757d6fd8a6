"""Eligibility: inquiries as others read them, and answers as far as they tell something."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from claims_made import CHILD, COVERAGE, MEDICARE, PATIENT, interchange
from hypothesis import given, settings
from hypothesis import strategies as st
from x12sdk.io import X12ModelReader

from billing.claims.claim import Payer
from billing.claims.x12.eligibility271 import ACTIVE, INACTIVE, REFUSED, UNKNOWN, read_271
from billing.claims.x12.p270 import Asking, Inquiry, write_270
from billing.claims.x12.segments import read_segments

SAMPLE = Path("tests/files/answers/270-271/subscriber-health-benefit-check.271").read_bytes()
ASKING = Asking("LAKESIDE MEDICAL GROUP", "1234567893", "371234567")
INQUIRY = Inquiry("E1P1", MEDICARE, COVERAGE.member_id, PATIENT, CHILD.person.birth_day)  # type: ignore[arg-type]  # a day
HEAD = SAMPLE.decode().split("~\n")[:9]


def answer(*segments: str) -> bytes:
    """A file of the sample's envelope that says this of its subscriber."""
    body = [*HEAD, "TRN*2*E1P1*1371234567", "NM1*IL*1*DOE*JANE****MI*1EG4TE5MK73", *segments]
    return ("~\n".join([*body, "SE*9*4321", "GE*1*1", "IEA*1*000000907"]) + "~").encode()


def models(content: bytes) -> Iterator[object]:
    """The sets of a file as x12sdk reads them."""
    with X12ModelReader(content.decode()) as reader:
        yield from reader.models()


def test_an_inquiry_is_read_by_another() -> None:
    """x12sdk takes the file; people, trace numbers and what is asked are there."""
    two = replace(INQUIRY, trace_number="E1P2", dependent=CHILD.person)
    other = replace(INQUIRY, trace_number="E1P3", payer=Payer("ACME HEALTH", "99999"))
    content = write_270(interchange(), ASKING, [INQUIRY, two, other])
    assert len(list(models(content))) == 2
    segments = read_segments(content).segments
    names = [one.name for one in segments]
    assert (names.count("ST"), names.count("HL"), names.count("EQ")) == (2, 8, 6)
    assert [one.get(2) for one in segments if one.name == "TRN"] == ["E1P1", "E1P2", "E1P3"]
    group = next(one for one in segments if one.name == "GS")
    assert (group.get(1), group.get(8)) == ("HS", "005010X279A1")
    for one in (item for item in segments if item.name == "SE"):
        start = max(
            item.number for item in segments if item.name == "ST" and item.number < one.number
        )
        assert int(one.get(1)) == one.number - start + 1


def test_an_inquiry_needs_somebody_and_a_tax_id() -> None:
    """A file about nobody, or of a practice without tax id, is refused."""
    with pytest.raises(ValueError, match="somebody"):
        write_270(interchange(), ASKING, [])
    with pytest.raises(ValueError, match="nine digits"):
        write_270(interchange(), replace(ASKING, tax_id="12"), [INQUIRY])


def test_the_sample_says_what_it_says() -> None:
    """Plan, copay in the network for visits, first day; x12sdk reads the same benefits."""
    (told,) = read_271(SAMPLE).people
    assert (told.trace_number, told.standing, told.plan_name) == (
        "93175-012547", ACTIVE, "GOLD 123 PLAN",
    )  # fmt: skip
    assert (told.copay_cents, str(told.begins)) == (1_000, "2006-01-01")
    assert told.covers_telehealth is told.covers_monitoring is None
    (model,) = models(SAMPLE)
    text = model.x12()  # type: ignore[attr-defined]  # x12sdk's models are made at run time
    assert text.count("EB*") == len(told.benefits) == 5


@pytest.mark.parametrize(
    ("segments", "expected"),
    [
        (["EB*1**30"], {"standing": ACTIVE, "copay_cents": None}),
        (["EB*6**30"], {"standing": INACTIVE}),
        (["EB*1**30", "EB*6**30"], {"standing": UNKNOWN}),
        (["EB*1**88"], {"standing": UNKNOWN}),
        (["AAA*N**75*C"], {"standing": REFUSED, "refusals": ("75",)}),
        (["EB*1**30", "EB*B**98***27*20", "EB*B**98***27*30"], {"copay_cents": None}),
        (["EB*B**98***27*20.00*****Y", "EB*B**98***27*50*****N"], {"copay_cents": 2_000}),
        (["EB*B**98***27*abc"], {"copay_cents": None}),
        (["EB*B**30***27*15"], {"copay_cents": 1_500}),
        (["EB*1**98", "III*ZZ*02"], {"covers_telehealth": True}),
        (["EB*I**98", "III*ZZ*10"], {"covers_telehealth": False}),
        (["EB*1**98", "MSG*TELEHEALTH COVERED"], {"covers_telehealth": None}),
        (["EB*1**30*********W*HC>99454"], {"covers_monitoring": None}),
        (["EB*1************HC:99454"], {"covers_monitoring": True}),
        (["EB*I************HC:99457"], {"covers_monitoring": False}),
        (["EB*I************HC:99213"], {"covers_monitoring": None}),
        (["EB*A**98*****.2"], {"coinsurance_percent": ".2"}),
        (["EB*C**30***29*150"], {"deductible_left_cents": 15_000}),
        (["DTP*291*RD8*20260101-20261231", "EB*1**30"], {"standing": ACTIVE}),
    ],
)
def test_only_what_is_told_is_known(segments: list[str], expected: dict[str, object]) -> None:
    """Each benefit is taken as it stands; what is not told, or told in two ways, is unknown."""
    (told,) = read_271(answer(*segments)).people
    assert {name: getattr(told, name) for name in expected} == expected


def test_days_dependents_and_refusals_above() -> None:
    """The plan's days; a dependent is meant; what refuses a whole set refuses everybody."""
    (told,) = read_271(answer("DTP*291*RD8*20260101-20261231", "EB*1**30")).people
    assert (str(told.begins), str(told.ends)) == ("2026-01-01", "2026-12-31")
    child = answer("HL*4*3*23*0", "TRN*2*E1P2*1371234567", "NM1*03*1*DOE*TIM", "EB*1**30")
    (told,) = read_271(child).people
    assert (told.trace_number, told.member_id, told.standing) == ("E1P2", "1EG4TE5MK73", ACTIVE)
    above = SAMPLE.replace(b"HL*2*1*21", b"AAA*Y**42*R~HL*2*1*21")
    assert read_271(above).people[0].refusals == ("42",)


@pytest.mark.parametrize(
    "content", [b"", b"no X12", SAMPLE[:200], SAMPLE.replace(b"*271*", b"*277*")]
)
def test_what_answers_nobody_is_told(content: bytes) -> None:
    """No answers, and an error that says why."""
    read = read_271(content)
    assert read.people == ()
    assert any(one.code.startswith("E_") for one in read.findings)


@settings(max_examples=100, deadline=None)
@given(
    st.integers(0, len(SAMPLE) - 1),
    st.sampled_from([b"~", b"*", b"EB", b"HL*", b"\xff", b"", b"ST*271", b"AAA*~"]),
    st.integers(0, 30),
)
def test_no_change_of_an_answer_raises(place: int, put: bytes, cut: int) -> None:
    """A file that is cut, or in which anything stands anywhere, is read or told."""
    read_271(SAMPLE[:place] + put + SAMPLE[place + cut :])

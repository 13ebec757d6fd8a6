"""What the rehearsal answers: files that other readers read, balanced, the same for one seed."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from random import Random

import oxedi
import pytest
from claims_made import CLAIM, VOIDED, claim_file, hostile_claim, pyx12_verdict

from billing.claims.claim import Claim
from billing.claims.x12.ack999 import read_999
from billing.claims.x12.kind import interchanges, kind_of
from billing.claims.x12.p837 import write_837p
from billing.claims.x12.segments import Segment, read_segments
from billing.money import text_to_cents
from rpm.demo.loopback.house import House

MADE = datetime(2026, 11, 25, 9, 30)  # noqa: DTZ001 - the rehearsal's local minute


def upload(*claims: Claim, production: bool = True) -> bytes:
    """A file as a practice sends it."""
    made = claim_file(claims)
    return write_837p(replace(made, interchange=replace(made.interchange, production=production)))


def answers(house: House, *claims: Claim) -> dict[str, bytes]:
    """What comes back, by kind."""
    return by_kind(house.answer("a.837", upload(*claims)))


def by_kind(found: Mapping[str, bytes]) -> dict[str, bytes]:
    """Files by their kind, told by content."""
    return {kind_of(content).kind: content for content in found.values()}


def segments(content: bytes, name: str) -> list[Segment]:
    """All segments of one name."""
    return [one for one in read_segments(content).segments if one.name == name]


def many() -> list[Claim]:
    """Claims of all shapes, with hostile names."""
    return [hostile_claim(number, Random(number)) for number in range(1, 41)]


@pytest.fixture
def house() -> House:
    """A clearinghouse that nothing was sent to yet."""
    return House(lambda: MADE)


def test_an_upload_is_acknowledged_by_another_program(house: House) -> None:
    """The 999 is pyx12's: it names our group and accepts it."""
    told = read_999(interchanges(answers(house, CLAIM)["999"])[0].segments)
    assert (told.group_number, told.accepted) == ("42", True)


def test_each_answer_has_a_number_of_its_own(house: House) -> None:
    """Two uploads of one minute, and the answers to each, are told apart by their interchange."""
    found = [*house.answer("a", upload(CLAIM)).values()]
    found += house.answer("b", upload(replace(CLAIM, control_number="C9"))).values()
    assert len(found) == len({kind_of(one).number for one in found}) == 6


def test_a_faulty_upload_gets_a_999_that_rejects_it_and_nothing_else(house: House) -> None:
    """Without its SBR the file goes no further; what is no X12 gets no answer at all."""
    faulty = upload(CLAIM).replace(b"~SBR*", b"~SBX*")
    found = by_kind(house.answer("a.837", faulty))
    assert set(found) == {"999"}
    assert not read_999(interchanges(found["999"])[0].segments).accepted
    assert house.answer("a.837", b"hello") == {}


def test_a_test_file_is_acknowledged_and_goes_no_further(house: House) -> None:
    """A file marked T gets its 999: no payer hears of its claim."""
    assert set(by_kind(house.answer("a", upload(CLAIM, production=False)))) == {"999"}


def test_the_answers_satisfy_other_readers(house: House, tmp_path: Path) -> None:
    """pyx12 finds the 277CA and the 835 valid, of claims with hostile names and of every shape."""
    found = answers(house, *many())
    for kind in ("277CA", "835"):
        valid, told = pyx12_verdict(found[kind], tmp_path)
        assert valid, (kind, told[:5])


def test_the_remittance_has_no_finding_of_another_library(house: House) -> None:
    """oxedi reads every claim of the 835 and finds nothing, balance included."""
    commercial = replace(CLAIM, coverage=replace(CLAIM.coverage, filing_code="CI"))
    content = answers(house, commercial, *many())["835"]
    assert list(oxedi.parse(content).diagnostics) == []


def test_every_payment_is_the_sum_of_its_claims_and_every_charge_is_explained(
    house: House,
) -> None:
    """By segments alone: BPR02 = sum of CLP04; per line charge = paid + adjustments."""
    content = answers(house, *many())["835"]
    assert cents(segments(content, "BPR"), 2) == cents(segments(content, "CLP"), 4)
    charged, explained = 0, 0
    for one in read_segments(content).segments:
        if one.name == "SVC":
            charged += text_to_cents(one.get(2))
            explained += text_to_cents(one.get(3))
        if one.name == "CAS":
            explained += sum(text_to_cents(one.get(place)) for place in (3, 6, 9) if one.get(place))
    assert charged == explained == cents(segments(content, "CLP"), 3)


def cents(told: list[Segment], position: int) -> int:
    """The sum of an element."""
    return sum(text_to_cents(one.get(position)) for one in told)


def test_a_month_has_its_denials_and_a_rejection(house: House) -> None:
    """Of 40 claims 5 are denied with bare reasons and 1 is rejected; the rest are paid."""
    found = answers(house, *many())
    statuses = [one.get(2) for one in segments(found["835"], "CLP")]
    assert (statuses.count("4"), statuses.count("1")) == (5, 34)
    categories = [one.part(1, 1) for one in segments(found["277CA"], "STC")]
    assert (categories.count("A7"), categories.count("A2")) == (1, 39)
    numbers = {one.get(7) for one in segments(found["835"], "CLP")}
    accepted = {one.get(2) for one in segments(found["277CA"], "REF") if one.get(1) == "1K"}
    assert numbers == accepted


def test_the_same_seed_gives_the_same_verdicts() -> None:
    """Two houses of one seed answer with the same bytes; another seed denies others."""
    first, again, other = (House(lambda: MADE, seed) for seed in ("a", "a", "b"))
    assert answers(first, *many()) == answers(again, *many())
    assert answers(first, *many())["835"] != answers(other, *many())["835"]


def test_a_denied_claim_is_paid_when_it_comes_corrected(house: House) -> None:
    """The payer remembers: the replacement of a denied claim is paid under another number."""
    before = answers(house, *many())["835"]
    denied = next(one for one in segments(before, "CLP") if one.get(2) == "4")
    claim = next(one for one in many() if one.control_number == denied.get(1))
    corrected = replace(claim, frequency="7", payer_claim_number=denied.get(7))
    (paid,) = segments(answers(house, corrected)["835"], "CLP")
    assert (paid.get(2), text_to_cents(paid.get(4)) > 0) == ("1", True)
    assert paid.get(7) != denied.get(7)


def test_a_void_takes_back_what_was_paid(house: House, tmp_path: Path) -> None:
    """The reversal carries the negative amounts of the payment, and still satisfies pyx12."""
    first = replace(VOIDED, frequency="1", payer_claim_number="")
    (paid,) = segments(answers(house, first)["835"], "CLP")
    content = answers(house, VOIDED)["835"]
    (taken,) = segments(content, "CLP")
    assert taken.get(2) == "22"
    assert text_to_cents(taken.get(4)) == -text_to_cents(paid.get(4)) < 0
    valid, told = pyx12_verdict(content, tmp_path)
    assert valid, told[:5]


def test_a_payment_may_come_later_and_take_back_another(house: House) -> None:
    """Held payments come when they are asked for, with a reversal that was ordered."""
    house.pays = False
    assert set(answers(house, CLAIM)) == {"999", "277CA"}
    (first,) = house.pay().values()
    assert [one.get(2) for one in segments(first, "CLP")] == ["1"]
    house.take_back(CLAIM.control_number)
    (second,) = house.pay().values()
    assert [one.get(2) for one in segments(second, "CLP")] == ["22"]
    assert house.pay() == {}

"""Remittances read: details of claims, keys of repeats, and files that are wrong."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from remittances_made import Line, Paid, Payment, denied, file_of, paid, taken_back

from billing.claims.remittance import Adjusted, Remittance, balance_of, claim_difference
from billing.claims.x12.answer_file import read_answers
from billing.claims.x12.remit835 import read_835
from billing.claims.x12.segments import NotX12Error


def only(content: bytes) -> Remittance:
    """The one remittance of a file."""
    (found,) = read_835(content).remittances
    return found


def codes(remittance: Remittance) -> list[str]:
    """Codes of its findings."""
    return [one.code for one in remittance.findings]


def test_a_claim_is_read_with_modifiers_remarks_and_adjustments() -> None:
    """Four modifiers, line remarks, remarks of the claim, units, days and our line number."""
    line = Line(
        9000, 4000, (("CO", "45", 4000), ("PR", "2", 1000)), "99457:95:KX:GT:Q0", ("N56",), "L7"
    )
    claim = Paid("C1", (line,), more=("MOA***MA18*MA07",))
    (read,) = only(file_of(Payment([claim]))).claims
    (told,) = read.lines
    assert told.modifiers == ("95", "KX", "GT", "Q0")
    assert (told.procedure, told.units, told.control_number) == ("99457", "1", "L7")
    assert told.remarks == ("N56",)
    assert read.remarks == ("MA18", "MA07")
    assert told.adjustments == (Adjusted("CO", "45", 4000), Adjusted("PR", "2", 1000))
    assert (read.charge_cents, read.paid_cents, read.patient_cents) == (9000, 4000, 1000)
    assert str(read.from_day) == "2026-10-01"
    assert claim_difference(read) == 0


def test_a_sound_file_has_no_findings_and_balances() -> None:
    """Claims and provider adjustments explain the payment."""
    told = only(file_of(Payment([paid("C1"), denied("C2")], adjustments=(("WO", "ICN1", 1500),))))
    assert told.findings == ()
    assert balance_of(told)._asdict() == {
        "paid_cents": 2500,
        "claims_cents": 4000,
        "adjusted_cents": 1500,
        "difference_cents": 0,
    }


def test_a_reversal_takes_the_patients_share_back() -> None:
    """Amounts of a reversal are negative, also what the patient owed."""
    (read,) = only(file_of(Payment([taken_back(paid("C1"))]))).claims
    assert read.is_reversal
    assert (read.paid_cents, read.patient_cents) == (-4000, -1000)


def test_an_unbalanced_payment_is_told_to_the_cent() -> None:
    """What claims and adjustments leave open is told; the claims are given all the same."""
    told = only(file_of(Payment([paid("C1")], paid_cents=4001)))
    assert balance_of(told).difference_cents == 1
    assert codes(told) == ["W_835_UNBALANCED"]
    assert told.claims[0].sound


@pytest.mark.parametrize("amount", [b"abc", b"40.001", b"4" * 40, b"1e3", b""])
def test_an_amount_that_cannot_be_read_is_not_zero(amount: bytes) -> None:
    """The claim is shown as not sound, and its neighbor is posted."""
    content = file_of(Payment([paid("C1"), paid("C2", 4100)]))
    told = only(content.replace(b"*40.00*10.00", b"*" + amount + b"*10.00", 1))
    first, second = told.claims
    assert (first.paid_cents, first.sound) == (None, False)
    assert (second.paid_cents, second.sound) == (4100, True)
    assert "E_835_CLAIM" in codes(told)


def test_the_last_claim_of_a_cut_file_is_not_sound() -> None:
    """Wherever a file is cut off, claims before the last are the whole file's, with their keys."""
    content = file_of(Payment([paid(f"C{number}") for number in range(4)]))
    whole = only(content).claims
    end = content.index(b"SE*")
    for place in range(content.index(b"CLP*C1"), end, 3):
        told = only(content[:place])
        assert "E_835_CUT_OFF" in codes(told)
        sound = [claim for claim in told.claims if claim.sound]
        assert len(sound) == max(len(told.claims) - 1, 0)
        assert [claim.key for claim in sound] == [one.key for one in whole[: len(sound)]]


def test_a_repeat_in_another_file_has_the_same_keys() -> None:
    """Another interchange and line breaks change no key; another payment or amount does."""
    payment = Payment([paid("C1"), paid("C2"), paid("C1")])
    first = only(file_of(payment))
    again = only(file_of(payment, number=77).replace(b"~", b"~\r\n"))
    assert again.key == first.key
    assert [one.key for one in again.claims] == [one.key for one in first.claims]
    assert len({one.key for one in first.claims}) == 3
    other = only(file_of(replace(payment, trace="T2")))
    assert other.key != first.key
    assert not {one.key for one in other.claims} & {one.key for one in first.claims}


def test_unknown_codes_are_given_bare_with_a_finding() -> None:
    """A status, group or provider adjustment outside the lists stops nothing."""
    content = file_of(Payment([paid("C1")])).replace(b"CAS*CO*45", b"CAS*XX*99999")
    told = only(content.replace(b"CLP*C1*1", b"CLP*C1*88"))
    assert told.claims[0].lines[0].adjustments[0] == Adjusted("XX", "99999", 4000)
    assert told.claims[0].sound
    assert "W_835_GROUP" in codes(told)
    assert "W_835_CODE" in codes(told)


def test_findings_are_bounded() -> None:
    """A file where everything is wrong tells how many findings it has, not all of them."""
    content = file_of(Payment([paid(f"C{number}") for number in range(500)]))
    told = only(content.replace(b"CAS*CO*45*40.00", b"CAS*CO*45*40.01"))
    assert len(told.findings) < 450
    assert "I_835_MORE" in codes(told)


def test_no_finding_holds_a_value() -> None:
    """Names, numbers and codes of a file stay out of what is told of it."""
    content = file_of(Payment([paid("SECRET1", last="SECRET2", patient_id="SECRET3")]))
    told = only(content.replace(b"DTM*472*20261001", b"DTM*472*SECRET4"))
    assert told.findings
    assert "SECRET" not in repr(told.findings)


def test_what_is_no_x12_is_refused() -> None:
    """Only content without a header is refused."""
    with pytest.raises(NotX12Error):
        read_835(b"%PDF-1.7")


def test_an_older_version_is_read_too() -> None:
    """Version 4010 gives the same claims."""
    content = file_of(Payment([paid("C1")])).replace(b"005010X221A1", b"004010X091A1")
    assert only(content).claims[0].paid_cents == 4000


SEEDS = (
    file_of(
        Payment([paid("C1"), denied("C2"), taken_back(paid("C3"))], adjustments=(("WO", "1", 5),))
    ),
    file_of(Payment([paid("C1")]), Payment([paid("C2")], trace="T2")).replace(b"~", b"~\n"),
)
PIECES = st.sampled_from(
    (b"~", b"*", b":", b"-", b"\xff", b"\0", b"ISA*", b"CLP*X*22~", b"SE*1*1~")
)


@settings(max_examples=150, deadline=None)
@given(
    seed=st.sampled_from(SEEDS),
    edits=st.lists(
        st.tuples(st.floats(0, 1), st.integers(0, 40), PIECES | st.binary(max_size=9)), max_size=6
    ),
)
def test_any_change_of_a_file_is_read_or_told(
    seed: bytes, edits: list[tuple[float, int, bytes]]
) -> None:
    """Whatever is cut out or put in, no error leaves the reader."""
    content = seed
    for share, cut, piece in edits:
        place = int(share * len(content))
        content = content[:place] + piece + content[place + cut :]
    answers = read_answers(content)
    for told in answers.remittances:
        balance_of(told)
        for claim in told.claims:
            assert not claim.sound or claim.paid_cents is not None

"""The letter of an appeal: it says what the record holds, and marks what a person must check."""

from dataclasses import replace
from datetime import date

from claims_made import CLAIM

from billing.claims.appeal import AppealFacts, is_checked, letter_text, packet_parts
from billing.claims.denial import Reason
from billing.claims.denial_reasons import shipped_groups

FACTS = AppealFacts(
    claim=CLAIM,
    practice_phone="217-555-0100",
    payer_claim_number="2026300123456",
    reasons=(Reason(shipped_groups().get("level"), "CO-150", "150", ("N1",), 5_500, ("99457",)),),
    at_stake_cents=5_500,
    answered_on=date(2026, 11, 10),
    trace_number="EFT778",
    level=1,
    letter_day=date(2026, 11, 24),
    evidence=("99457 on October 31, 2026: 23 minutes that count.",),
)


def test_the_letter_names_everything_the_payer_needs() -> None:
    """Patient, numbers, days, amount, reason, and the evidence sentence by sentence."""
    text = letter_text(FACTS)
    for part in (
        "November 24, 2026",
        "Patient: JANE Q DOE",
        "Born: March 2, 1948",
        "Member id: 1EG4TE5MK73",
        "Your claim number: 2026300123456",
        "Our claim number: C000001",
        "Services: October 1, 2026 to October 31, 2026",
        "Amount in question: $55.00",
        "You did not pay $55.00 for 99457, reason CO-150 with remark N1.",
        "99457 on October 31, 2026: 23 minutes that count.",
        "Telephone 217-555-0100",
    ):
        assert part in text
    assert is_checked(text)


def test_what_is_not_known_is_left_out() -> None:
    """No empty label stands in a letter."""
    text = letter_text(
        replace(FACTS, payer_claim_number="", answered_on=None, trace_number="", practice_phone="")
    )
    for label in ("Your claim number", "Your decision of", "Payment number", "Telephone", "None"):
        assert label not in text


def test_an_argument_that_no_record_proves_is_marked() -> None:
    """Being filed in time is for a person to check before the letter may leave."""
    late = Reason(shipped_groups().get("late"), "CO-29", "29", (), 5_500, ())
    text = letter_text(replace(FACTS, reasons=(late,)))
    assert "[CHECK] The claim was first sent" in text
    assert not is_checked(text)


def test_an_underpayment_asks_for_the_rest() -> None:
    """Without a reason of refusal, the letter speaks of the schedule."""
    text = letter_text(replace(FACTS, reasons=()))
    assert "You paid $55.00 less than your schedule allows" in text


def test_parts_that_cannot_be_made_say_why() -> None:
    """A packet without postings or without an answer tells so."""
    assert [part.missing for part in packet_parts(0, (), has_answer=False)] == [
        "",
        "no remittance is posted",
        "no line of the claim is a posting",
    ]
    assert packet_parts(1, ("99213",), has_answer=True)[2].title == "Evidence, without 99213"

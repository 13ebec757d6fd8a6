"""What a patient owes and what a payer may want back, whatever the order of the answers."""

from datetime import date
from itertools import permutations

import pytest

from billing.claims.balance import Answer, claim_balance, overpayment, patient_share
from billing.claims.matching import Sending, attempt_answered

DAY = date(2026, 11, 1)
PAID = Answer("A", "1", 4000, 1000, DAY)
BACK = Answer("A", "22", -4000, -1000, date(2026, 11, 20))
AGAIN = Answer("A", "1", 3500, 1500, date(2026, 11, 20))
SECOND = Answer("B", "2", 800, 200, date(2026, 12, 1))


@pytest.mark.parametrize(
    ("answers", "share"),
    [
        ((), 0),
        ((PAID,), 1000),
        ((PAID, BACK), 0),
        ((PAID, BACK, AGAIN), 1500),
        ((PAID, SECOND), 200),
        ((PAID, BACK, AGAIN, SECOND), 200),
    ],
)
def test_the_share_is_what_the_last_payer_left_over(
    answers: tuple[Answer, ...], share: int
) -> None:
    """In every order; a second payer's answer takes the place of the first one's."""
    assert {patient_share(order) for order in permutations(answers)} == {share}


def test_a_balance_is_share_less_payments() -> None:
    """A refund brings it back."""
    assert claim_balance([PAID], 400).due_cents == 600
    assert claim_balance([PAID], 1200).due_cents == -200
    assert claim_balance([PAID, SECOND], 0).payer_cents == 4800


@pytest.mark.parametrize(
    ("answers", "cents"),
    [
        ((PAID,), None),
        ((PAID, BACK), 4000),
        ((PAID, BACK, AGAIN), 500),
        ((PAID, BACK, PAID._replace(paid_cents=4500)), None),
        ((BACK,), 4000),
        ((PAID, BACK, SECOND), 4000),
    ],
)
def test_a_reversal_opens_an_overpayment(answers: tuple[Answer, ...], cents: int | None) -> None:
    """What was taken back and not paid again by the same payer, due days after the reversal."""
    for order in permutations(answers):
        found = overpayment(order, 60)
        assert (found.cents if found else None) == cents
        if found:
            assert found.due_on == date(2027, 1, 19)


def test_an_answer_is_about_the_sending_it_names() -> None:
    """By frequency and day; what fits nothing is about the last sending."""
    sendings = [
        Sending(2, "7", date(2026, 11, 10)),
        Sending(1, "1", date(2026, 10, 1)),
        Sending(3, "7", date(2026, 12, 1)),
    ]
    assert attempt_answered(sendings, "1", date(2026, 12, 20)) == 1
    assert attempt_answered(sendings, "7", date(2026, 11, 20)) == 2
    assert attempt_answered(sendings, "7", date(2026, 12, 20)) == 3
    assert attempt_answered(sendings, "", date(2026, 11, 9)) == 2
    assert attempt_answered(sendings, "8", None) == 3
    assert attempt_answered(sendings, "", date(2020, 1, 1)) == 3
    assert attempt_answered([]) == 1

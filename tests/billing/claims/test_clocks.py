"""Which answer to a sent claim is overdue."""

from datetime import date, timedelta
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.claims.clocks import Answer, ClockDays, Overdue, overdue_answer
from billing.claims.lifecycle import ClaimEvent, Kind

SENT = date(2026, 2, 2)
DAYS = ClockDays(1, 3, 30)


def told(*kinds: Kind, attempt: int = 1) -> list[ClaimEvent]:
    """A claim that was sent, and these answers to it."""
    return [ClaimEvent(f"{kind}-{attempt}", kind, attempt, on=SENT) for kind in (Kind.SENT, *kinds)]


@pytest.mark.parametrize(
    ("kinds", "answer", "days"),
    [
        ((), Answer.ACKNOWLEDGMENT, 1),
        ((Kind.FILE_ACCEPTED,), Answer.CLAIM_ACKNOWLEDGMENT, 3),
        ((Kind.HOUSE_ACCEPTED,), Answer.REMITTANCE, 30),
        ((Kind.FILE_ACCEPTED, Kind.PAYER_ACCEPTED), Answer.REMITTANCE, 30),
    ],
)
def test_the_next_answer_is_overdue_after_its_last_day(
    kinds: tuple[Kind, ...], answer: Answer, days: int
) -> None:
    """On the last day nothing is overdue, on the next day one day is, in any order of events."""
    due = SENT + timedelta(days=days)
    for order in permutations(told(*kinds)):
        assert overdue_answer(order, DAYS, due) is None
        assert overdue_answer(order, DAYS, due + timedelta(days=1)) == Overdue(answer, SENT, due, 1)


@pytest.mark.parametrize("kind", [Kind.REMITTED, Kind.REVERSED, Kind.REJECTED, Kind.FILE_REJECTED])
def test_an_answered_or_rejected_claim_waits_for_nothing(kind: Kind) -> None:
    """Money came without a 277CA, or somebody said no: there is no clock any more."""
    assert overdue_answer(told(kind), DAYS, date(2027, 1, 1)) is None


def test_only_the_last_sending_is_waited_for() -> None:
    """A claim that was never sent has no clock, nor one that is being corrected."""
    late = date(2027, 1, 1)
    released = ClaimEvent("r", Kind.RELEASED, 1, on=SENT)
    assert overdue_answer([released], DAYS, late) is None
    assert overdue_answer([], DAYS, late) is None
    again = ClaimEvent("r2", Kind.RELEASED, 2, on=SENT)
    assert overdue_answer([*told(), again], DAYS, late) is None
    both = [*told(Kind.REMITTED), *told(attempt=2)]
    overdue = overdue_answer(both, DAYS, late)
    assert overdue is not None
    assert overdue.answer is Answer.ACKNOWLEDGMENT


@given(st.sets(st.sampled_from(Kind)), st.sampled_from(Kind), st.integers(0, 60))
def test_a_further_answer_never_makes_more_overdue(
    kinds: set[Kind], further: Kind, after: int
) -> None:
    """Whatever comes, the answer that is waited for is never an earlier one than before."""
    order = list(Answer)
    before = overdue_answer(told(*kinds), DAYS, SENT + timedelta(days=after))
    now = overdue_answer(told(*kinds, further), DAYS, SENT + timedelta(days=after))
    if now is not None and before is not None:
        assert order.index(now.answer) >= order.index(before.answer)
    assert before is not None or now is None

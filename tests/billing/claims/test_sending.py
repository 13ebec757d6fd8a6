"""How far the sending of a file is."""

from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest

from billing.claims.sending import (
    LONGEST_SENDING,
    Reach,
    SendingStep,
    Step,
    reach,
    was_looked_for,
)

AT = datetime(2026, 2, 3, 15, tzinfo=UTC)
LATER = AT + LONGEST_SENDING


def told(*steps: tuple[int, Step]) -> list[SendingStep]:
    """Steps one minute after another."""
    return [SendingStep(number, step, AT) for number, step in steps]


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ((), Reach.WAITING),
        (((1, Step.BEGUN),), Reach.UNKNOWN),
        (((1, Step.BEGUN), (1, Step.SENT)), Reach.SENT),
        (((1, Step.BEGUN), (1, Step.NOT_SENT)), Reach.WAITING),
        (((1, Step.BEGUN), (1, Step.UNKNOWN)), Reach.UNKNOWN),
        (((1, Step.BEGUN), (1, Step.UNKNOWN), (1, Step.FOUND)), Reach.SENT),
        (((1, Step.BEGUN), (1, Step.UNKNOWN), (1, Step.NOT_FOUND)), Reach.UNKNOWN),
        (((1, Step.BEGUN), (1, Step.NOT_FOUND), (1, Step.ARRIVED)), Reach.SENT),
        (((1, Step.BEGUN), (1, Step.NOT_FOUND), (1, Step.GIVEN_UP)), Reach.WAITING),
        (((1, Step.BEGUN), (1, Step.GIVEN_UP), (2, Step.BEGUN)), Reach.UNKNOWN),
        (((1, Step.BEGUN), (1, Step.GIVEN_UP), (2, Step.NOT_SENT)), Reach.WAITING),
    ],
)
def test_a_file_is_as_far_as_its_steps_tell(
    steps: tuple[tuple[int, Step], ...], expected: Reach
) -> None:
    """Only a sure failure, or a person's word, lets a file wait for sending again, in any order."""
    for order in permutations(told(*steps)):
        assert reach(order, LATER) is expected


def test_a_sending_without_an_end_is_under_way_first_and_unknown_then() -> None:
    """Who dies on the way leaves a sending whose outcome is not known, never one to repeat."""
    steps = told((1, Step.BEGUN))
    assert reach(steps, AT + timedelta(minutes=1)) is Reach.UNDER_WAY
    assert reach(steps, LATER) is Reach.UNKNOWN


def test_a_look_counts_for_the_last_sending_only() -> None:
    """Having looked for the first sending says nothing of the second."""
    steps = told((1, Step.BEGUN), (1, Step.NOT_FOUND), (1, Step.GIVEN_UP))
    assert was_looked_for(steps)
    assert not was_looked_for([*steps, *told((2, Step.BEGUN))])

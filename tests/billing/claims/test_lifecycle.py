"""The status of a claim, folded from its events in any order, and the steps that may follow."""

from itertools import permutations
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.claims.lifecycle import STEPS, ClaimEvent, Kind, Status, Step, may, standing

ASSEMBLED = ClaimEvent("a", Kind.ASSEMBLED, number=1)
HELD = ClaimEvent("h", Kind.HELD, number=2)
RELEASED = ClaimEvent("r", Kind.RELEASED, number=3)
AGREED = ClaimEvent("ok", Kind.APPROVED, number=3)
RELEASED_BY_TWO = ClaimEvent("r2", Kind.RELEASED, number=4)
WRITTEN = ClaimEvent("f", Kind.WRITTEN, number=4)
WITHDRAWN = ClaimEvent("x", Kind.WITHDRAWN, 2, number=5)
REBUILT = ClaimEvent("a2", Kind.ASSEMBLED, 2, number=5)
SENT = ClaimEvent("s1", Kind.SENT, 1)
RECEIVED = ClaimEvent("999", Kind.FILE_ACCEPTED, 1)
TAKEN = ClaimEvent("277-house", Kind.HOUSE_ACCEPTED, 1)
ACCEPTED = ClaimEvent("277-payer", Kind.PAYER_ACCEPTED, 1)
REJECTED = ClaimEvent("277-payer-no", Kind.REJECTED, 1)
PAID = ClaimEvent("835-1", Kind.REMITTED, 1, paid_cents=4_400, patient_cents=1_100)
DENIED = ClaimEvent("835-2", Kind.REMITTED, 1)
DEDUCTIBLE = ClaimEvent("835-3", Kind.REMITTED, 1, patient_cents=5_500)
TAKEN_BACK = ClaimEvent("835-4", Kind.REVERSED, 1, paid_cents=-4_400, patient_cents=-1_100)
APPEALED = ClaimEvent("ap", Kind.APPEALED, 1)
ANSWERED = ClaimEvent("ap-x", Kind.APPEAL_ANSWERED, 1)
WRITTEN_OFF = ClaimEvent("w", Kind.WRITTEN_OFF, 1)
SENT_AGAIN = ClaimEvent("s2", Kind.SENT, 2, frequency="7")
PAID_AGAIN = ClaimEvent("835-5", Kind.REMITTED, 2, paid_cents=5_000)
VOID_SENT = ClaimEvent("s3", Kind.SENT, 2, frequency="8")
VOID_TAKEN = ClaimEvent("277-void", Kind.PAYER_ACCEPTED, 2)
BEFORE = (ASSEMBLED, HELD, RELEASED)
ON_ITS_WAY = (*BEFORE, SENT, RECEIVED, TAKEN, ACCEPTED)

STORIES = [
    ((ASSEMBLED,), Status.ASSEMBLED),
    ((ASSEMBLED, HELD), Status.HELD),
    ((ASSEMBLED, AGREED), Status.APPROVED),
    ((ASSEMBLED, AGREED, RELEASED_BY_TWO), Status.RELEASED),
    (BEFORE, Status.RELEASED),
    ((*BEFORE, WRITTEN), Status.WRITTEN),
    ((*BEFORE, WITHDRAWN), Status.WITHDRAWN),
    ((*BEFORE, SENT, REJECTED, WITHDRAWN), Status.WITHDRAWN),
    ((*BEFORE, SENT, REJECTED, REBUILT), Status.ASSEMBLED),
    ((*BEFORE, SENT), Status.SENT),
    ((*BEFORE, SENT, RECEIVED), Status.RECEIVED),
    ((*BEFORE, SENT, RECEIVED, TAKEN), Status.ACCEPTED),
    (ON_ITS_WAY, Status.ACCEPTED),
    ((*ON_ITS_WAY, REJECTED), Status.REJECTED),
    ((*BEFORE, SENT, ClaimEvent("999-no", Kind.FILE_REJECTED, 1)), Status.REJECTED),
    ((*ON_ITS_WAY, PAID), Status.PAID),
    ((*ON_ITS_WAY, REJECTED, PAID), Status.PAID),
    ((*ON_ITS_WAY, DENIED), Status.DENIED),
    ((*ON_ITS_WAY, DEDUCTIBLE), Status.PATIENT_OWES),
    ((*ON_ITS_WAY, DENIED, APPEALED), Status.APPEALED),
    ((*ON_ITS_WAY, DENIED, APPEALED, ANSWERED), Status.DENIED),
    ((*ON_ITS_WAY, DENIED, APPEALED, ANSWERED, PAID), Status.PAID),
    ((*ON_ITS_WAY, PAID, TAKEN_BACK), Status.REVERSED),
    ((*ON_ITS_WAY, PAID, TAKEN_BACK, DENIED), Status.DENIED),
    ((*ON_ITS_WAY, DENIED, WRITTEN_OFF), Status.WRITTEN_OFF),
    ((*ON_ITS_WAY, DEDUCTIBLE, WRITTEN_OFF), Status.PATIENT_OWES),
    ((*ON_ITS_WAY, DENIED, WRITTEN_OFF, PAID), Status.PAID),
    ((*ON_ITS_WAY, DENIED, SENT_AGAIN), Status.SENT),
    ((*ON_ITS_WAY, DENIED, SENT_AGAIN, PAID_AGAIN), Status.PAID),
    ((*ON_ITS_WAY, PAID, VOID_SENT), Status.SENT),
    ((*ON_ITS_WAY, PAID, VOID_SENT, VOID_TAKEN), Status.VOIDED),
]
KINDS = st.sampled_from(tuple(Kind))
EVENTS = st.lists(
    st.builds(
        ClaimEvent,
        key=st.uuids().map(str),
        kind=KINDS,
        attempt=st.integers(0, 3),
        number=st.integers(0, 3),
        frequency=st.sampled_from("178"),
        paid_cents=st.integers(-5_000, 5_000),
        patient_cents=st.integers(-5_000, 5_000),
    ),
    min_size=1,
    max_size=12,
)


@pytest.mark.parametrize(("events", "status"), STORIES)
def test_stories(events: tuple[ClaimEvent, ...], status: Status) -> None:
    """What happened to a claim tells where it stands."""
    assert standing(events).status is status


def test_every_status_is_told_by_a_story() -> None:
    """No status is without a story that leads to it, and each has its steps."""
    assert {status for _, status in STORIES} == set(Status) == set(STEPS)


@given(events=EVENTS, chance=st.randoms(use_true_random=False))
def test_any_order_and_any_repeats_give_the_same_status(
    events: list[ClaimEvent], chance: Random
) -> None:
    """The same events in another order, some of them twice, leave the claim where it stands."""
    before = standing(events)
    again = [*events, *chance.choices(events, k=3)]
    chance.shuffle(again)
    assert standing(again) == before


def test_answers_in_every_order() -> None:
    """All orders of a rejected, then paid, reversed and paid anew claim end alike."""
    answers = (RECEIVED, TAKEN, REJECTED, PAID, TAKEN_BACK, DEDUCTIBLE)
    found = {standing((*BEFORE, SENT, *order)) for order in permutations(answers)}
    assert {(one.status, one.paid_cents, one.patient_cents) for one in found} == {
        (Status.PATIENT_OWES, 0, 5_500)
    }


def test_money_is_the_sum_of_all_attempts() -> None:
    """What the first sending brought counts beside what the correction brought."""
    found = standing((*ON_ITS_WAY, PAID, SENT_AGAIN, PAID_AGAIN))
    assert (found.attempt, found.paid_cents, found.patient_cents) == (2, 9_400, 1_100)


def test_one_key_with_two_contents_is_an_error() -> None:
    """A repeat is the same to the cent, or it is no repeat."""
    other = ClaimEvent("835-1", Kind.REMITTED, 1, paid_cents=4_401)
    with pytest.raises(ValueError, match="two contents"):
        standing((PAID, other))


def test_a_claim_without_events_has_no_status() -> None:
    """Nothing happened is no status."""
    with pytest.raises(ValueError, match="no status"):
        standing(())


@pytest.mark.parametrize("status", [Status.SENT, Status.RECEIVED, Status.ACCEPTED])
def test_nothing_is_sent_again_while_the_outcome_is_unknown(status: Status) -> None:
    """On its way, no step may follow."""
    assert not any(may(status, step) for step in Step)


def test_only_what_was_adjudicated_unpaid_is_appealed_or_written_off() -> None:
    """A denial may be corrected, voided, appealed or written off; so may a paid claim's rest."""
    assert STEPS[Status.DENIED] == {Step.CORRECT, Step.VOID, Step.APPEAL, Step.WRITE_OFF}
    assert may(Status.PAID, Step.WRITE_OFF)  # of what was refused of it
    assert not may(Status.REJECTED, Step.APPEAL)
    assert not may(Status.ASSEMBLED, Step.SEND)
    assert may(Status.WRITTEN, Step.SEND)
    assert not may(Status.RELEASED, Step.SEND)
    assert not may(Status.APPROVED, Step.SEND)

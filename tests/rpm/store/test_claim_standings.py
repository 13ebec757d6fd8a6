"""Where a claim stands as the store folds it is where its events say."""

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from billing.claims.lifecycle import ClaimEvent, Kind, standing
from rpm.store.queries.claims import standing_of_rows

EVENTS = st.lists(
    st.builds(
        ClaimEvent,
        key=st.uuids().map(str),
        kind=st.sampled_from(tuple(Kind)),
        attempt=st.integers(1, 3),
        number=st.integers(0, 3),
        frequency=st.sampled_from("178"),
        paid_cents=st.integers(-5_000, 5_000),
        patient_cents=st.integers(-5_000, 5_000),
    ),
    min_size=1,
    max_size=8,
    unique_by=lambda one: one.key,
)


@given(EVENTS, st.randoms(use_true_random=False))
def test_a_history_without_its_keys_and_numbers_stands_the_same(
    events: list[ClaimEvent], chance: Random
) -> None:
    """The place in the order of numbers and keys is all that they tell, in any order of rows."""
    rows = [
        (e.number, e.key, e.kind, e.attempt, e.frequency, e.paid_cents, e.patient_cents)
        for e in events
    ]
    chance.shuffle(rows)
    assert standing_of_rows(rows, {}) == standing(events)

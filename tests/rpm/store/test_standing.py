"""What is left to do for a patient is summed up from the ladders, and gives the order of work."""

from datetime import date
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpm.store.standing import STANDINGS, Standing, standing_of
from rpm.store.tables.ledger import ReadinessRow

PATIENT = UUID(int=1)


def row(role: str = "management", **values: Any) -> ReadinessRow:
    """A ladder of the patient; by default 18 of 20 minutes with a live contact."""
    given_values: dict[str, Any] = {
        "organization_id": UUID(int=2),
        "patient_id": PATIENT,
        "position": 0,
        "episode_id": uuid4(),
        "ladder": role,
        "role": role,
        "state": "earned",
        "payer_key": "MEDICARE_B",
        "measured": 1080,
        "earned_code": "99470",
        "next_code": "99457",
        "next_at_least": 1200,
        "still_needed": 120,
        "reachable": True,
        "at_top": False,
        "needs_live": False,
        "findings": [],
    }
    return ReadinessRow(**(given_values | values))


def done(role: str = "supply") -> ReadinessRow:
    """A ladder at its top."""
    return row(role, earned_code="99454", next_code="", still_needed=0, at_top=True)


def test_two_minutes_short_is_to_do() -> None:
    """A smaller code is earned already, but the next step can be had: somebody should call."""
    found = standing_of([done(), row()])
    assert (found.standing, found.needs_call, found.needs_readings) == ("to_do", True, False)
    assert found.seconds_needed == 120


def test_the_top_of_both_is_ready() -> None:
    """With days and minutes at the top the patient is ready, though more minutes add units."""
    more = row(earned_code="99457", next_code="99458", still_needed=1200, at_top=True)
    found = standing_of([done(), more])
    assert (found.standing, found.needs_call, found.seconds_needed) == ("ready", False, 0)


def test_minutes_without_a_live_contact_ask_for_a_call() -> None:
    """The minutes are there; the call has no length to reach."""
    found = standing_of([done(), row(at_top=True, needs_live=True)])
    assert (found.standing, found.lacks_live, found.seconds_needed) == ("to_do", True, 0)


def test_what_cannot_be_reached_is_not_to_do() -> None:
    """Who earns something and can get no further is ready; who earns nothing is out of reach."""
    short = row(reachable=False, state="out_of_reach")
    assert standing_of([short]).standing == "ready"
    nothing = row(reachable=False, state="out_of_reach", earned_code="", measured=0)
    assert standing_of([nothing]).standing == "out_of_reach"


def test_a_finding_holds_the_patient_and_the_call_stays_known() -> None:
    """Held comes first, and what is still needed is told beside it."""
    found = standing_of([row(state="held", findings=["E_NO_CONSENT"])])
    assert (found.standing, found.needs_call) == ("held", True)


def test_a_review_is_nobodys_duty() -> None:
    """The practitioner's review counts only for a patient who has no other ladder."""
    untouched = row("review", measured=0, earned_code="", still_needed=1800)
    assert standing_of([done(), untouched]).standing == "ready"
    assert standing_of([untouched]).standing == "to_do"


def test_the_nearest_day_at_risk_is_the_patients() -> None:
    """Of several windows the one that is due first tells the day."""
    early, late = date(2026, 1, 20), date(2026, 1, 25)
    found = standing_of([row("supply", due_day=late), row("supply", due_day=early)])
    assert found.due_day == early


def test_nobody_has_no_standing() -> None:
    """The sum of no rows is a mistake of who asks."""
    with pytest.raises(ValueError, match="no standing"):
        standing_of([])


rows = st.builds(
    row,
    role=st.sampled_from(["supply", "management", "review"]),
    state=st.sampled_from(["held", "earned", "short", "out_of_reach"]),
    earned_code=st.sampled_from(["", "99470"]),
    still_needed=st.integers(0, 40_000),
    reachable=st.booleans(),
    at_top=st.booleans(),
    needs_live=st.booleans(),
)


@given(st.lists(rows, min_size=1, max_size=4))
def test_a_standing_agrees_with_itself(found: list[ReadinessRow]) -> None:
    """Something to do names what; ready and out of reach leave nothing; order follows standing."""
    standing = standing_of(found)
    assert standing.standing in STANDINGS
    assert (standing.standing in {"ready", "out_of_reach"}) <= (
        not standing.needs_call and not standing.needs_readings
    )
    assert (standing.standing == "to_do") <= (standing.needs_call or standing.needs_readings)
    if not standing.needs_call:
        assert standing.seconds_needed == 0


@given(st.lists(rows, min_size=1, max_size=3), st.lists(rows, min_size=1, max_size=3))
def test_who_needs_a_call_comes_before_who_does_not(
    first: list[ReadinessRow], second: list[ReadinessRow]
) -> None:
    """Of two patients the one with fewer seconds to talk comes first; held and done come later."""

    def rank(standing: Standing) -> tuple[int, int]:
        if standing.standing != "to_do":
            return 2 + STANDINGS.index(standing.standing), 0
        if standing.needs_call:
            return 0, standing.seconds_needed
        return 1, standing.days_needed

    one, other = standing_of(first), standing_of(second)
    assert (one.work_order <= other.work_order) == (rank(one) <= rank(other))

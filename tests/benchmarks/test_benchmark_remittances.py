"""The trials of claims out and payments in run, and make what they say."""

import pytest

from benchmarks import remittances
from benchmarks.report import TITLES, WHERE_KEPT


@pytest.mark.parametrize(
    "trial",
    [
        remittances.written_by_us,
        remittances.written_by_x12sdk,
        remittances.parsed,
        remittances.taken_out,
        remittances.read,
        remittances.posted_again,
    ],
    ids=lambda trial: trial.__name__,
)
def test_a_trial_runs(trial: object) -> None:
    """Each takes time and makes as many claims as were asked for."""
    assert callable(trial)
    spent = trial(5)
    assert spent.count == 5
    assert spent.core_seconds > 0


def test_the_page_has_room_for_it() -> None:
    """What is kept is shown."""
    assert "remittances" in WHERE_KEPT
    assert TITLES["remittances"]

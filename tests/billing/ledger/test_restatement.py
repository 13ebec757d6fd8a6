"""The calculation against its independent restatement, on random patients."""

import pytest
from restatement import Restated, restate
from stories import random_story

from billing.ledger.case_facts import CaseFacts, facts_of_case
from billing.ledger.case_text import SCORED_EDITS
from billing.ledger.cases import edits_text, lines_text, time_text, windows_text
from billing.ledger.evaluate import evaluate
from billing.rules.book import shipped_book

STORIES = 2_000
BLOCK = 250


def calculated(case: CaseFacts) -> Restated:
    """What the calculation says of a story, in the same words."""
    outcome = evaluate(facts_of_case(case), shipped_book(), case.as_of, case.as_of)
    return Restated(
        windows_text(outcome), time_text(outcome), lines_text(outcome), edits_text(outcome)
    )


@pytest.mark.parametrize("first_seed", range(0, STORIES, BLOCK))
def test_random_patients_come_out_as_restated(first_seed: int) -> None:
    """Windows, seconds, lines and edits of two thousand random patients agree with the rules."""
    for seed in range(first_seed, first_seed + BLOCK):
        case = random_story(seed)
        found, expected = calculated(case), restate(case)
        assert found == expected, f"seed {seed}: {case!r}"


def test_random_patients_reach_every_corner() -> None:
    """Among the random patients every code and every edit of the cases occurs."""
    restated = [restate(random_story(seed)) for seed in range(STORIES)]
    codes = {line.split("*")[0] for one in restated for line in one.lines.split(";")}
    edits = {edit for one in restated for edit in one.edits.split(";")}
    assert codes == {
        *("99453", "99454", "99445", "99457", "99458", "99470", "99091", "G0511", "NONE")
    }
    assert edits - {"NONE"} == SCORED_EDITS - {"W_POS_FACILITY_NA", "W_GLOBAL_PERIOD_REVIEW"}

"""Many random patients calculated at once: each comes out as restated and as when alone."""

from dataclasses import replace
from datetime import date

import pandas as pd
import pytest
from builders import MANY_DAYS_LATER, together
from restatement import Restated, restate
from stories import random_story

from billing.ledger.case_facts import CaseFacts, facts_of_case
from billing.ledger.cases import edits_text, lines_text, time_text, windows_text
from billing.ledger.evaluate import evaluate
from billing.ledger.outcome import Outcome
from billing.rules.book import shipped_book

SIZE = 40
NUMBERED_BY_ROW = ["period", "episode", "patient", "subject_row"]
FRAMES = ("periods", "events", "findings", "progress")


def crowd(first_seed: int, as_of: date) -> list[CaseFacts]:
    """Patients' stories as known on one day."""
    stories = [random_story(seed) for seed in range(first_seed, first_seed + SIZE)]
    return [replace(story, as_of=as_of) for story in stories if story.setup_on <= as_of]


def of_patient(outcome: Outcome, patient: int) -> Outcome:
    """The part of an outcome that is one patient's."""
    frames = {name: getattr(outcome, name) for name in FRAMES}
    return replace(
        outcome, **{name: rows[rows["patient"] == patient] for name, rows in frames.items()}
    )


def told(rows: pd.DataFrame) -> list[tuple[object, ...]]:
    """Rows as plain values without their numbers, sorted."""
    kept = rows.drop(columns=[name for name in NUMBERED_BY_ROW if name in rows.columns])
    return sorted(map(tuple, kept.astype(object).to_numpy().tolist()), key=repr)


@pytest.mark.parametrize("first_seed", range(10_000, 10_000 + 20 * SIZE, SIZE))
@pytest.mark.parametrize("as_of", [MANY_DAYS_LATER, date(2026, 2, 25)])
def test_a_crowd_comes_out_as_restated(first_seed: int, as_of: date) -> None:
    """Windows, seconds, lines and edits of each patient among many agree with the rules."""
    stories = crowd(first_seed, as_of)
    outcome = evaluate(
        together([facts_of_case(one) for one in stories]), shipped_book(), as_of, as_of
    )
    for patient, story in enumerate(stories):
        mine = of_patient(outcome, patient)
        found = Restated(windows_text(mine), time_text(mine), lines_text(mine), edits_text(mine))
        assert found == restate(story), f"{story!r}"


@pytest.mark.parametrize("first_seed", range(20_000, 20_000 + 4 * SIZE, SIZE))
def test_each_of_a_crowd_comes_out_as_alone(first_seed: int) -> None:
    """Every row of a patient is the same whether others are calculated beside it or not."""
    day = date(2026, 3, 20)
    parts = [facts_of_case(one) for one in crowd(first_seed, day)]
    together_all = evaluate(together(parts), shipped_book(), day, day)
    for patient, part in enumerate(parts):
        alone = evaluate(part, shipped_book(), day, day)
        among = of_patient(together_all, patient)
        for name in FRAMES:
            assert told(getattr(among, name)) == told(getattr(alone, name)), name

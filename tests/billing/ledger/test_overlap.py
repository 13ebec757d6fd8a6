"""A second is used once: within a patient and across patients, against sets of seconds."""

from collections import defaultdict
from datetime import date
from random import Random

import numpy as np
import pandas as pd
import pytest
from builders import Chart

from billing.ledger.facts import ROLES, WORK
from billing.ledger.overlap import yield_across_patients

DAY = date(2026, 3, 10)
RUNS = 2_000
PEOPLE = 3
NINE = 9 * 3600


def log(draw: Random, patients: int, entries: int) -> Chart:
    """Random timed and untimed entries, some reversed, of a few people on a few patients."""
    chart = Chart()
    for patient in range(patients):
        chart.enroll(date(2026, 1, 5), patient=patient)
    for _ in range(entries):
        number = chart.work(
            draw.randrange(patients),
            DAY,
            draw.choice((draw.randrange(1, 900), 300, 600)),
            actor=draw.randrange(PEOPLE),
            role=draw.choice(("qhp", "rn", "lpn", "admin")),
            work=draw.choice(("RPM", "RPM", "RPM", "CCM")),
            mode=draw.choice(("live", "async")),
            start_second=draw.choice((-1, NINE + draw.randrange(1200), NINE, NINE + 300)),
        )
        if draw.random() < 0.1:
            taken_back = chart.entries[number]
            reversal = {**taken_back, "seconds": -taken_back["seconds"]}
            chart.entries.append({**reversal, "entry": number + 1, "reverses": number})
    return chart


def standing(entries: pd.DataFrame) -> list[dict[str, int]]:
    """Rows that are neither a reversal nor reversed."""
    rows = [
        {str(name): int(value) for name, value in row.items()} for row in entries.to_dict("records")
    ]
    gone = {row["reverses"] for row in rows}
    return [row for row in rows if row["reverses"] < 0 and row["entry"] not in gone]


def timed(entries: pd.DataFrame) -> list[dict[str, int]]:
    """Standing rows with a start."""
    return [row for row in standing(entries) if row["start_second"] >= 0]


def seconds_of(row: dict[str, int]) -> set[int]:
    """The seconds of the day that a timed row covers."""
    return set(range(row["start_second"], row["start_second"] + row["seconds"]))


@pytest.mark.parametrize("first_seed", range(0, RUNS, 100))
def test_overlapping_entries_count_each_second_once(first_seed: int) -> None:
    """Counted seconds are those of a set: clinical RPM seconds that no other program has."""
    charts = {seed: log(Random(seed), 1, 6) for seed in range(first_seed, first_seed + 100)}
    joined = Chart()
    for patient, chart in enumerate(charts.values()):
        episode = joined.enroll(date(2026, 1, 5), patient=patient)
        base = len(joined.entries)
        for row in chart.entries:
            reverses = row["reverses"] + base if row["reverses"] >= 0 else -1
            moved = {"entry": row["entry"] + base, "reverses": reverses, "episode": episode}
            joined.entries.append({**row, **moved, "patient": patient})
    periods = joined.outcome().periods
    found = dict(zip(periods["patient"].tolist(), periods["seconds"].tolist(), strict=True))
    for patient, (seed, chart) in enumerate(charts.items()):
        counted: set[int] = set()
        elsewhere: set[int] = set()
        untimed = 0
        for row in standing(chart.facts().entries):
            if row["work"] != WORK.index("RPM"):
                elsewhere |= seconds_of(row) if row["start_second"] >= 0 else set()
            elif row["role"] != ROLES.index("admin"):
                untimed += row["seconds"] if row["start_second"] < 0 else 0
                counted |= seconds_of(row) if row["start_second"] >= 0 else set()
        assert found[patient] == untimed + len(counted - elsewhere), f"seed {seed}"


@pytest.mark.parametrize("first_seed", range(0, RUNS, 100))
def test_one_person_uses_a_second_on_one_patient(first_seed: int) -> None:
    """Across patients each second of a person's day stays with the entry recorded first."""
    for seed in range(first_seed, first_seed + 100):
        draw = Random(seed)
        entries = log(draw, 3, 7).facts().entries
        recorded = np.array(draw.sample(range(100), len(entries)))
        yielded = yield_across_patients(entries, recorded)
        owner: dict[tuple[int, int], int] = {}
        expected: dict[tuple[int, int], set[int]] = defaultdict(set)
        places = dict(zip(entries["entry"].tolist(), recorded.tolist(), strict=True))
        for row in sorted(timed(entries), key=lambda row: places[row["entry"]]):
            for second in seconds_of(row):
                if owner.setdefault((row["actor"], second), row["patient"]) == row["patient"]:
                    expected[row["actor"], row["patient"]].add(second)
        found: dict[tuple[int, int], set[int]] = defaultdict(set)
        logged = {row["entry"]: seconds_of(row) for row in timed(entries)}
        for row in timed(yielded):
            found[row["actor"], row["patient"]] |= seconds_of(row)
            assert seconds_of(row) <= logged[row["entry"]], f"seed {seed}"
        assert found == expected, f"seed {seed}"


@pytest.mark.parametrize("seed", range(100))
def test_yielding_marks_both_and_touches_nothing_else(seed: int) -> None:
    """Rows that share no second across patients pass unchanged; those that do are marked."""
    draw = Random(seed)
    entries = log(draw, 3, 7).facts().entries
    recorded = np.arange(len(entries))
    yielded = yield_across_patients(entries, recorded)
    rows = timed(entries)
    shared = {
        row["entry"]
        for row in rows
        for other in rows
        if row["actor"] == other["actor"] and row["patient"] != other["patient"]
        if seconds_of(row) & seconds_of(other)
    }
    assert shared >= set(yielded.loc[yielded["shared"], "entry"])
    untouched = entries[~entries["entry"].isin(shared)]
    kept = yielded[~yielded["entry"].isin(shared)]
    assert (
        kept.sort_values("entry")
        .reset_index(drop=True)
        .equals(untouched.sort_values("entry").reset_index(drop=True))
    )


def test_a_shared_second_is_told_on_both_patients() -> None:
    """Both patients carry the finding when one person's minutes were logged on two patients."""
    chart = Chart()
    for patient in range(2):
        episode = chart.enroll(date(2026, 1, 5), patient=patient)
        chart.work(episode, DAY, 1200, start_second=NINE)
    facts = chart.facts()
    yielded = yield_across_patients(facts.entries, np.array([0, 1]))
    assert yielded["shared"].all()
    assert yielded.loc[yielded["patient"] == 1, "seconds"].sum() == 0

"""What holds of every patient: laws of the calculation, on random stories."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from random import Random

import numpy as np
import pandas as pd
import pytest
from builders import MANY_DAYS_LATER, Chart, later, together
from hypothesis import given, settings
from hypothesis import strategies as st
from stories import PAYERS, random_story

from billing.days import day_number
from billing.ledger.case_facts import facts_of_case
from billing.ledger.cases import lines_text
from billing.ledger.evaluate import billed_events, evaluate
from billing.ledger.explain import EventKey, explain
from billing.ledger.facts import Facts
from billing.ledger.outcome import Outcome
from billing.ledger.standing import standing_of
from billing.rules.book import shipped_book

SEEDS = st.integers(0, 2**32)
DATES = st.sampled_from([MANY_DAYS_LATER, date(2026, 2, 10), date(2026, 4, 1)])
LAW = settings(max_examples=40, deadline=None, print_blob=True)
FRAMES = ("device_days", "entries", "gates", "coverages", "others")
NUMBERED_BY_ROW = ["period", "episode", "patient", "subject_row"]


def crowd(seed: int, size: int = 3) -> list[Facts]:
    """Facts of a few random patients, as known long after."""
    stories = [random_story(seed + n) for n in range(size)]
    return [facts_of_case(replace(story, as_of=MANY_DAYS_LATER)) for story in stories]


def judge(facts: Facts, as_of: date) -> Outcome:
    """The outcome by the shipped rules."""
    return evaluate(facts, shipped_book(), as_of, as_of)


def rows(frame: pd.DataFrame, *without: str) -> list[tuple[object, ...]]:
    """Rows of a frame as plain values, sorted."""
    kept = frame.drop(columns=[name for name in without if name in frame.columns])
    return sorted(map(tuple, kept.astype(object).to_numpy().tolist()), key=repr)


def assert_same(one: Outcome, other: Outcome) -> None:
    """Both outcomes say the same, row by row."""
    for name in ("periods", "events", "findings", "progress"):
        assert rows(getattr(one, name)) == rows(getattr(other, name)), name


@LAW
@given(SEEDS, DATES)
def test_events_alone_are_the_events_of_all(seed: int, as_of: date) -> None:
    """What is billed does not depend on whether findings and progress are told beside it."""
    facts = together(crowd(seed))
    everything = judge(facts, as_of).events
    for standing in (None, standing_of(facts)):
        alone = billed_events(facts, shipped_book(), as_of, as_of, standing)
        pd.testing.assert_frame_equal(alone, everything)


@LAW
@given(SEEDS, DATES)
def test_order_of_rows_does_not_matter(seed: int, as_of: date) -> None:
    """Days, entries, gates, coverages and services may stand in any order."""
    facts = together(crowd(seed))
    draw = np.random.default_rng(seed)
    shuffled = replace(
        facts,
        **{
            name: getattr(facts, name)
            .iloc[draw.permutation(len(getattr(facts, name)))]
            .reset_index(drop=True)
            for name in FRAMES
        },
    )
    assert_same(judge(facts, as_of), judge(shuffled, as_of))


@LAW
@given(SEEDS, DATES)
def test_an_exact_repeat_of_a_reading_changes_nothing(seed: int, as_of: date) -> None:
    """Rows of readings that stand there twice are the same readings."""
    facts = together(crowd(seed))
    again = facts.device_days.sample(frac=0.5, random_state=seed % 2**32)
    repeated = pd.concat([facts.device_days, again], ignore_index=True)
    assert_same(judge(facts, as_of), judge(replace(facts, device_days=repeated), as_of))


@LAW
@given(SEEDS, DATES)
def test_an_entry_and_its_reversal_equal_neither(seed: int, as_of: date) -> None:
    """An entry that was taken back leaves no trace in what is calculated."""
    facts = together(crowd(seed))
    other = together(crowd(seed + 7)).entries
    inside = other[other["episode"] < len(facts.episodes)]
    patients = facts.episodes["patient"].to_numpy()[inside["episode"].to_numpy()]
    base = int(facts.entries["entry"].to_numpy().max(initial=-1)) + 1
    span = int(other["entry"].max()) + 1 if len(other) else 0
    added = inside.assign(entry=inside["entry"] + base, patient=patients)
    reversal = added.assign(
        entry=added["entry"] + span, reverses=added["entry"], seconds=-added["seconds"]
    )
    joined = pd.concat([facts.entries, added, reversal], ignore_index=True)
    typed = joined.astype(facts.entries.dtypes.to_dict())
    assert_same(judge(facts, as_of), judge(replace(facts, entries=typed), as_of))


@LAW
@given(SEEDS, DATES)
def test_patients_together_are_patients_apart(seed: int, as_of: date) -> None:
    """What is calculated of a patient does not depend on who else is in the same facts."""
    parts = crowd(seed, 4)
    joint = judge(together(parts), as_of)
    for patient, part in enumerate(parts):
        alone = judge(part, as_of)
        for name in ("periods", "events", "findings", "progress"):
            frame = getattr(joint, name)
            of_patient = frame[frame["patient"] == patient]
            assert rows(of_patient, *NUMBERED_BY_ROW) == rows(
                getattr(alone, name), *NUMBERED_BY_ROW
            ), name


@LAW
@given(SEEDS, DATES)
def test_evaluation_leaves_its_facts_alone(seed: int, as_of: date) -> None:
    """The same facts give the same outcome again, and are as they were."""
    facts = together(crowd(seed))
    before = {name: getattr(facts, name).copy() for name in (*FRAMES, "episodes")}
    first = judge(facts, as_of)
    assert_same(first, judge(facts, as_of))
    for name, frame in before.items():
        assert getattr(facts, name).equals(frame), name


def events_of(seed: int, size: int) -> Iterator[tuple[Facts, dict[str, object]]]:
    """Every event of some random patients together, with the facts of all."""
    facts = together(crowd(seed, size))
    for event in judge(facts, MANY_DAYS_LATER).events.astype(object).to_dict("records"):
        yield facts, {str(name): value for name, value in event.items()}


@pytest.mark.parametrize("seed", range(0, 120, 6))
def test_every_event_is_explained_by_facts_of_its_own_period(seed: int) -> None:
    """Evidence lies in the period, belongs to the patient, and reaches the band it is put to."""
    for facts, event in events_of(seed, 6):
        key = EventKey(
            str(event["subject"]),
            int(str(event["subject_row"])),
            str(event["code"]),
            int(str(event["period_start_day"])),
        )
        told = explain(facts, shipped_book(), MANY_DAYS_LATER, MANY_DAYS_LATER, key)
        assert told is not None
        assert (told.units, told.service_day) == (event["units"], event["service_day"])
        days = facts.device_days.iloc[list(told.device_day_rows)]
        entries = facts.entries.iloc[[*told.entry_rows, *told.live_entry_rows]]
        inside = (told.period_start_day, told.period_end_day)
        assert days["day"].between(*inside).all()
        assert entries["day"].between(*inside).all()
        assert set(told.counted_days) == set(days["day"])
        assert set(days["episode"]) <= {event["episode"]}
        assert set(entries["patient"]) <= {event["patient"]}
        assert set(told.live_entry_rows) <= set(told.entry_rows)
        gates = facts.gates.iloc[list(told.gate_rows)]
        assert (
            (gates["from_day"] <= told.service_day) & (gates["to_day"] >= told.service_day)
        ).all()
        assert set(facts.coverages.iloc[list(told.coverage_rows)]["patient"]) == {event["patient"]}
        relaxed = told.rules.relaxations and told.measure == "device_days"
        assert told.amount >= (2 if relaxed else told.band.at_least)
        assert told.amount == len(told.counted_days) or told.measure != "device_days"


def test_an_event_that_is_not_there_has_no_evidence() -> None:
    """Asking for an event that these facts do not give answers none."""
    chart = Chart()
    chart.measure(chart.enroll(date(2026, 3, 2)), date(2026, 3, 2), 20)
    for code, start in (("99445", date(2026, 3, 2)), ("99454", date(2026, 3, 3))):
        key = EventKey("episode", 0, code, day_number(start))
        assert explain(chart.facts(), shipped_book(), MANY_DAYS_LATER, MANY_DAYS_LATER, key) is None


@pytest.mark.parametrize("seed", range(0, 2_000, 100))
def test_lines_are_dated_within_life_and_code(seed: int) -> None:
    """No line is dated after a death, nor outside the days on which its code is payable."""
    book = shipped_book()
    for facts, event in events_of(seed, 100):
        service_day = int(str(event["service_day"]))
        episode = facts.episodes.iloc[int(str(event["episode"]))]
        if episode["end_reason"] == 4:
            assert service_day <= episode["closed_day"]
        page = book.page(str(event["payer"]), service_day, day_number(MANY_DAYS_LATER))
        code = page.codes[str(event["code"])]
        assert code.payable_from is not None
        assert day_number(code.payable_from) <= service_day
        assert code.payable_to is None or service_day <= day_number(code.payable_to)
        assert 1 <= int(str(event["units"])) <= (code.max_units or 1)


RUNGS = {"99445": 1, "99454": 2, "99470": 1, "99457": 2, "99458": 0}


def rank(lines: str) -> int:
    """How far up its ladder a patient's lines stand; an add-on unit is a rung of its own."""
    total = 0
    for line in lines.replace("NONE", "").split(";"):
        code, _, rest = line.partition("*")
        units = int(rest.partition("@")[0] or 0)
        total += RUNGS.get(code, 0) + (units if code == "99458" else 0)
    return total


@LAW
@given(
    st.sampled_from(sorted(set(PAYERS))),
    st.sampled_from([date(2025, 6, 2), date(2025, 12, 10), date(2026, 3, 2)]),
    st.sets(st.integers(1, 29)),
    st.sets(st.integers(1, 29)),
)
def test_more_days_never_lower_the_supply(
    payer: str, opened: date, some: set[int], more: set[int]
) -> None:
    """A further day inside a window never leads to a lower supply line."""
    ranks = []
    for offsets in (some, some | more):
        chart = Chart(payer)
        episode = chart.enroll(opened)
        for offset in {0, *offsets}:
            chart.measure(episode, later(opened, offset), 1)
        ranks.append(rank(chart.lines()))
    assert ranks[0] <= ranks[1]


@LAW
@given(
    st.sampled_from(sorted(set(PAYERS))),
    st.sampled_from([date(2019, 11, 4), date(2025, 6, 2), date(2026, 3, 2)]),
    st.lists(st.integers(1, 3000), min_size=1, max_size=4),
    st.integers(1, 3000),
)
def test_more_seconds_never_lower_the_management(
    payer: str, opened: date, some: list[int], more: int
) -> None:
    """A further entry of RPM minutes never leads to a lower management line."""
    ranks = []
    for seconds in (some, [*some, more]):
        chart = Chart(payer)
        episode = chart.enroll(opened)
        for number, one in enumerate(seconds):
            chart.work(episode, later(opened, number), one)
        ranks.append(rank(chart.lines()))
    assert ranks[0] <= ranks[1]


@LAW
@given(SEEDS)
def test_later_knowledge_of_nothing_changes_no_closed_line(seed: int) -> None:
    """A line of a period that is over stands on every later day, if no fact is added."""
    draw = Random(seed)
    facts = together(crowd(seed))
    early = later(date(2026, 8, 1), draw.randrange(200))
    standing = lines_text(judge(facts, MANY_DAYS_LATER)).split(";")
    left_early = [line for line in lines_text(judge(facts, early)).split(";") if line != "NONE"]
    assert all(standing.count(line) >= left_early.count(line) for line in left_early)

"""Synthetic facts of the benchmarks: repeatable, whole, of the promised size, the same on disk."""

from pathlib import Path

import duckdb
import numpy as np
import pytest

from benchmarks import duck
from benchmarks.facts import AS_OF, Part, facts_of_part, parts
from benchmarks.stored import FRAMES, part_paths, parts_in, read_part, scan_part, write_part
from benchmarks.trials import digest_of, outcome_of
from billing.ledger.evaluate import evaluate
from billing.ledger.facts import Facts
from billing.rules.book import shipped_book

PART = Part(number=3, episodes=2_000, first_episode=6_000)


def same(one: Facts, other: Facts) -> bool:
    """Whether two sets of facts hold the same frames."""
    return all(getattr(one, frame).equals(getattr(other, frame)) for frame in FRAMES)


def test_a_part_is_always_the_same() -> None:
    """The same part gives the same frames, and another part gives others."""
    assert same(facts_of_part(PART), facts_of_part(PART))
    assert not same(facts_of_part(PART), facts_of_part(Part(4, 2_000, 8_000)))


def test_parts_cover_the_population_once() -> None:
    """The parts of a population hold all its episodes, each once, in order."""
    found = parts(25, part_episodes=10)
    assert [(one.first_episode, one.episodes) for one in found] == [(0, 10), (10, 10), (20, 5)]
    with pytest.raises(ValueError, match="at least one episode"):
        parts(0)


def test_the_population_has_the_promised_size() -> None:
    """An episode has about 20 countable days in a month and about 6 entries."""
    facts = facts_of_part(PART)
    days = facts.device_days.query("qualifying_count > 0")[["episode", "day"]].drop_duplicates()
    entries = facts.entries.query("reverses < 0")
    assert 19 <= len(days) / PART.episodes <= 21
    assert 5.8 <= len(entries) / PART.episodes <= 6.2


def test_a_part_holds_whole_patients_and_refers_only_to_itself() -> None:
    """Every row number of a part points to a row of the same part."""
    facts = facts_of_part(PART)
    patients = facts.episodes["patient"].to_numpy()
    assert np.array_equal(np.unique(patients), np.arange(patients[-1] + 1))
    assert facts.device_days["episode"].between(0, PART.episodes - 1).all()
    assert facts.entries["reverses"].isin([-1, *facts.entries["entry"]]).all()
    of_entry = patients[facts.entries["episode"].to_numpy()]
    assert np.array_equal(of_entry, facts.entries["patient"].to_numpy())


def test_the_dirt_of_real_data_is_there() -> None:
    """The facts lead to findings of every severity, and to RPM and RTM lines."""
    outcome = evaluate(facts_of_part(PART), shipped_book(), AS_OF, AS_OF)
    codes = set(outcome.findings["code"].astype(str))
    assert {"W_TIME_OVERLAP_DEDUPED", "W_NONAUTO_EXCLUDED", "E_NO_CONSENT"} <= codes
    assert {"99454", "99457", "98977"} <= set(outcome.events["code"].astype(str))


def test_a_part_on_disk_is_the_part(tmp_path: Path) -> None:
    """What is read back is what was made, and the scan adds up its numbers."""
    small = Part(0, 50, 0)
    path = write_part(tmp_path, small)
    made = facts_of_part(small)
    assert same(read_part(path), made)
    total = sum(int(getattr(made, frame).to_numpy(dtype=np.int64).sum()) for frame in FRAMES)
    assert scan_part(path) == total


def test_a_digest_tells_outcomes_apart(tmp_path: Path) -> None:
    """The digest is the same for the same facts and another for others."""
    first, second = (write_part(tmp_path, part) for part in parts(60, part_episodes=30))
    assert digest_of(outcome_of(first)) == digest_of(outcome_of(first))
    assert digest_of(outcome_of(first)) != digest_of(outcome_of(second))


def test_the_bare_query_makes_the_four_bands(tmp_path: Path) -> None:
    """DuckDB's query makes the lines that plain counting of days and seconds gives."""
    for part in parts(300, part_episodes=100):
        write_part(tmp_path, part)
    database = tmp_path / "facts.duckdb"
    duck.fill(database, tmp_path)
    assert duck.query_all(database).count == sum(bare_lines(facts) for facts in parts_in(tmp_path))
    assert len(part_paths(tmp_path)) == 3
    with duckdb.connect(str(database), read_only=True) as connection:
        assert connection.execute("SELECT count(DISTINCT episode) FROM device_days").fetchone() == (
            300,
        )


def bare_lines(facts: Facts) -> int:
    """Lines of the four bands, counted patient by patient in plain Python."""
    days: dict[int, set[int]] = {}
    for episode, day, counts in zip(
        *(facts.device_days[name].tolist() for name in ("episode", "day", "qualifying_count")),
        strict=True,
    ):
        if counts:
            days.setdefault(episode, set()).add(day)
    windows: dict[tuple[int, int], int] = {}
    for episode, taken in days.items():
        for day in taken:
            key = (episode, (day - min(taken)) // 30)
            windows[key] = windows.get(key, 0) + 1
    months: dict[tuple[int, object], int] = {}
    for patient, day, seconds in zip(
        *(facts.entries[name].tolist() for name in ("patient", "day", "seconds")), strict=True
    ):
        month = np.datetime64(day, "D").astype("datetime64[M]").item()
        months[patient, month] = months.get((patient, month), 0) + seconds
    supply = sum(count >= 2 for count in windows.values())
    time = sum((seconds >= 600) + (seconds >= 2400) for seconds in months.values())
    return supply + time

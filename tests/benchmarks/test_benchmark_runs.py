"""The benchmarks run from end to end at tiny sizes, and the page says what they found."""

import re
from datetime import date
from pathlib import Path

import pytest

from benchmarks import close, coding, dashboard, intake, report
from benchmarks.measure import Series
from benchmarks.result import Result, load_result, markdown_table

FIGURE = re.compile(r"\d+(\.\d+)?")


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder where the benchmarks kept their results."""
    folder = tmp_path_factory.mktemp("results")
    few = ["--share", "1000", "--repeats", "1", "--organizations", "3"]
    intake.main([*few, "--results", str(folder)])
    shared = ["--quick", "--engines", "sqlite", "--results", str(folder)]
    close.main(["--episodes", "300", "--close-episodes", "20", *shared])
    small_demo = ["--demo-patients", "2", "--demo-until", "2025-11-06"]
    dashboard.main(["--patients", "30", "--months", "2", *small_demo, *shared])
    coding.main(["--visits", "300", "--quick", "--results", str(folder)])
    return folder


def test_the_close_is_measured_against_its_goals(results: Path) -> None:
    """Each goal of the close has a figure, and every trial has a time."""
    found = load_result(results / "close.json")
    assert [goal.id for goal in found.goals] == ["C1", "C2", "C3", "C4", "C5"]
    assert all(FIGURE.search(goal.measured) for goal in found.goals)
    compared = found.tables[0]
    assert [row[0] for row in compared.rows] == [
        "evaluate",
        "evaluate, one thread",
        "DuckDB, bare query",
        "scan of the bytes",
    ]
    assert all(float(row[1]) >= 0 and float(row[4]) > 10 for row in compared.rows)
    assert found.goals[2].measured.endswith("bytes the same")


def test_the_door_is_measured_against_its_goals(results: Path) -> None:
    """Each goal of intake has a figure, and the product answered 200 to everything."""
    found = load_result(results / "intake.json")
    on_sqlite, on_postgresql = ["I1", "I3", "I4", "I6", "I7"], ["I2", "I3", "I4", "I5", "I7"]
    assert [goal.id for goal in found.goals] == [*on_sqlite, *on_postgresql]
    rates = [
        row for table in found.tables if table.title.startswith("Readings") for row in table.rows
    ]
    assert len(rates) == 18
    assert all(float(row[2].replace(",", "")) > 0 for row in rates)
    assert {row[4] for row in rates if row[0] == "product"} == {"0"}


def test_coding_is_measured_against_its_goals(results: Path) -> None:
    """A batch has a rate at each size, and growth and one visit have a figure."""
    found = load_result(results / "coding.json")
    assert [goal.id for goal in found.goals] == ["K1", "K2"]
    assert [row[0] for row in found.tables[0].rows] == ["3", "30", "300"]
    assert all(float(row[2].replace(",", "")) > 0 for row in found.tables[0].rows)


def test_the_pages_are_measured_against_their_goals(results: Path) -> None:
    """Each goal of reading has a figure, with short and with long history."""
    found = load_result(results / "dashboard.json")
    assert [goal.id for goal in found.goals] == ["R1", "R2", "R3", "R4", "R5", "R6"]
    requests = found.tables[0]
    assert [row[:2] for row in requests.rows] == [("sqlite", "1"), ("sqlite", "2")]
    assert all(float(cell) > 0 for row in requests.rows for cell in row[2:])


def test_the_page_tells_goals_sizes_and_figures(results: Path, tmp_path: Path) -> None:
    """The page lists every goal with its figure and names no folder of the machine."""
    page = report.main(["--results", str(results), "--page", str(tmp_path / "page.md")])
    text = page.read_text(encoding="utf-8")
    for name in ("intake", "close", "dashboard"):
        found = load_result(results / f"{name}.json")
        assert f"Measured on {found.measured_on.isoformat()}, {found.size}." in text
        for goal in found.goals:
            lines = (line for line in text.splitlines() if line.startswith(f"| {goal.id} "))
            line = next(line for line in lines if goal.asks in line)
            assert goal.measured in line
            assert ("**no**" in line) is not goal.reached
    assert "site-packages" not in text
    assert str(Path.cwd()) not in text


def test_a_page_without_results_says_what_is_missing(tmp_path: Path) -> None:
    """Without kept results the page is not written and the missing file is named."""
    page = tmp_path / "page.md"
    with pytest.raises(SystemExit, match=r"close\.json, dashboard\.json"):
        report.main(["--results", str(tmp_path), "--page", str(page)])
    assert not page.exists()


def test_a_kept_result_is_the_result(tmp_path: Path) -> None:
    """A result read back equals the one that was kept."""
    result = Result("close", ["how"], date(2026, 4, 1), "1 episode")
    result.table("A table", ("name", "figure"), [("one", "1.5")], "a note")
    result.goal("C1", "at most 2", "1.5", reached=True)
    assert load_result(result.save(tmp_path)) == result


def test_a_table_lines_up() -> None:
    """Every line of a table has the same width."""
    lines = markdown_table(("a", "long name"), [("a long cell", "1"), ("b", "22")]).splitlines()
    assert len({len(line) for line in lines}) == 1


def test_a_series_tells_its_middle_and_how_much_it_wavers() -> None:
    """The median is the middle value, wavering the largest over the smallest less one."""
    series = Series((2.0, 4.0, 3.0))
    assert series.median == 3.0
    assert series.wavering == 1.0

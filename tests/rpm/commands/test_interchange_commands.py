"""What other systems are given, from the command line."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from fhir_checked import problems
from ledger_practice import Practice

from rpm.cli import USAGE

Run = Callable[..., str]


@pytest.fixture(params=["sqlite"])
def database_url(request: pytest.FixtureRequest, sqlite_template: Path, tmp_path: Path) -> str:
    """SQLite alone: the statements are those of the actions' tests."""
    path = tmp_path / "test.db"
    path.write_bytes(sqlite_template.read_bytes())
    return f"sqlite:///{path}"


def test_resources_are_written_and_counted(practice: Practice, said: Run, tmp_path: Path) -> None:
    """A file for each type with anything in it, or one bundle; all of it valid."""
    practice.patient(sex="F", family_name="=O'BRIEN")
    out = tmp_path / "out"
    told = said("export", "fhir", "--out", str(out))
    assert told.splitlines()[-1] == f"export fhir: {out} files=3 resources=4"
    lines = [line for path in sorted(out.iterdir()) for line in path.read_text().splitlines()]
    assert [problems(line) for line in lines] == [[]] * 4
    said("export", "fhir", "--out", str(out), "--bundle", "--type", "Patient")
    held = (out / "bundle.json").read_text()
    assert problems(held) == []
    assert json.loads(held)["entry"][0]["resource"]["name"][0]["family"] == "=O'BRIEN"


def test_wrong_types_are_wrong_use(practice: Practice, said: Run, tmp_path: Path) -> None:
    """A type that is not given ends with 2, and nothing is written."""
    said("export", "fhir", "--out", str(tmp_path / "out"), "--type", "Nothing", code=USAGE)
    assert not (tmp_path / "out").exists()

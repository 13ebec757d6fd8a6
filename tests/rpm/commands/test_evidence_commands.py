"""``rpm-ledger evidence``: packs written, checked, and checked where nothing is installed."""

import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from changed_packs import changed, sealed_anew
from evidence_practice import FEBRUARY_CLOSE, close, supply_short
from ledger_practice import Practice
from sqlmodel import col, select

from rpm.actions.evidence_checker import CHECKER, checker_file
from rpm.actions.evidence_model import pack_schema
from rpm.store.engine import reading
from rpm.store.scope import Scope
from rpm.store.tables.ledger import Posting
from rpm.store.tables.security import AuditEvent

Run = Callable[..., str]
DOCS = Path(__file__).parents[3] / "docs"


@pytest.fixture
def posting(practice: Practice) -> Posting:
    """A posting of a close of January."""
    supply_short(practice)
    close(practice, "2026-01", FEBRUARY_CLOSE)
    with reading(practice.engine) as db:
        return Scope.of(practice.actor).all_of(db, Posting)[0]


def alone(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """The checker in a folder of its own, with Python's standard library and nothing else."""
    return subprocess.run(
        [sys.executable, "-I", "-S", "-W", "error", *words],
        cwd=folder,
        env={"PATH": os.defpath},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_packs_of_event_posting_close_and_month_are_written(
    said: Run, practice: Practice, posting: Posting, tmp_path: Path
) -> None:
    """Each way to name what is wanted; a folder gets a name, and the checker if asked for."""
    close_id = str(posting.close_id)
    told = said("evidence", "pack", str(posting.id), "--out", str(tmp_path / "one.json"))
    digest = json.loads((tmp_path / "one.json").read_text(encoding="utf-8"))["digest"]
    assert told.splitlines()[-1] == f"evidence: {tmp_path / 'one.json'} digest={digest}"
    for what in (close_id, "2026-01", posting.key):
        said("evidence", "pack", what, "--out", str(tmp_path / "packs"), "--with-verifier", "--pdf")
    written = sorted(path.name for path in (tmp_path / "packs").iterdir())
    names = ["evidence-close-2026-01-1", f"evidence-{posting.key}"]
    assert written == sorted(
        [CHECKER, *(f"{name}.{form}" for name in names for form in ("json", "pdf"))]
    )
    files = [str(path) for path in tmp_path.rglob("*.json")]
    told = said("evidence", "verify", *files, "--ledger")
    assert told.count(": fits (") == told.count("is as the ledger has it") == len(files) == 3
    with reading(practice.engine) as db:
        given = select(AuditEvent).where(col(AuditEvent.action) == "evidence.pack")
        assert len(db.exec(given).all()) == 4


def test_what_is_not_there_gives_no_pack(said: Run, posting: Posting, tmp_path: Path) -> None:
    """An unknown id, month, event or text, and a place that cannot be written: 2, nothing kept."""
    for what in (str(posting.close_id)[:-4] + "0000", "2025-12", "nonsense"):
        said("evidence", "pack", what, "--out", str(tmp_path / "x.json"), code=2)
    (tmp_path / "file").write_text("")
    said("evidence", "pack", posting.key, "--out", str(tmp_path / "file"), code=2)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_changed_pack_ends_with_one_and_no_pack_with_two(
    said: Run, posting: Posting, tmp_path: Path
) -> None:
    """The worst of several files tells the exit code; what differs from the ledger is told too."""
    good, bad, forged, none = (tmp_path / f"{name}.json" for name in ("a", "b", "c", "d"))
    said("evidence", "pack", str(posting.id), "--out", str(good))
    content = json.loads(good.read_text(encoding="utf-8"))
    place = ("events", 0, "units")
    bad.write_text(json.dumps(changed(content, place, 7)), encoding="utf-8")
    told = said("evidence", "verify", str(good), str(bad), code=1)
    assert "a.json: fits" in told
    assert "b.json: events[0].units: says 7, but 1 follows" in told
    coverage = next(at for at, one in enumerate(content["facts"]) if one["table"] == "coverage")
    place = ("facts", coverage, "stored", "member_id")
    forged.write_text(json.dumps(sealed_anew(changed(content, place, "9"))), encoding="utf-8")
    assert "c.json: fits" in said("evidence", "verify", str(forged))
    told = said("evidence", "verify", str(forged), "--ledger", code=1)
    assert f"c.json: facts[{coverage}] (coverage" in told
    none.write_text("lines,of,a,table\n", encoding="utf-8")
    said("evidence", "verify", str(good), str(none), code=2)
    said("evidence", "verify", str(tmp_path / "missing.json"), code=2)


def test_the_checker_needs_nothing_but_python(said: Run, posting: Posting, tmp_path: Path) -> None:
    """In an empty folder, isolated and without installed packages, it finds the same."""
    folder = tmp_path / "empty"
    folder.mkdir()
    said("evidence", "pack", "2026-01", "--out", str(folder / "pack.json"))
    assert CHECKER in said("evidence", "verifier", "--out", str(folder))
    done = alone(folder, CHECKER, "pack.json")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("pack.json: fits (2 events")
    content: dict[str, Any] = json.loads((folder / "pack.json").read_text(encoding="utf-8"))
    seconds = next(at for at, one in enumerate(content["facts"]) if one["table"] == "reading")
    place = ("facts", seconds, "stored", "local_day")
    later = content["facts"][seconds]["stored"]["local_day"][:-1] + "9"
    (folder / "pack.json").write_text(json.dumps(changed(content, place, later)), encoding="utf-8")
    done = alone(folder, CHECKER, "pack.json")
    assert done.returncode == 1
    assert f"pack.json: facts[{seconds}] (reading " in done.stdout
    (folder / "pack.json").write_bytes(b"PK")
    assert alone(folder, CHECKER, "pack.json").returncode == 2
    assert alone(folder, CHECKER).returncode == 2
    assert "Traceback" not in done.stdout + done.stderr


def test_a_computer_without_time_zones_says_so(tmp_path: Path) -> None:
    """Days are not guessed: the program ends with 2 and says what to install."""
    (tmp_path / CHECKER).write_bytes(checker_file())
    program = (
        "import runpy, sys, zoneinfo; zoneinfo.reset_tzpath(to=()); sys.argv[1:] = ['x.json'];"
        f" runpy.run_path('{CHECKER}', run_name='__main__')"
    )
    done = alone(tmp_path, "-c", program)
    assert done.returncode == 2
    assert "no time zones" in done.stderr


def test_the_checker_holds_the_modules_as_they_are(tmp_path: Path) -> None:
    """Its source is that of the product, uncompressed, and the same bytes each time."""
    content = checker_file()
    assert content == checker_file()
    (tmp_path / CHECKER).write_bytes(content)
    root = DOCS.parent
    with zipfile.ZipFile(tmp_path / CHECKER) as archive:
        names = archive.namelist()
        for name in names[1:]:
            assert archive.read(name) == (root / name).read_bytes()
    assert names[0] == "__main__.py"
    assert "billing/evidence/readings.py" in names
    assert b"def check_fact" in content


def test_the_published_schema_is_that_of_the_models(said: Run) -> None:
    """docs/evidence-pack.schema.json is what the command prints."""
    told = json.loads(said("evidence", "schema"))
    assert told == pack_schema()
    published = (DOCS / "evidence-pack.schema.json").read_text(encoding="utf-8")
    assert json.loads(published) == told

"""R12: an export's file is whole or absent, whatever happens while it is written."""

from pathlib import Path

import pytest
from cut_place import run_cuts
from cut_practice import prepared
from promised import Promised
from sqlalchemy.engine import Engine
from system_calls import POSSIBLE
from traced import Fault

from rpm.access import Actor
from rpm.settings import Settings

pytestmark = pytest.mark.skipif(not POSSIBLE, reason="traces system calls of Linux on x86-64")


@pytest.mark.promise("R12")
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_an_export_is_whole_or_absent(
    engine: Engine, owner_settings: Settings, actor: Actor, run_folder: Path, promised: Promised
) -> None:
    """Killed or out of space at a write: no torn file, and the next export has the same bytes."""
    practice = prepared(engine, owner_settings, actor, run_folder, closed=True)
    found = run_cuts("export", practice, promised.count(0, 4), *Fault)
    assert found["wrong"] == []
    assert found["cuts"] > 0
    promised.reached(
        f"killed before, killed within or out of space at {found['cuts'] // len(Fault)} of"
        f" {found['calls']} calls: 0 torn files, re-export identical"
    )


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_careless_export_is_caught(
    engine: Engine, owner_settings: Settings, actor: Actor, run_folder: Path
) -> None:
    """The same cuts find torn files where files are written straight into their place."""
    practice = prepared(engine, owner_settings, actor, run_folder, closed=True)
    found = run_cuts("careless export", practice, 20, Fault.HALF)
    assert any("torn" in one for one in found["wrong"]), found

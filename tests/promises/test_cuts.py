"""R2: a process that is cut at any of its writes leaves a sound ledger with all it acknowledged."""

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


@pytest.mark.promise("R2")
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_cut_at_any_write_leaves_a_sound_ledger(
    engine: Engine, owner_settings: Settings, actor: Actor, run_folder: Path, promised: Promised
) -> None:
    """Killed before or within a write: the record verifies, nothing acknowledged is lost."""
    practice = prepared(engine, owner_settings, actor, run_folder)
    found = run_cuts("day", practice, promised.count(0, 5), Fault.KILLED, Fault.HALF)
    assert found["wrong"] == []
    assert found["cuts"] > 0
    promised.reached(
        f"killed before and within {found['cuts'] // 2} of {found['calls']} calls that change a"
        " file (intake, entry, correction, close, export): verify good, 0 acknowledged lost"
    )

"""R10: a close that was interrupted anywhere is run again and gives the same."""

from pathlib import Path

import pytest
from cut_place import run_cuts
from cut_practice import prepared
from promised import Promised
from sqlalchemy.engine import Engine, make_url
from system_calls import POSSIBLE
from traced import Fault

from rpm.access import Actor
from rpm.settings import Settings

pytestmark = pytest.mark.skipif(not POSSIBLE, reason="traces system calls of Linux on x86-64")


@pytest.mark.promise("R10")
def test_an_interrupted_close_is_run_again(
    engine: Engine, owner_settings: Settings, actor: Actor, run_folder: Path, promised: Promised
) -> None:
    """Killed before any write or message: the rerun gives the same events and bytes."""
    practice = prepared(engine, owner_settings, actor, run_folder)
    found = run_cuts("close", practice, promised.count(0, 6), Fault.KILLED)
    assert found["wrong"] == []
    assert found["cuts"] > 0
    name = make_url(owner_settings.database_url).get_backend_name()
    promised.reached(
        f"{name}: killed at {found['cuts']} of {found['calls']} calls:"
        " rerun with identical events and export bytes"
    )

"""R9: of several closers at once one closes the month, whichever way they do it."""

from pathlib import Path

import pytest
from cut_place import run_program
from cut_practice import prepared
from promised import Promised
from sqlalchemy.engine import Engine, make_url

from rpm.access import Actor
from rpm.settings import Settings


@pytest.mark.promise("R9")
def test_a_month_is_closed_once(
    engine: Engine, owner_settings: Settings, actor: Actor, run_folder: Path, promised: Promised
) -> None:
    """Each round one of three processes closes, the others are told its close or to come again."""
    rounds = promised.count(25, 5)
    found = run_program(
        "close_program", str(rounds), prepared(engine, owner_settings, actor, run_folder)
    )
    made = []
    for told in found["told"]:
        closes = [one["close"] for one in told if not one["repeated"]]
        assert len(closes) == 1, told
        assert {one["close"] for one in told} <= {closes[0], ""}, told
        made += closes
    assert len(set(made)) == found["closes"] == rounds
    # verification compares live postings with events and knows of no second issue of a key
    assert found["wrong"] == []
    assert found["postings"] > rounds
    name = make_url(owner_settings.database_url).get_backend_name()
    promised.reached(f"{name}: {rounds} rounds of 3 closers: 1 close a round, 0 double events")

"""R23: a file of claims is sent once, whenever the process that sends it is killed."""

import os
import random
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Timer
from typing import Any

import pytest
from claims_practice import billed_practice
from conftest import make_organization, settings_for
from exchange_bench import PASSWORD, Bench, Hour
from promised import Promised

from billing.claims.sending import LONGEST_SENDING, Step
from rpm.access import Actor
from rpm.actions.send_claim_file import DecideSending, decide_sending
from rpm.claim_exchange import look_for_file
from rpm.demo.loopback.house import House
from rpm.demo.loopback.server import OUT, Listening, listening
from rpm.errors import Conflict
from rpm.store.engine import make_engine, reading, transaction
from rpm.store.queries.claims import events_of

MOMENTS = ("write", "renamed", "some time", "open", "rename")
_TESTS = Path(__file__).parents[1]


@dataclass
class Killer:
    """Kills a process at a moment of the server, once."""

    at: str = ""
    victim: "subprocess.Popen[str] | None" = None
    killed: list[str] = field(default_factory=list)

    def __call__(self, what: str, _connection: Any) -> None:
        """Kill it, if now is the moment."""
        if what == self.at:
            self.kill()

    def kill(self) -> None:
        """Kill it now, unless it ended."""
        if self.victim is not None and self.victim.poll() is None:
            self.killed.append(self.at)
            os.kill(self.victim.pid, signal.SIGKILL)


@dataclass(frozen=True)
class Prepared:
    """A database whose file of claims waits to be sent, and the clearinghouse."""

    database: Path
    actor: Actor
    file_id: Any
    server: Listening
    killer: Killer


@pytest.fixture(scope="module")
def prepared(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prepared]:
    """A tried clearinghouse that takes everything in, and a file for it."""
    path, killer = tmp_path_factory.mktemp("prepared") / "prepared.db", Killer()
    shutil.copyfile(sqlite_template, path)
    engine = make_engine(settings_for(f"sqlite:///{path}"))
    actor = make_organization(engine, Hour().now())
    practice = billed_practice(engine, actor, (1, 2))
    practice.release([row.id for row in practice.assemble().claims])
    house = House(lambda: Hour().now().replace(tzinfo=None), pays=False)
    root = tmp_path_factory.mktemp("house")
    with listening(root, house.answer, password=PASSWORD, moment=killer) as server:
        bench = Bench(engine, actor, server, path.parent)
        bench.tried()
        file_id = bench.file()
        engine.dispose()
        yield Prepared(path, actor, file_id, server, killer)


@contextmanager
def copied(prepared: Prepared, folder: Path) -> Iterator[Bench]:
    """The practice anew, and an empty clearinghouse."""
    folder.mkdir()
    shutil.copyfile(prepared.database, folder / "test.db")
    prepared.server.settle()
    for file in (prepared.server.root / OUT).iterdir():
        file.unlink()
    engine = make_engine(settings_for(f"sqlite:///{folder / 'test.db'}"))
    try:
        yield Bench(engine, prepared.actor, prepared.server, folder)
    finally:
        engine.dispose()


def killed_sending(prepared: Prepared, folder: Path, moment: str, seconds: float) -> None:
    """A process that sends the file and is killed at a moment."""
    words = (folder / "test.db", prepared.file_id, prepared.actor.organization_id, folder)
    killer = prepared.killer
    killer.at = moment
    paths = os.pathsep.join(map(str, (_TESTS.parent, _TESTS, _TESTS / "promises")))
    killer.victim = subprocess.Popen(
        [sys.executable, "-m", "send_program", *map(str, words)],
        env=os.environ | {"PYTHONPATH": paths},
        stdout=subprocess.PIPE,
        text=True,
    )
    if moment == "some time":
        Timer(seconds, killer.kill).start()
    killer.victim.communicate()
    killer.at = ""


def settled(bench: Bench, file_id: Any) -> None:
    """What a person does who finds the file: looks, and sends it again where it did not arrive."""
    steps = bench.steps(file_id)
    if steps[:1] == ["begun"] and len(steps) == 1:
        with pytest.raises(Conflict, match="being sent"):
            bench.send(file_id)
        bench.clock.advance(seconds=LONGEST_SENDING.total_seconds())
        with pytest.raises(Conflict, match="not known"):
            bench.send(file_id)
        if look_for_file(bench.exchange, bench.actor, file_id).step == Step.FOUND:
            return
        command = DecideSending(file_id=file_id, arrived=False, reason="asked their desk")
        with transaction(bench.engine) as db:
            decide_sending(db, bench.actor, bench.clock.now(), command)
        bench.send(file_id)
    elif not steps:
        bench.send(file_id)


@pytest.mark.promise("R23")
def test_a_killed_sending_is_never_repeated_by_itself(
    prepared: Prepared, tmp_path: Path, promised: Promised
) -> None:
    """Killed at each step: unknown, looked for, settled; in the end it lies there once, whole."""
    rounds, draw = promised.count(60, 3), random.Random(23)
    for number in range(rounds):
        moment = MOMENTS[number % len(MOMENTS)]
        folder = tmp_path / str(number)
        with copied(prepared, folder) as bench:
            before = len(prepared.killer.killed)
            killed_sending(prepared, folder, moment, draw.uniform(0.2, 3))
            if moment != "some time":
                assert len(prepared.killer.killed) == before + 1, moment
                assert bench.steps(prepared.file_id) == ["begun"], moment
            settled(bench, prepared.file_id)
            assert bench.statuses() == {"sent"}, moment
            lying = [name for name in bench.uploads() if not name.endswith(".part")]
            assert len(lying) == 1, moment
            with reading(bench.engine) as db:
                for claim_id in bench.claim_ids:
                    events = events_of(db, bench.scope, claim_id)
                    assert [one.kind for one in events].count("sent") == 1
    promised.reached(f"{rounds} kills at each step of a sending over SFTP: 0 sent twice, 0 lost")

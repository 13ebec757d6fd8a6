"""A practice on the database that commands find, and a way to run them."""

import socket
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from threading import Thread
from time import sleep

import pytest
import uvicorn
from ledger_practice import Practice
from pydantic import SecretStr
from sqlalchemy.engine import Engine

from rpm.access import Actor
from rpm.cli import run
from rpm.settings import Settings
from rpm.store.engine import transaction
from rpm.store.tables.security import DemoClock
from rpm.web.app import create_app

Run = Callable[..., str]


@pytest.fixture
def practice(
    engine: Engine, actor: Actor, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> Practice:
    """A practice whose January is over, on the database that commands find."""
    for name in ("secret_key", "audit_key", "field_key"):
        secret = getattr(settings, name)
        assert isinstance(secret, SecretStr)
        monkeypatch.setenv(f"RPMLEDGER_{name.upper()}", secret.get_secret_value())
    monkeypatch.setenv("RPMLEDGER_DATABASE_URL", settings.database_url)
    now = datetime(2026, 2, 2, 15, tzinfo=UTC)
    with transaction(engine) as db:
        db.add(DemoClock(id=1, instant=now))
    return Practice(engine, actor, now)


@pytest.fixture
def served(practice: Practice, settings: Settings) -> Iterator[str]:
    """The address of the running service on the database that commands find."""
    app = create_app(settings)
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False))
        thread = Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        while not server.started:
            sleep(0.01)
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        server.should_exit = True
        thread.join()


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs a command that must end with a code, and gives what it said."""

    def call(*words: str, code: int = 0) -> str:
        assert run(list(words)) == code
        captured = capsys.readouterr()
        return captured.out + captured.err

    return call

"""A practice with a released month and an agreement with the rehearsal clearinghouse, for tests.

Owns the bench and its small steps. Does not own what is expected.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from claims_practice import FEBRUARY
from conftest import settings_for
from sqlalchemy.engine import Engine

from rpm.access import Actor
from rpm.actions.claim_events import current_claims
from rpm.actions.manage_clearinghouse import (
    AddClearinghouse,
    ChangeUsage,
    add_clearinghouse,
    change_usage,
)
from rpm.actions.try_clearinghouse import make_test_file
from rpm.actions.write_claim_file import write_claim_file
from rpm.claim_exchange import Exchange, Fetched, fetch_files, send_file
from rpm.demo.loopback.server import IN, OUT, Listening
from rpm.keys import KeyRing, load_keys
from rpm.store.engine import reading, transaction
from rpm.store.queries.claims import ClaimFilter, listed_claims
from rpm.store.queries.clearinghouses import (
    steps_of,
)
from rpm.store.scope import Scope
from rpm.store.tables.answers import ReceivedFile
from rpm.store.tables.claims import ClaimFile
from rpm.store.tables.transport import FileSending
from rpm.transport.profile import Profile

KEY, PASSWORD = "house", "a-long-password-of-the-test"


def key_ring() -> KeyRing:
    """The ring that the bench keeps its secret with."""
    return load_keys(settings_for("sqlite:///none.db")).field_encryption


@dataclass
class Hour:
    """A clock that stands until it is moved."""

    at: datetime = FEBRUARY

    def now(self) -> datetime:
        """The instant it was moved to."""
        return self.at

    def advance(self, **parts: float) -> None:
        """Move it on."""
        self.at += timedelta(**parts)


@dataclass
class Bench:
    """A practice, a clearinghouse on this machine, and the exchange between them."""

    engine: Engine
    actor: Actor
    server: Listening | None  # None: a drop folder is all there is
    folders: Path
    clock: Hour = field(default_factory=Hour)

    def __post_init__(self) -> None:
        self.scope = Scope.of(self.actor)
        self.exchange = Exchange(self.engine, self.clock, key_ring(), self.folders)
        with reading(self.engine) as db:
            self.claim_ids = [one.id for one in listed_claims(db, self.scope, ClaimFilter())]

    @property
    def house(self) -> Listening:
        """The server, where there is one."""
        assert self.server is not None
        return self.server

    def agree(self, **changes: Any) -> Profile:
        """An agreement with the server."""
        told: dict[str, Any] = {
            "key": KEY,
            "shipped": "loopback",
            "sender_id": "LAKESIDE",
            "port": self.server and self.server.port,
            "fingerprint": self.server and self.server.fingerprint,
            "password": PASSWORD,
            "reason": "rehearsal",
        }
        command = AddClearinghouse(**(told | changes))
        with transaction(self.engine) as db:
            return add_clearinghouse(db, self.actor, self.clock.now(), key_ring(), command)

    def test_file(self) -> UUID:
        """A new test file."""
        with transaction(self.engine) as db:
            return make_test_file(db, self.actor, self.clock.now(), KEY).id

    def produce(self) -> None:
        """From now on files are for production."""
        with transaction(self.engine) as db:
            command = ChangeUsage(key=KEY, usage="P", reason="tested")
            change_usage(db, self.actor, self.clock.now(), command)

    def tried(self) -> None:
        """An agreement, a test file accepted, and production."""
        self.agree()
        self.send(self.test_file())
        self.house.settle()
        self.fetch()
        self.produce()

    def file(self) -> UUID:
        """A file of every released claim."""
        with transaction(self.engine) as db:
            file = write_claim_file(db, self.actor, self.clock.now(), KEY)
            assert isinstance(file, ClaimFile), file
            return file.id

    def send(self, file_id: UUID) -> FileSending:
        """Send a file."""
        return send_file(self.exchange, self.actor, file_id)

    def fetch(self) -> Fetched:
        """Fetch what waits, by a person."""
        return fetch_files(self.exchange, self.actor, KEY, at_once=True)

    def steps(self, file_id: UUID) -> list[str]:
        """What is recorded of a file's sendings."""
        with reading(self.engine) as db:
            return [one.step for one in steps_of(db, self.scope, [file_id])[file_id]]

    def statuses(self) -> set[str]:
        """Where the claims stand."""
        with reading(self.engine) as db:
            standing = current_claims(db, self.scope, self.claim_ids).values()
            return {str(one.standing.status) for one in standing}

    def received(self) -> list[ReceivedFile]:
        """Every file that came."""
        with reading(self.engine) as db:
            return list(self.scope.all_of(db, ReceivedFile))

    def uploads(self) -> list[str]:
        """What lies at the clearinghouse."""
        return sorted(file.name for file in (self.house.root / OUT).iterdir())

    def put(self, name: str, content: bytes) -> None:
        """A file that waits for the practice."""
        (self.house.root / IN / name).write_bytes(content)

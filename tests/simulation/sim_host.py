"""The machine that the product runs on: its disk, its clock, and its crashes.

Owns crashing at the n-th statement and coming up again with what the disk held at that moment.
Does not own what is asked of the product (``sim_steps``).
"""

import shutil
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from sim_practice import Office, settings_on
from sqlalchemy import event
from sqlalchemy.engine import Engine

from rpm.store.chain import chain_head
from rpm.store.engine import make_engine, reading

T = TypeVar("T")
AFTER_COMMIT = 0
"""The moment of a crash between the commit and the answer; others count statements from one."""


class Crash(BaseException):
    """The process is gone: nothing after the moment of the crash happens, no answer is sent."""


class Host:
    """One machine with one database file; an engine is kept over runs, connections are not."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "practice.db"
        self._held = folder / "held.db"
        self.engine: Engine = make_engine(settings_on(self._path))
        event.listen(self.engine, "before_cursor_execute", self._statement)
        event.listen(self.engine, "commit", self._commit)
        self.clock_off = timedelta(0)
        self._left: int | None = None  # statements until the crash
        self._crashed = False

    def start(self, office: Office) -> None:
        """Begin with a new practice and a right clock."""
        self.restart()
        for path in self._path.parent.glob(f"{self._path.name}*"):
            path.unlink()
        shutil.copyfile(office.template, self._path)
        self.clock_off = timedelta(0)

    def restart(self) -> None:
        """End in order and start again."""
        self.engine.dispose()

    def now(self, true: datetime) -> datetime:
        """What the machine takes for the present instant."""
        return true + self.clock_off

    def head(self, office: Office) -> int:
        """The number of the last audit event."""
        with reading(self.engine) as db:
            return chain_head(db, office.actor.organization_id).number

    def run(self, act: Callable[[Engine], T], crash_at: int | None = None) -> T:
        """What the product answers; ``Crash`` when it gets to the moment of the crash."""
        if crash_at is None:
            return act(self.engine)
        self._crashed = False
        self._left = crash_at or None
        try:
            answer = act(self.engine)
            if crash_at == AFTER_COMMIT:
                self._crash()
        except Crash:
            self._come_up()
            raise
        finally:
            self._left = None
        return answer

    def _statement(self, *_: Any) -> None:
        if self._left is not None:
            self._left -= 1
            if not self._left:
                self._crash()

    def _commit(self, _connection: Any) -> None:
        self._statement()

    def _crash(self) -> None:
        """Keep the disk as it is: what the dying code still does to it is undone."""
        self._left = None
        for path, held in self._files():
            held.unlink(missing_ok=True)
            if path.exists():
                shutil.copyfile(path, held)
        raise Crash

    def _come_up(self) -> None:
        self.engine.dispose()
        self._path.with_name(f"{self._path.name}-shm").unlink(missing_ok=True)
        for path, held in self._files():
            path.unlink(missing_ok=True)
            if held.exists():
                shutil.move(held, path)

    def _files(self) -> list[tuple[Path, Path]]:
        """The database and its log; the rest is made anew from them."""
        return [
            (path, held)
            for end in ("", "-wal")
            for path, held in [
                (
                    self._path.with_name(self._path.name + end),
                    self._held.with_name(self._held.name + end),
                )
            ]
        ]

"""A folder on this machine that a person, or another program, uploads from and downloads to.

Owns writing so that a file is whole under its name and lasts a power cut. Does not own where the
folder is (``opened``).
"""

import os
from collections.abc import Sequence
from pathlib import Path

from rpm.durable import make_durable
from rpm.transport.place import (
    MOST_BYTES,
    MOST_FILES,
    PART,
    NotReachedError,
    OutcomeUnknownError,
    RefusedError,
    RemoteFile,
    is_whole,
    outbound_name,
)


class DropFolder:
    """Three folders: ``out`` for the clearinghouse, ``in`` from it, ``done`` for what was read."""

    def __init__(self, root: Path) -> None:
        self._out, self._in, self._done = (root / part for part in ("out", "in", "done"))
        try:
            for folder in (self._out, self._in, self._done):
                folder.mkdir(mode=0o750, parents=True, exist_ok=True)
        except OSError as error:
            raise NotReachedError(f"the folder cannot be used: {error.strerror}") from error

    def send(self, name: str, content: bytes) -> None:
        """Write it as ``NAME.part``, make it last, then give it its name."""
        target = self._out / outbound_name(name)
        if target.exists():
            raise RefusedError("a file of this name is there already")
        draft = target.with_name(target.name + PART)
        try:
            with draft.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise RefusedError(f"it cannot be written: {error.strerror}") from error
        try:
            draft.rename(target)
            make_durable(self._out)
        except OSError as error:
            raise OutcomeUnknownError(f"it cannot be named: {error.strerror}") from error

    def sent(self) -> Sequence[RemoteFile]:
        """What lies in ``out``."""
        return _listed(self._out)

    def waiting(self) -> Sequence[RemoteFile]:
        """What lies in ``in``."""
        return _listed(self._in)

    def fetch(self, name: str) -> bytes:
        """A file of ``in``."""
        path = self._waiting(name)
        try:
            if path.stat().st_size > MOST_BYTES:
                raise RefusedError("the file is larger than what is fetched")
            return path.read_bytes()
        except OSError as error:
            raise NotReachedError(f"the file cannot be read: {error.strerror}") from error

    def archive(self, name: str) -> None:
        """From ``in`` to ``done``; beside one of the same name, never over it."""
        path, target, number = self._waiting(name), self._done / name, 1
        while target.exists():
            number += 1
            target = self._done / f"{name}.{number}"
        try:
            path.rename(target)
        except OSError as error:
            raise RefusedError(f"the file cannot be put away: {error.strerror}") from error

    def _waiting(self, name: str) -> Path:
        if not is_whole(name):
            raise RefusedError("there is no such file")
        return self._in / name


def _listed(folder: Path) -> list[RemoteFile]:
    try:
        found = [
            RemoteFile(entry.name, entry.stat().st_size)
            for entry in os.scandir(folder)
            if entry.is_file(follow_symlinks=False) and is_whole(entry.name)
        ]
    except OSError as error:
        raise NotReachedError(f"the folder cannot be listed: {error.strerror}") from error
    return sorted(found, key=lambda one: one.name)[:MOST_FILES]

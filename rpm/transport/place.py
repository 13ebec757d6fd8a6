"""What a place that files go to and come from must do, and how it says that it did not.

Owns the protocol, the errors and which names are taken. Does not own any place.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

PART = ".part"
"""The end of a name while its file is not whole: nobody may take such a file."""
MOST_BYTES = 64 * 1024 * 1024
"""A larger file is not fetched: it is told, and a person looks."""
MOST_FILES = 2_000
"""Files of one listing; further ones come with the next."""
_OUTBOUND_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


class TransportError(Exception):
    """A place did not do what it was asked; the message holds no content and no secret."""


class NotReachedError(TransportError):
    """No connection: nothing was sent. Trying again changes nothing but the time."""


class RefusedError(TransportError):
    """The place, or we, said no: a wrong host key, no sign-in, a name taken. Nothing was sent."""


class OutcomeUnknownError(TransportError):
    """The connection was lost after the transfer had begun: whether it arrived is not known."""


@dataclass(frozen=True)
class RemoteFile:
    """A whole file at a place."""

    name: str
    size_bytes: int


class Transport(Protocol):
    """A place, opened. Every call is bounded in time."""

    def send(self, name: str, content: bytes) -> None:
        """Put a file there, whole under its name or not at all; never over another file.

        ``NotReachedError`` and ``RefusedError``: nothing arrived. ``OutcomeUnknownError`` else.
        """

    def sent(self) -> Sequence[RemoteFile]:
        """The whole files that lie where we put ours, as long as they were not taken in."""

    def waiting(self) -> Sequence[RemoteFile]:
        """The whole files that wait for us, by name."""

    def fetch(self, name: str) -> bytes:
        """The content of a waiting file; ``RefusedError`` for one that is too large."""

    def archive(self, name: str) -> None:
        """Put a waiting file away, so that it is not listed again."""


def outbound_name(name: str) -> str:
    """The name, when it is plain; ``RefusedError`` otherwise."""
    if not _OUTBOUND_NAME.fullmatch(name) or name.endswith(PART):
        raise RefusedError("the name of a file that is sent has letters, digits and . _ - only")
    return name


def is_whole(name: str) -> bool:
    """Whether a listed name is that of a file to be taken, and leads nowhere else."""
    hidden = name.startswith(".") or name.endswith((PART, ".tmp", ".filepart"))
    return bool(name) and not hidden and not set(name) & {"/", "\\", "\0"}

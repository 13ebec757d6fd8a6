"""Mismatches: what a pack says beside what follows from it.

Owns the comparison of two values leaf by leaf. Does not own what follows.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

from billing.evidence.pack import canonical

_LONGEST = 100


class Mismatch(NamedTuple):
    """Something that does not fit: where in the pack, what it says, and what follows."""

    path: str
    says: str
    follows: str

    def __str__(self) -> str:
        return f"{self.path}: says {self.says}, but {self.follows} follows"


def differences(path: str, says: Any, follows: Any) -> Iterator[Mismatch]:
    """The leaves in which two values differ."""
    if isinstance(says, dict) and isinstance(follows, dict):
        for key in sorted(says.keys() | follows.keys()):
            yield from differences(f"{path}.{key}", says.get(key), follows.get(key))
    elif isinstance(says, list) and isinstance(follows, list) and len(says) == len(follows):
        for at, (one, other) in enumerate(zip(says, follows, strict=True)):
            yield from differences(f"{path}[{at}]", one, other)
    elif canonical(says) != canonical(follows):
        yield Mismatch(path, _short(says), _short(follows))


def _short(value: Any) -> str:
    text = value if isinstance(value, str) and value else canonical(value)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."

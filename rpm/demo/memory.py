"""Memory: what the demo must know from one command to the next, in a file beside its database.

Owns the file ``story.jsonl``: a line for every step done, with the names it gave ids to. Holds
tokens and secrets of the demo practice, so only its owner may read it. Does not own the record.
"""

import json
import os
from pathlib import Path
from typing import Any

DONE = "done"


class Memory:
    """Names and what they stand for; a line that was cut off by a crash is as if never written."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known: dict[str, Any] = {}
        if path.exists():
            whole, _, cut_off = path.read_bytes().rpartition(b"\n")
            if cut_off:
                os.truncate(path, len(whole) + 1 if whole else 0)
            for line in whole.splitlines():
                self._known.update(json.loads(line))

    def remember(self, **known: Any) -> None:
        """Keep these, whatever happens next."""
        self._known.update(known)
        descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(json.dumps(known) + "\n")

    def __contains__(self, name: str) -> bool:
        return name in self._known

    def __getitem__(self, name: str) -> Any:
        return self._known[name]

    @property
    def done(self) -> int:
        """How many steps of the story are behind us."""
        done: int = self._known.get(DONE, 0)
        return done

"""What earlier runs found: verdicts that still hold, and the killers to try first.

Owns the file of verdicts. A killed mutant stays killed as long as its module and the file of the
test that killed it read as they did; whatever survived is tried each time.
"""

import json
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

from mutation.mutants import Mutant
from mutation.trial import Verdict


class Known:
    """Verdicts of earlier runs below a root folder."""

    def __init__(self, root: Path, path: Path) -> None:
        self._root = root
        self._path = path
        self._found: dict[str, tuple[str | None, str]] = {}
        if path.exists():
            told = json.loads(path.read_text(encoding="utf-8"))
            self._found = {name: (killer, digest) for name, (killer, digest) in told.items()}

    def killers(self) -> dict[str, str | None]:
        """By the name of a mutant the test that killed it; None where it survived."""
        return {name: killer for name, (killer, _) in self._found.items()}

    def standing(self, mutants: Sequence[Mutant]) -> list[Verdict]:
        """The verdicts of those that need not be tried again."""
        found = [Verdict(one, self._found.get(one.name, (None, ""))[0]) for one in mutants]
        return [
            verdict
            for verdict in found
            if verdict.killer and self._digest(verdict) == self._found[verdict.mutant.name][1]
        ]

    def keep(self, verdicts: Sequence[Verdict]) -> None:
        """Add to what is known, at once: a run may be broken off and go on later."""
        self._found |= {one.mutant.name: (one.killer, self._digest(one)) for one in verdicts}
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._path.write_text(json.dumps(self._found, indent=0), encoding="utf-8")

    def _digest(self, verdict: Verdict) -> str:
        """Of the module and the test's file; where no test killed it, of the module."""
        module = self._root.joinpath(*verdict.mutant.module.split(".")).with_suffix(".py")
        test = self._root / (verdict.killer or "").split("::")[0]
        made = sha256(module.read_bytes())
        if test.is_file():
            made.update(test.read_bytes())
        return made.hexdigest()

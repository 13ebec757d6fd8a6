"""The rehearsal clearinghouse itself: an upload in, its answers out.

Owns which answers an upload gets, their names and numbers, and the 999, which pyx12 makes. Does not
own the server, the verdicts nor the other files.
"""

import io
import tempfile
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from pathlib import Path

from billing.claims.x12.p837_read import UnreadableClaimError, read_837p
from billing.claims.x12.segments import NotX12Error, read_segments
from rpm.demo.loopback.answers import Answering, claims_acknowledged, remitted
from rpm.demo.loopback.verdicts import Payer, Verdict

_FIRST_NUMBER = 700_000_001


@dataclass
class House:
    """A clearinghouse and the payers behind it. ``now`` is the rehearsal's local time."""

    now: Callable[[], datetime]
    seed: str = "rehearsal"
    pays: bool = True
    """False: acknowledgments only; what was taken in is paid by ``pay``."""
    _payer: Payer = field(init=False)
    _numbers: "count[int]" = field(default_factory=lambda: count(_FIRST_NUMBER), init=False)
    _waiting: list[tuple[Answering, list[Verdict]]] = field(default_factory=list, init=False)
    _last: Answering | None = field(default=None, init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)

    def __post_init__(self) -> None:
        self._payer = Payer(self.seed)

    def answer(self, name: str, content: bytes) -> Mapping[str, bytes]:
        """The files that an upload gets, by name; none for what is no X12."""
        with self._lock:
            return self._answered(name, content)

    def take_back(self, control_number: str) -> None:
        """Let the next payment take back what was paid on a claim."""
        with self._lock:
            reversal = self._payer.take_back(control_number)
            if self._last is not None:
                self._waiting.append((self._last, [reversal]))

    def pay(self) -> Mapping[str, bytes]:
        """The 835 files of what was taken in and not paid yet."""
        with self._lock:
            return self._paid()

    def _answered(self, name: str, content: bytes) -> dict[str, bytes]:
        accepted, acknowledgment = acknowledged(content, next(self._numbers), self.now())
        found = {f"{name}.999": acknowledgment} if acknowledgment else {}
        if not accepted:
            return found
        try:
            file = read_837p(content)
        except (NotX12Error, UnreadableClaimError):
            return found
        if not file.interchange.production:
            return found  # a test: nothing goes on to any payer
        verdicts = self._payer.verdicts(one for part in file.sets for one in part.claims)
        answering = Answering(file.interchange, next(self._numbers), self.now())
        self._last = answering
        if verdicts:
            found[f"{name}.277ca"] = claims_acknowledged(answering, file, verdicts)
        taken = [one for one in verdicts if not one.rejected]
        if taken:
            self._waiting.append((answering, taken))
        if self.pays:
            found |= self._paid()
        return found

    def _paid(self) -> dict[str, bytes]:
        waiting, self._waiting = self._waiting, []
        return {
            f"{answering.upload.number:09d}.{number}.835": remitted(
                Answering(answering.upload, number, self.now()), verdicts
            )
            for answering, verdicts in waiting
            for number in [next(self._numbers)]
        }


def acknowledged(content: bytes, number: int, made_at: datetime) -> tuple[bool, bytes]:
    """Whether pyx12 takes an upload, and the 999 it makes; none for what is no X12.

    pyx12 numbers its interchanges by the minute and its groups by chance: two uploads of a minute
    would be answered under one number. They get the rehearsal's numbers and time instead.
    """
    from pyx12.params import params
    from pyx12.x12n_document import x12n_document

    out = io.StringIO()
    try:
        read_segments(content)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "upload"
            path.write_bytes(content)
            valid = bool(x12n_document(params(), str(path), out, None, None))
    except Exception:  # noqa: BLE001 - it raises many kinds; each means that it cannot read it
        return False, b""
    return valid, _renumbered(out.getvalue(), number, made_at)


def _renumbered(text: str, number: int, made_at: datetime) -> bytes:
    told = []
    for line in text.split("~"):
        parts = line.strip().split("*")
        if parts[0] == "ISA":
            parts[9], parts[10], parts[13] = f"{made_at:%y%m%d}", f"{made_at:%H%M}", f"{number:09d}"
        elif parts[0] == "GS":
            parts[4], parts[5], parts[6] = f"{made_at:%Y%m%d}", f"{made_at:%H%M}", str(number)
        elif parts[0] in {"GE", "IEA"}:
            parts[2] = str(number) if parts[0] == "GE" else f"{number:09d}"
        told.append("*".join(parts))
    return "~".join(told).encode("ascii", "replace")

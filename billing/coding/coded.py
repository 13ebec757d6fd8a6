"""What coding gives back: lines, why they are so, what else was possible, and what was found.

Owns these shapes. Does not own the choice (``visit``), the edits (``check``), nor what follows
from an edit for its line (``repair``).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from billing.coding.lines import Line
from billing.finding import Finding, Severity
from billing.money import Cents

CLEAN, FIX, REVIEW, BLOCK = "CLEAN", "FIX", "REVIEW", "BLOCK"
"""How a visit stands: goes out; goes out as repaired; a person decides; must not go out."""
STATUSES = (CLEAN, FIX, REVIEW, BLOCK)

_SEVERITY = {
    "ERROR": Severity.ERROR,
    "REVIEW": Severity.WARNING,
    "WARN": Severity.WARNING,
    "INFO": Severity.INFORMATION,
}


@dataclass(frozen=True)
class EditFinding(Finding):
    """An edit that fired: ``code`` is its id, ``line`` the index (from 0) of the line it is about.

    ``line`` is None when it is about the whole visit. ``weight`` is the edit's own word:
    ERROR blocks release, REVIEW needs a person, WARN shows and lets go, INFO is recorded.
    """

    weight: str = "ERROR"
    line: int | None = None

    @property
    def severity(self) -> Severity:
        """The weight in the words of every other finding."""
        return _SEVERITY[self.weight]


@dataclass(frozen=True)
class Alternative:
    """Lines that would also have been possible, or a higher level, and what it would take."""

    lines: tuple[Line, ...]
    reason: str


@dataclass(frozen=True)
class CodedVisit:
    """A visit with its lines as they would leave, and how they came about.

    ``submitted`` are the lines before any repair: what a person wrote, or what the facts gave.
    Edits between codes (NCCI) look at them, all others at ``lines``. ``amounts`` gives cents for
    all units of each line that a loaded or shipped schedule knows, by its index; one that is not
    known is absent.
    """

    lines: tuple[Line, ...]
    submitted: tuple[Line, ...]
    reasons: tuple[str, ...] = ()
    alternatives: tuple[Alternative, ...] = ()
    findings: tuple[Finding, ...] = ()
    status: str = CLEAN
    amounts: Mapping[int, Cents] = field(default_factory=dict)
    unsettled: tuple[str, ...] = ()  # what the rules leave open, for TH-ADM-08
    basis: str | None = None  # MDM or TIME: what chose the proposed level; None: as documented

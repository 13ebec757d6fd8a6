"""What is told of one patient's month: periods, their ladders, and the answer for a code.

Owns the shape. Does not own finding it (``why``, ``why_periods``) nor its wording.
"""

from dataclasses import dataclass

from billing.ledger.left_out import LeftOut
from billing.ledger.more import Line, More, Place
from billing.rules.ruleset import Band, Ladder, RuleSet


@dataclass(frozen=True)
class Said:
    """A finding on a period, as the outcome has it; ``amount`` in days, seconds or units."""

    code: str
    concerns: str
    amount: int


@dataclass(frozen=True)
class Rung:
    """A band of a ladder, with the least that holds for this period (R-PHE-01 may lower it)."""

    band: Band
    at_least: int


@dataclass(frozen=True)
class LadderWhy:
    """One ladder of one period.

    ``amount`` is in days or seconds; ``logged`` the seconds of the entries that count, of which
    overlaps are left out. ``stops`` are codes of findings that keep its lines back; ``because``
    says the same where no finding does (a word of ``WHY_NOT``).
    """

    rules: RuleSet
    ladder: Ladder
    amount: int
    logged: int
    rungs: tuple[Rung, ...]
    lines: tuple[Line, ...]
    findings: tuple[Said, ...]
    stops: tuple[str, ...]
    because: str
    lacks_live: bool  # a live contact is needed and there is none
    place: Place  # where more may be added
    kind: str  # of the device that measured; for days
    more: tuple[More, ...] = ()

    @property
    def codes(self) -> frozenset[str]:
        """The codes of its bands."""
        return frozenset(line.code for rung in self.rungs for line in rung.band.lines)


WHY_NOT = {
    "nothing_measured": "nothing was measured",
    "running": "the period is not over, and has not enough yet",
    "setup_before": "set-up was billed before for this episode",
    "setup_elsewhere": "set-up leaves once, with another period of this episode",
    "setup_waits": "set-up leaves with the first supply line",
    "not_payable": "no code of the band it reached could be billed on the day of service",
}
"""Why nothing leaves, in words, where no finding tells."""


@dataclass(frozen=True)
class PeriodWhy:
    """A window or month with its ladders; without days where no window stands yet."""

    kind: str
    program: str
    episode: int
    start_day: int | None
    end_day: int | None
    state: str
    service_day: int | None
    payer: str  # empty without coverage on the day of service
    rules: RuleSet | None
    findings: tuple[Said, ...]  # about the period as a whole
    ladders: tuple[LadderWhy, ...]


@dataclass(frozen=True)
class CodeWhy:
    """The answer for one code.

    ``state`` is billed, not_billed, or unknown: no ladder of these pages earns it. ``on`` are
    positions (period, ladder) of the ladders that do. ``takes`` is a trial that brings the code;
    ``short`` the days or seconds missing on the nearest ladder; ``above`` is set where the measure
    lies above the bands of the code.
    """

    code: str
    state: str
    lines: tuple[Line, ...]
    on: tuple[tuple[int, int], ...]
    takes: More | None
    short: int
    above: bool


@dataclass(frozen=True)
class Why:
    """A patient's month. ``services`` are (service day, code, own) of its days."""

    periods: tuple[PeriodWhy, ...]
    left_out: tuple[LeftOut, ...]
    services: tuple[tuple[int, str, bool], ...]
    asked: CodeWhy | None = None

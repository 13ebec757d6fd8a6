"""The time log to seconds and management lines in the restatement (99457, 99458, 99470).

Owns months, the wall clock, and what is told of minutes. A day's seconds are the bits of a whole
number: one that two people worked on is one bit.
"""

from calendar import monthrange
from dataclasses import dataclass, field
from datetime import date

from restated_story import (
    CODES_OF_2026,
    DAY,
    RTM,
    Line,
    Result,
    Stay,
    adopts_2026,
    stay_on,
    stops,
)

from billing.ledger.case_facts import CaseFacts, TimeEntry

A_DAY_OF_SECONDS = 24 * 60 * 60
CLINICAL = ("qhp", "rn", "lpn", "ma")
MANAGEMENT = ("99457", "99458", "99470")
ADDON_FROM = date(2020, 1, 1)


@dataclass(frozen=True)
class Piece:
    """An entry, or its part on one day; ``bits`` is none when only a length is told."""

    entry: TimeEntry
    day: date
    seconds: int
    bits: int | None


@dataclass
class Clock:
    """Seconds of some people in one month."""

    untimed: int = 0
    bits: dict[date, int] = field(default_factory=dict)

    def add(self, piece: Piece) -> None:
        """Count a piece, each second of the wall clock once."""
        if piece.bits is None:
            self.untimed += piece.seconds
        else:
            self.bits[piece.day] = self.bits.get(piece.day, 0) | piece.bits

    def at(self, day: date) -> int:
        """The seconds of one day."""
        return self.bits.get(day, 0)

    def without(self, other: "Clock") -> int:
        """How many seconds are left when those of another program stay there (R-TIME-07)."""
        left = (bits & ~other.at(day) for day, bits in self.bits.items())
        return self.untimed + sum(bits.bit_count() for bits in left)


@dataclass
class Month:
    """One calendar month with an entry."""

    stay: Stay  # the latest with an entry in the month
    pieces: list[Piece] = field(default_factory=list)
    counted: list[Piece] = field(default_factory=list)
    elsewhere: Clock = field(default_factory=Clock)

    def seconds(self, roles: tuple[str, ...] = CLINICAL, mode: str = "") -> int:
        """Seconds that count for RPM, of these roles, in this mode if one is named."""
        clock = Clock()
        for piece in self.counted:
            if piece.entry.role in roles and mode in ("", piece.entry.mode):
                clock.add(piece)
        return clock.without(self.elsewhere)


def months_of(case: CaseFacts, stays: list[Stay]) -> dict[date, Month]:
    """Every month with an entry by the day of the evaluation, by its first day."""
    months: dict[date, Month] = {}
    for piece in _pieces(case):
        stay = stay_on(stays, piece.entry.day)
        month = months.setdefault(piece.day.replace(day=1), Month(stay))
        month.stay = max(month.stay, stay, key=stays.index)
        month.pieces.append(piece)
        if piece.entry.work != "RPM":
            if piece.bits is not None:
                month.elsewhere.add(piece)
        elif _counts(case, stays, piece):
            month.counted.append(piece)
    return months


def _pieces(case: CaseFacts) -> list[Piece]:
    """Work by the day of the evaluation, an entry with a start split at midnight (R-TIME-11)."""
    pieces = []
    for entry in case.entries:
        if entry.start_second is None:
            pieces.append(Piece(entry, entry.day, entry.seconds, None))
            continue
        here = min(entry.seconds, A_DAY_OF_SECONDS - entry.start_second)
        pieces.append(Piece(entry, entry.day, here, ((1 << here) - 1) << entry.start_second))
        over = entry.seconds - here
        if over:
            pieces.append(Piece(entry, entry.day + DAY, over, (1 << over) - 1))
    return [piece for piece in pieces if piece.day <= case.as_of]


def _counts(case: CaseFacts, stays: list[Stay], piece: Piece) -> bool:
    return (
        piece.entry.role in CLINICAL
        and _is_enrolled(stays, piece)
        and not _is_on_visit_day(case, piece)
    )


def _is_enrolled(stays: list[Stay], piece: Piece) -> bool:
    stay = stay_on(stays, piece.entry.day)
    begun = stay.consent_on is None or piece.day >= stay.consent_on
    return begun and not stay.is_over(piece.day)


def _is_on_visit_day(case: CaseFacts, piece: Piece) -> bool:
    """R-TIME-10; of staff see Q-09."""
    return piece.day in case.visits and piece.entry.role == "qhp"


def service_day(case: CaseFacts, first_day: date) -> date:
    """The last day of the month, or of death if earlier (R-CLM-03)."""
    last_day = _last_day(first_day)
    if case.end_reason == "death" and case.episode_end is not None:
        return min(last_day, case.episode_end)
    return last_day


def _last_day(first_day: date) -> date:
    return first_day.replace(day=monthrange(first_day.year, first_day.month)[1])


def add_management_lines(
    case: CaseFacts, stays: list[Stay], months: dict[date, Month], result: Result
) -> None:
    """Management lines of each month, and what is told of minutes."""
    for first_day, month in sorted(months.items()):
        day = service_day(case, first_day)
        stopped = stops(case, month.stay, day)
        if stopped:
            result.edits |= stopped
            continue
        result.edits |= _left_out(case, stays, month)
        if case.as_of <= _last_day(first_day):
            result.edits |= {"E_PERIOD_OPEN"} if month.seconds() else set()
        elif case.payer == "MCD_NY":
            _new_york(day, month, result)
        else:
            _management(case, first_day, day, month, result)


def _new_york(day: date, month: Month, result: Result) -> None:
    """R-PAY-03."""
    if month.seconds(("qhp",)) >= 30 * 60:
        result.lines.append(Line("99091", 1, day))
    elif month.seconds():
        result.edits.add("E_TIME_BELOW_MIN")


def _management(case: CaseFacts, first_day: date, day: date, month: Month, result: Result) -> None:
    seconds = month.seconds()
    if seconds < (600 if day >= CODES_OF_2026 else 1200):
        result.edits |= {"E_TIME_BELOW_MIN"} if seconds else set()
        return
    is_adopted = seconds >= 1200 or adopts_2026(case)
    if not is_adopted:
        result.edits.add("E_PAYER_CODE_NOT_ADOPTED")
    if not month.seconds(mode="live"):
        result.edits.add("E_NO_INTERACTIVE")
        return
    refused = _blocked(case, first_day)
    if is_adopted:
        result.edits |= refused
    if refused or not is_adopted:
        return
    if any(code == "99091" and own for code, own in _services_in(case, first_day)):
        result.edits.add("W_99091_HELD")
    if seconds < 1200:
        result.lines.append(Line("99470", 1, day))
        return
    result.lines.append(Line("99457", 1, day))
    _addon(day, (seconds - 1200) // 1200, result)


def _addon(day: date, units: int, result: Result) -> None:
    """99458 for each full further 20:00, at most three (R-TIME-03, R-TIME-04)."""
    if units and day < ADDON_FROM:
        result.edits.add("E_CODE_NOT_EFFECTIVE")
        return
    if units > 3:
        result.edits.add("W_MUE_CAP")
    if units:
        result.lines.append(Line("99458", min(units, 3), day))


def _services_in(case: CaseFacts, first_day: date) -> list[tuple[str, bool]]:
    return [(code, own) for code, day, own in case.services if day.replace(day=1) == first_day]


def _blocked(case: CaseFacts, first_day: date) -> set[str]:
    """P0 step 8 for management lines: every reason to drop them."""
    reasons = set()
    services = _services_in(case, first_day)
    if any(code in MANAGEMENT and not own for code, own in services):
        reasons.add("E_OTHER_PRACTITIONER_30D")
    if any(code in RTM for code, _ in services):
        reasons.add("E_RTM_SAME_PERIOD")
    return reasons


def _left_out(case: CaseFacts, stays: list[Stay], month: Month) -> set[str]:
    """What is told of minutes logged for RPM."""
    rpm = [piece for piece in month.pieces if piece.entry.work == "RPM"]
    found = {
        "W_NONCLINICAL_EXCLUDED": any(piece.entry.role not in CLINICAL for piece in rpm),
        "W_EM_DAY_TIME_EXCLUDED": any(
            _is_on_visit_day(case, piece) and _is_enrolled(stays, piece) for piece in rpm
        ),
        "W_CONSENT_LATE": any(_is_before_consent(stays, piece) for piece in rpm),
    }
    return {edit for edit, applies in found.items() if applies} | _overlaps(month)


def _is_before_consent(stays: list[Stay], piece: Piece) -> bool:
    stay = stay_on(stays, piece.entry.day)
    return (
        piece.entry.role in CLINICAL
        and stay.consent_on is not None
        and stay.setup_on <= piece.day < stay.consent_on
    )


def _overlaps(month: Month) -> set[str]:
    """R-TIME-07, on seconds that would count; what another program has is taken out first."""
    edits = set()
    seen = Clock()
    for piece in month.counted:
        if piece.bits is None:
            continue
        elsewhere = month.elsewhere.at(piece.day)
        if piece.bits & elsewhere:
            edits.add("W_TIME_OTHER_PROGRAM")
        if piece.bits & seen.at(piece.day) & ~elsewhere:
            edits.add("W_TIME_OVERLAP_DEDUPED")
        seen.add(piece)
    return edits

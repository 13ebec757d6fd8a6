"""Readings to windows and supply lines in the restatement of the rules (99454, 99445, 99453).

Owns days, windows, set-up, and what is told of readings. Does not own minutes.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from restated_story import (
    CODES_OF_2026,
    DAY,
    PHE,
    RTM,
    Line,
    Result,
    Stay,
    adopts_2026,
    stay_on,
    stops,
)

from billing.ledger.case_facts import CaseFacts, DeviceUse

LONG_SUPPLY_DAYS = 16
SHORT_SUPPLY_DAYS = 2
SUPPLY_AND_SETUP = ("99453", "99454", "99445")
CGM = ("95249", "95250", "95251")


@dataclass(frozen=True)
class Window:
    """Thirty days, the days with a countable reading in them, and how they stand on ``as_of``."""

    start: date
    days: tuple[date, ...]
    uses: tuple[DeviceUse, ...]
    state: str
    is_first: bool

    @property
    def end(self) -> date:
        """Day 30."""
        return self.start + 29 * DAY

    @property
    def is_late(self) -> bool:
        """Whether a counted day has no reading that arrived by day 30 (R-DEV-12)."""
        in_time = {use.day for use in self.uses if _arrived(use) <= self.end}
        return any(day not in in_time for day in self.days)


def _arrived(use: DeviceUse) -> date:
    return use.uploaded_on or use.day


def _known(case: CaseFacts, stay: Stay, stays: list[Stay]) -> list[DeviceUse]:
    """A stay's readings that had arrived by the day of the evaluation."""
    return [
        use for use in case.uses if _arrived(use) <= case.as_of and stay_on(stays, use.day) is stay
    ]


def windows_of(case: CaseFacts, stays: list[Stay]) -> list[list[Window]]:
    """Windows of each stay; a later stay starts behind the earlier thirty days (R-DEV-11)."""
    found: list[list[Window]] = []
    for stay in stays:
        taken_until = _taken_until(found)
        kept = [use for use in _kept(case, stay, stays) if use.day > taken_until]
        found.append(_windows(case, stay, kept))
    return found


def _taken_until(windows: list[list[Window]]) -> date:
    return max((window.end for of_stay in windows for window in of_stay), default=date.min)


def _kept(case: CaseFacts, stay: Stay, stays: list[Stay]) -> list[DeviceUse]:
    return [
        use
        for use in _known(case, stay, stays)
        if use.qualifies and use.automatic and _is_inside(use, stay)
    ]


def _is_inside(use: DeviceUse, stay: Stay) -> bool:
    return use.day >= stay.counts_from and not stay.is_over(use.day)


def _windows(case: CaseFacts, stay: Stay, kept: list[DeviceUse]) -> list[Window]:
    """P0 step 3; with the NGS anchor each follows the day of service before it (R-CLM-01b)."""
    windows: list[Window] = []
    if not kept:
        return windows
    start, last = min(use.day for use in kept), max(use.day for use in kept)
    while start <= last:
        uses = tuple(use for use in kept if start <= use.day <= start + 29 * DAY)
        days = tuple(sorted({use.day for use in uses}))
        window = Window(start, days, uses, _state(case, stay, start), not windows)
        windows.append(window)
        is_ngs = case.profile.anchor == "previous-service-day"
        start = (window.days[-1] if is_ngs and window.is_first else window.end) + DAY
    return windows


def _state(case: CaseFacts, stay: Stay, start: date) -> str:
    end = start + 29 * DAY
    # an episode that ends on day 30 cuts nothing off
    if stay.last_day is not None and start <= stay.last_day < min(end, case.as_of):
        return "ended"
    return "closed" if case.as_of > end else "open"


def _service_day(case: CaseFacts, window: Window) -> date:
    """The day a supply line is dated, 99454 on its threshold day excepted (R-CLM-01, -01b)."""
    if window.state == "open":
        return window.end  # its last recorded day is not known yet
    is_ngs = case.profile.anchor == "previous-service-day"
    dated_on_last_reading = (
        window.state == "ended"
        or case.profile.supply_service_day == "last-reading"
        or (is_ngs and window.is_first)
    )
    return window.days[-1] if window.days and dated_on_last_reading else window.end


def add_supply_lines(
    case: CaseFacts,
    stays: list[Stay],
    windows: list[list[Window]],
    month_days: list[tuple[Stay, date]],
    result: Result,
) -> None:
    """Supply lines, set-up with the first of an episode, and what is told of readings.

    ``month_days`` are stay and day of service of each month with an entry.
    """
    setup_billed = case.setup_billed
    for number, (stay, of_stay) in enumerate(zip(stays, windows, strict=True)):
        setup_billed = setup_billed and not stay.new_order
        judged = [
            window for window in of_stay if _is_judged(case, stay, _earned(case, window)[0], result)
        ]
        for window in judged:
            line = _supply_line(case, stay, window, result, setup_billed=setup_billed)
            if line is None:
                continue
            result.lines.append(line)
            if not setup_billed:
                setup_billed = True
                result.lines.append(Line("99453", 1, line.day))
                if stay.new_order:
                    result.edits.add("W_REENROL_SETUP_REVIEW")
        days = [day for other, day in month_days if other is stay]
        last_known_day = max(min(case.as_of, stay.last_day or case.as_of), stay.begins_on)
        first_day = min(days, default=last_known_day)
        if not of_stay:
            _is_judged(case, stay, first_day, result)
        for edit, day in _left_out(case, stay, stays, _taken_until(windows[:number])):
            if not stops(case, stay, _judged_on(case, of_stay, day, first_day)):
                result.edits.add(edit)


def _judged_on(case: CaseFacts, of_stay: list[Window], day: date, otherwise: date) -> date:
    """The day of service that a reading is told with: of its window, or of the stay's first."""
    around = [window for window in of_stay if window.start <= day <= window.end]
    first = (around[-1:] or of_stay)[:1]
    return _earned(case, first[0])[0] if first else otherwise


def _is_judged(case: CaseFacts, stay: Stay, day: date, result: Result) -> bool:
    """Whether a period with this day of service is judged further; if stopped, with the edit."""
    found = stops(case, stay, day)
    result.edits |= found
    if case.payer == "MCD_NY" and not found:
        result.edits.add("W_PAYER_RULE_RECHECK")
    return not found


def _earned(case: CaseFacts, window: Window) -> tuple[date, str | None]:
    """Service day and code; the set of rules in force on the service day decides (R-VER-01)."""
    if _leaves_early(case, window):
        return window.days[LONG_SUPPLY_DAYS - 1], "99454"
    day = _service_day(case, window)
    count = len(window.days)
    if count >= _days_for_99454(case, day):
        return day, "99454"
    if day >= CODES_OF_2026 and count >= SHORT_SUPPLY_DAYS:
        return day, "99445"
    return day, None


def _leaves_early(case: CaseFacts, window: Window) -> bool:
    return (
        case.profile.supply_service_day == "threshold-day" and len(window.days) >= LONG_SUPPLY_DAYS
    )


def _days_for_99454(case: CaseFacts, day: date) -> int:
    return 2 if case.covid and PHE[0] <= day <= PHE[1] else LONG_SUPPLY_DAYS


def _supply_line(
    case: CaseFacts, stay: Stay, window: Window, result: Result, *, setup_billed: bool
) -> Line | None:
    if window.is_late:
        result.edits.add("W_LATE_TRANSMISSION")
    if case.payer == "MCD_NY":
        return None
    day, code = _earned(case, window)
    if window.state == "open" and not _leaves_early(case, window):
        if _may_still_earn(case, stay, window):
            result.edits.add("E_PERIOD_OPEN")
        return None
    if window.start < CODES_OF_2026 <= window.end and 2 <= len(window.days) <= 15:
        result.edits.add("W_STRADDLE_2026")
    if code is None:
        result.edits.add("E_DAYS_BELOW_MIN")
        if not setup_billed:
            result.edits.add("I_SETUP_WAITING")
        return None
    refused = _refused(case, window, code, day)
    if refused:
        result.edits |= refused
        return None
    return Line(code, 1, day)


def _may_still_earn(case: CaseFacts, stay: Stay, window: Window) -> bool:
    """Whether the days so far, and those not over on ``as_of``, could reach any supply code."""
    last = min(window.end, stay.last_day or window.end)
    ahead = range((last - max(case.as_of, window.start)).days + 1)
    possible = {*window.days, *(max(case.as_of, window.start) + n * DAY for n in ahead)}
    fewest = _days_for_99454(case, window.end)
    return len(possible) >= (SHORT_SUPPLY_DAYS if window.end >= CODES_OF_2026 else fewest)


def _refused(case: CaseFacts, window: Window, code: str, service_day: date) -> set[str]:
    """P0 step 8 for a supply line, and so for the set-up with it: every reason to drop it."""
    if code == "99445" and not adopts_2026(case):
        return {"E_PAYER_CODE_NOT_ADOPTED"}
    reasons = set()
    others = [day for code, day, own in case.services if code in SUPPLY_AND_SETUP and not own]
    if any(service_day - 29 * DAY <= day <= service_day for day in others):
        reasons.add("E_OTHER_PRACTITIONER_30D")
    inside = {code for code, day, _ in case.services if window.start <= day <= window.end}
    if inside.intersection(RTM):
        reasons.add("E_RTM_SAME_PERIOD")
    if inside.intersection(CGM) and all(use.kind == "glucose" for use in window.uses):
        reasons.add("E_CGM_SAME_PERIOD")
    return reasons


def _left_out(
    case: CaseFacts, stay: Stay, stays: list[Stay], taken_until: date
) -> Iterator[tuple[str, date]]:
    """What is told of readings, and the day of the reading."""
    kept = _kept(case, stay, stays)
    for use in _known(case, stay, stays):
        counts = use.qualifies and use.automatic
        if counts and stay.setup_on <= use.day < stay.counts_from:
            yield "W_CONSENT_LATE", use.day
        if not _is_inside(use, stay):
            continue
        if counts and use.day <= taken_until:
            yield "W_WINDOW_OVERLAP_SHIFTED", use.day
        if not use.automatic:
            yield "W_NONAUTO_EXCLUDED", use.day
            if not kept and use.kind == "bp":
                yield "I_CONSIDER_SMBP", use.day
        if not use.qualifies:
            yield "E_DEVICE_NOT_QUALIFIED", use.day

"""Evaluation: which readings break which limits, in the order of measurement.

Owns what a breach, a run and a change are, that the red band covers the amber one, and which alert
is only a note. Pure: no clock, no store. Does not own repeats (``repeats``) nor quiet hours
(``quiet``). A reading that does not count towards billing may alert: safety first.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Generic, TypeVar

from devices.alerts.limits import Comparison, Limit
from devices.kinds import KINDS

R = TypeVar("R")

OLD = timedelta(hours=24)
"""A reading that was older than this when it came opens no urgent alert, only a note."""
RUN_WINDOW_HOURS = 24 * 31
"""How far back a run of readings may reach where its limit names no window."""
NEVER = frozenset({"void", "superseded", "control_solution", "vendor_test", "goal"})
"""Reason codes of what is no measurement of a patient; everything else may alert."""


@dataclass(frozen=True)
class Value:
    """One number of a reading; ``comparator`` bounds it, as of a meter that says LOW."""

    number: Decimal
    comparator: str = ""


@dataclass(frozen=True)
class Seen(Generic[R]):
    """A reading as alerts see it; ``reading`` is the caller's own name for it.

    ``recorded_at`` is when this version of it became known to us, ``is_new`` whether it is to be
    looked at, or only there for comparison; ``sequence`` orders what was recorded. ``values`` stand
    under their LOINC codes.
    """

    reading: R
    values: Mapping[str, Value]
    measured_at: datetime
    recorded_at: datetime
    sequence: int
    is_new: bool = True

    @property
    def is_old(self) -> bool:
        """Whether it came too late to be urgent."""
        return self.recorded_at - self.measured_at > OLD


@dataclass(frozen=True)
class Rule(Generic[R]):
    """A limit in force; ``known`` is the number it was recorded under: it looks at what is later.

    ``name`` is the caller's own name for it.
    """

    name: R
    limit: Limit
    known: int = 0


@dataclass(frozen=True)
class Raised(Generic[R]):
    """A limit broken by a reading; ``earlier`` are the others of its run, or what it is held to."""

    rule: Rule[Any]
    seen: Seen[R]
    value: Decimal
    comparator: str
    earlier: tuple[Seen[R], ...] = ()

    @property
    def is_note(self) -> bool:
        """Whether it came too late to be urgent."""
        return self.seen.is_old


def seen_values(kind: str, components: Sequence[Mapping[str, Any]]) -> dict[str, Value]:
    """The numbers of a stored reading by the LOINC code that is kept for their quantity."""
    known = KINDS.get(kind)
    found: dict[str, Value] = {}
    for part in components:
        quantity = known.quantity(part["loinc"]) if known else None
        if quantity is not None:
            found[quantity.code] = Value(Decimal(part["value"]), part.get("comparator", ""))
    return found


def raised(rules: Sequence[Rule[Any]], readings: Sequence[Seen[R]]) -> list[Raised[R]]:
    """What new readings of one patient break, in the order of measurement.

    Of the same quantity in the same direction only the red band is told where both are broken. A
    late reading may complete a run or a change that ends with one that came before it.
    """
    ordered = sorted(readings, key=lambda seen: (seen.measured_at, seen.sequence))
    found: list[Raised[R]] = []
    for rule in rules:
        if rule.limit.subject == "reading":
            mine = [seen for seen in ordered if rule.limit.code in seen.values]
            found += _changes(rule, mine) if rule.limit.measure != "value" else _runs(rule, mine)
    kept = [one for one in found if not _is_covered(one, found)]
    return sorted(kept, key=lambda one: (one.seen.measured_at, one.seen.sequence))


def longest_window_hours(rules: Sequence[Rule[Any]], codes: Collection[str]) -> int:
    """How far around new readings with values under these LOINC codes others are needed."""
    hours = [0]
    for rule in rules:
        limit = rule.limit
        looks_back = limit.in_a_row > 1 or limit.measure != "value"
        if limit.subject == "reading" and looks_back and limit.code in codes:
            hours.append(limit.window_hours or RUN_WINDOW_HOURS)
    return max(hours)


def breaks(value: Value, comparison: Comparison, limit: Decimal) -> bool:
    """Whether a value is surely beyond a limit; a bounded one is only what it says.

    ``<40`` is below 70 and not known to be above anything.
    """
    number, strict = value.number, value.comparator
    if comparison in ("above", "at_least"):
        if strict == "<":
            return False
        beyond = number > limit or (strict == ">" and number >= limit)
        return beyond or (comparison == "at_least" and number == limit)
    if strict == ">":
        return False
    beyond = number < limit or (strict == "<" and number <= limit)
    return beyond or (comparison == "at_most" and number == limit)


def _runs(rule: Rule[Any], mine: Sequence[Seen[R]]) -> Iterator[Raised[R]]:
    limit = rule.limit
    window = timedelta(hours=limit.window_hours or RUN_WINDOW_HOURS)
    for end in range(limit.in_a_row - 1, len(mine)):
        run = mine[end - limit.in_a_row + 1 : end + 1]
        last, value = run[-1], run[-1].values[limit.code]
        is_told = any(seen.is_new and seen.sequence > rule.known for seen in run)
        is_close = last.measured_at - run[0].measured_at <= window
        if is_told and is_close and all(_breaks(rule, seen) for seen in run):
            yield Raised(rule, last, value.number, value.comparator, tuple(run[:-1]))


def _breaks(rule: Rule[Any], seen: Seen[R]) -> bool:
    limit = rule.limit
    return breaks(seen.values[limit.code], limit.comparison, limit.value)


def _changes(rule: Rule[Any], mine: Sequence[Seen[R]]) -> Iterator[Raised[R]]:
    """Each reading against the earlier one in the window that it differs from most."""
    limit = rule.limit
    window = timedelta(hours=limit.window_hours or 0)
    for place, last in enumerate(mine):
        candidates = [
            (_change(rule, seen, last), seen)
            for seen in mine[:place]
            if last.measured_at - seen.measured_at <= window
            and any(one.is_new and one.sequence > rule.known for one in (seen, last))
        ]
        told = [
            (change, seen)
            for change, seen in candidates
            if change is not None and breaks(Value(change), limit.comparison, limit.value)
        ]
        if told:
            change, earlier = max(told, key=lambda one: one[0])
            yield Raised(rule, last, change, "", (earlier,))


def _change(rule: Rule[Any], earlier: Seen[R], later: Seen[R]) -> Decimal | None:
    """How far the later value is from the earlier one; None where one of them is only a bound."""
    code = rule.limit.code
    before, after = earlier.values[code], later.values[code]
    if before.comparator or after.comparator:
        return None
    rise = after.number - before.number
    if rule.limit.measure == "rise":
        return rise
    if rule.limit.measure == "fall":
        return -rise
    return -rise * 100 / before.number if before.number else None


def _is_covered(one: Raised[R], others: Sequence[Raised[R]]) -> bool:
    """Whether the red band of the same quantity and direction tells the same reading."""
    mine = one.rule.limit
    return mine.band == "amber" and any(
        other.rule.limit.band == "red"
        and other.seen is one.seen
        and (other.rule.limit.code, other.rule.limit.measure, other.rule.limit.is_high)
        == (mine.code, mine.measure, mine.is_high)
        for other in others
    )

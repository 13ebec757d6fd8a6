"""Marks: what stands out only when a reading is seen beside others of the same patient.

Owns what makes two readings possibly one, and which change of weight is worth a look. Does not own
whether a reading counts (``counting``): a mark is for people and decides nothing. Pure: marks
depend on the readings given, never on the order in which they are given.
"""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Generic, Literal, TypeVar

from devices.alerts.evaluate import Value
from devices.kinds import KINDS

N = TypeVar("N", bound=Hashable)
MarkCode = Literal["possible_duplicate", "weight_change"]

DUPLICATE_WITHIN = timedelta(seconds=60)
"""Two sources of one measurement differ by no more than this."""
CHANGE_WITHIN = timedelta(hours=24)
"""A weight is held to those of this time before it."""
MOST_CHANGE = Decimal("0.10")
"""The part of the earlier weight that a later one may differ from it without a mark."""
_SAME_WITHIN = Decimal("0.001")
"""Pounds and kilograms, or two factors for glucose, differ by less than this part."""

_WEIGHT = KINDS["weight"].quantities[0].code


@dataclass(frozen=True)
class Beside(Generic[N]):
    """A reading with an instant, to be seen beside others of its patient.

    ``name`` is the caller's own. ``source`` is what it came through; ``sequence`` orders what was
    recorded; ``values`` stand under their LOINC codes in the units that are kept.
    """

    name: N
    kind: str
    source: Hashable
    measured_at: datetime
    sequence: tuple[int, str]
    values: Mapping[str, Value]


@dataclass(frozen=True)
class Mark(Generic[N]):
    """What stands out of a reading, and the other one that it was held to."""

    code: MarkCode
    other: N


def marks(readings: Sequence[Beside[N]]) -> dict[N, tuple[Mark[N], ...]]:
    """The marks of one patient's readings, by name; those without any are left out.

    Of two that may be one, the one recorded later is marked: a list shows the other. A weight is
    held to the one of the day before that it differs from most.
    """
    ordered = sorted(readings, key=lambda one: (one.measured_at, one.sequence))
    found: dict[N, tuple[Mark[N], ...]] = {}
    for place, one in enumerate(ordered):
        near = [other for other in _near(ordered, place) if other.kind == one.kind]
        mine = (*_duplicate(one, near), *_change(one, near))
        if mine:
            found[one.name] = mine
    return found


def _near(ordered: Sequence[Beside[N]], place: int) -> list[Beside[N]]:
    """The others from a day before a reading to a minute after it."""
    at = ordered[place].measured_at
    first = last = place
    while first > 0 and at - ordered[first - 1].measured_at <= CHANGE_WITHIN:
        first -= 1
    while last + 1 < len(ordered) and ordered[last + 1].measured_at - at <= DUPLICATE_WITHIN:
        last += 1
    return [*ordered[first:place], *ordered[place + 1 : last + 1]]


def _duplicate(one: Beside[N], near: Sequence[Beside[N]]) -> tuple[Mark[N], ...]:
    first = min(
        (
            other
            for other in near
            if other.sequence < one.sequence
            and other.source != one.source
            and abs(other.measured_at - one.measured_at) <= DUPLICATE_WITHIN
            and _same(other.values, one.values)
        ),
        key=lambda other: other.sequence,
        default=None,
    )
    return () if first is None else (Mark("possible_duplicate", first.name),)


def _same(some: Mapping[str, Value], others: Mapping[str, Value]) -> bool:
    """Whether every number that both tell is the same after conversion."""
    shared = some.keys() & others.keys()
    return bool(shared) and all(_equal(some[code], others[code]) for code in shared)


def _equal(some: Value, other: Value) -> bool:
    largest = max(abs(some.number), abs(other.number))
    return (
        some.comparator == other.comparator
        and abs(some.number - other.number) <= _SAME_WITHIN * largest
    )


def _change(one: Beside[N], near: Sequence[Beside[N]]) -> tuple[Mark[N], ...]:
    if one.kind != "weight":
        return ()
    changes = {
        other.name: change
        for other in near
        if other.measured_at < one.measured_at
        and (change := _part_changed(other.values, one.values)) > MOST_CHANGE
    }
    if not changes:
        return ()
    return (Mark("weight_change", max(changes, key=lambda name: changes[name])),)


def _part_changed(earlier: Mapping[str, Value], later: Mapping[str, Value]) -> Decimal:
    """How large a part of the earlier weight the change is; none where one is only a bound."""
    before, after = earlier.get(_WEIGHT), later.get(_WEIGHT)
    if before is None or after is None or before.comparator or after.comparator:
        return Decimal(0)
    if not before.number:
        return Decimal(0)
    return abs(after.number - before.number) / before.number

"""Parts: several posts of one physical reading, joined into one.

Owns which parts belong together and what they make: a pressure with its pulse and irregular-beat
mark is one reading however many posts it takes, in whatever order they come. Does not own where the
parts said before are kept.

Nothing is held back to wait for stragglers: the first part is recorded at once under the identity
of the whole, and each later part amends it with a new version. A part alone counts as what it is (a
pulse is a pulse, a mark without a value counts for nothing), so no day is lost when the others
never come, and none counts twice, because they are one reading.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import TypeVar

from devices.kinds import KINDS, Kind
from devices.reading import CannotReadError, Component, Reading, TimeQuality, missing_quantities

Item = TypeVar("Item")

_WHOLES = ("bp", "spo2", "peak_flow", "heart_rate", "fev1", "ecg_flag")
"""What parts can make, the fullest first."""
_QUALITIES: tuple[TimeQuality, ...] = ("exact", "estimated", "received", "suspect")
_INCOMPLETE = "incomplete"


def joined(first: Reading, later: Reading) -> Reading | None:
    """Both parts as one reading, or None when they cannot be one.

    They cannot when a quantity is given twice with other values, when no kind holds them all, or
    when one is no part. Instant, device and time text are those of ``first``; so is the whole
    reading where ``later`` says nothing new.
    """
    if not (first.is_part and later.is_part):
        return None
    values = {part.loinc: part for part in first.components}
    for part in later.components:
        if not _agree(values.setdefault(part.loinc, part), part):
            return None
    kind = _whole(values)
    if kind is None or _differ(first, later):
        return None
    components = tuple(values[q.code] for q in kind.quantities if q.code in values)
    flags = {*first.flags, *later.flags} - {_INCOMPLETE}
    if components and missing_quantities(kind, components):
        flags.add(_INCOMPLETE)
    if (kind.name, set(components), flags) == (first.kind, set(first.components), {*first.flags}):
        return first
    return replace(
        first,
        kind=kind.name,
        components=components,
        flags=tuple(sorted(flags)),
        patient_ref=first.patient_ref or later.patient_ref,
        time_quality=max(first.time_quality, later.time_quality, key=_QUALITIES.index),
    )


def joined_items(items: Iterable[Item | Reading]) -> tuple[Item | Reading, ...]:
    """Items of one body with the parts of a reading joined where the first of them stood.

    Parts that cannot be one reading stay apart, so that the second is shown beside the first.
    """
    result: list[Item | Reading] = []
    places: dict[str, int] = {}
    for item in items:
        if not (isinstance(item, Reading) and item.is_part and item.vendor_reading_id):
            result.append(item)
            continue
        place = places.setdefault(item.vendor_reading_id, len(result))
        standing = result[place] if place < len(result) else None
        whole = joined(standing, item) if isinstance(standing, Reading) else None
        if whole is None:
            result.append(item)
        else:
            result[place] = whole
    return tuple(result)


def _agree(one: Component, other: Component) -> bool:
    return (one.value, one.comparator, one.ucum) == (other.value, other.comparator, other.ucum)


def _differ(first: Reading, later: Reading) -> bool:
    """Whether they say things of a reading as a whole that exclude each other."""
    return (first.device_id, first.measured_at, first.entry_method) != (
        later.device_id,
        later.measured_at,
        later.entry_method,
    )


def _whole(values: dict[str, Component]) -> Kind | None:
    """The kind that holds all the quantities and has one of those it cannot be without."""
    for name in _WHOLES:
        kind = KINDS[name]
        if not all(kind.quantity(code) for code in values):
            continue
        try:
            missing_quantities(kind, values.values())
        except CannotReadError:
            continue
        return kind
    return None

"""Counting: whether a reading makes its day count, on which local day, and if not, why not.

Owns the reason codes, the time rules and the default answer per kind of reading. Does not own
consent, exclusions or releases by a person, nor whether CGM days count (a practice's setting, seen
when facts are loaded): CGM readings are answered here like any other.

Source: 85 FR 84472 (CY2021 fee schedule): physiologic data, from a device that meets the FDA's
definition of a medical device, uploaded automatically, not self-recorded.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from types import MappingProxyType
from typing import NamedTuple

from devices.kinds import KINDS, Kind
from devices.local_day import local_date_in, local_time_in
from devices.reading import Component, Reading

REASONS: Mapping[str, str] = MappingProxyType(
    {
        "manual_entry": "manual_entry",
        # Not known to be automatic, so it is treated as typed in until someone says otherwise.
        "entry_unknown": "manual_entry",
        "control_solution": "other",
        "vendor_test": "other",
        "goal": "other",
        "not_physiologic": "not_physiologic",
        "owner_ambiguous": "other",
        "time_suspect": "time_suspect",
        "before_assignment": "other",
        "after_return": "other",
        "not_assigned": "other",
        "no_consent": "other",
        "out_of_range": "out_of_range",
        "superseded": "excluded",
        "void": "excluded",
        "excluded": "excluded",
        "not_listed_device": "device_not_qualified",
        "unknown_device": "device_not_qualified",
        "duplicate": "other",
    }
)
"""Every reason code a reading may carry, with the ledger's word for it."""

OWNER_AMBIGUOUS = "owner_ambiguous"
"""Reason code, and the flag of a reading whose sender does not know whose it is."""

QUARANTINED = frozenset(
    {
        OWNER_AMBIGUOUS,
        "time_suspect",
        "before_assignment",
        "after_return",
        "not_assigned",
        "unknown_device",
        "out_of_range",
    }
)
"""Reasons that wait for a person: the reading may count once someone has looked at it."""

_BY_ENTRY_METHOD = {
    "manual": "manual_entry",
    "unknown": "entry_unknown",
    "control": "control_solution",
    "test": "vendor_test",
}
_RESET_YEARS = frozenset({1970, 2000})
_RESET_DAYS = frozenset({date(2019, 1, 1)})
_CLOCK_TOLERANCE = timedelta(minutes=10)
_CLOCK_SKEW_LIMIT = timedelta(hours=24)
_NEAR_MIDNIGHT_SECONDS = 2 * 3600
_DAY_SECONDS = 24 * 3600
_NARROW_PULSE_PRESSURE = 15


@dataclass(frozen=True)
class Association:
    """A device with a patient, from one instant to another (None: still); the end is exclusive."""

    from_at: datetime
    to_at: datetime | None = None


@dataclass(frozen=True)
class DeviceFacts:
    """What is known of a device: an FDA-listed medical device, and it uploads by itself."""

    fda_listed: bool
    automatic: bool


class Verdict(NamedTuple):
    """Whether a reading counts, the reason code if not (else empty), and marks it gets."""

    countable: bool
    reason: str
    flags: tuple[str, ...]


def refused_word(reason: str) -> str:
    """The ledger's refusal word for a reason code; empty for none. KeyError for an unknown code."""
    return REASONS[reason] if reason else ""


def countable(
    reading: Reading,
    *,
    association: Association | None,
    device: DeviceFacts | None,
    received_at: datetime,
    zone: str,
) -> Verdict:
    """Whether a reading makes its day count, by the first rule that refuses it.

    ``device`` is None when it is not known to the practice, ``association`` None when the device
    never was with a patient; an association that does not cover the measurement may be given, to
    tell too early from too late. ``received_at`` is when the reading first reached us. ``zone`` is
    the zone text that ``local_day`` gave for the reading.
    """
    flags = _range_flags(reading) + _clock_flags(reading, received_at)
    reason = (
        _owner_reason(reading)
        or _nature_reason(reading)
        or _device_reason(device)
        or _when_reason(reading, association, received_at, zone)
        or ("out_of_range" if "implausible" in flags else "")
    )
    return Verdict(not reason, reason, flags)


def _owner_reason(reading: Reading) -> str:
    """The sender does not know which of several people was measured."""
    ambiguous = OWNER_AMBIGUOUS in reading.flags and reading.status != "deleted"
    return OWNER_AMBIGUOUS if ambiguous else ""


def _nature_reason(reading: Reading) -> str:
    """Refused for what it is: taken back, a test, typed in, or no vital sign."""
    if reading.status == "deleted":
        return "void"
    by_entry = _BY_ENTRY_METHOD.get(reading.entry_method, "")
    if by_entry in {"control_solution", "vendor_test"}:
        return by_entry
    kind = KINDS.get(reading.kind)
    if kind is None or not kind.physiologic:
        return "not_physiologic"
    return by_entry


def _device_reason(device: DeviceFacts | None) -> str:
    if device is None:
        return "unknown_device"
    if not (device.fda_listed and device.automatic):
        return "not_listed_device"
    return ""


def _when_reason(
    reading: Reading, association: Association | None, received_at: datetime, zone: str
) -> str:
    measured_at = reading.measured_at
    if measured_at is None or reading.time_quality == "suspect":
        return "time_suspect"
    if _is_suspect(measured_at, received_at, zone):
        return "time_suspect"
    if reading.time_quality == "estimated" and _near_midnight(measured_at, zone):
        return "time_suspect"
    return _assignment_reason(measured_at, association)


def _is_suspect(measured_at: datetime, received_at: datetime, zone: str) -> bool:
    """A clock that was reset, or that is further ahead than may count."""
    local = local_date_in(measured_at, zone)
    if _is_reset(measured_at.astimezone(UTC).date()) or _is_reset(local):
        return True
    ahead = measured_at - received_at
    is_tomorrow = local > local_date_in(received_at, zone)
    return ahead > _CLOCK_SKEW_LIMIT or (ahead > _CLOCK_TOLERANCE and is_tomorrow)


def _is_reset(day: date) -> bool:
    """A day that a meter's clock shows after its battery was out."""
    return day.year in _RESET_YEARS or day in _RESET_DAYS


def _near_midnight(instant: datetime, zone: str) -> bool:
    """Within two hours of midnight, where an estimated time leaves the date uncertain."""
    local = local_time_in(instant, zone)
    second = local.hour * 3600 + local.minute * 60 + local.second
    return min(second, _DAY_SECONDS - second) < _NEAR_MIDNIGHT_SECONDS


def _assignment_reason(measured_at: datetime, association: Association | None) -> str:
    if association is None:
        return "not_assigned"
    if measured_at < association.from_at:
        return "before_assignment"
    if association.to_at is not None and measured_at >= association.to_at:
        return "after_return"
    return ""


def _clock_flags(reading: Reading, received_at: datetime) -> tuple[str, ...]:
    measured_at = reading.measured_at
    skewed = measured_at is not None and measured_at - received_at > _CLOCK_TOLERANCE
    return ("clock_skew",) if skewed else ()


def _range_flags(reading: Reading) -> tuple[str, ...]:
    """``implausible`` outside the range that is refused, ``out_of_range`` outside the usual one."""
    kind = KINDS.get(reading.kind)
    if kind is None:
        return ()
    refused, unusual = _pressure_marks(kind, reading.components)
    for part in reading.components:
        quantity = kind.quantity(part.loinc)
        if quantity is None:
            continue
        refused |= not quantity.refuse[0] <= part.value <= quantity.refuse[1]
        unusual |= not quantity.flag[0] <= part.value <= quantity.flag[1]
    if refused:
        return ("implausible",)
    return ("out_of_range",) if unusual else ()


def _pressure_marks(kind: Kind, components: tuple[Component, ...]) -> tuple[bool, bool]:
    """Whether a pressure is not above its lower one (refused), or hardly (unusual)."""
    values = {part.loinc: part.value for part in components}
    names = {quantity.name: values.get(quantity.code) for quantity in kind.quantities}
    systolic, diastolic = names.get("systolic"), names.get("diastolic")
    if systolic is None or diastolic is None:
        return False, False
    return systolic <= diastolic, systolic - diastolic < _NARROW_PULSE_PRESSURE

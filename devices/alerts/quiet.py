"""Quiet hours and batteries: when somebody is told, and what a device says of its battery.

Pure. Does not own whom to tell (``rpm``). An alert opens at once whatever the hour; quiet hours
only say from when on somebody is told.
"""

from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation

from devices.alerts.limits import Limit


def told_from(limit: Limit, local_now: datetime) -> datetime:
    """When somebody is told: now, or the end of the quiet hours; ``local_now`` is aware.

    A wall clock's end that a change of the clocks skips comes when the clock has moved on.
    """
    begins, ends = limit.quiet_from, limit.quiet_to
    if begins is None or ends is None or begins == ends:
        return local_now
    hour = local_now.time().replace(tzinfo=None)
    is_quiet = begins <= hour < ends if begins < ends else hour >= begins or hour < ends
    if not is_quiet:
        return local_now
    end = local_now.replace(
        hour=ends.hour, minute=ends.minute, second=0, microsecond=0, fold=local_now.fold
    )
    return end if end.time() > hour else end + timedelta(days=1)


def battery_level(text: str) -> tuple[Decimal, str] | None:
    """Number and unit of a battery as its sender wrote it: ``87 %``, ``5522 mV``, ``7`` (unit 1).

    None for words such as ``pwr``: a device on mains power.
    """
    number, _, unit = text.strip().partition(" ")
    if number.endswith("%"):
        number, unit = number[:-1], "%"
    try:
        level = Decimal(number)
    except InvalidOperation:
        return None
    return (level, unit.strip() or "1") if level.is_finite() else None


def battery_is_low(limit: Limit, text: str) -> bool:
    """Whether a battery is at the limit or below; False where it is told in another unit."""
    level = battery_level(text)
    if level is None or level[1] != limit.unit:
        return False
    return level[0] <= limit.value

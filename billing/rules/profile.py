"""Profile: how a practice reads the rules that the field disagrees about.

Owns the named strategies for the 30-day window, the day of service and early billing (rpm-rules
sections 8 and 14). Does not own thresholds or codes: those stand in dated rule pages.
"""

from dataclasses import dataclass
from enum import StrEnum


class Anchor(StrEnum):
    """Where a device-supply window begins (Q-01)."""

    FIRST_READING = "first-reading"  # back to back from the first counted day
    PREVIOUS_SERVICE_DAY = "previous-service-day"  # NGS: 30 days after the last service day


class SupplyServiceDay(StrEnum):
    """Which day a device-supply line is dated (Q-02, Q-03)."""

    WINDOW_END = "window-end"
    LAST_READING = "last-reading"
    THRESHOLD_DAY = "threshold-day"  # the long supply code on its sixteenth day, before day 30


@dataclass(frozen=True)
class Profile:
    """One practice's reading of the open questions; ``P0`` is the default procedure."""

    name: str
    anchor: Anchor = Anchor.FIRST_READING
    supply_service_day: SupplyServiceDay = SupplyServiceDay.WINDOW_END
    em_day_exclusion: bool = True  # R-TIME-10
    mue_cap: bool = True  # R-TIME-04
    status: str = "DERIVED"
    source: tuple[str, ...] = ()

    @property
    def waits_for_period_end(self) -> bool:
        """Whether a supply line leaves only after its window is over (R-CLM-02)."""
        return self.supply_service_day is not SupplyServiceDay.THRESHOLD_DAY

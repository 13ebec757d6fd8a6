"""The world outside: devices that measure, keep in memory and travel.

Owns what is measured and what each device has to tell. Does not own bodies (``sim_vendors``) nor
what the practice makes of them.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from random import Random
from zoneinfo import ZoneInfo

from sim_practice import Chart, Kit
from sim_vendors import Item

from devices.simulator import Measurement, Sent
from devices.speaking import FORMATS

ZONES = (
    "America/New_York",
    "America/Chicago",
    "America/Denver",
    "America/Phoenix",
    "America/Los_Angeles",
    "Pacific/Honolulu",
)
_HOURS = (0, 1, 2, 7, 8, 9, 12, 18, 20, 22, 23, 23)
_VALUES = {"weight": ("29463-7", 72, "kg"), "spo2": ("59408-5", 90, "%")}


@dataclass
class Device:
    """A patient's device with its memory."""

    chart: Chart
    kit: Kit
    zone: str  # where it is now
    next_at: datetime
    adherence: float
    online: bool = True
    memory: list[Item] = field(default_factory=list)
    taken: list[Item] = field(default_factory=list)  # everything it ever measured

    def until(self, now: datetime, draw: Random) -> None:
        """Measure whatever was to be measured by now."""
        while self.next_at <= now:
            if draw.random() < self.adherence:
                items = self._measured(draw)
                self.memory += items
                self.taken += items
            day = self.next_at.astimezone(ZoneInfo(self.zone)).date() + timedelta(days=1)
            wall = time(draw.choice(_HOURS), draw.randrange(60), draw.randrange(60))
            self.next_at = datetime.combine(day, wall, ZoneInfo(self.zone)).astimezone(UTC)

    def _measured(self, draw: Random) -> list[Item]:
        """One measurement, in one item or in parts that may travel apart."""
        if self.kit.vendor == "generic":
            return [self._generic(draw)]
        values = (
            ("8480-6", str(128 + draw.randrange(4)), "mm[Hg]"),
            ("8462-4", "80", "mm[Hg]"),
            ("8867-4", str(66 + draw.randrange(3)), "/min"),
        )
        at = self.next_at
        measured = Measurement("", self.kit.device, self.kit.kind, self.zone, values, at, at)
        items = FORMATS[self.kit.vendor].items(Sent(at, measured))
        for item in items:
            item.pop("patient_id", None)
        return items

    def _generic(self, draw: Random) -> Item:
        code, base, unit = _VALUES[self.kit.kind]
        value = str(base + draw.randrange(4))
        told = self.next_at.astimezone(ZoneInfo(self.zone)).isoformat()
        if draw.random() < 0.3:
            told = f"{self.next_at:%Y-%m-%dT%H:%M:%SZ}"
        return {
            "id": f"{self.kit.device}-{len(self.taken)}",
            "device_id": self.kit.device,
            "kind": self.kit.kind,
            "components": [{"code": code, "value": value, "unit": unit}],
            "measured_at": told,
            "entry_method": "device" if draw.random() < 0.93 else "manual",
            "status": "final",
        }

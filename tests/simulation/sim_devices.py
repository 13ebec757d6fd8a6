"""The world outside: devices that measure, keep in memory, travel, and a gateway that sends.

Owns what is measured and what is on its way. Does not own what the practice makes of it.
"""

import base64
import hmac
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from sim_practice import Chart

ZONES = (
    "America/New_York",
    "America/Chicago",
    "America/Denver",
    "America/Phoenix",
    "America/Los_Angeles",
    "Pacific/Honolulu",
)
_HOURS = (0, 1, 2, 7, 8, 9, 12, 18, 20, 22, 23, 23)
_VALUES = {"bp": 128, "weight": 72, "spo2": 90}
Item = dict[str, Any]


@dataclass(frozen=True)
class Packet:
    """A delivery as the gateway holds it until it is acknowledged."""

    message_id: str
    body: bytes


def packet(message_id: str, items: list[Item]) -> Packet:
    """Readings packed together."""
    return Packet(message_id, json.dumps({"readings": items}).encode())


def signed(one: Packet, secret: str, at: datetime) -> dict[str, str]:
    """Headers of a Standard Webhooks request that is posted at an instant."""
    key, seconds = base64.b64decode(secret.removeprefix("whsec_")), str(int(at.timestamp()))
    digest = hmac.digest(key, f"{one.message_id}.{seconds}.".encode() + one.body, "sha256")
    return {
        "content-type": "application/json",
        "webhook-id": one.message_id,
        "webhook-timestamp": seconds,
        "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
    }


@dataclass
class Device:
    """A patient's device with its memory."""

    chart: Chart
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
                item = self._measured(draw)
                self.memory.append(item)
                self.taken.append(item)
            day = self.next_at.astimezone(ZoneInfo(self.zone)).date() + timedelta(days=1)
            wall = time(draw.choice(_HOURS), draw.randrange(60), draw.randrange(60))
            self.next_at = datetime.combine(day, wall, ZoneInfo(self.zone)).astimezone(UTC)

    def _measured(self, draw: Random) -> Item:
        value = _VALUES[self.chart.kind] + draw.randrange(4)
        components = [{"code": self.chart.code, "value": str(value), "unit": self.chart.unit}]
        if self.chart.kind == "bp":
            components.append({"code": "8462-4", "value": "80", "unit": self.chart.unit})
        told = self.next_at.astimezone(ZoneInfo(self.zone)).isoformat()
        if draw.random() < 0.3:
            told = f"{self.next_at:%Y-%m-%dT%H:%M:%SZ}"
        return {
            "id": f"{self.chart.device}-{len(self.taken)}",
            "device_id": self.chart.device,
            "kind": self.chart.kind,
            "components": components,
            "measured_at": told,
            "entry_method": "device" if draw.random() < 0.93 else "manual",
            "status": "final",
        }

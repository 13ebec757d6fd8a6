"""One simulated run: the state that steps change, and how a request comes out.

Owns time, randomness, the trace, and what a crash means to who asked. Does not own the steps
(``sim_steps``) nor what must hold at the end (``sim_checks``).
"""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from uuid import UUID
from zoneinfo import ZoneInfo

from restatement import Restated
from sim_devices import Device
from sim_host import AFTER_COMMIT, Crash, Host
from sim_model import Model
from sim_practice import PRACTICE_ZONE, Office, settings_on
from sim_requests import Request, Work
from sim_vendors import Item, Packet

from rpm.access import Actor
from rpm.errors import Conflict, ServiceError
from rpm.keys import KeyRing, load_keys

ERAS = (date(2025, 10, 27), date(2026, 2, 1))
"""First days: clocks go back and the codes of 2026 begin, or clocks go forward."""
MOST_STATEMENTS = 34


@dataclass
class Run:
    """A practice from its first day on."""

    seed: int
    host: Host
    office: Office
    draw: Random
    ring: KeyRing
    model: Model
    true: datetime  # the present instant; the host may be wrong about it
    devices: list[Device]
    outbox: list[Packet] = field(default_factory=list)
    sent: list[Packet] = field(default_factory=list)
    logged: list[Work] = field(default_factory=list)
    closed: list[date] = field(default_factory=list)  # first days of months, each once
    posted: dict[UUID, Restated] = field(default_factory=dict)  # what the last close said
    exports: dict[str, dict[str, bytes]] = field(default_factory=dict)  # by close
    messages: int = 0
    crash_next: bool = False
    trace: list[str] = field(default_factory=list)

    @classmethod
    def begun(cls, seed: int, host: Host, office: Office) -> "Run":
        """A run of a seed, on the machine's fresh disk."""
        host.start(office)
        draw = Random(seed)
        true = datetime.combine(office.opened_day, time(16), UTC)
        devices = [
            Device(chart, kit, chart.zone, true, adherence=draw.choice((0.98, 0.9, 0.75, 0.4)))
            for chart in office.charts
            for kit in chart.kits
        ]
        ring = load_keys(settings_on(office.template)).field_encryption
        return cls(seed, host, office, draw, ring, Model(office), true, devices)

    @property
    def actor(self) -> Actor:
        """Who acts."""
        return self.office.actor

    @property
    def now(self) -> datetime:
        """What the host takes for the present instant."""
        return self.host.now(self.true)

    @property
    def today(self) -> date:
        """The true day in the practice's zone."""
        return self.true.astimezone(ZoneInfo(PRACTICE_ZONE)).date()

    def pass_time(self, **parts: float) -> None:
        """Time goes by; devices measure meanwhile."""
        self.true += timedelta(**parts)
        for device in self.devices:
            device.until(self.true, self.draw)

    def new_message(self) -> str:
        """A message id that was not used before."""
        self.messages += 1
        return f"msg-{self.messages}"

    def known_items(self, vendor: str) -> list[Item]:
        """Everything that a vendor's devices ever measured."""
        return [
            item for device in self.devices if device.kit.vendor == vendor for item in device.taken
        ]

    def put(self, request: Request) -> str:
        """Ask for something, perhaps with a crash meanwhile; how it came out."""
        now = self.now
        if not self.crash_next:
            return self._asked(request, now)
        self.crash_next = False
        moment = self.draw.choice((AFTER_COMMIT, *range(1, MOST_STATEMENTS)))
        before = self.host.head(self.office)
        try:
            answer = self.host.run(lambda engine: request.ask(engine, now), moment)
        except Crash:
            return self._after_crash(request, now, before)
        except ServiceError as error:
            return type(error).__name__
        return request.note(answer, now)

    def _asked(self, request: Request, now: datetime) -> str:
        try:
            answer = request.ask(self.host.engine, now)
        except ServiceError as error:
            return type(error).__name__
        return request.note(answer, now)

    def _after_crash(self, request: Request, now: datetime, before: int) -> str:
        """Nobody was told: it is there whole, or it is not there."""
        kept = self.host.head(self.office) - before
        assert kept in (0, 1), f"{kept} actions came out of one"
        if not kept:
            return "lost in a crash"
        try:
            answer = request.ask(self.host.engine, now)
        except Conflict:
            answer = None  # told to have been done before
        return f"kept in a crash: {request.note(answer, now)}"

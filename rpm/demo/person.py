"""A patient of the demo and the devices in their hands.

Owns the shape and the habits that are shared. Does not own the patients themselves (``named``,
``people``).
"""

from dataclasses import dataclass
from datetime import date

from devices.simulator import Habits
from rpm.demo.practice import HUB, ZONE, Gateway

EXACT = Habits(adherence=1, repeat=0, late=0, manual=0, missed_run=0)
STEADY = Habits(adherence=0.97)
REGULAR = Habits(adherence=0.85)
UNEVEN = Habits(adherence=0.55)
SPARSE = Habits(adherence=0.2, missed_run=0.05)
TYPED = Habits(adherence=0.9, manual=1)

Span = tuple[date, date]


@dataclass(frozen=True)
class Handed:
    """A device in a patient's hands.

    ``sends`` are the only days it sends on, if given. ``uploads_day`` is when it brings what it
    kept in memory since ``offline_since_day``. ``registered_day`` is when the practice noticed it.
    """

    measures: str  # the simulator's kind
    gateway: Gateway = HUB
    habits: Habits = REGULAR
    from_day: date | None = None  # None: enrollment
    to_day: date | None = None
    sends: tuple[Span, ...] = ()
    offline_since_day: date | None = None
    uploads_day: date | None = None
    registered_day: date | None = None
    fda_listed: bool = True
    number: int = 1

    def sends_on(self, day: date) -> bool:
        """Whether the device measures on a day."""
        return not self.sends or any(first <= day <= last for first, last in self.sends)


@dataclass(frozen=True)
class Person:
    """A patient; ``monthly_seconds`` are the lengths of one usual month's talks."""

    key: str  # the practice's record number
    family: str
    given: str
    opened_day: date
    shows: str = "everyday practice"
    payer: str = "MEDICARE_B"
    zone: str = ZONE
    program: str = "RPM"
    setting: str = "OFFICE"
    pos: int = 11
    consent: bool = True
    order: bool = True
    established: bool = True
    diagnosis: str = "I10"
    devices: tuple[Handed, ...] = (Handed("bp"),)
    monthly_seconds: tuple[int, ...] = ()
    last_talk_day: date | None = None

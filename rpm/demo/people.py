"""Everybody in the demo: the named patients and those of everyday practice.

Owns the everyday ones, drawn from a seed. Does not own the named ones (``named``).
"""

from collections.abc import Iterator
from datetime import date, timedelta
from random import Random

from rpm.demo.named import NAMED
from rpm.demo.person import REGULAR, SPARSE, STEADY, UNEVEN, Handed, Person
from rpm.demo.practice import BODYTRACE, CELLULAR, HUB, MIO, SEED, TELLI, TENOVI, ZONE

_FROM_DAY = date(2025, 11, 3)
_FAMILIES = ("Everyday", "Ordinary", "Usual", "Common", "Regular", "Plain", "Typical")
_GIVEN = (
    "Ann", "Bob", "Cy", "Di", "Ed", "Fay", "Gus", "Hal", "Ida", "Jo", "Kay", "Lou", "May", "Nat",
    "Oz", "Pam", "Ray", "Sue", "Ted", "Val", "Walt", "Xan", "Yul", "Zoe",
)  # fmt: skip
_PAYERS = (
    "MEDICARE_B", "MEDICARE_B", "MEDICARE_B", "MA_GENERIC", "MA_UNITEDHEALTHCARE", "COM_GENERIC",
    "COM_AETNA",
)  # fmt: skip
_MEASURES = ("bp", "bp", "bp", "weight", "glucose", "spo2")
_DIAGNOSES = {"bp": "I10", "weight": "I50.22", "glucose": "E11.9", "spo2": "J44.9"}
_ZONES = (ZONE, ZONE, ZONE, "America/New_York", "America/Denver")
_MONTHS = (
    (), (420,), (480, 300), (600, 480), (660, 600), (720, 540, 300), (900, 720, 420),
    (900, 900, 720), (1_200, 1_200, 900, 600),
)  # fmt: skip

_VENDORS = {41: TENOVI, 43: MIO, 56: TELLI, 59: BODYTRACE}
"""Whose devices come from a vendor and not from a gateway of the practice's own, by number."""

_SATURDAY = 5

PATIENTS = len(NAMED) + 21


def people(count: int = PATIENTS) -> tuple[Person, ...]:
    """The first so many patients: the named ones, then everyday ones."""
    return (*NAMED, *_everyday(max(0, count - len(NAMED))))[:count]


def _everyday(count: int) -> Iterator[Person]:
    for place in range(count):
        number = len(NAMED) + 1 + place
        random = Random(f"{SEED}:person:{number}")  # noqa: S311 - synthetic data, no secret
        measures = random.choice(_MEASURES)
        gateway = random.choice((HUB, CELLULAR))
        habits = random.choice((STEADY, STEADY, REGULAR, UNEVEN, SPARSE))
        yield Person(
            key=f"CG-{number:04d}",
            family=_FAMILIES[place % len(_FAMILIES)],
            given=_GIVEN[place % len(_GIVEN)],
            opened_day=_weekday(_FROM_DAY + timedelta(days=random.randrange(40))),
            payer=random.choice(_PAYERS),
            zone=random.choice(_ZONES),
            diagnosis=_DIAGNOSES[measures],
            devices=(Handed(measures, _VENDORS.get(number, gateway), habits),),
            monthly_seconds=random.choice(_MONTHS),
        )


def _weekday(day: date) -> date:
    """The day itself, or the Monday after a weekend."""
    return day + timedelta(days=(7 - day.weekday()) % 7 if day.weekday() >= _SATURDAY else 0)

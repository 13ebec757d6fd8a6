"""The demo practice: who works there, which payers and gateways it has, and the story's calendar.

Owns these names and dates. Does not own the patients (``people``). Everything is invented; the NPIs
are well-formed and begin with digits that make them easy to tell.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from devices.posting import Trouble

SEED = 20251101
NAME = "Cedar Grove Internal Medicine (demo)"
NPI = "1993000102"
TAX_ID = "00-0000000"
ZONE = "America/Chicago"
EMAIL_DOMAIN = "cedar-grove.example"

START = datetime(2025, 11, 1, 13, 0, tzinfo=UTC)
STOP_DAY = date(2026, 2, 27)
LAST_DAY = date(2026, 6, 30)
"""The story is written up to here; whoever moves the clock further moves it through silence."""
LIMITS_DAY = date(2026, 1, 26)
"""On this day the practice adopts limits that raise alerts."""
CLOSE_ON_DAY = 2
"""Each month is closed on this day of the next one."""


@dataclass(frozen=True)
class Worker:
    """Someone with an account; ``works_as`` is the ledger's role where several are possible."""

    key: str
    name: str
    role: str
    works_as: str | None = None
    npi: str | None = None
    credential: str = ""

    @property
    def email(self) -> str:
        """An address that leads nowhere."""
        return f"{self.key}@{EMAIL_DOMAIN}"


ADMIN = Worker("admin", "Ada Admin", "practice_admin")
DOCTOR = Worker("doctor", "Dr. Dana Demo", "practitioner", "qhp", npi="1993000201", credential="MD")
NORA = Worker("nora", "Nora Nurse, RN", "clinical_staff", "rn")
NEIL = Worker("neil", "Neil Nurse, LPN", "clinical_staff", "lpn")
MIA = Worker("mia", "Mia Assistant, MA", "clinical_staff", "ma")
CLARA = Worker("clara", "Clara Clerk", "clerical_staff")
BILLER = Worker("biller", "Bill Biller", "biller")
AUDITOR = Worker("auditor", "Aud Auditor", "auditor")
WORKERS = (DOCTOR, NORA, NEIL, MIA, CLARA, BILLER, AUDITOR)
"""Everyone but the administrator, who comes with the practice."""

PAYERS = {
    "MEDICARE_B": "Medicare Part B",
    "MA_GENERIC": "Demo Advantage Plan",
    "MA_UNITEDHEALTHCARE": "UnitedHealthcare Medicare Advantage",
    "COM_GENERIC": "Demo Commercial Plan",
    "COM_GENERIC_PRE2026_CODESET": "Demo Plan with last year's codes",
    "COM_UNITEDHEALTHCARE": "UnitedHealthcare, commercial",
    "COM_AETNA": "Aetna, commercial",
    "MCD_FL": "Florida Medicaid",
    "MCD_NY": "New York Medicaid",
}
"""Keys of the rule book that the patients' coverages name, with the practice's words for them."""


@dataclass(frozen=True)
class Gateway:
    """A sender of deliveries: what one delivery may gather, in hours and items, and whose it is."""

    key: str
    name: str
    gathers: timedelta
    at_most: int
    vendor: str = "generic"
    trouble: Trouble | None = None


HUB = Gateway("hub", "Bedside hubs", timedelta(hours=10), 1_000)
CELLULAR = Gateway("cellular", "Cellular gateway", timedelta(hours=20), 1_000)
DIRECT = Gateway("direct", "Devices that post by themselves", timedelta(0), 1)
_LIVELY = Trouble(split=0.5, retry=0.02, delay=0.02, heartbeat_hours=168)
TENOVI = Gateway("tenovi", "Tenovi gateways", timedelta(0), 1, "tenovi", _LIVELY)
TELLI = Gateway("telli", "Telli kits", timedelta(0), 1, "telli", _LIVELY)
MIO = Gateway("mio", "Transtek kits", timedelta(0), 1, "mio", _LIVELY)
BODYTRACE = Gateway("bodytrace", "BodyTrace scales", timedelta(0), 1, "bodytrace", _LIVELY)
GATEWAYS = (HUB, CELLULAR, DIRECT, TENOVI, TELLI, MIO, BODYTRACE)


def at(day: date, clock_time: str, zone: str = ZONE) -> datetime:
    """An instant, UTC, from a day and a wall time such as ``14:05`` of a zone."""
    wall = datetime.combine(day, time.fromisoformat(clock_time), ZoneInfo(zone))
    return wall.astimezone(UTC)


def evening(day: date) -> datetime:
    """When the clock stands still on a day: the practice has gone home."""
    return at(day, "17:00")

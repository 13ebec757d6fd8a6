"""Simulator: seeded synthetic measurements of a practice's devices, whoever their vendor is.

Owns a patient's plan and what devices do in life: missed runs, days without a reading, uploads from
memory, repeats, typed-in values, clocks that are wrong. Does not own how a vendor says it
(``devices.speaking``) nor the requests that bring it (``devices.posting``). The same seed and plans
give the same measurements; each series draws from its own stream, so that adding a patient changes
no other.
"""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from zoneinfo import ZoneInfo

_UPLOAD_DELAY_SECONDS = 45
_AHEAD = (timedelta(hours=2), timedelta(days=3))
_RESET_TO = (datetime(1970, 1, 1, tzinfo=UTC), datetime(2000, 1, 1, tzinfo=UTC))


@dataclass(frozen=True)
class Value:
    """One number of a series: where it starts, what it gains a day, its noise, its decimals."""

    code: str
    unit: str
    base: float
    drift_per_day: float
    noise: float
    decimals: int = 0


@dataclass(frozen=True)
class Series:
    """What one device measures and at which local hours of the day."""

    kind: str
    device_id: str
    values: tuple[Value, ...]
    hours: tuple[int, ...]


@dataclass(frozen=True)
class Habits:
    """Chances per planned reading (per day for ``missed_run``), and how long runs and delays are.

    ``adherence``: it is taken at all; ``repeat``: it is sent again an hour later; ``late``: it
    stays in the device's memory for up to ``late_days_at_most``; ``manual``: it is typed in;
    ``missed_run``: a run of up to ``missed_days_at_most`` days without readings begins;
    ``wrong_clock``: the device's clock is two hours or three days ahead, or was reset to 1970 or
    2000.
    """

    adherence: float = 0.9
    repeat: float = 0.02
    late: float = 0.03
    manual: float = 0.01
    missed_run: float = 0.01
    late_days_at_most: int = 4
    missed_days_at_most: int = 6
    wrong_clock: float = 0


@dataclass(frozen=True)
class PatientPlan:
    """One patient: reference, home zone, devices and habits."""

    patient_ref: str
    zone: str
    series: tuple[Series, ...]
    habits: Habits = Habits()


@dataclass(frozen=True)
class Measurement:
    """What a device measured, in the units of its series; ``values`` are texts by LOINC code.

    ``told_at`` is the instant by the device's clock, ``measured_at`` the true one; both aware UTC.
    """

    patient_ref: str
    device_id: str
    kind: str
    zone: str
    values: tuple[tuple[str, str, str], ...]  # code, text, unit
    measured_at: datetime
    told_at: datetime
    manual: bool = False
    from_memory: bool = False

    @property
    def id(self) -> str:
        """An id of the measurement's own, for vendors that give one."""
        return f"{self.device_id}-{int(self.measured_at.timestamp())}"

    @property
    def local(self) -> datetime:
        """The time that the device tells, on the wall clock of the patient's zone."""
        return self.told_at.astimezone(ZoneInfo(self.zone))


@dataclass(frozen=True)
class Sent:
    """A measurement, and when its device sends it (aware UTC)."""

    sent_at: datetime
    measurement: Measurement


_USUAL: dict[str, tuple[tuple[Value, ...], tuple[int, ...]]] = {
    "bp": (
        (
            Value("8480-6", "mm[Hg]", 146, -0.05, 7),
            Value("8462-4", "mm[Hg]", 88, -0.03, 5),
            Value("8867-4", "/min", 74, 0, 6),
        ),
        (7, 20),
    ),
    "weight": ((Value("29463-7", "[lb_av]", 182, -0.02, 0.8, 1),), (7,)),
    "glucose": ((Value("41653-7", "mg/dL", 138, -0.05, 18),), (7, 18)),
    "spo2": ((Value("59408-5", "%", 95, 0, 0.8), Value("8867-4", "/min", 78, 0, 6)), (9,)),
    "temperature": ((Value("8310-5", "[degF]", 98.2, 0, 0.4, 1),), (8,)),
    "peak_flow": ((Value("33452-4", "L/min", 380, 0.1, 25),), (8,)),
}
_ZONES = (
    "America/New_York",
    "America/Chicago",
    "America/Denver",
    "America/Phoenix",
    "America/Los_Angeles",
)


def usual_series(kind: str, device_id: str) -> Series:
    """A plausible series of this kind; KeyError for a kind the simulator has no figures for."""
    values, hours = _USUAL[kind]
    return Series(kind, device_id, values, hours)


def practice(seed: int, patients: int) -> tuple[PatientPlan, ...]:
    """Plans of a synthetic practice: one or two devices each, habits from faithful to sparse."""
    plans = []
    for number in range(patients):
        random = stream(seed, "plan", str(number))
        kinds = random.sample(sorted(_USUAL), k=random.choice((1, 1, 2)))
        reference = f"SYN-{number:05d}"
        series = tuple(usual_series(kind, f"{reference}-{kind}") for kind in kinds)
        habits = replace(Habits(), adherence=random.choice((0.97, 0.9, 0.75, 0.5, 0.2)))
        plans.append(PatientPlan(reference, random.choice(_ZONES), series, habits))
    return tuple(plans)


def readings(plan: PatientPlan, first_day: date, last_day: date, *, seed: int) -> list[Sent]:
    """What a patient's devices send for the local days from first to last, in order of sending.

    Late uploads and repeats may be sent after the last day.
    """
    sent: list[Sent] = []
    for series in plan.series:
        random = stream(seed, plan.patient_ref, series.device_id, series.kind)
        clock = stream(seed, plan.patient_ref, series.device_id, series.kind, "clock")
        for day in _days_taken(random, plan.habits, first_day, last_day):
            for hour in series.hours:
                found = _sent(random, plan, series, day, hour, (day - first_day).days)
                sent.extend(_by_its_clock(clock, plan.habits, found))
    return sorted(sent, key=lambda item: (item.sent_at, item.measurement.id))


def stream(*parts: object) -> Random:
    """A stream of its own for every series; text seeds give the same numbers on every machine."""
    return Random(":".join(str(part) for part in parts))  # noqa: S311 - synthetic data, no secret


def _days_taken(random: Random, habits: Habits, first_day: date, last_day: date) -> list[date]:
    """The days outside missed runs."""
    days = []
    day = first_day
    while day <= last_day:
        if random.random() < habits.missed_run:
            day += timedelta(days=random.randint(1, habits.missed_days_at_most))
            continue
        days.append(day)
        day += timedelta(days=1)
    return days


def _sent(
    random: Random, plan: PatientPlan, series: Series, day: date, hour: int, age_days: int
) -> list[Sent]:
    """One planned reading: nothing, one, or the same one twice."""
    habits = plan.habits
    if random.random() >= habits.adherence:
        return []
    wall = datetime.combine(day, time(hour, random.randrange(60), random.randrange(60)))
    measured_at = wall.replace(tzinfo=ZoneInfo(plan.zone)).astimezone(UTC)
    manual = random.random() < habits.manual
    values = tuple(_value(random, value, age_days) for value in series.values)
    sent_at = measured_at + timedelta(seconds=random.randint(1, _UPLOAD_DELAY_SECONDS))
    late = random.random() < habits.late
    if late:
        sent_at += timedelta(hours=random.randint(6, 24 * habits.late_days_at_most))
    measured = Measurement(
        plan.patient_ref,
        series.device_id,
        series.kind,
        plan.zone,
        values,
        measured_at,
        told_at=measured_at,
        manual=manual,
        from_memory=late,
    )
    sent = [Sent(sent_at, measured)]
    if random.random() < habits.repeat:
        sent.append(Sent(sent_at + timedelta(hours=1), measured))
    return sent


def _value(random: Random, value: Value, age_days: int) -> tuple[str, str, str]:
    number = random.gauss(value.base + value.drift_per_day * age_days, value.noise)
    if value.unit == "%":
        number = min(number, 100)
    return value.code, f"{number:.{value.decimals}f}", value.unit


def _by_its_clock(clock: Random, habits: Habits, sent: list[Sent]) -> list[Sent]:
    """The same with what a wrong clock tells; a clock that was reset counts on from there."""
    if not sent or clock.random() >= habits.wrong_clock:
        return sent
    measured_at = sent[0].measurement.measured_at
    since_midnight = measured_at - datetime.combine(measured_at.date(), time(), UTC)
    told_at = clock.choice(
        (
            *(measured_at + ahead for ahead in _AHEAD),
            *(reset + since_midnight for reset in _RESET_TO),
        )
    )
    return [replace(one, measurement=replace(one.measurement, told_at=told_at)) for one in sent]

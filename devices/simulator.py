"""Simulator: seeded synthetic readings in the generic format, and the signed requests that bring
them.

Owns a patient's plan and what devices do in life: missed runs, days without a reading, uploads from
memory, repeats, typed-in values. Does not own posting. The same seed and plans give the same bytes;
each series draws from its own stream, so that adding a patient changes no other.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from standardwebhooks import Webhook

from devices.delivery import Secret

MAX_BATCH = 1_000
_UPLOAD_DELAY_SECONDS = 45


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
    ``missed_run``: a run of up to ``missed_days_at_most`` days without readings begins.
    """

    adherence: float = 0.9
    repeat: float = 0.02
    late: float = 0.03
    manual: float = 0.01
    missed_run: float = 0.01
    late_days_at_most: int = 4
    missed_days_at_most: int = 6


@dataclass(frozen=True)
class PatientPlan:
    """One patient: reference, home zone, devices and habits."""

    patient_ref: str
    zone: str
    series: tuple[Series, ...]
    habits: Habits = Habits()


@dataclass(frozen=True)
class Sent:
    """A reading in the generic format, and when it is sent (aware UTC)."""

    sent_at: datetime
    reading: dict[str, Any]


@dataclass(frozen=True)
class SignedRequest:
    """One webhook request: when it is posted (aware UTC), its headers and its exact body."""

    sent_at: datetime
    headers: dict[str, str]
    body: bytes


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
        random = _stream(seed, "plan", str(number))
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
        random = _stream(seed, plan.patient_ref, series.device_id, series.kind)
        for day in _days_taken(random, plan.habits, first_day, last_day):
            for hour in series.hours:
                sent.extend(_sent(random, plan, series, day, hour, (day - first_day).days))
    return sorted(sent, key=lambda item: (item.sent_at, str(item.reading["id"])))


def deliveries(
    sent: Iterable[Sent],
    secret: Secret,
    *,
    window: timedelta = timedelta(hours=1),
    at_most: int = MAX_BATCH,
) -> Iterator[SignedRequest]:
    """Signed requests that bring readings, at most so many and so long a time in one.

    A request is posted when its last reading is sent. ``secret`` is a ``whsec_`` secret.
    """
    batch: list[Sent] = []
    for item in sorted(sent, key=lambda item: item.sent_at):
        if batch and (len(batch) >= at_most or item.sent_at - batch[0].sent_at >= window):
            yield signed_request(batch, secret)
            batch = []
        batch.append(item)
    if batch:
        yield signed_request(batch, secret)


def signed_request(batch: Sequence[Sent], secret: Secret) -> SignedRequest:
    """One request with these readings in a Standard Webhooks envelope, signed when it is posted."""
    posted_at = max(item.sent_at for item in batch).replace(microsecond=0)
    envelope = {
        "type": "readings.recorded",
        "timestamp": posted_at.isoformat(),
        "data": {"readings": [item.reading for item in batch]},
    }
    body = json.dumps(envelope, separators=(",", ":"))
    message_id = f"msg_{hashlib.sha256(body.encode()).hexdigest()[:24]}"
    headers = {
        "content-type": "application/json",
        "webhook-id": message_id,
        "webhook-timestamp": str(int(posted_at.timestamp())),
        "webhook-signature": Webhook(secret.text).sign(message_id, posted_at, body),
    }
    return SignedRequest(posted_at, headers, body.encode())


def _stream(*parts: object) -> Random:
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
    reading = {
        "id": f"{series.device_id}-{int(measured_at.timestamp())}",
        "device_id": series.device_id,
        "patient_ref": plan.patient_ref,
        "kind": series.kind,
        "components": [_component(random, value, age_days) for value in series.values],
        "measured_at": measured_at.astimezone(ZoneInfo(plan.zone)).isoformat(),
        "entry_method": "manual" if manual else "device",
    }
    sent_at = measured_at + timedelta(seconds=random.randint(1, _UPLOAD_DELAY_SECONDS))
    if random.random() < habits.late:
        sent_at += timedelta(hours=random.randint(6, 24 * habits.late_days_at_most))
    sent = [Sent(sent_at, reading)]
    if random.random() < habits.repeat:
        sent.append(Sent(sent_at + timedelta(hours=1), reading))
    return sent


def _component(random: Random, value: Value, age_days: int) -> dict[str, str]:
    number = random.gauss(value.base + value.drift_per_day * age_days, value.noise)
    if value.unit == "%":
        number = min(number, 100)
    return {"code": value.code, "value": f"{number:.{value.decimals}f}", "unit": value.unit}

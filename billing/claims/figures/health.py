"""Value-based figures: how faithfully patients measure, and how near readings are to their aim.

Owns the three figures. Does not own readings nor which of them count. The limits are arguments with
the defaults that the definitions name; they are no payer's quality measure.
"""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from billing.claims.figures.figure import Figure

SYSTOLIC_BELOW, DIASTOLIC_BELOW = 140, 90
LEAST_DAYS = 3
RANGE_MG_DL = (Decimal(70), Decimal(180))

PatientId = Hashable


@dataclass(frozen=True)
class Pressure:
    """One blood pressure reading in mm[Hg]."""

    patient: PatientId
    day: date
    systolic: Decimal
    diastolic: Decimal


@dataclass(frozen=True)
class PressureFigure:
    """The figure, and the patients above."""

    figure: Figure
    above: tuple[PatientId, ...]


def adherence(
    days_with_reading: Mapping[PatientId, int], days_enrolled: Mapping[PatientId, int]
) -> Figure:
    """Days with a reading that counts, of days enrolled; ``days_enrolled`` says who is counted."""
    with_reading = sum(
        min(days_with_reading.get(one, 0), days) for one, days in days_enrolled.items()
    )
    return Figure("adherence", with_reading, sum(days_enrolled.values()))


def pressure_in_control(readings: Iterable[Pressure]) -> PressureFigure:
    """Patients with averages below both limits, of those with readings on enough days."""
    found: defaultdict[PatientId, list[Pressure]] = defaultdict(list)
    for one in readings:
        found[one.patient].append(one)
    enough = {
        patient: some
        for patient, some in found.items()
        if len({one.day for one in some}) >= LEAST_DAYS
    }
    above = tuple(patient for patient, some in enough.items() if not _in_control(some))
    return PressureFigure(
        Figure("pressure-in-control", len(enough) - len(above), len(enough)), above
    )


def _in_control(readings: list[Pressure]) -> bool:
    """Averages below the limits, without rounding them."""
    count = len(readings)
    systolic = sum(one.systolic for one in readings)
    diastolic = sum(one.diastolic for one in readings)
    return systolic < SYSTOLIC_BELOW * count and diastolic < DIASTOLIC_BELOW * count


def time_in_range(readings_mg_dl: Iterable[Decimal]) -> Figure:
    """Glucose readings within the range, of all."""
    low, high = RANGE_MG_DL
    values = list(readings_mg_dl)
    return Figure("time-in-range", sum(low <= one <= high for one in values), len(values))

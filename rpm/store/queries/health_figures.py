"""What value-based figures of a month are computed from: days enrolled, days measured, readings.

Owns these SELECTs. Does not own the figures (``billing.claims.figures.health``). Only readings that
count are read.
"""

from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlmodel import Session, col

from billing.claims.figures.figure import Span
from billing.claims.figures.health import PatientId, Pressure
from billing.days import day_number
from devices.kinds import KINDS
from rpm.store.device_days import excluded, holds
from rpm.store.fact_rows import RawId, raw
from rpm.store.practice_figures import Enrolled
from rpm.store.scope import Scope
from rpm.store.tables.monitoring import DeviceDay, Episode, Reading

PRESSURE, GLUCOSE = ("bp",), ("glucose", "glucose_cgm")


def days_enrolled(who: Enrolled, span: Span) -> dict[PatientId, set[int]]:
    """The day numbers of the span on which each patient was enrolled; rows of patients."""
    first, last = day_number(span.first), day_number(span.last)
    found: defaultdict[PatientId, set[int]] = defaultdict(set)
    columns = (who.episodes[name].tolist() for name in ("patient", "opened_day", "closed_day"))
    for patient, opened, closed in zip(*columns, strict=True):
        end = last if closed < 0 else min(closed, last)
        if max(opened, first) <= end:
            found[patient].update(range(max(opened, first), end + 1))
    return dict(found)


def days_measured(
    db: Session, scope: Scope, who: Enrolled, span: Span
) -> dict[PatientId, set[int]]:
    """The day numbers of the span with a reading that counts; rows of patients."""
    episode_id: Any = DeviceDay.episode_id
    query = (
        select(raw(episode_id), col(DeviceDay.day))
        .where(
            col(DeviceDay.organization_id) == scope.organization_id,
            col(DeviceDay.episode_id).in_(_episodes(scope)),
            col(DeviceDay.day) >= day_number(span.first),
            col(DeviceDay.day) <= day_number(span.last),
            col(DeviceDay.qualifying_count) > 0,
        )
        .distinct()
    )
    found: defaultdict[PatientId, set[int]] = defaultdict(set)
    for episode, day in db.execute(query):
        found[who.of_episode[episode]].add(day)
    return dict(found)


def pressures(db: Session, scope: Scope, span: Span) -> Iterator[Pressure]:
    """Blood pressures of the span; one with an inexact value is left out."""
    for patient_id, measure, day, components in _readings(db, scope, span, PRESSURE):
        systolic, diastolic = (
            _value(measure, name, components) for name in ("systolic", "diastolic")
        )
        if systolic is not None and diastolic is not None:
            yield Pressure(patient_id, day, systolic, diastolic)


def glucose_mg_dl(db: Session, scope: Scope, span: Span) -> Iterator[Decimal]:
    """Glucose of the span in mg/dL; a value beyond the meter's range counts as its end."""
    for _, measure, _, components in _readings(db, scope, span, GLUCOSE):
        value = _value(measure, "glucose", components, inexact=True)
        if value is not None:
            yield value


def _readings(
    db: Session, scope: Scope, span: Span, measures: tuple[str, ...]
) -> Iterator[tuple[RawId, str, date, list[dict[str, Any]]]]:
    patient_id: Any = Reading.patient_id
    columns = (col(Reading.measure), col(Reading.local_day), col(Reading.components))
    query = select(raw(patient_id), *columns).where(
        col(Reading.organization_id) == scope.organization_id,
        # as a list of ids: both engines then walk the index of an episode's days
        col(Reading.episode_id).in_(_episodes(scope)),
        col(Reading.local_day) >= span.first,
        col(Reading.local_day) <= span.last,
        col(Reading.measure).in_(measures),
        col(Reading.countable).is_(True),
        holds(),
        ~excluded(scope.organization_id),
    )
    for row in db.execute(query.execution_options(yield_per=1_000)):
        yield row[0], row[1], row[2], row[3]


def _episodes(scope: Scope) -> Any:
    return select(col(Episode.id)).where(col(Episode.organization_id) == scope.organization_id)


def _value(
    measure: str, name: str, components: list[dict[str, Any]], *, inexact: bool = False
) -> Decimal | None:
    quantity = KINDS[measure].quantity(name)
    for part in components:
        if quantity is not None and part["loinc"] in quantity.loinc:
            exact = not part.get("comparator")
            return Decimal(part["value"]) if exact or inexact else None
    return None

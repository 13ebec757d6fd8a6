"""What runs out soon of patients in care: orders, authorizations, consents and coverages.

Owns the list. Does not own what leaves without them (the rule pages). What has no last day never
runs out here.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlmodel import Session, col

from rpm.store.queries.people import coverages_of
from rpm.store.scope import Scope
from rpm.store.tables.monitoring import Consent, ConsentEnd, Episode, EpisodeGate
from rpm.store.tables.people import Coverage, CoverageEnd, Patient
from rpm.store.tables.worklist import WorklistRow

WITHIN_DAYS = 30
CONSENT, COVERAGE = "consent", "coverage"
_AT_ONCE = 50


@dataclass(frozen=True)
class Expiring:
    """Something of a patient with its last day; ``what`` is a gate, consent or coverage."""

    patient_id: UUID
    family_name: str
    given_name: str
    what: str
    last_day: date


def expiring(
    db: Session, scope: Scope, today: date, within_days: int = WITHIN_DAYS, limit: int = 50
) -> list[Expiring]:
    """What ends from today on within so many days, the nearest first; of patients in care only.

    An end that was recorded again counts as recorded last; one that a later row of the same kind
    carries on is left out.
    """
    span = (today, today + timedelta(days=within_days))
    ends = {(patient_id, what): last_day for patient_id, what, last_day in _ends(db, scope, span)}
    candidates = sorted((day, what, patient_id) for (patient_id, what), day in ends.items())
    found: list[Expiring] = []
    for start in range(0, len(candidates), _AT_ONCE):
        some = candidates[start : start + _AT_ONCE]
        names = _names(db, scope, {patient_id for *_, patient_id in some})
        found += [
            Expiring(patient_id, *names[patient_id], what, day)
            for day, what, patient_id in some
            if patient_id in names
            and not (what == COVERAGE and _goes_on(db, scope, patient_id, day))
        ]
        if len(found) >= limit:
            break
    return found[:limit]


def _ends(db: Session, scope: Scope, span: tuple[date, date]) -> Iterator[tuple[UUID, str, date]]:
    yield from _gates(db, scope, span)
    yield from _closed(db, scope, span, (ConsentEnd, "consent_id", Consent), CONSENT)
    yield from _closed(db, scope, span, (CoverageEnd, "coverage_id", Coverage), COVERAGE)
    rows = db.execute(
        select(col(Coverage.patient_id), col(Coverage.to_day)).where(
            col(Coverage.organization_id) == scope.organization_id,
            col(Coverage.to_day).between(*span),
            col(Coverage.id).not_in(
                select(col(CoverageEnd.coverage_id)).where(
                    col(CoverageEnd.organization_id) == scope.organization_id
                )
            ),
        )
    )
    yield from ((patient_id, COVERAGE, last_day) for patient_id, last_day in rows)


def _gates(db: Session, scope: Scope, span: tuple[date, date]) -> Iterator[tuple[UUID, str, date]]:
    """Gates that end in the span, unless another one of the kind goes on after it."""
    ending = select(col(EpisodeGate.episode_id)).where(
        col(EpisodeGate.organization_id) == scope.organization_id,
        col(EpisodeGate.to_day).between(*span),
    )
    rows = db.execute(
        select(col(Episode.patient_id), col(EpisodeGate.gate), col(EpisodeGate.to_day))
        .join(
            Episode,
            (col(Episode.organization_id) == col(EpisodeGate.organization_id))
            & (col(Episode.id) == col(EpisodeGate.episode_id)),
        )
        .where(
            col(EpisodeGate.organization_id) == scope.organization_id,
            col(EpisodeGate.episode_id).in_(ending),
        )
    ).all()
    last: dict[tuple[UUID, str], date] = {}
    for patient_id, gate, to_day in rows:
        key = (patient_id, gate)
        last[key] = max(last.get(key, date.min), to_day or date.max)
    return ((*key, day) for key, day in last.items() if span[0] <= day <= span[1])


def _closed(
    db: Session,
    scope: Scope,
    span: tuple[date, date],
    tables: tuple[Any, str, Any],
    what: str,
) -> Iterator[tuple[UUID, str, date]]:
    """Consents or coverages whose end, as recorded last, lies in the span."""
    end, column, subject = tables
    rows = db.execute(
        select(col(getattr(end, column)), col(end.last_day))
        .where(
            col(end.organization_id) == scope.organization_id,
            col(getattr(end, column)).in_(
                select(col(getattr(end, column))).where(
                    col(end.organization_id) == scope.organization_id,
                    col(end.last_day).between(*span),
                )
            ),
        )
        .order_by(col(end.audit_number), col(end.id))
    )
    counts = {row_id: day for row_id, day in rows if day is not None}
    ids = [row_id for row_id, day in counts.items() if span[0] <= day <= span[1]]
    for row in scope.all_of(db, subject, col(subject.id).in_(ids)):
        patient_id = row.patient_id if what == COVERAGE else _patient_of(db, scope, row.episode_id)
        yield patient_id, what, counts[row.id]


def _goes_on(db: Session, scope: Scope, patient_id: UUID, last_day: date) -> bool:
    """Whether another coverage of the patient holds on the day after."""
    following = last_day + timedelta(days=1)
    return any(
        state.coverage.from_day <= following
        and (state.last_day is None or state.last_day >= following)
        for state in coverages_of(db, scope, patient_id)
    )


def _patient_of(db: Session, scope: Scope, episode_id: UUID) -> UUID:
    return scope.get(db, Episode, episode_id).patient_id


def _names(db: Session, scope: Scope, patient_ids: set[UUID]) -> dict[UUID, tuple[str, str]]:
    """Names of those of some patients who are in care: they are on the worklist."""
    in_care = select(col(WorklistRow.patient_id)).where(
        col(WorklistRow.organization_id) == scope.organization_id
    )
    rows = db.execute(
        select(col(Patient.id), col(Patient.family_name), col(Patient.given_name)).where(
            col(Patient.organization_id) == scope.organization_id,
            col(Patient.id).in_(patient_ids),
            col(Patient.id).in_(in_care),
            *scope.of_sites(col(Patient.id)),
        )
    )
    return {row.id: (row.family_name, row.given_name) for row in rows}

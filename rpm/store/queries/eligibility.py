"""Reads of eligibility: who was asked about, and what payers said.

Owns these SELECTs. Does not own inquiries and answers as acts (``rpm.actions``).
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from sqlmodel import Session, col, select

from rpm.store.queries.rows import latest_by
from rpm.store.scope import Scope
from rpm.store.tables.monitoring import Episode, EpisodeEnd
from rpm.store.tables.proposals import EligibilityAnswer, EligibilityInquiry


def enrolled_patients(db: Session, scope: Scope) -> list[UUID]:
    """Patients with an episode that was not ended, in a stable order."""
    rows = scope.all_of(db, Episode)
    ends = {
        row.episode_id: row
        for row in db.exec(
            scope.rows(EpisodeEnd).order_by(col(EpisodeEnd.audit_number), col(EpisodeEnd.id))
        )
    }
    return sorted(
        {row.patient_id for row in rows if row.id not in ends or ends[row.id].last_day is None}
    )


def asked_since(db: Session, scope: Scope, instant: datetime) -> set[UUID]:
    """Patients who were asked about at or after an instant."""
    return set(
        db.exec(
            select(col(EligibilityInquiry.patient_id)).where(
                col(EligibilityInquiry.organization_id) == scope.organization_id,
                col(EligibilityInquiry.recorded_at) >= instant,
            )
        )
    )


def inquiry_with_trace(db: Session, scope: Scope, trace: str) -> EligibilityInquiry | None:
    """The inquiry under a trace number."""
    return db.exec(
        scope.rows(EligibilityInquiry).where(col(EligibilityInquiry.trace_number) == trace)
    ).one_or_none()


def latest_answers(
    db: Session, scope: Scope, patient_ids: Collection[UUID]
) -> dict[UUID, EligibilityAnswer]:
    """What was said last of some patients."""
    return latest_by(db, scope, EligibilityAnswer, "patient_id", patient_ids)


def answers_of_message(db: Session, scope: Scope, message_id: UUID) -> Sequence[EligibilityAnswer]:
    """The answers of one file in their order."""
    return scope.all_of(db, EligibilityAnswer, col(EligibilityAnswer.message_id) == message_id)

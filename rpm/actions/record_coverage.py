"""Record who pays for a patient from a day on, and the end of it.

Owns the rule that a patient has one coverage on a day: a line has one payer on its service day.
Does not own what a payer pays (the rule pages).
"""

from datetime import date, datetime, timedelta
from uuid import UUID

from pydantic import Field
from sqlmodel import Session

from rpm.access import Actor, require
from rpm.actions.command import Command, Day, Id, Name, Reason
from rpm.actions.practice_day import refuse_backwards
from rpm.errors import Conflict
from rpm.store.chain import recording
from rpm.store.queries.people import coverages_of, hold_organization
from rpm.store.scope import Scope
from rpm.store.tables.people import Coverage, CoverageEnd, Patient, Payer


class RecordCoverage(Command):
    """A patient is covered by a payer from a day on."""

    patient_id: Id
    payer_id: Id
    member_id: Name = Field(examples=["1EG4-TE5-MK73"])
    from_day: Day = Field(examples=["2025-01-01"])
    to_day: Day | None = Field(default=None, description="Last day, included; none while open.")


class EndCoverage(Command):
    """A coverage ended, or never was in force."""

    coverage_id: Id
    last_day: Day = Field(
        description="Last day, included; the day before the first one: it never was in force.",
        examples=["2025-12-31"],
    )
    reason: Reason = Field(examples=["patient changed payers"])


def record_coverage(db: Session, actor: Actor, now: datetime, command: RecordCoverage) -> Coverage:
    """The new coverage. ``Conflict`` when another one of the patient holds on one of its days."""
    require(actor, "patients:write")
    scope = Scope.of(actor)
    scope.get(db, Patient, command.patient_id)
    scope.get(db, Payer, command.payer_id)
    refuse_backwards("to_day", command.from_day, command.to_day)
    hold_organization(db, scope)
    _refuse_overlap(db, scope, command.patient_id, command.from_day, command.to_day)
    subject = {"patient_id": command.patient_id}
    with recording(db, actor, now, "coverage.record", subject) as record:
        coverage = record.add(Coverage(**command.model_dump()))
        record.subject["coverage_id"] = coverage.id
    return coverage


def end_coverage(db: Session, actor: Actor, now: datetime, command: EndCoverage) -> CoverageEnd:
    """The end that counts from now on. ``Conflict`` when the coverage would reach into another."""
    require(actor, "patients:write")
    scope = Scope.of(actor)
    coverage = scope.get(db, Coverage, command.coverage_id)
    refuse_backwards("last_day", coverage.from_day - timedelta(days=1), command.last_day)
    hold_organization(db, scope)
    _refuse_overlap(
        db, scope, coverage.patient_id, coverage.from_day, command.last_day, besides=coverage.id
    )
    subject = {"patient_id": coverage.patient_id, "coverage_id": coverage.id}
    with recording(db, actor, now, "coverage.end", subject, command.reason) as record:
        return record.add(CoverageEnd(**command.model_dump()))


def _refuse_overlap(
    db: Session,
    scope: Scope,
    patient_id: UUID,
    from_day: date,
    to_day: date | None,
    besides: UUID | None = None,
) -> None:
    for state in coverages_of(db, scope, patient_id):
        begins_later = to_day is not None and state.coverage.from_day > to_day
        ended_before = state.last_day is not None and state.last_day < from_day
        never_held = state.last_day is not None and state.last_day < state.coverage.from_day
        if state.coverage.id != besides and not (begins_later or ended_before or never_held):
            raise Conflict("the patient has another coverage on these days; end it first")

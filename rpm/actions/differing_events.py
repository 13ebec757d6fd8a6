"""Differing events: billable events that two days of knowledge give otherwise.

Owns which patients are looked at and which events count as changed. Does not own the two days
(``rpm.actions.differences``) nor the calculation. Changes nothing.
"""

from collections.abc import Iterator
from datetime import date
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, Field
from sqlmodel import Session

from rpm.actions.differences import Between, new_rule_pages
from rpm.actions.priced_lines import PricedLine, priced_lines
from rpm.actions.seen_from import SeenFrom
from rpm.store.changed_patients import changed_patients
from rpm.store.outcomes import EventLine, evaluated
from rpm.store.scope import Scope
from rpm.store.selection import PatientRange, Patients, partitions

_PATIENTS_AT_ONCE = 1_000
_NO_LINE: tuple[None, None] = (None, None)

EventPlace = tuple[UUID, str]
"""Patient and key of an event: the order of the list."""


class EventDifference(BaseModel):
    """A billable event that one of the two days gives and the other gives otherwise or not."""

    change: Literal["new", "gone", "changed"]
    before: EventLine | None
    after: EventLine | None
    before_cents: int | None = Field(description="For all units; null: unknown, or no event.")
    after_cents: int | None = Field(description="For all units; null: unknown, or no event.")

    @property
    def place(self) -> EventPlace:
        """Where it stands in the list."""
        line = self.before or self.after
        if line is None:
            raise ValueError("a difference has at least one side")
        return line.patient_id, line.key


def event_differences(
    db: Session,
    scope: Scope,
    days: Between,
    *,
    patient_id: UUID | None = None,
    after: EventPlace | None = None,
) -> Iterator[EventDifference]:
    """Events that the two days give otherwise, both as of the same day, by patient and key.

    Behind the place ``after`` if one is told. Patients are computed as the list is walked.
    """
    for patients in _concerned(db, scope, days, patient_id, after):
        before = _lines(db, scope, days.earlier, patients)
        later = _lines(db, scope, days.later, patients)
        for place in sorted(before.keys() | later.keys()):
            if after is None or place > after:
                ours, theirs = before.get(place, _NO_LINE), later.get(place, _NO_LINE)
                yield from _differing(*ours, *theirs)


def _lines(
    db: Session, scope: Scope, seen: SeenFrom, patients: Patients
) -> dict[EventPlace, PricedLine]:
    found = evaluated(
        db,
        scope.organization_id,
        as_of=seen.as_of,
        known=seen.known_day,
        patients=patients,
        until_audit_number=seen.until_audit_number,
    )
    return {(line.patient_id, line.key): (line, cents) for line, cents in priced_lines(found)}


def _differing(
    before: EventLine | None, before_cents: int | None, after: EventLine | None, cents: int | None
) -> Iterator[EventDifference]:
    change: Literal["new", "gone", "changed"]
    if before is None:
        change = "new"
    elif after is None:
        change = "gone"
    elif _billed(before) != _billed(after):
        change = "changed"
    else:
        return
    yield EventDifference(
        change=change, before=before, after=after, before_cents=before_cents, after_cents=cents
    )


def _billed(line: EventLine) -> tuple[int, date, str]:
    return line.units, line.service_day, line.payer_key


def _concerned(
    db: Session, scope: Scope, days: Between, patient_id: UUID | None, after: EventPlace | None
) -> Iterator[Patients]:
    """Patients whose events may differ, a part at a time, from that of ``after`` on."""
    if patient_id is not None:
        yield [patient_id]
        return
    first = None if after is None else after[0]
    changed = changed_patients(db, scope.organization_id, days.earlier_number)
    if changed is None or new_rule_pages(db, scope, days):
        for part in partitions(db, scope.organization_id, _PATIENTS_AT_ONCE):
            if first is None or first <= part.last:
                yield part if first is None else PatientRange(max(first, part.first), part.last)
        return
    left = [one for one in changed if first is None or first <= one]
    for start in range(0, len(left), _PATIENTS_AT_ONCE):
        yield left[start : start + _PATIENTS_AT_ONCE]

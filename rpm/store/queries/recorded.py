"""What was recorded between two audit events: facts that bear on bills, each with its event.

Owns which tables these are, how a row leads to its patient, and what it undoes. Does not own the
words for a row (``rpm.actions.differences``).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Table, and_, literal, null, or_, select, tuple_
from sqlmodel import Session

from rpm.store.scope import Scope
from rpm.store.tables.base import METADATA
from rpm.store.tables.security import AuditEvent

_STEPS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "association_end": (("association_id", "device_association"),),
    "consent": (("episode_id", "episode"),),
    "consent_end": (("consent_id", "consent"), ("episode_id", "episode")),
    "coverage": (),
    "coverage_end": (("coverage_id", "coverage"),),
    "device_association": (),
    "episode": (),
    "episode_end": (("episode_id", "episode"),),
    "episode_gate": (("episode_id", "episode"),),
    "episode_setup": (("episode_id", "episode"),),
    "interaction_entry": (),
    "other_service": (),
    "reading": (),
    "reading_exclusion": (("reading_id", "reading"),),
}
"""From each table, the columns that lead to the one that names the patient."""
_OF_PRACTICE = ("cms_table", "practice_setting", "rule_page")
TABLES = tuple(sorted((*_STEPS, *_OF_PRACTICE)))
_UNDOES = {
    "association_end": "association_id",
    "consent_end": "consent_id",
    "coverage_end": "coverage_id",
    "interaction_entry": "reverses_id",
    "other_service": "reverses_id",
    "reading": "supersedes_id",
    "reading_exclusion": "reading_id",
}
_DAYS = {
    "association_end": "to_at",
    "consent": "consent_day",
    "consent_end": "last_day",
    "coverage": "from_day",
    "coverage_end": "last_day",
    "device_association": "from_at",
    "episode": "opened_day",
    "episode_end": "last_day",
    "episode_gate": "from_day",
    "episode_setup": "setup_day",
    "interaction_entry": "local_day",
    "other_service": "service_day",
    "reading": "local_day",
    "reading_exclusion": "local_day",
}
"""The column with the day a fact speaks of; an exclusion speaks of its reading's day."""
_EVENT = METADATA.tables[str(AuditEvent.__tablename__)]

Place = tuple[int, str, UUID]
"""Audit number, table and id of a fact: the order of the list."""


@dataclass(frozen=True)
class Recorded:
    """A fact, the event that recorded it, whom it is about, and which fact it undoes."""

    table: str
    row: Mapping[str, Any]
    patient_id: UUID | None
    undoes_id: UUID | None
    day: date | None  # that it speaks of
    recorded_at: datetime
    recorded_by: str
    action: str
    reason: str | None

    @property
    def place(self) -> Place:
        """Where it stands in the list."""
        return self.row["audit_number"], self.table, self.row["id"]


def recorded_between(
    db: Session,
    scope: Scope,
    after_number: int,
    until_number: int,
    *,
    patient_id: UUID | None = None,
    after: Place | None = None,
    limit: int | None = None,
) -> list[Recorded]:
    """Facts recorded after one event up to another, in the order of recording.

    ``after`` is the place of the last one already seen. Of one patient if one is told; facts of the
    whole practice, such as its settings, are then left out.
    """
    tables = TABLES if patient_id is None else tuple(_STEPS)
    found = [
        one
        for name in tables
        for one in _of_table(
            db, scope, name, (after_number, until_number), patient_id, after, limit
        )
    ]
    return sorted(found, key=lambda one: one.place)[:limit]


def _of_table(
    db: Session,
    scope: Scope,
    name: str,
    span: tuple[int, int],
    patient_id: UUID | None,
    after: Place | None,
    limit: int | None,
) -> list[Recorded]:
    table = METADATA.tables[name]
    joined, of_patient, of_day = _to_patient(table, name)
    statement = (
        select(
            table,
            of_patient.label("of_patient"),
            of_day.label("of_day"),
            _EVENT.c.recorded_at.label("event_at"),
            _EVENT.c.actor.label("event_actor"),
            _EVENT.c.action.label("event_action"),
            _EVENT.c.reason.label("event_reason"),
        )
        .select_from(
            joined.join(
                _EVENT,
                and_(
                    _EVENT.c.organization_id == table.c.organization_id,
                    _EVENT.c.number == table.c.audit_number,
                ),
            )
        )
        .where(
            table.c.organization_id == scope.organization_id,
            table.c.audit_number > span[0],
            table.c.audit_number <= span[1],
        )
        .order_by(table.c.audit_number, table.c.id)
    )
    if limit is not None:
        statement = statement.limit(limit)
    if patient_id is not None:
        statement = statement.where(of_patient == patient_id)
    if after is not None:
        statement = statement.where(_behind(table, name, after))
    return [_recorded(name, row) for row in db.execute(statement).mappings()]


def _to_patient(table: Table, name: str) -> tuple[Any, Any, Any]:
    """The table joined to whatever names its patient, the column that does, and that of the day."""
    joined: Any = table
    here: Any = table
    for column, target_name in _STEPS.get(name, ()):
        target = METADATA.tables[target_name].alias()
        joined = joined.outerjoin(
            target,
            and_(target.c.organization_id == here.c.organization_id, target.c.id == here.c[column]),
        )
        here = target
    if name not in _STEPS:
        return joined, null(), null()
    day = _DAYS[name]
    return joined, here.c.patient_id, table.c[day] if day in table.c else here.c[day]


def _behind(table: Table, name: str, after: Place) -> Any:
    number, last_name, last_id = after
    same_event = and_(table.c.audit_number == number, literal(name > last_name))
    if name == last_name:
        return tuple_(table.c.audit_number, table.c.id) > tuple_(number, last_id)
    return or_(table.c.audit_number > number, same_event)


def _recorded(name: str, row: Any) -> Recorded:
    undoes, day = _UNDOES.get(name), row["of_day"]
    return Recorded(
        table=name,
        row=row,
        patient_id=row["of_patient"],
        undoes_id=None if undoes is None else row[undoes],
        day=day.date() if isinstance(day, datetime) else day,
        recorded_at=row["event_at"],
        recorded_by=str(row["event_actor"]["name"]),
        action=row["event_action"],
        reason=row["event_reason"],
    )

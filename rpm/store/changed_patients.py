"""Changed patients: whose facts were recorded after an audit event.

Owns which tables speak about which patient. Does not own what is done about it
(``rpm.store.readiness``).
"""

from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, Table, and_, or_, select, union
from sqlmodel import Session

from rpm.store.tables.base import METADATA

_OF_PATIENT = (
    "episode",
    "coverage",
    "reading",
    "interaction_entry",
    "other_service",
    "device_association",
)
_OF_EPISODE = ("episode_end", "episode_setup", "consent", "episode_gate")
_OF_OTHER = (
    ("coverage_end", "coverage_id", "coverage"),
    ("reading_exclusion", "reading_id", "reading"),
    ("reading", "supersedes_id", "reading"),
)
_OF_ALL = ("cms_table", "practice_setting", "rule_page")


def changed_patients(
    db: Session, organization_id: UUID, after_audit_number: int
) -> list[UUID] | None:
    """Patients with facts after an audit event, by id; None when a change concerns all of them."""

    def later(table: Table) -> ColumnElement[bool]:
        return and_(
            table.c.organization_id == organization_id, table.c.audit_number > after_audit_number
        )

    for name in _OF_ALL:
        table = METADATA.tables[name]
        if db.execute(select(table.c.id).where(later(table)).limit(1)).first() is not None:
            return None
    parts: list[Select[Any]] = []
    for name in _OF_PATIENT:
        table = METADATA.tables[name]
        parts.append(select(table.c.patient_id).where(later(table)))
    links = [(name, "episode_id", "episode") for name in _OF_EPISODE]
    parts += [_through(*link, later) for link in (*links, *_OF_OTHER)]
    consent_end, consent = METADATA.tables["consent_end"], METADATA.tables["consent"]
    episode = METADATA.tables["episode"]
    parts.append(
        select(episode.c.patient_id)
        .join_from(consent_end, consent, _same(consent_end, "consent_id", consent))
        .join(episode, _same(consent, "episode_id", episode))
        .where(later(consent_end))
    )
    parts.append(_sharing(later))
    found = db.execute(union(*parts)).scalars()
    return sorted({patient_id for patient_id in found if patient_id is not None})


def _same(table: Table, column: str, target: Any) -> ColumnElement[bool]:
    return and_(target.c.organization_id == table.c.organization_id, target.c.id == table.c[column])


def _through(name: str, column: str, target_name: str, later: Any) -> Select[Any]:
    table, target = METADATA.tables[name], METADATA.tables[target_name].alias()
    return (
        select(target.c.patient_id)
        .join_from(table, target, _same(table, column, target))
        .where(later(table))
    )


def _sharing(later: Any) -> Select[Any]:
    """Patients for whom a person worked on a day of whom later entries tell: minutes may move."""
    entry = METADATA.tables["interaction_entry"]
    changed = entry.alias("changed")
    same_person = or_(
        changed.c.actor_user_id == entry.c.actor_user_id,
        and_(
            changed.c.actor_user_id.is_(None),
            entry.c.actor_user_id.is_(None),
            changed.c.actor_name == entry.c.actor_name,
        ),
    )
    return select(entry.c.patient_id).where(
        entry.c.organization_id == changed.c.organization_id,
        entry.c.local_day == changed.c.local_day,
        same_person,
        later(changed),
    )

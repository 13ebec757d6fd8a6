"""Readings: what is already known under an identity, and lists of readings for people.

Owns these statements. Does not own what a repeat, a correction or a conflict leads to
(``rpm.actions.reading_batch``).
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import ColumnElement, and_
from sqlmodel import Session, col, select

from devices.counting import QUARANTINED
from rpm.store.device_days import excluded, holds
from rpm.store.scope import Scope
from rpm.store.tables.monitoring import Reading, ReadingConflict, ReadingExclusion

STATES = ("counted", "refused", "quarantined", "excluded")
"""A reading that holds counts, does not count, waits for a person, or was taken out by one."""


@dataclass(frozen=True)
class ReadingFilter:
    """Which readings to list; days are the patient's local days, both included."""

    patient_id: UUID | None = None
    episode_id: UUID | None = None
    device_id: UUID | None = None
    from_day: date | None = None
    to_day: date | None = None
    state: str | None = None
    all_versions: bool = False


def list_readings(
    db: Session, scope: Scope, chosen: ReadingFilter, *, after: UUID | None, limit: int
) -> Sequence[tuple[Reading, bool]]:
    """Readings in the order they were recorded, each with whether it is excluded.

    ``after`` is the id of the last row of the page before.
    """
    is_excluded = excluded(scope.organization_id)
    statement = (
        select(Reading, is_excluded.label("is_excluded"))
        .where(col(Reading.organization_id) == scope.organization_id, *_conditions(scope, chosen))
        .order_by(col(Reading.id))
        .limit(limit)
    )
    if after is not None:
        statement = statement.where(col(Reading.id) > after)
    return [(row, bool(flag)) for row, flag in db.exec(statement)]


def _conditions(scope: Scope, chosen: ReadingFilter) -> list[ColumnElement[bool]]:
    equal = {"patient_id": chosen.patient_id, "episode_id": chosen.episode_id}
    equal["device_id"] = chosen.device_id
    conditions = [
        col(getattr(Reading, name)) == value for name, value in equal.items() if value is not None
    ]
    if chosen.from_day is not None:
        conditions.append(col(Reading.local_day) >= chosen.from_day)
    if chosen.to_day is not None:
        conditions.append(col(Reading.local_day) <= chosen.to_day)
    if not chosen.all_versions:
        conditions.append(holds())
    if chosen.state is not None:
        conditions.append(_state(scope, chosen.state))
    return conditions


def _state(scope: Scope, state: str) -> ColumnElement[bool]:
    taken_out = excluded(scope.organization_id)
    waits = col(Reading.reason_code).in_(sorted(QUARANTINED))
    counts = col(Reading.countable).is_(True)
    return {
        "counted": and_(counts, ~taken_out),
        "refused": and_(~counts, ~waits, ~taken_out),
        "quarantined": and_(waits, ~taken_out),
        "excluded": taken_out,
    }[state]


def versions_by_identity(
    db: Session, organization_id: UUID, identity_keys: Collection[str]
) -> Mapping[str, list[Reading]]:
    """All versions of the readings under these identities, in order of version."""
    rows = db.exec(
        select(Reading)
        .where(
            col(Reading.organization_id) == organization_id,
            col(Reading.identity_key).in_(identity_keys),
        )
        .order_by(col(Reading.version))
    )
    found: dict[str, list[Reading]] = {}
    for row in rows:
        found.setdefault(row.identity_key, []).append(row)
    return found


def replaced_identities(
    db: Session, organization_id: UUID, identity_keys: Collection[str]
) -> frozenset[str]:
    """Those of these identities that another reading says it replaces."""
    return frozenset(
        key
        for key in db.exec(
            select(Reading.replaces_key)
            .where(
                col(Reading.organization_id) == organization_id,
                col(Reading.replaces_key).in_(identity_keys),
            )
            .distinct()
        )
        if key is not None
    )


def known_conflicts(
    db: Session, organization_id: UUID, reading_ids: Collection[UUID]
) -> frozenset[tuple[UUID, str]]:
    """Conflicts already kept of these readings: reading and the digest of the other content."""
    if not reading_ids:
        return frozenset()
    rows = db.exec(
        select(ReadingConflict.reading_id, ReadingConflict.content_hash).where(
            col(ReadingConflict.organization_id) == organization_id,
            col(ReadingConflict.reading_id).in_(reading_ids),
        )
    )
    return frozenset((reading_id, digest) for reading_id, digest in rows)


def readings_of_device(
    db: Session, organization_id: UUID, vendor: str, vendor_device_ids: Collection[str]
) -> Sequence[Reading]:
    """The readings under these ids that hold, also those that came before a registration."""
    return db.exec(
        select(Reading)
        .where(
            col(Reading.organization_id) == organization_id,
            col(Reading.vendor) == vendor,
            col(Reading.vendor_device_id).in_(sorted(vendor_device_ids)),
            holds(),
        )
        .order_by(col(Reading.id))
    ).all()


def current_version(db: Session, scope: Scope, reading_id: UUID) -> Reading:
    """The version that holds of the reading that this id is any version of; ``NotFound``."""
    named = scope.get(db, Reading, reading_id)
    return db.exec(
        scope.rows(Reading)
        .where(col(Reading.identity_key) == named.identity_key)
        .order_by(col(Reading.version).desc())
        .limit(1)
    ).one()


def standing_exclusion(db: Session, scope: Scope, identity_key: str) -> ReadingExclusion | None:
    """The exclusion of a reading that no lift has taken back, or None."""
    lifted = select(ReadingExclusion.lifts_id).where(
        col(ReadingExclusion.organization_id) == scope.organization_id,
        col(ReadingExclusion.lifts_id).is_not(None),
    )
    return db.exec(
        scope.rows(ReadingExclusion)
        .join(
            Reading,
            (col(Reading.organization_id) == col(ReadingExclusion.organization_id))
            & (col(Reading.id) == col(ReadingExclusion.reading_id)),
        )
        .where(
            col(Reading.identity_key) == identity_key,
            col(ReadingExclusion.lifts_id).is_(None),
            col(ReadingExclusion.id).not_in(lifted),
        )
        .limit(1)
    ).first()

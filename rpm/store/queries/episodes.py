"""Reads of episodes with their papers, and of devices with their associations.

Owns what counts among several rows about one episode: the end, the set-up and the consents as
recorded last. Does not own which days are billable (``billing.ledger``).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlmodel import Session, col

from rpm.store.queries.rows import latest_by, page_of
from rpm.store.scope import Scope
from rpm.store.tables.monitoring import (
    AssociationEnd,
    Consent,
    ConsentEnd,
    Device,
    DeviceAssociation,
    Episode,
    EpisodeEnd,
    EpisodeGate,
    EpisodeSetup,
)


@dataclass(frozen=True)
class EpisodeState:
    """An episode with its end and its set-up as they count now; None: open, not set up."""

    episode: Episode
    last_day: date | None
    end_reason: str
    setup_day: date | None

    def holds_on(self, day: date) -> bool:
        """Whether a day belongs to the episode, its first and last included."""
        return self.episode.opened_day <= day and (self.last_day is None or day <= self.last_day)


@dataclass(frozen=True)
class ConsentState:
    """A consent with the last day it held; None while it holds."""

    consent: Consent
    last_day: date | None


@dataclass(frozen=True)
class AssociationState:
    """A device association with its end; None while the device is with the patient."""

    association: DeviceAssociation
    to_at: datetime | None
    end_reason: str | None = None

    def covers(self, instant: datetime) -> bool:
        """Whether the device was with the patient at this instant."""
        ended = self.to_at is not None and instant >= self.to_at
        return self.association.from_at <= instant and not ended


def episode_states(db: Session, scope: Scope, episodes: Sequence[Episode]) -> list[EpisodeState]:
    """Each episode with what counts of its ends and set-ups."""
    ids = [episode.id for episode in episodes]
    ends = latest_by(db, scope, EpisodeEnd, "episode_id", ids)
    setups = latest_by(db, scope, EpisodeSetup, "episode_id", ids)
    return [
        EpisodeState(
            episode,
            ends[episode.id].last_day if episode.id in ends else None,
            ends[episode.id].end_reason if episode.id in ends else "",
            setups[episode.id].setup_day if episode.id in setups else episode.setup_day,
        )
        for episode in episodes
    ]


def episodes_of_patient(db: Session, scope: Scope, patient_id: UUID) -> list[EpisodeState]:
    """All episodes of a patient in order of their first day."""
    rows = scope.all_of(db, Episode, col(Episode.patient_id) == patient_id)
    return episode_states(db, scope, sorted(rows, key=lambda row: (row.opened_day, row.id)))


def episode_state(db: Session, scope: Scope, episode_id: UUID) -> EpisodeState:
    """One episode; ``NotFound`` when it is not of this organization."""
    return episode_states(db, scope, [scope.get(db, Episode, episode_id)])[0]


def episodes_page(
    db: Session,
    scope: Scope,
    *,
    patient_id: UUID | None = None,
    program: str | None = None,
    after: UUID | None = None,
    limit: int = 200,
) -> list[EpisodeState]:
    """Episodes in the order they were recorded, with their states."""
    conditions: list[Any] = []
    if patient_id is not None:
        conditions.append(col(Episode.patient_id) == patient_id)
    if program is not None:
        conditions.append(col(Episode.program) == program)
    rows = page_of(db, scope, Episode, *conditions, after=after, limit=limit)
    return episode_states(db, scope, rows)


def consents_of(db: Session, scope: Scope, episode_id: UUID) -> list[ConsentState]:
    """The consents of an episode, each with the end that counts."""
    rows = scope.all_of(db, Consent, col(Consent.episode_id) == episode_id)
    ends = latest_by(db, scope, ConsentEnd, "consent_id", [row.id for row in rows])
    return [ConsentState(row, ends[row.id].last_day if row.id in ends else None) for row in rows]


def gates_of(db: Session, scope: Scope, episode_id: UUID) -> Sequence[EpisodeGate]:
    """What was recorded to hold of an episode during some days."""
    return scope.all_of(db, EpisodeGate, col(EpisodeGate.episode_id) == episode_id)


def setups_of(db: Session, scope: Scope, episode_id: UUID) -> Sequence[EpisodeSetup]:
    """The set-ups recorded after enrollment; the last one counts."""
    return scope.all_of(db, EpisodeSetup, col(EpisodeSetup.episode_id) == episode_id)


def device_with_vendor_id(
    db: Session, scope: Scope, vendor: str, vendor_device_id: str
) -> Device | None:
    """The device that a vendor calls by this id."""
    return db.exec(
        scope.rows(Device).where(
            col(Device.vendor) == vendor, col(Device.vendor_device_id) == vendor_device_id
        )
    ).one_or_none()


def associations(
    db: Session,
    scope: Scope,
    *,
    device_id: UUID | None = None,
    episode_id: UUID | None = None,
) -> list[AssociationState]:
    """The associations of a device or of an episode in order of their beginning."""
    conditions: list[Any] = []
    if device_id is not None:
        conditions.append(col(DeviceAssociation.device_id) == device_id)
    if episode_id is not None:
        conditions.append(col(DeviceAssociation.episode_id) == episode_id)
    rows = scope.all_of(db, DeviceAssociation, *conditions)
    return sorted(association_states(db, scope, rows), key=lambda one: one.association.from_at)


def association_states(
    db: Session, scope: Scope, rows: Sequence[DeviceAssociation]
) -> list[AssociationState]:
    """Each association with the end that counts."""
    ends = latest_by(db, scope, AssociationEnd, "association_id", [row.id for row in rows])
    return [
        AssociationState(row, ends[row.id].to_at, ends[row.id].reason)
        if row.id in ends
        else AssociationState(row, None)
        for row in rows
    ]

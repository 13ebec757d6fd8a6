"""Record that a patient agreed to an episode's service, and that the agreement ended.

Owns what a consent says: when, how, who took it, whether cost sharing was told. Does not own what
leaves without one (the rule pages).
"""

from datetime import datetime, timedelta
from typing import Annotated

from pydantic import Field
from sqlmodel import Session

from rpm.access import Actor, require
from rpm.actions.command import Command, Day, Id, Name, OneOf, Reason, Text
from rpm.actions.practice_day import practice_today, refuse_backwards, refuse_future
from rpm.store.chain import recording
from rpm.store.scope import Scope
from rpm.store.tables.monitoring import Consent, ConsentEnd, Episode

CONSENT_MODES = ("verbal", "written", "electronic")


class ConsentGiven(Command):
    """What a consent says, whatever it is given to."""

    consent_day: Day = Field(examples=["2025-11-03"])
    mode: Annotated[str, OneOf(CONSENT_MODES)] = Field(examples=["verbal"])
    taken_by: Name = Field(examples=["Nora Nurse, RN"])
    cost_share_told: bool = Field(description="Whether the patient was told of cost sharing.")
    note: Text | None = None


class RecordConsent(ConsentGiven):
    """Consent to the service of an episode."""

    episode_id: Id


class EndConsent(Command):
    """Consent was withdrawn, or recorded in error."""

    consent_id: Id
    last_day: Day = Field(
        description="Last day it held; the day before it was given: it never held.",
        examples=["2026-01-14"],
    )
    reason: Reason = Field(examples=["patient withdrew"])


def record_consent(db: Session, actor: Actor, now: datetime, command: RecordConsent) -> Consent:
    """The consent, from its day on. ``InvalidRequest`` for a day that has not come yet."""
    require(actor, "episodes:write")
    scope = Scope.of(actor)
    episode = scope.get(db, Episode, command.episode_id)
    refuse_future("consent_day", command.consent_day, practice_today(db, scope, now))
    subject = {"patient_id": episode.patient_id, "episode_id": episode.id}
    with recording(db, actor, now, "consent.record", subject) as record:
        consent = record.add(Consent(**command.model_dump()))
        record.subject["consent_id"] = consent.id
    return consent


def end_consent(db: Session, actor: Actor, now: datetime, command: EndConsent) -> ConsentEnd:
    """The end that counts from now on; ``InvalidRequest`` when it lies before the beginning."""
    require(actor, "episodes:write")
    scope = Scope.of(actor)
    consent = scope.get(db, Consent, command.consent_id)
    refuse_backwards("last_day", consent.consent_day - timedelta(days=1), command.last_day)
    subject = {"episode_id": consent.episode_id, "consent_id": consent.id}
    with recording(db, actor, now, "consent.end", subject, command.reason) as record:
        return record.add(ConsentEnd(**command.model_dump()))

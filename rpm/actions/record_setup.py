"""Record that a device was set up and its use taught, after enrollment.

Owns what an auditor asks of it: the day, who taught, which device (R-SET-04). Does not own when
the set-up code leaves.
"""

from datetime import datetime

from pydantic import Field
from sqlmodel import Session

from rpm.access import Actor, require
from rpm.actions.command import Command, Day, Id, Name, Text, refuse
from rpm.actions.practice_day import practice_today, refuse_future
from rpm.store.chain import recording
from rpm.store.queries.episodes import episode_state
from rpm.store.scope import Scope
from rpm.store.tables.monitoring import Device, EpisodeSetup


class RecordSetup(Command):
    """Set-up and teaching of an episode."""

    episode_id: Id
    setup_day: Day = Field(examples=["2025-11-05"])
    trained_by: Name = Field(examples=["Nora Nurse, RN"])
    device_id: Id | None = None
    note: Text | None = None


def record_setup(db: Session, actor: Actor, now: datetime, command: RecordSetup) -> EpisodeSetup:
    """The set-up that counts from now on.

    ``InvalidRequest`` for a day that has not come yet or lies after the episode's end.
    """
    require(actor, "episodes:write")
    scope = Scope.of(actor)
    state = episode_state(db, scope, command.episode_id)
    if command.device_id is not None:
        scope.get(db, Device, command.device_id)
    refuse_future("setup_day", command.setup_day, practice_today(db, scope, now))
    if state.last_day is not None and command.setup_day > state.last_day:
        raise refuse("setup_day", "E_AFTER_END", "the episode had ended before this day")
    subject = {"patient_id": state.episode.patient_id, "episode_id": state.episode.id}
    with recording(db, actor, now, "episode.setup", subject) as record:
        return record.add(EpisodeSetup(**command.model_dump()))

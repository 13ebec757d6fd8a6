"""End an episode, correct its end, or open it again.

Owns which end is possible. Does not own what an end does to periods (``billing.ledger``) nor the
episode's devices: their associations end by themselves (``associate_device``).
"""

from datetime import datetime
from typing import Annotated

from pydantic import Field
from sqlmodel import Session

from billing.ledger.facts import END_REASONS
from rpm.access import Actor, require
from rpm.actions.command import Command, Day, Id, OneOf, Reason
from rpm.actions.enroll import stands_beside
from rpm.actions.practice_day import practice_today, refuse_backwards, refuse_future
from rpm.errors import Conflict
from rpm.store.chain import recording
from rpm.store.queries.episodes import EpisodeState, episode_state, episodes_of_patient
from rpm.store.queries.people import hold_organization
from rpm.store.scope import Scope
from rpm.store.tables.monitoring import EpisodeEnd

_REASONS = tuple(reason for reason in END_REASONS if reason)


class EndEpisode(Command):
    """The last day of an episode, included, and why it ended."""

    episode_id: Id
    last_day: Day = Field(examples=["2026-01-12"])
    end_reason: Annotated[str, OneOf(_REASONS)] = Field(examples=["goals_met"])


class ReopenEpisode(Command):
    """An end was recorded in error: the episode goes on."""

    episode_id: Id
    reason: Reason = Field(examples=["ended by mistake"])


def end_episode(db: Session, actor: Actor, now: datetime, command: EndEpisode) -> EpisodeEnd:
    """The end that counts from now on; a later one corrects an earlier one.

    ``InvalidRequest`` for a day before the first or one that has not come yet; ``Conflict`` when a
    corrected end would reach into another episode.
    """
    require(actor, "episodes:write")
    scope = Scope.of(actor)
    hold_organization(db, scope)
    state = episode_state(db, scope, command.episode_id)
    refuse_backwards("last_day", state.episode.opened_day, command.last_day)
    refuse_future("last_day", command.last_day, practice_today(db, scope, now))
    end = EpisodeEnd(**command.model_dump())
    _refuse_clash(db, scope, state, end)
    with recording(db, actor, now, "episode.end", _subject(state)) as record:
        return record.add(end)


def reopen_episode(db: Session, actor: Actor, now: datetime, command: ReopenEpisode) -> EpisodeEnd:
    """The row that takes the end away. ``Conflict`` when the episode is open, or another one that
    began meanwhile stands in the way.
    """
    require(actor, "episodes:write")
    scope = Scope.of(actor)
    hold_organization(db, scope)
    state = episode_state(db, scope, command.episode_id)
    if state.last_day is None:
        raise Conflict("the episode is open")
    end = EpisodeEnd(episode_id=state.episode.id, last_day=None, end_reason="")
    _refuse_clash(db, scope, state, end)
    with recording(db, actor, now, "episode.reopen", _subject(state), command.reason) as record:
        return record.add(end)


def _refuse_clash(db: Session, scope: Scope, state: EpisodeState, end: EpisodeEnd) -> None:
    episode = state.episode
    for other in episodes_of_patient(db, scope, episode.patient_id):
        if other.episode.id == episode.id:
            continue
        if stands_beside(other, episode.program, episode.opened_day, end.last_day):
            raise Conflict("the episode would reach into another one of the patient")


def _subject(state: EpisodeState) -> dict[str, object]:
    return {"patient_id": state.episode.patient_id, "episode_id": state.episode.id}

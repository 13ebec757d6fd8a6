"""Record what holds of an episode during some days: a gate that rules ask for.

Owns which gates are recorded this way; consent has its own action, and so has the order that is
known at enrollment (an order that comes later is recorded here, with who gave it).
"""

from datetime import datetime
from typing import Annotated

from pydantic import Field
from sqlmodel import Session

from billing.ledger.facts import GATES
from rpm.access import Actor, require
from rpm.actions.command import Command, Day, Id, OneOf, Text, refuse
from rpm.actions.practice_day import practice_today, refuse_backwards, refuse_future
from rpm.store.chain import recording
from rpm.store.scope import Scope
from rpm.store.tables.monitoring import Episode, EpisodeGate

RECORDED_GATES = tuple(gate for gate in GATES if gate != "consent")
_NEED_A_REFERENCE = frozenset({"order", "prior-auth"})


class RecordGate(Command):
    """A gate of an episode, from a day on."""

    episode_id: Id
    gate: Annotated[str, OneOf(RECORDED_GATES)] = Field(examples=["established"])
    from_day: Day = Field(examples=["2025-11-03"])
    to_day: Day | None = Field(default=None, description="Last day, included; none while open.")
    reference: Text | None = Field(
        default=None,
        description="What it rests on; an order needs who gave it, an authorization its number.",
        examples=["last visit 2025-09-12"],
    )


def record_gate(db: Session, actor: Actor, now: datetime, command: RecordGate) -> EpisodeGate:
    """The gate's days. ``InvalidRequest`` when they end before they begin, have not come yet
    (an authorization may lie ahead), or an order or authorization has no reference.
    """
    require(actor, "episodes:write")
    scope = Scope.of(actor)
    episode = scope.get(db, Episode, command.episode_id)
    refuse_backwards("to_day", command.from_day, command.to_day)
    if command.gate != "prior-auth":
        refuse_future("from_day", command.from_day, practice_today(db, scope, now))
    if command.gate in _NEED_A_REFERENCE and command.reference is None:
        raise refuse("reference", "E_MISSING", "this gate needs what it rests on")
    subject = {"patient_id": episode.patient_id, "episode_id": episode.id}
    with recording(db, actor, now, "episode.gate", subject) as record:
        return record.add(EpisodeGate(**command.model_dump()))

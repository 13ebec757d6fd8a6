"""The question of a what-if: which facts to add and which to leave out, of one patient.

Owns the command. Does not own its answer (``rpm.actions.what_if``).
"""

from typing import Annotated

from pydantic import Field

from billing.ledger.facts import GATES, KINDS, MODES, ROLES, WORK
from rpm.actions.command import Command, Day, Id, OneOf, ProcedureCode

_A_DAY = 86_400
_MOST_CHANGES = 200


class AddedDay(Command):
    """A day with a reading that counts, received the day it was taken."""

    episode_id: Id
    day: Day
    kind: Annotated[str, OneOf(KINDS)] = "bp"


class AddedEntry(Command):
    """Work by a person who did nothing else that day."""

    episode_id: Id
    day: Day
    duration_seconds: int = Field(gt=0, le=_A_DAY)
    start_second: int | None = Field(default=None, ge=0, lt=_A_DAY)
    role: Annotated[str, OneOf(ROLES)] = "rn"
    work: Annotated[str, OneOf(WORK)] = "RPM"
    mode: Annotated[str, OneOf(MODES)] = "live"


class AddedService(Command):
    """Another service of the patient."""

    code: ProcedureCode
    service_day: Day
    own: bool


class AddedGate(Command):
    """Something that holds of an episode, such as a consent."""

    episode_id: Id
    gate: Annotated[str, OneOf(GATES)]
    from_day: Day
    to_day: Day | None = None


class WhatIf(Command):
    """A patient's facts with some added and some left out."""

    patient_id: Id
    as_of: Day | None = Field(
        default=None,
        description="A period is over when its last day is before; default: today, or `known_at`.",
    )
    known_at: Day | None = Field(
        default=None,
        description="Facts recorded by the end of this day, and rule pages known on it; default:"
        " all.",
    )
    add_days: list[AddedDay] = Field(default=[], max_length=_MOST_CHANGES)
    add_entries: list[AddedEntry] = Field(default=[], max_length=_MOST_CHANGES)
    add_services: list[AddedService] = Field(default=[], max_length=_MOST_CHANGES)
    add_gates: list[AddedGate] = Field(default=[], max_length=_MOST_CHANGES)
    leave_out_readings: list[Id] = Field(default=[], max_length=_MOST_CHANGES)
    leave_out_entries: list[Id] = Field(default=[], max_length=_MOST_CHANGES)
    leave_out_services: list[Id] = Field(default=[], max_length=_MOST_CHANGES)

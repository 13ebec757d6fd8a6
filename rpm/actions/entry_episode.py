"""Which episode work belongs to.

Owns the choice when the request names none: the patient's episode of the work's program on that
day, else the nearest one, so that time outside of it is kept and told. Does not own whether such
time counts (``billing.ledger``).
"""

from datetime import date
from uuid import UUID

from sqlmodel import Session

from billing.ledger.facts import PROGRAMS
from rpm.actions.command import refuse
from rpm.store.queries.episodes import EpisodeState, episode_state, episodes_of_patient
from rpm.store.scope import Scope

_PROGRAMS_OF_WORK = {
    "RPM": ("RPM",),
    "99091": ("RPM",),
    "RTM": tuple(program for program in PROGRAMS if program.startswith("RTM-")),
}
"""Work that is measured; all other work needs no episode."""


def episode_for(
    db: Session, scope: Scope, patient_id: UUID, work: str, day: date, episode_id: UUID | None
) -> EpisodeState | None:
    """The episode of some work; None for work of programs that are not ours.

    ``InvalidRequest`` when the named episode is of another patient or program, when the patient
    never had one of the program, or when several hold on the day and none is named.
    """
    programs = _PROGRAMS_OF_WORK.get(work)
    if episode_id is not None:
        state = episode_state(db, scope, episode_id)
        if state.episode.patient_id != patient_id:
            raise refuse("episode_id", "E_OTHER_PATIENT", "the episode is of another patient")
        if programs is not None and state.episode.program not in programs:
            raise refuse("episode_id", "E_OTHER_PROGRAM", "the episode is of another program")
        return state
    if programs is None:
        return None
    states = [
        state
        for state in episodes_of_patient(db, scope, patient_id)
        if state.episode.program in programs
    ]
    return _nearest(states, day)


def _nearest(states: list[EpisodeState], day: date) -> EpisodeState:
    if not states:
        message = "the patient has no episode of this work's program"
        raise refuse("episode_id", "E_NO_EPISODE", message)
    holding = [state for state in states if state.holds_on(day)]
    if len(holding) > 1:
        message = "the patient has several episodes of this work's program; name one"
        raise refuse("episode_id", "E_SEVERAL_EPISODES", message)
    begun = [state for state in states if state.episode.opened_day <= day]
    return (holding or begun[-1:] or states[:1])[0]

"""Where an enrollment stands: its steps, told by the facts on record so far.

Owns the steps and what makes each done. Does not own what may be billed without one of them (the
rule pages): leaving and coming back loses nothing, for nothing is kept but facts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlmodel import Session

from rpm.store.queries.episodes import (
    AssociationState,
    ConsentState,
    EpisodeState,
    associations,
    consents_of,
    episodes_of_patient,
    gates_of,
)
from rpm.store.queries.people import CoverageState, coverages_of
from rpm.store.scope import Scope
from rpm.store.tables.monitoring import Device, EpisodeGate

STEPS = {
    "coverage": "Coverage",
    "order": "Order and diagnosis",
    "established": "Established patient",
    "consent": "Consent",
    "device": "Device",
    "setup": "Set-up and teaching",
}
"""In their order, with the words for each."""


@dataclass(frozen=True)
class Enrollment:
    """The episode that runs or begins, and its papers."""

    patient_id: UUID
    state: EpisodeState | None
    earlier: EpisodeState | None
    coverages: Sequence[CoverageState]
    consents: Sequence[ConsentState]
    gates: Sequence[EpisodeGate]
    devices: Sequence[tuple[Device, AssociationState]]

    @property
    def done(self) -> frozenset[str]:
        """The steps that are on record."""
        holds = {gate.gate for gate in self.gates}
        episode = self.state.episode if self.state else None
        found = {
            "coverage": bool(self.coverages),
            "order": episode is not None and (episode.order_day is not None or "order" in holds),
            "established": "established" in holds,
            "consent": bool(self.consents),
            "device": bool(self.devices),
            "setup": self.state is not None and self.state.setup_day is not None,
        }
        return frozenset(step for step, is_done in found.items() if is_done)

    @property
    def next_step(self) -> str | None:
        """The first step that is not on record; None when all are.

        Nothing but the coverage can be recorded before there is an episode.
        """
        return next((step for step in STEPS if step not in self.done), None)

    def may_take(self, step: str) -> bool:
        """Whether a step can be recorded now."""
        return step in {"coverage", "order"} or self.state is not None


def enrollment_of(
    db: Session, scope: Scope, patient_id: UUID, today: date, now: datetime
) -> Enrollment:
    """The latest episode that is not over today, with what is on record of it."""
    states = episodes_of_patient(db, scope, patient_id)
    running = [one for one in states if one.last_day is None or one.last_day >= today]
    ended = [one for one in states if one not in running]
    state = running[-1] if running else None
    held: list[tuple[Device, AssociationState]] = []
    if state is not None:
        held = [
            (scope.get(db, Device, one.association.device_id), one)
            for one in associations(db, scope, episode_id=state.episode.id)
            if one.to_at is None or one.to_at > now
        ]
    return Enrollment(
        patient_id,
        state,
        ended[-1] if ended else None,
        [
            one
            for one in coverages_of(db, scope, patient_id)
            if one.last_day is None or one.last_day >= today
        ],
        [
            one
            for one in (consents_of(db, scope, state.episode.id) if state else ())
            if one.last_day is None or one.last_day >= today
        ],
        gates_of(db, scope, state.episode.id) if state else (),
        held,
    )

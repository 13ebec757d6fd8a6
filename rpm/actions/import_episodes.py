"""Rows of episodes: enrollment, and the papers, device and end that stand in the same row.

Owns when each of them is recorded already; what is missing is added through its own action. An
episode is known by patient, program and first day.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

from sqlmodel import Session

from rpm.access import Actor
from rpm.actions.associate_device import (
    AssociateDevice,
    EndAssociation,
    associate_device,
    end_association,
)
from rpm.actions.end_episode import EndEpisode, end_episode
from rpm.actions.enroll import Enroll, Order, enroll
from rpm.actions.import_row import RowTaken, made, patient_of
from rpm.actions.natural_key import same_or_conflict
from rpm.actions.record_consent import RecordConsent, record_consent
from rpm.actions.record_gate import RecordGate, record_gate
from rpm.actions.register_device import RegisterDevice, register_device
from rpm.clock import zone
from rpm.errors import Conflict
from rpm.imports.records import EpisodeRow
from rpm.store.queries.episodes import (
    associations,
    consents_of,
    device_with_vendor_id,
    episode_state,
    episodes_of_patient,
    gates_of,
)
from rpm.store.queries.imports import ends_of
from rpm.store.scope import Scope
from rpm.store.tables.monitoring import Device, Episode
from rpm.store.tables.people import Patient

_ENROLLED = (
    "program",
    "setting",
    "pos",
    "profile",
    "opened_day",
    "setup_day",
    "setup_note",
    "setup_billed",
    "reorder",
)
_ORDERED = ("order_day", "ordering_npi", "order_device_kind", "order_reason")


def take_episode(db: Session, actor: Actor, now: datetime, row: EpisodeRow) -> RowTaken:
    """The episode of a row with all that the row says of it, as far as it is not recorded yet.

    It follows the patient's last episode of the program, if there is one. The row's device is with
    the patient from midnight of the first day on, in the patient's zone, until the end of the last
    one. ``Conflict`` when the episode is recorded with other content, and errors of the actions.
    """
    patient = patient_of(db, Scope.of(actor), row.record_number)
    episode, new = _enrolled(db, actor, now, row, patient)
    papers = _Papers(db, actor, now, row, episode.id, patient.timezone)
    added = (
        papers.consent(),
        papers.gate("established", row.established_from_day),
        papers.gate(
            "prior-auth",
            row.prior_auth_from_day,
            row.prior_auth_to_day,
            row.prior_auth_reference,
        ),
        papers.device(),
        papers.end(),
        papers.device_back(),
    )
    return RowTaken(new=new or any(added))


def _enrolled(
    db: Session, actor: Actor, now: datetime, row: EpisodeRow, patient: Patient
) -> tuple[Episode, bool]:
    """The row's episode, and whether it was opened now."""
    told = {name: getattr(row, name) for name in _ENROLLED}
    before: UUID | None = None
    for state in episodes_of_patient(db, Scope.of(actor), patient.id):
        if state.episode.program != row.program:
            continue
        if state.episode.opened_day == row.opened_day:
            ordered = {name: getattr(row, name) for name in _ORDERED}
            wanted = {**told, **ordered, "diagnosis_codes": list(row.diagnosis_codes)}
            message = "the episode is recorded with other content"
            return same_or_conflict(state.episode, wanted, message), False
        if state.episode.opened_day < row.opened_day:
            before = state.episode.id
    command = made(Enroll, patient_id=patient.id, previous_id=before, order=_order(row), **told)
    return enroll(db, actor, now, command), True


def _order(row: EpisodeRow) -> Order | None:
    if not row.diagnosis_codes and all(getattr(row, name) is None for name in _ORDERED):
        return None
    return made(
        Order,
        order_day=row.order_day,
        ordering_npi=row.ordering_npi,
        device_kind=row.order_device_kind,
        diagnosis_codes=list(row.diagnosis_codes),
        reason=row.order_reason,
    )


@dataclass(frozen=True)
class _Papers:
    """What a row says of its episode beside the enrollment.

    Each method records one thing, and tells whether it did: not when it stands there already, or
    did once and was corrected since.
    """

    db: Session
    actor: Actor
    now: datetime
    row: EpisodeRow
    episode_id: UUID
    timezone: str

    @property
    def _scope(self) -> Scope:
        return Scope.of(self.actor)

    def consent(self) -> bool:
        row = self.row
        if not any((row.consent_day, row.consent_mode, row.consent_taken_by)):
            return False
        command = made(
            RecordConsent,
            episode_id=self.episode_id,
            consent_day=row.consent_day,
            mode=row.consent_mode,
            taken_by=row.consent_taken_by,
            cost_share_told=row.cost_share_told,
        )
        recorded = [state.consent for state in consents_of(self.db, self._scope, self.episode_id)]
        if _stands(command.model_dump(exclude={"note"}), recorded):
            return False
        record_consent(self.db, self.actor, self.now, command)
        return True

    def gate(
        self,
        gate: str,
        from_day: date | None,
        to_day: date | None = None,
        reference: str | None = None,
    ) -> bool:
        if not any((from_day, to_day, reference)):
            return False
        command = made(
            RecordGate,
            episode_id=self.episode_id,
            gate=gate,
            from_day=from_day,
            to_day=to_day,
            reference=reference,
        )
        if _stands(command.model_dump(), gates_of(self.db, self._scope, self.episode_id)):
            return False
        record_gate(self.db, self.actor, self.now, command)
        return True

    def device(self) -> bool:
        row = self.row
        if not any((row.device_vendor, row.device_id, row.device_kind)):
            return False
        device = self._registered()
        if associations(self.db, self._scope, device_id=device.id, episode_id=self.episode_id):
            return False
        command = made(
            AssociateDevice,
            device_id=device.id,
            episode_id=self.episode_id,
            from_at=self._midnight(row.opened_day),
        )
        associate_device(self.db, self.actor, self.now, command)
        return True

    def _registered(self) -> Device:
        command = made(
            RegisterDevice,
            vendor=self.row.device_vendor,
            vendor_device_id=self.row.device_id,
            kind=self.row.device_kind,
            fda_listed=self.row.device_listed,
            automatic=self.row.device_automatic,
        )
        recorded = device_with_vendor_id(
            self.db, self._scope, command.vendor, command.vendor_device_id
        )
        if recorded is None:
            return register_device(self.db, self.actor, self.now, command)
        wanted = command.model_dump(include={"kind", "fda_listed", "automatic"})
        return same_or_conflict(recorded, wanted, "the device is recorded with other content")

    def end(self) -> bool:
        if not any((self.row.last_day, self.row.end_reason)):
            return False
        command = made(
            EndEpisode,
            episode_id=self.episode_id,
            last_day=self.row.last_day,
            end_reason=self.row.end_reason,
        )
        if _stands(command.model_dump(), ends_of(self.db, self._scope, self.episode_id)):
            return False
        if episode_state(self.db, self._scope, self.episode_id).last_day is not None:
            raise Conflict("the episode ended on another day or for another reason")
        end_episode(self.db, self.actor, self.now, command)
        return True

    def device_back(self) -> bool:
        """The row's device comes back when the last day is over."""
        if self.row.last_day is None or not self.row.device_id:
            return False
        over_at = self._midnight(self.row.last_day + timedelta(days=1))
        device = self._registered()
        found = associations(self.db, self._scope, device_id=device.id, episode_id=self.episode_id)
        kept = [
            state.association.id for state in found if state.to_at is None and over_at <= self.now
        ]
        for association_id in kept:
            command = made(
                EndAssociation,
                association_id=association_id,
                to_at=over_at,
                reason="the episode ended",
            )
            end_association(self.db, self.actor, self.now, command)
        return bool(kept)

    def _midnight(self, day: date) -> datetime:
        return datetime.combine(day, time.min, tzinfo=zone(self.timezone)).astimezone(UTC)


def _stands(wanted: Mapping[str, object], recorded: Iterable[object]) -> bool:
    return any(
        all(getattr(row, name) == value for name, value in wanted.items()) for row in recorded
    )

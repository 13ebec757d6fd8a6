"""Enroll a patient: open an episode, with the order for it and what else is known at once.

Owns which episodes may stand beside each other. Does not own what follows from a missing order or
consent: the ledger holds what cannot leave.
"""

from datetime import date, datetime
from typing import Annotated

from pydantic import Field
from sqlmodel import Session

from billing.ledger.facts import KINDS, PROGRAMS, SETTINGS
from rpm.access import Actor, require
from rpm.actions.command import Command, Day, DiagnosisCode, Id, Name, Npi, OneOf, Text, refuse
from rpm.actions.practice_day import practice_today, refuse_future
from rpm.actions.record_consent import ConsentGiven
from rpm.errors import Conflict
from rpm.store.chain import recording
from rpm.store.queries.episodes import EpisodeState, episodes_of_patient
from rpm.store.queries.people import hold_organization
from rpm.store.rule_books import book_of
from rpm.store.scope import Scope
from rpm.store.tables.monitoring import Consent, Episode, EpisodeGate
from rpm.store.tables.people import Patient, User


class Order(Command):
    """A practitioner's order: who asked for which device, for what."""

    order_day: Day = Field(examples=["2025-11-03"])
    ordering_npi: Npi
    device_kind: Annotated[str, OneOf(KINDS)] = Field(examples=["bp"])
    diagnosis_codes: list[DiagnosisCode] = Field(min_length=1, max_length=12, examples=[["I10"]])
    reason: Text | None = Field(default=None, examples=["blood pressure above goal"])


class Enroll(Command):
    """A new episode of a patient."""

    patient_id: Id
    program: Annotated[str, OneOf(PROGRAMS)] = Field(examples=["RPM"])
    setting: Annotated[str, OneOf(SETTINGS)] = "OFFICE"
    pos: int = Field(default=11, ge=1, le=99, description="Place of service of who bills.")
    profile: Name | None = Field(default=None, description="Overrides the practice's profile.")
    opened_day: Day = Field(examples=["2025-11-03"])
    setup_day: Day | None = None
    setup_by_user_id: Id | None = None
    setup_note: Text | None = None
    setup_billed: bool = Field(default=False, description="The set-up code already left.")
    previous_id: Id | None = Field(default=None, description="The episode that this one follows.")
    reorder: bool = Field(default=False, description="New order and new set-up.")
    order: Order | None = None
    consent: ConsentGiven | None = None
    established_from_day: Day | None = Field(
        default=None, description="Day from which the patient is established with the practice."
    )


def enroll(db: Session, actor: Actor, now: datetime, command: Enroll) -> Episode:
    """The new episode, with its consent and established gate where they are given.

    ``Conflict`` while the patient has an episode of the same program, or of RPM beside RTM, that
    is not over before ``opened_day``; ``InvalidRequest`` for days that have not come yet, an
    unknown profile, or a previous episode of another patient.
    """
    require(actor, "episodes:write")
    scope = Scope.of(actor)
    scope.get(db, Patient, command.patient_id)
    if command.setup_by_user_id is not None:
        scope.get(db, User, command.setup_by_user_id)
    _check_days(command, practice_today(db, scope, now))
    if (
        command.profile is not None
        and command.profile not in book_of(db, scope.organization_id).profiles
    ):
        raise refuse("profile", "E_UNKNOWN_WORD", "there is no profile of this name")
    hold_organization(db, scope)
    states = episodes_of_patient(db, scope, command.patient_id)
    _check_previous(db, scope, command)
    for state in states:
        if stands_beside(state, command.program, command.opened_day):
            raise Conflict("the patient has an episode that stands in the way; end it first")
    with recording(db, actor, now, "episode.enroll", {"patient_id": command.patient_id}) as record:
        episode = record.add(_episode(command))
        record.subject["episode_id"] = episode.id
        if command.consent is not None:
            record.add(Consent(episode_id=episode.id, **command.consent.model_dump()))
        if command.established_from_day is not None:
            from_day = command.established_from_day
            record.add(EpisodeGate(episode_id=episode.id, gate="established", from_day=from_day))
    return episode


def stands_beside(
    state: EpisodeState, program: str, first_day: date, last_day: date | None = None
) -> bool:
    """Whether an episode and days of a program exclude each other.

    Two of one program do, and RPM beside RTM does (R-MUTEX-03); two kinds of RTM do not.
    """
    same_family = state.episode.program == program or "RPM" in (state.episode.program, program)
    over_before = state.last_day is not None and state.last_day < first_day
    begins_later = last_day is not None and last_day < state.episode.opened_day
    return same_family and not (over_before or begins_later)


def _check_days(command: Enroll, today: date) -> None:
    refuse_future("opened_day", command.opened_day, today)
    refuse_future("setup_day", command.setup_day, today)
    refuse_future("established_from_day", command.established_from_day, today)
    if command.order is not None:
        refuse_future("order.order_day", command.order.order_day, today)
    if command.consent is not None:
        refuse_future("consent.consent_day", command.consent.consent_day, today)


def _check_previous(db: Session, scope: Scope, command: Enroll) -> None:
    if command.previous_id is None:
        if command.reorder:
            raise refuse("reorder", "E_NO_PREVIOUS", "a new order needs the previous episode")
        return
    previous = scope.get(db, Episode, command.previous_id)
    if previous.patient_id != command.patient_id:
        raise refuse("previous_id", "E_OTHER_PATIENT", "the episode is of another patient")


def _episode(command: Enroll) -> Episode:
    order = command.order
    return Episode(
        **command.model_dump(exclude={"order", "consent", "established_from_day"}),
        order_day=order.order_day if order else None,
        ordering_npi=order.ordering_npi if order else None,
        order_device_kind=order.device_kind if order else None,
        order_reason=order.reason if order else None,
        diagnosis_codes=order.diagnosis_codes if order else [],
    )

"""Episodes with their papers: enrollment, set-up, consent, gates, end.

Owns the addresses and what is shown. Does not own the actions nor what the ledger makes of them.
"""

from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import Query
from pydantic import Field

from billing.ledger.facts import PROGRAMS
from rpm.access import Actor
from rpm.actions.command import OneOf
from rpm.actions.end_episode import EndEpisode, ReopenEpisode, end_episode, reopen_episode
from rpm.actions.enroll import Enroll, enroll
from rpm.actions.record_consent import (
    EndConsent,
    RecordConsent,
    end_consent,
    record_consent,
)
from rpm.actions.record_gate import RecordGate, record_gate
from rpm.actions.record_setup import RecordSetup, record_setup
from rpm.store.queries.episodes import (
    ConsentState,
    EpisodeState,
    associations,
    consents_of,
    episode_state,
    episodes_page,
    gates_of,
    setups_of,
)
from rpm.store.scope import Scope
from rpm.store.tables.monitoring import ConsentEnd, EpisodeEnd, EpisodeGate, EpisodeSetup
from rpm.web.deps import PROBLEMS, Db, Now, Page, Paging, ReadDb, area_router, permit
from rpm.web.routes.devices import AssociationOut, shown_association
from rpm.web.routes.readings import after_id
from rpm.web.shown import ShownFact

router = area_router("Episodes")
Program = Annotated[str, OneOf(PROGRAMS)]
"""A program of the ledger, as a filter."""


class EpisodeOut(ShownFact):
    """An episode with its end and set-up as they count now."""

    patient_id: UUID
    program: str = Field(examples=["RPM"])
    setting: str = Field(examples=["OFFICE"])
    pos: int = Field(description="Place of service.", examples=[11])
    profile: str | None = Field(description="In place of the practice's profile.")
    opened_day: date = Field(examples=["2025-11-03"])
    last_day: date | None = Field(description="Last day that belongs to it; null while open.")
    end_reason: str = Field(description="Empty while open.", examples=["goals_met"])
    setup_day: date | None = Field(description="Day of set-up and teaching; null if not yet.")
    setup_billed: bool = Field(description="The set-up code left elsewhere or before.")
    previous_id: UUID | None = Field(description="The episode that this one follows.")
    reorder: bool = Field(description="New order and new set-up.")
    order_day: date | None = Field(description="Day of the practitioner's order.")
    ordering_npi: str | None = Field(description="Who ordered.", examples=["1234567893"])
    order_device_kind: str | None = Field(description="What was ordered.", examples=["bp"])
    order_reason: str | None = Field(description="Why it was ordered.")
    diagnosis_codes: list[str] = Field(examples=[["I10"]])


class ConsentOut(ShownFact):
    """A consent as it counts now."""

    episode_id: UUID
    consent_day: date = Field(examples=["2025-11-03"])
    last_day: date | None = Field(description="Last day it held; null while it holds.")
    mode: str = Field(examples=["verbal"])
    taken_by: str = Field(examples=["Nora Nurse, RN"])
    cost_share_told: bool
    note: str | None


class ConsentEndOut(ShownFact):
    """The end of a consent; the one recorded last counts."""

    consent_id: UUID
    last_day: date
    reason: str


class GateOut(ShownFact):
    """What holds of an episode during some days."""

    episode_id: UUID
    gate: str = Field(examples=["established"])
    from_day: date
    to_day: date | None = Field(description="Last day, included; null while open.")
    reference: str | None = Field(description="What it rests on.")


class SetupOut(ShownFact):
    """A set-up recorded after enrollment; the one recorded last counts."""

    episode_id: UUID
    setup_day: date
    trained_by: str = Field(examples=["Nora Nurse, RN"])
    device_id: UUID | None
    note: str | None


class EpisodeEndOut(ShownFact):
    """An end, or without a day the word that the episode goes on."""

    episode_id: UUID
    last_day: date | None = Field(description="Last day that belongs to it; null: it goes on.")
    end_reason: str


class EpisodePapersOut(EpisodeOut):
    """An episode with everything recorded about it but readings and minutes."""

    consents: list[ConsentOut]
    gates: list[GateOut]
    setups: list[SetupOut]
    devices: list[AssociationOut]


def shown_episode(state: EpisodeState) -> EpisodeOut:
    """An episode with what counts of its ends and set-ups."""
    return EpisodeOut.model_validate(_values(state))


def _values(state: EpisodeState) -> dict[str, object]:
    counts = {
        "last_day": state.last_day,
        "end_reason": state.end_reason,
        "setup_day": state.setup_day,
    }
    return {**state.episode.model_dump(), **counts}


def _shown_consent(state: ConsentState) -> ConsentOut:
    return ConsentOut.model_validate({**state.consent.model_dump(), "last_day": state.last_day})


@router.post(
    "/episodes",
    status_code=201,
    summary="Enroll a patient",
    description="Opens an episode, with order, consent and established gate where they are known."
    " Refused while an episode of the same program, or of RPM beside RTM, is not over.",
    operation_id="enroll",
    response_model=EpisodeOut,
    responses=PROBLEMS,
)
def enroll_patient(
    db: Db, now: Now, actor: Annotated[Actor, permit("episodes:write")], command: Enroll
) -> EpisodeOut:
    """The episode."""
    episode = enroll(db, actor, now, command)
    return shown_episode(EpisodeState(episode, None, "", episode.setup_day))


@router.get(
    "/episodes",
    summary="List episodes",
    description="In the order they were recorded.",
    operation_id="list_episodes",
    response_model=Page[EpisodeOut],
    responses=PROBLEMS,
)
def list_episodes(
    db: ReadDb,
    actor: Annotated[Actor, permit("patients:read")],
    paging: Paging,
    patient_id: Annotated[UUID | None, Query(description="Only this patient.")] = None,
    program: Annotated[Program | None, Query(description="Only this program.")] = None,
) -> Page[EpisodeOut]:
    """A page of episodes."""
    states = episodes_page(
        db,
        Scope.of(actor),
        patient_id=patient_id,
        program=program,
        after=after_id(paging),
        limit=paging.fetch,
    )
    return paging.page([shown_episode(state) for state in states], lambda row: (row.id,))


@router.get(
    "/episodes/{episode_id}",
    summary="Show an episode with its papers",
    description="Consents, gates, set-ups and devices as they count now.",
    operation_id="get_episode",
    response_model=EpisodePapersOut,
    responses=PROBLEMS,
)
def get_episode(
    db: ReadDb, actor: Annotated[Actor, permit("patients:read")], episode_id: UUID
) -> EpisodePapersOut:
    """The episode."""
    scope = Scope.of(actor)
    held = associations(db, scope, episode_id=episode_id)
    return EpisodePapersOut.model_validate(
        {
            **_values(episode_state(db, scope, episode_id)),
            "consents": [_shown_consent(one) for one in consents_of(db, scope, episode_id)],
            "gates": gates_of(db, scope, episode_id),
            "setups": setups_of(db, scope, episode_id),
            "devices": [shown_association(one) for one in held],
        }
    )


@router.post(
    "/episode-ends",
    status_code=201,
    summary="End an episode",
    description="The last day belongs to the episode. The end recorded last counts.",
    operation_id="end_episode",
    response_model=EpisodeEndOut,
    responses=PROBLEMS,
)
def end(
    db: Db, now: Now, actor: Annotated[Actor, permit("episodes:write")], command: EndEpisode
) -> EpisodeEnd:
    """The end."""
    return end_episode(db, actor, now, command)


@router.post(
    "/episode-reopenings",
    status_code=201,
    summary="Open an ended episode again",
    description="Takes an end back that was recorded in error.",
    operation_id="reopen_episode",
    response_model=EpisodeEndOut,
    responses=PROBLEMS,
)
def reopen(
    db: Db, now: Now, actor: Annotated[Actor, permit("episodes:write")], command: ReopenEpisode
) -> EpisodeEnd:
    """The row that takes the end away."""
    return reopen_episode(db, actor, now, command)


@router.post(
    "/episode-setups",
    status_code=201,
    summary="Record set-up and teaching",
    description="For a set-up after enrollment; the one recorded last counts.",
    operation_id="record_setup",
    response_model=SetupOut,
    responses=PROBLEMS,
)
def setup(
    db: Db, now: Now, actor: Annotated[Actor, permit("episodes:write")], command: RecordSetup
) -> EpisodeSetup:
    """The set-up."""
    return record_setup(db, actor, now, command)


@router.post(
    "/episode-gates",
    status_code=201,
    summary="Record what holds of an episode",
    description="An order that came after enrollment, the established relationship, a prior"
    " authorization, suspected COVID-19, a global period.",
    operation_id="record_gate",
    response_model=GateOut,
    responses=PROBLEMS,
)
def gate(
    db: Db, now: Now, actor: Annotated[Actor, permit("episodes:write")], command: RecordGate
) -> EpisodeGate:
    """The gate."""
    return record_gate(db, actor, now, command)


@router.post(
    "/consents",
    status_code=201,
    summary="Record consent",
    description="Days and minutes before consent do not count. A day to come is refused.",
    operation_id="record_consent",
    response_model=ConsentOut,
    responses=PROBLEMS,
)
def consent(
    db: Db, now: Now, actor: Annotated[Actor, permit("episodes:write")], command: RecordConsent
) -> ConsentOut:
    """The consent."""
    return _shown_consent(ConsentState(record_consent(db, actor, now, command), None))


@router.post(
    "/consent-ends",
    status_code=201,
    summary="End a consent",
    description="Withdrawn, or recorded in error; the end recorded last counts.",
    operation_id="end_consent",
    response_model=ConsentEndOut,
    responses=PROBLEMS,
)
def consent_end(
    db: Db, now: Now, actor: Annotated[Actor, permit("episodes:write")], command: EndConsent
) -> ConsentEnd:
    """The end."""
    return end_consent(db, actor, now, command)

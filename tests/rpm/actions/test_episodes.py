"""Episodes: enrollment, papers, ends; what may stand side by side and what is refused."""

from datetime import date
from typing import Any

import pytest
from practice import Practice
from pydantic import ValidationError

from rpm.access import Actor
from rpm.actions.end_episode import EndEpisode, ReopenEpisode, end_episode, reopen_episode
from rpm.actions.enroll import Enroll, Order, enroll
from rpm.actions.record_consent import (
    ConsentGiven,
    EndConsent,
    RecordConsent,
    end_consent,
    record_consent,
)
from rpm.actions.record_gate import RecordGate, record_gate
from rpm.actions.record_setup import RecordSetup, record_setup
from rpm.errors import Conflict, InvalidRequest, NotAllowed, NotFound, ServiceError
from rpm.store.queries.episodes import (
    consents_of,
    episode_state,
    episodes_page,
    gates_of,
    setups_of,
)
from rpm.store.scope import Scope
from rpm.store.tables.monitoring import Consent, Episode, EpisodeEnd

ORDER = Order(
    order_day=date(2025, 11, 2),
    ordering_npi="1234567893",
    device_kind="bp",
    diagnosis_codes=["I10", "E11.9"],
    reason="above goal",
)
CONSENT = ConsentGiven(
    consent_day=date(2025, 11, 3), mode="verbal", taken_by="Nora", cost_share_told=True
)
TOMORROW = date(2026, 1, 16)


def end(practice: Practice, episode: Episode, last_day: date) -> EpisodeEnd:
    """The episode ends with goals met."""
    command = EndEpisode(episode_id=episode.id, last_day=last_day, end_reason="goals_met")
    return end_episode(practice.db, practice.actor, practice.now, command)


def consent(practice: Practice, episode: Episode, actor: Actor | None = None) -> Consent:
    """Verbal consent on the first of December."""
    command = RecordConsent(
        episode_id=episode.id,
        consent_day=date(2025, 12, 1),
        mode="verbal",
        taken_by="Nora",
        cost_share_told=False,
    )
    return record_consent(practice.db, actor or practice.actor, practice.now, command)


def wrong_fields(error: ServiceError) -> list[str]:
    """The fields that a refusal names."""
    assert isinstance(error, InvalidRequest)
    return [finding.where for finding in error.findings]


def test_enrollment_keeps_order_consent_and_gate_in_one_event(practice: Practice) -> None:
    """What is known at enrollment is recorded at once and covered by one audit event."""
    episode = practice.enroll(
        order=ORDER, consent=CONSENT, established_from_day=date(2024, 1, 1), profile="NGS"
    )
    scope = Scope.of(practice.actor)
    state = episode_state(practice.db, scope, episode.id)
    assert state.last_day is None
    assert state.episode.ordering_npi == "1234567893"
    assert state.episode.diagnosis_codes == ["I10", "E11.9"]
    [held] = consents_of(practice.db, scope, episode.id)
    assert (held.consent.consent_day, held.last_day) == (date(2025, 11, 3), None)
    [gate] = gates_of(practice.db, scope, episode.id)
    assert (gate.gate, gate.from_day) == ("established", date(2024, 1, 1))
    event = practice.last_event()
    assert event.fact_counts == {"consent": 1, "episode": 1, "episode_gate": 1}
    assert event.subject == {
        "patient_id": episode.patient_id.hex,
        "episode_id": episode.id.hex,
    }


@pytest.mark.parametrize(
    ("first", "second"),
    [("RPM", "RPM"), ("RPM", "RTM-CBT"), ("RTM-CBT", "RPM"), ("RTM-CBT", "RTM-CBT")],
)
def test_programs_that_exclude_each_other_are_refused(
    practice: Practice, first: str, second: str
) -> None:
    """A second open episode of the program, or RPM beside RTM, waits for the end of the first."""
    patient = practice.register_patient()
    episode = practice.enroll(patient, program=first)
    with practice.refused(Conflict):
        practice.enroll(patient, program=second, opened_day=date(2025, 12, 1))
    end(practice, episode, date(2025, 11, 30))
    assert practice.enroll(patient, program=second, opened_day=date(2025, 12, 1)).id != episode.id


def test_two_kinds_of_rtm_stand_side_by_side(practice: Practice) -> None:
    """Respiratory and behavioral therapeutic monitoring do not exclude each other."""
    patient = practice.register_patient()
    practice.enroll(patient, program="RTM-CBT")
    assert practice.enroll(patient, program="RTM-RESPIRATORY").program == "RTM-RESPIRATORY"


def test_an_episode_before_an_ended_one_is_refused(practice: Practice) -> None:
    """An open episode that would reach into a later one is refused, whatever was recorded first."""
    patient = practice.register_patient()
    end(practice, practice.enroll(patient), date(2025, 12, 1))
    with practice.refused(Conflict):
        practice.enroll(patient, opened_day=date(2025, 10, 1))


def test_an_episode_follows_an_ended_one(practice: Practice) -> None:
    """A new order names the previous episode, which must be the same patient's."""
    patient = practice.register_patient()
    first, foreign = practice.enroll(patient), practice.enroll()
    end(practice, first, date(2025, 12, 1))
    with practice.refused(InvalidRequest) as caught:
        practice.enroll(patient, opened_day=date(2025, 12, 2), reorder=True)
    assert wrong_fields(caught.value) == ["reorder"]
    with practice.refused(InvalidRequest) as caught:
        practice.enroll(patient, opened_day=date(2025, 12, 2), previous_id=foreign.id)
    assert wrong_fields(caught.value) == ["previous_id"]
    second = practice.enroll(
        patient, opened_day=date(2025, 12, 2), previous_id=first.id, reorder=True
    )
    assert (second.previous_id, second.reorder) == (first.id, True)


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("opened_day", {"opened_day": TOMORROW}),
        ("setup_day", {"setup_day": TOMORROW}),
        ("established_from_day", {"established_from_day": TOMORROW}),
        ("order.order_day", {"order": ORDER.model_copy(update={"order_day": TOMORROW})}),
        ("consent.consent_day", {"consent": CONSENT.model_copy(update={"consent_day": TOMORROW})}),
        ("profile", {"profile": "WISHFUL"}),
    ],
)
def test_enrollment_refuses_what_cannot_be(
    practice: Practice, field: str, changes: dict[str, Any]
) -> None:
    """Days that have not come yet and unknown profiles are refused, naming the field."""
    patient = practice.register_patient()
    with practice.refused(InvalidRequest) as caught:
        practice.enroll(patient, **changes)
    assert wrong_fields(caught.value) == [field]


@pytest.mark.parametrize(
    "wrong",
    [
        {"program": "CCM"},
        {"setting": "HOME"},
        {"pos": 0},
        {"pos": True},
        {"reorder": "yes"},
        {"order": {"order_day": "2025-11-02", "ordering_npi": "1234567893"}},
        {"order": ORDER.model_dump(mode="json") | {"ordering_npi": "1234567890"}},
        {"order": ORDER.model_dump(mode="json") | {"diagnosis_codes": []}},
        {"order": ORDER.model_dump(mode="json") | {"diagnosis_codes": ["high pressure"]}},
        {"consent": CONSENT.model_dump(mode="json") | {"mode": "implied"}},
    ],
)
def test_an_enrollment_is_strict(wrong: dict[str, Any]) -> None:
    """Unknown words, impossible identifiers and half an order are refused."""
    content = {
        "patient_id": "0190a5a0-0000-7000-8000-000000000001",
        "program": "RPM",
        "opened_day": "2025-11-03",
        "order": ORDER.model_dump(mode="json"),
        "consent": CONSENT.model_dump(mode="json"),
    }
    assert Enroll.model_validate(content).order == ORDER
    with pytest.raises(ValidationError):
        Enroll.model_validate(content | wrong)


def test_enrollment_keeps_to_permission_and_organization(practice: Practice) -> None:
    """Without episodes:write, and from another organization, nobody is enrolled."""
    patient = practice.register_patient()
    command = Enroll(patient_id=patient.id, program="RPM", opened_day=date(2025, 11, 3))
    with practice.refused(NotAllowed):
        enroll(practice.db, practice.without("episodes:write"), practice.now, command)
    with practice.refused(NotFound):
        enroll(practice.db, practice.stranger, practice.now, command)


def test_an_end_can_be_corrected_and_taken_back(practice: Practice) -> None:
    """The last recorded end counts; without a day the episode is open again."""
    episode = practice.enroll()
    scope = Scope.of(practice.actor)
    end(practice, episode, date(2025, 12, 1))
    end(practice, episode, date(2025, 12, 5))
    state = episode_state(practice.db, scope, episode.id)
    assert (state.last_day, state.end_reason) == (date(2025, 12, 5), "goals_met")
    command = ReopenEpisode(episode_id=episode.id, reason="ended by mistake")
    reopen_episode(practice.db, practice.actor, practice.now, command)
    assert episode_state(practice.db, scope, episode.id).last_day is None
    assert practice.last_event().reason == "ended by mistake"
    with practice.refused(Conflict):
        reopen_episode(practice.db, practice.actor, practice.now, command)


def test_an_end_outside_of_the_possible_is_refused(practice: Practice) -> None:
    """An episode ends neither before it began nor in the future."""
    episode = practice.enroll()
    for last_day in (date(2025, 11, 2), TOMORROW):
        with practice.refused(InvalidRequest) as caught:
            end(practice, episode, last_day)
        assert wrong_fields(caught.value) == ["last_day"]


def test_an_ended_episode_does_not_grow_into_the_next(practice: Practice) -> None:
    """Neither a corrected end nor reopening may reach into a later episode of the patient."""
    patient = practice.register_patient()
    first = practice.enroll(patient)
    end(practice, first, date(2025, 12, 1))
    practice.enroll(patient, opened_day=date(2025, 12, 2))
    with practice.refused(Conflict):
        end(practice, first, date(2025, 12, 2))
    with practice.refused(Conflict):
        command = ReopenEpisode(episode_id=first.id, reason="x")
        reopen_episode(practice.db, practice.actor, practice.now, command)


def test_ends_keep_to_permission_and_organization(practice: Practice) -> None:
    """Nobody ends or reopens without episodes:write or from another organization."""
    episode = practice.enroll()
    ended = EndEpisode(episode_id=episode.id, last_day=date(2025, 12, 1), end_reason="death")
    opened = ReopenEpisode(episode_id=episode.id, reason="x")
    for actor, error in (
        (practice.without("episodes:write"), NotAllowed),
        (practice.stranger, NotFound),
    ):
        with practice.refused(error):
            end_episode(practice.db, actor, practice.now, ended)
        with practice.refused(error):
            reopen_episode(practice.db, actor, practice.now, opened)


def test_consent_may_be_withdrawn(practice: Practice) -> None:
    """A consent holds from its day to the end recorded last."""
    episode = practice.enroll()
    given = consent(practice, episode)
    command = EndConsent(consent_id=given.id, last_day=date(2026, 1, 10), reason="withdrew")
    end_consent(practice.db, practice.actor, practice.now, command)
    [state] = consents_of(practice.db, Scope.of(practice.actor), episode.id)
    assert state.last_day == date(2026, 1, 10)
    with practice.refused(InvalidRequest):
        command = EndConsent(consent_id=given.id, last_day=date(2025, 11, 29), reason="x")
        end_consent(practice.db, practice.actor, practice.now, command)


def test_consent_is_not_given_in_the_future(practice: Practice) -> None:
    """A consent of tomorrow is refused; today is tomorrow's eve in the practice's zone."""
    episode = practice.enroll()
    command = RecordConsent(
        episode_id=episode.id,
        consent_day=TOMORROW,
        mode="written",
        taken_by="Nora",
        cost_share_told=True,
    )
    late_evening = practice.now.replace(day=16, hour=4, minute=30)  # still the 15th in New York
    with practice.refused(InvalidRequest) as caught:
        record_consent(practice.db, practice.actor, late_evening, command)
    assert wrong_fields(caught.value) == ["consent_day"]


def test_consents_keep_to_permission_and_organization(practice: Practice) -> None:
    """Nobody records or ends consent without episodes:write or from another organization."""
    episode = practice.enroll()
    given = consent(practice, episode)
    command = EndConsent(consent_id=given.id, last_day=date(2026, 1, 10), reason="x")
    for actor, error in (
        (practice.without("episodes:write"), NotAllowed),
        (practice.stranger, NotFound),
    ):
        with practice.refused(error):
            consent(practice, episode, actor)
        with practice.refused(error):
            end_consent(practice.db, actor, practice.now, command)


def test_set_up_may_come_after_enrollment(practice: Practice) -> None:
    """The set-up recorded last gives the day."""
    episode = practice.enroll()
    device = practice.register_device()
    for day in (date(2025, 11, 5), date(2025, 11, 6)):
        command = RecordSetup(
            episode_id=episode.id, setup_day=day, trained_by="Nora", device_id=device.id
        )
        record_setup(practice.db, practice.actor, practice.now, command)
    scope = Scope.of(practice.actor)
    assert episode_state(practice.db, scope, episode.id).setup_day == date(2025, 11, 6)
    assert len(setups_of(practice.db, scope, episode.id)) == 2


def test_set_up_is_refused_in_the_future_and_after_the_end(practice: Practice) -> None:
    """Nobody is taught tomorrow, nor after the episode ended."""
    episode = practice.enroll()
    command = RecordSetup(episode_id=episode.id, setup_day=TOMORROW, trained_by="Nora")
    with practice.refused(InvalidRequest):
        record_setup(practice.db, practice.actor, practice.now, command)
    end(practice, episode, date(2025, 12, 1))
    command = RecordSetup(episode_id=episode.id, setup_day=date(2025, 12, 2), trained_by="Nora")
    with practice.refused(InvalidRequest) as caught:
        record_setup(practice.db, practice.actor, practice.now, command)
    assert wrong_fields(caught.value) == ["setup_day"]
    with practice.refused(NotAllowed):
        record_setup(practice.db, practice.without("episodes:write"), practice.now, command)
    with practice.refused(NotFound):
        record_setup(practice.db, practice.stranger, practice.now, command)


def test_gates_hold_from_a_day(practice: Practice) -> None:
    """A gate is recorded with its days; an order or authorization needs what it rests on."""
    episode = practice.enroll()
    command = RecordGate(
        episode_id=episode.id,
        gate="prior-auth",
        from_day=date(2026, 2, 1),
        to_day=date(2026, 4, 30),
        reference="PA-1",
    )
    gate = record_gate(practice.db, practice.actor, practice.now, command)
    assert gates_of(practice.db, Scope.of(practice.actor), episode.id) == [gate]
    for wrong in (
        {"to_day": date(2026, 1, 31)},
        {"reference": None},
        {"gate": "order", "reference": None},
        {"gate": "established", "from_day": TOMORROW},
    ):
        with practice.refused(InvalidRequest):
            changed = command.model_copy(update=wrong)
            record_gate(practice.db, practice.actor, practice.now, changed)
    with practice.refused(NotAllowed):
        record_gate(practice.db, practice.without("episodes:write"), practice.now, command)
    with practice.refused(NotFound):
        record_gate(practice.db, practice.stranger, practice.now, command)


def test_episodes_are_listed_by_patient_and_program(practice: Practice) -> None:
    """A list keeps to its filters and its organization and tells how each episode stands."""
    patient = practice.register_patient()
    first = practice.enroll(patient)
    end(practice, first, date(2025, 12, 1))
    second = practice.enroll(patient, program="RTM-CBT", opened_day=date(2025, 12, 2))
    practice.enroll()
    scope = Scope.of(practice.actor)
    found = episodes_page(practice.db, scope, patient_id=patient.id)
    assert [(state.episode.id, state.last_day) for state in found] == [
        (first.id, date(2025, 12, 1)),
        (second.id, None),
    ]
    assert len(episodes_page(practice.db, scope, program="RPM")) == 2
    assert len(episodes_page(practice.db, scope, limit=1, after=first.id)) == 1
    assert episodes_page(practice.db, Scope.of(practice.stranger)) == []

"""Interaction entries: kept as they were, marked where something is to be known, taken back."""

from datetime import date, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from practice import Practice
from pydantic import ValidationError

from rpm.actions.add_practitioner import AddPractitioner, add_practitioner
from rpm.actions.end_episode import EndEpisode, end_episode
from rpm.actions.log_entry import LogEntry, Logged
from rpm.actions.reverse_entry import Reversed, ReverseEntry, reverse_entry
from rpm.errors import Conflict, InvalidRequest, NotAllowed, NotFound, ServiceError
from rpm.store.chain import recording
from rpm.store.queries.entries import entries_page
from rpm.store.scope import Scope
from rpm.store.tables.ledger import Close, InteractionEntry


def wrong_fields(error: ServiceError) -> list[str]:
    """The fields that a refusal names."""
    assert isinstance(error, InvalidRequest)
    return [finding.where for finding in error.findings]


def codes(answer: Logged | Reversed) -> list[str]:
    """The codes of an answer's findings."""
    return [finding.code for finding in answer.findings]


def reverse(practice: Practice, entry: InteractionEntry, reason: str = "wrong") -> Reversed:
    """The entry is taken back."""
    command = ReverseEntry(entry_id=entry.id, reason=reason)
    return reverse_entry(practice.db, practice.actor, practice.now, command)


def close_december(practice: Practice) -> None:
    """The close of December 2025, as far as it matters here."""
    with recording(practice.db, practice.actor, practice.now, "month.close") as record:
        record.add(
            Close(
                month_start_day=date(2025, 12, 1),
                ordinal=1,
                as_of=date(2026, 1, 1),
                known_day=date(2026, 1, 1),
                known_audit_number=1,
                product_version="test",
                rule_digests={},
                totals={},
                outcome_digest="",
                chain_anchor={},
            )
        )


def test_work_is_kept_with_its_day_person_and_episode(practice: Practice) -> None:
    """An entry holds the practice's day and second, who worked, and the episode of its program."""
    episode = practice.enroll()
    logged = practice.log(episode.patient_id, started_at=practice.now - timedelta(minutes=30))
    [entry] = logged.entries
    assert logged.findings == ()
    assert entry.episode_id == episode.id
    assert (entry.local_day, entry.start_second) == (date(2026, 1, 15), 9 * 3600 + 1800)
    assert (entry.duration_seconds, entry.zone) == (480, "America/New_York")
    assert (entry.actor_user_id, entry.actor_name) == (practice.actor.user_id, "Ada Admin")
    event = practice.last_event()
    assert (event.action, event.fact_counts) == ("entry.log", {"interaction_entry": 1})
    assert practice.db.get(InteractionEntry, (entry.organization_id, entry.id)) == entry


def test_an_end_may_stand_for_a_length(practice: Practice) -> None:
    """Start and end give the seconds between them."""
    patient_id = practice.enroll().patient_id
    start = practice.now - timedelta(minutes=30)
    [entry] = practice.log(
        patient_id, started_at=start, ended_at=start + timedelta(seconds=77)
    ).entries
    assert entry.duration_seconds == 77


def test_work_may_have_a_day_and_no_start(practice: Practice) -> None:
    """With only a day and a length the entry overlaps nothing."""
    patient_id = practice.enroll().patient_id
    for _ in range(2):
        logged = practice.log(patient_id, local_day=date(2026, 1, 14))
        [entry] = logged.entries
        assert (entry.start_second, entry.started_at, logged.findings) == (None, None, ())


def test_the_same_entry_again_is_the_same_entry(practice: Practice) -> None:
    """A client that asks again with the same id and content gets the stored entry."""
    patient_id, client_id = practice.enroll().patient_id, uuid4()
    [first] = practice.log(patient_id, client_id=client_id).entries
    before = practice.rows()
    [again] = practice.log(patient_id, client_id=client_id).entries
    assert (again.id, again.started_at) == (first.id, first.started_at)
    assert practice.rows() == before


@pytest.mark.parametrize(
    "changes",
    [
        {"duration_seconds": 481},
        {"mode": "async"},
        {"note": "x"},
        {"role": "ma"},
        {"local_day": date(2026, 1, 15)},
    ],
)
def test_an_id_with_other_content_is_refused(practice: Practice, changes: dict[str, Any]) -> None:
    """The same id never stands for two contents."""
    patient_id, client_id = practice.enroll().patient_id, uuid4()
    practice.log(patient_id, client_id=client_id)
    with practice.refused(Conflict):
        if "local_day" in changes:
            practice.log(patient_id, client_id=client_id, **changes)
        else:
            start = practice.now - timedelta(minutes=30)
            practice.log(patient_id, client_id=client_id, started_at=start, **changes)


def test_work_across_midnight_is_two_entries(practice: Practice) -> None:
    """An entry across the practice's midnight is stored in two, and found again in two."""
    patient_id, client_id = practice.enroll().patient_id, uuid4()
    start = practice.now.replace(day=1, hour=4, minute=50)  # 23:50 of 2025-12-31 in New York
    logged = practice.log(patient_id, client_id=client_id, started_at=start, duration_seconds=1200)
    parts = [(e.local_day, e.start_second, e.duration_seconds) for e in logged.entries]
    assert parts == [(date(2025, 12, 31), 85800, 600), (date(2026, 1, 1), 0, 600)]
    again = practice.log(patient_id, client_id=client_id, started_at=start, duration_seconds=1200)
    assert [e.id for e in again.entries] == [e.id for e in logged.entries]
    with practice.refused(Conflict):
        practice.log(patient_id, client_id=client_id, started_at=start, duration_seconds=600)
    assert reverse(practice, logged.entries[1]).reversal.local_day == date(2026, 1, 1)
    assert reverse(practice, logged.entries[0]).reversal.duration_seconds == -600


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("duration_seconds", {"duration_seconds": 0}),
        ("duration_seconds", {"duration_seconds": -60}),
        ("duration_seconds", {"duration_seconds": 24 * 3600 + 1}),
        ("duration_seconds", {"duration_seconds": None}),
        ("ended_at", {"ended_at": timedelta(minutes=-31)}),
        ("ended_at", {"ended_at": timedelta(minutes=-30)}),
        ("ended_at", {"ended_at": timedelta(0), "duration_seconds": 480}),
        ("started_at", {"started_at": timedelta(seconds=1)}),
        ("started_at", {"started_at": timedelta(seconds=-479)}),
        ("started_at", {"started_at": None}),
        ("local_day", {"started_at": timedelta(hours=-1), "local_day": date(2026, 1, 15)}),
        ("local_day", {"local_day": date(2026, 1, 16)}),
    ],
)
def test_impossible_times_are_refused(
    practice: Practice, field: str, changes: dict[str, Any]
) -> None:
    """No length, too much of it, an end before the start, and the future name their field."""
    patient_id = practice.enroll().patient_id
    given = {
        name: practice.now + value if isinstance(value, timedelta) else value
        for name, value in changes.items()
    }
    with practice.refused(InvalidRequest) as caught:
        practice.log(patient_id, **given)
    assert wrong_fields(caught.value) == [field]


@pytest.mark.parametrize(
    "wrong",
    [
        {"work": "YOGA"},
        {"mode": "fax"},
        {"role": "surgeon"},
        {"origin": "reversal"},
        {"duration_seconds": "480"},
        {"duration_seconds": 480.0},
        {"duration_seconds": False},
        {"started_at": "2026-01-15T09:30:00"},
        {"started_at": "2026-01-15T09:30:00.5Z"},
        {"started_at": 1768487400},
        {"client_id": "mine"},
        {"activity": ""},
        {"minutes": 8},
    ],
)
def test_an_entry_is_strict(wrong: dict[str, Any]) -> None:
    """Unknown words and fields, guessed types and instants without a zone are refused."""
    content = {
        "client_id": str(uuid4()),
        "patient_id": str(uuid4()),
        "work": "RPM",
        "mode": "live",
        "started_at": "2026-01-15T09:30:00-05:00",
        "duration_seconds": 480,
        "activity": "talk",
    }
    assert LogEntry.model_validate(content).started_at == datetime.fromisoformat(
        "2026-01-15T14:30:00+00:00"
    )
    with pytest.raises(ValidationError):
        LogEntry.model_validate(content | wrong)


def test_overlapping_work_of_one_person_is_kept_and_told(practice: Practice) -> None:
    """A second entry at the same time, even for another patient, is stored with its finding."""
    first, second = practice.enroll().patient_id, practice.enroll().patient_id
    start = practice.now - timedelta(minutes=60)
    [held] = practice.log(first, started_at=start).entries
    overlapping = practice.log(second, started_at=start + timedelta(seconds=479))
    assert codes(overlapping) == ["W_TIME_OVERLAP_DEDUPED"]
    assert codes(practice.log(second, started_at=start + timedelta(seconds=960))) == []
    reverse(practice, held)
    reverse(practice, overlapping.entries[0])
    assert codes(practice.log(second, started_at=start)) == []


def test_work_of_two_people_at_once_is_not_their_overlap(practice: Practice) -> None:
    """Overlaps are found for each person; what two people did for one patient the ledger merges."""
    patient_id = practice.enroll().patient_id
    _, nurse = practice.add_user("clinical_staff")
    practice.log(patient_id)
    assert codes(practice.log(patient_id, actor=nurse)) == []
    assert codes(practice.log(patient_id, actor_name="Agency Nurse")) == []
    assert codes(practice.log(patient_id, actor_name="Agency Nurse")) == ["W_TIME_OVERLAP_DEDUPED"]


def test_work_for_a_closed_month_is_kept_and_told(practice: Practice) -> None:
    """An entry or a reversal for a closed month is stored with its finding."""
    patient_id = practice.enroll().patient_id
    [before] = practice.log(patient_id, local_day=date(2025, 12, 5)).entries
    close_december(practice)
    assert codes(practice.log(patient_id, local_day=date(2025, 12, 6))) == ["W_AFTER_CLOSE"]
    assert codes(practice.log(patient_id, local_day=date(2026, 1, 6))) == []
    assert codes(reverse(practice, before)) == ["W_AFTER_CLOSE"]


def test_work_after_the_end_is_kept_and_told(practice: Practice) -> None:
    """Work on a day without an open episode goes to the nearest one, and the answer says so."""
    episode = practice.enroll()
    command = EndEpisode(episode_id=episode.id, last_day=date(2025, 12, 1), end_reason="goals_met")
    end_episode(practice.db, practice.actor, practice.now, command)
    logged = practice.log(episode.patient_id)
    assert logged.entries[0].episode_id == episode.id
    assert codes(logged) == ["W_TIME_AFTER_END"]
    early = practice.log(episode.patient_id, local_day=date(2025, 10, 1))
    assert (early.entries[0].episode_id, codes(early)) == (episode.id, [])


def test_work_of_other_programs_needs_no_episode(practice: Practice) -> None:
    """Chronic care minutes are kept for the patient; RPM minutes without an episode are refused."""
    patient_id = practice.register_patient().id
    assert practice.log(patient_id, work="CCM").entries[0].episode_id is None
    with practice.refused(InvalidRequest) as caught:
        practice.log(patient_id, work="RPM")
    assert wrong_fields(caught.value) == ["episode_id"]


def test_the_episode_must_fit_the_work(practice: Practice) -> None:
    """A named episode is the patient's and of the work's program; of several one is named."""
    patient = practice.register_patient()
    cognitive = practice.enroll(patient, program="RTM-CBT")
    lungs = practice.enroll(patient, program="RTM-RESPIRATORY")
    foreign = practice.enroll()
    for work, episode_id in (("RTM", None), ("RPM", cognitive.id), ("RPM", foreign.id)):
        with practice.refused(InvalidRequest) as caught:
            practice.log(patient.id, work=work, episode_id=episode_id)
        assert wrong_fields(caught.value) == ["episode_id"]
    [entry] = practice.log(patient.id, work="RTM", episode_id=lungs.id).entries
    assert entry.episode_id == lungs.id


def test_a_role_follows_from_the_user(practice: Practice) -> None:
    """Practitioners work as such, nurses by their credential, clerks never in counted time."""
    patient_id = practice.enroll().patient_id
    rn = add_practitioner(
        practice.db,
        practice.actor,
        practice.now,
        AddPractitioner(name="Nora Nurse", npi="1234567893", credential="R.N."),
    )
    _, doctor = practice.add_user("practitioner")
    _, nurse = practice.add_user("clinical_staff", rn.id)
    _, assistant = practice.add_user("clinical_staff")
    clerk, _ = practice.add_user("clerical_staff")
    assert practice.log(patient_id, actor=doctor, role=None).entries[0].role == "qhp"
    assert practice.log(patient_id, actor=nurse, role=None).entries[0].role == "rn"
    assert practice.log(patient_id, actor=assistant, role="ma").entries[0].role == "ma"
    for_clerk = practice.log(patient_id, actor_user_id=clerk.id, role=None)
    assert (for_clerk.entries[0].role, for_clerk.entries[0].actor_user_id) == ("admin", clerk.id)
    for actor, changes in (
        (assistant, {"role": None}),
        (assistant, {"role": "qhp"}),
        (practice.actor, {"actor_user_id": clerk.id, "role": "rn"}),
        (practice.actor, {"actor_name": "Agency Nurse", "role": None}),
    ):
        with practice.refused(InvalidRequest) as caught:
            practice.log(patient_id, actor=actor, **changes)
        assert wrong_fields(caught.value) == ["role"]


def test_logging_for_someone_else_needs_more_permission(practice: Practice) -> None:
    """Only who manages users logs another person's work, by account or by name."""
    patient_id = practice.enroll().patient_id
    user, nurse = practice.add_user("clinical_staff")
    assert practice.log(patient_id, actor=nurse).entries[0].actor_user_id == user.id
    for changes in ({"actor_user_id": practice.actor.user_id}, {"actor_name": "Somebody"}):
        with practice.refused(NotAllowed):
            practice.log(patient_id, actor=nurse, **changes)
    named = practice.log(patient_id, actor_name="Agency Nurse").entries[0]
    assert (named.actor_user_id, named.actor_name) == (None, "Agency Nurse")


def test_entries_keep_to_permission_and_organization(practice: Practice) -> None:
    """Without the permission, and from another organization, nothing is logged or reversed."""
    patient_id = practice.enroll().patient_id
    [entry] = practice.log(patient_id).entries
    with practice.refused(NotAllowed):
        practice.log(patient_id, actor=practice.without("entries:write"))
    with practice.refused(NotFound):
        practice.log(patient_id, actor=practice.stranger)
    with practice.refused(NotFound):
        practice.log(patient_id, episode_id=uuid4())
    command = ReverseEntry(entry_id=entry.id, reason="x")
    with practice.refused(NotAllowed):
        reverse_entry(practice.db, practice.without("entries:reverse"), practice.now, command)
    with practice.refused(NotFound):
        reverse_entry(practice.db, practice.stranger, practice.now, command)


def test_a_reversal_takes_back_what_the_entry_gave(practice: Practice) -> None:
    """A reversal has the entry's day, start, work, mode and role, and its seconds negative."""
    [entry] = practice.log(practice.enroll().patient_id).entries
    reversal = reverse(practice, entry, "wrong patient").reversal
    for name in ("patient_id", "episode_id", "local_day", "start_second", "work", "mode", "role"):
        assert getattr(reversal, name) == getattr(entry, name)
    assert (reversal.duration_seconds, reversal.reverses_id) == (-480, entry.id)
    assert (reversal.origin, reversal.reason) == ("reversal", "wrong patient")
    event = practice.last_event()
    assert (event.reason, event.actor["name"]) == ("wrong patient", "Ada Admin")


def test_an_entry_is_taken_back_once(practice: Practice) -> None:
    """A second reversal, and the reversal of a reversal, are refused."""
    [entry] = practice.log(practice.enroll().patient_id).entries
    reversal = reverse(practice, entry).reversal
    for wrong in (entry, reversal):
        with practice.refused(Conflict):
            reverse(practice, wrong)


def test_entries_are_listed_by_their_filters(practice: Practice) -> None:
    """A list keeps to patient, person, work and days, and to its organization."""
    episode = practice.enroll()
    [rpm] = practice.log(episode.patient_id, local_day=date(2026, 1, 10)).entries
    [ccm] = practice.log(episode.patient_id, local_day=date(2026, 1, 12), work="CCM").entries
    [other] = practice.log(practice.enroll().patient_id).entries
    scope = Scope.of(practice.actor)

    def listed(**filters: Any) -> list[Any]:
        return [entry.id for entry in entries_page(practice.db, scope, **filters)]

    assert listed(patient_id=episode.patient_id) == [rpm.id, ccm.id]
    assert listed(episode_id=episode.id) == [rpm.id]
    assert listed(work="CCM") == [ccm.id]
    assert listed(from_day=date(2026, 1, 12), to_day=date(2026, 1, 12)) == [ccm.id]
    assert listed(actor_user_id=uuid4()) == []
    assert listed(after=rpm.id, limit=1) == [ccm.id]
    assert listed(after=ccm.id) == [other.id]
    assert entries_page(practice.db, Scope.of(practice.stranger)) == []

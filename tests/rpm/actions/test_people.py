"""Patients, coverages, payers and practitioners: recorded once, refused when they contradict."""

from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import pytest
from practice import Practice
from pydantic import ValidationError

from rpm.actions.add_payer import AddPayer, add_payer
from rpm.actions.add_practitioner import AddPractitioner, add_practitioner
from rpm.actions.record_coverage import (
    EndCoverage,
    RecordCoverage,
    end_coverage,
    record_coverage,
)
from rpm.actions.register_patient import RegisterPatient, open_chart, register_patient
from rpm.errors import Conflict, InvalidRequest, NotAllowed, NotFound
from rpm.store.queries.people import coverages_of, patients_page
from rpm.store.scope import Scope
from rpm.store.tables.people import Coverage, Patient, Payer

MEDICARE = AddPayer(key="MEDICARE_B", name="Medicare Part B")


def coverage(practice: Practice, patient: Patient, payer: Payer, **changes: Any) -> Coverage:
    """A coverage since 2025 that has no end."""
    content: dict[str, Any] = {
        "patient_id": patient.id,
        "payer_id": payer.id,
        "member_id": "M1",
        "from_day": date(2025, 1, 1),
    }
    command = RecordCoverage(**(content | changes))
    return record_coverage(practice.db, practice.actor, practice.now, command)


def test_a_patient_takes_the_zone_of_the_practice(practice: Practice) -> None:
    """A patient registered without a zone has the practice's."""
    assert practice.register_patient().timezone == "America/New_York"


def test_a_patient_is_registered_with_one_audit_event_of_ids(practice: Practice) -> None:
    """The event names the patient by id and holds nothing else about the person."""
    patient = practice.register_patient()
    event = practice.last_event()
    assert event.action == "patient.register"
    assert event.subject == {"patient_id": patient.id.hex}
    assert event.fact_counts == {"patient": 1}


def test_the_same_patient_again_is_the_same_patient(practice: Practice) -> None:
    """A second registration with the same content adds nothing."""
    first = practice.register_patient(record_number="A")
    before = practice.rows()
    assert practice.register_patient(record_number="A").id == first.id
    assert practice.rows() == before


def test_a_record_number_is_one_patient(practice: Practice) -> None:
    """Another person under a used record number is refused, and the text shows neither."""
    practice.register_patient(record_number="A-77")
    with practice.refused(Conflict) as caught:
        practice.register_patient(record_number="A-77", family_name="Somebody")
    assert "A-77" not in caught.value.message
    assert "Somebody" not in caught.value.message


def test_a_birth_in_the_future_is_refused(practice: Practice) -> None:
    """A birth date after the practice's today names its field."""
    with practice.refused(InvalidRequest) as caught:
        practice.register_patient(birth_date=date(2026, 1, 16))
    assert isinstance(caught.value, InvalidRequest)
    assert [finding.where for finding in caught.value.findings] == ["birth_date"]


def test_registering_needs_its_permission(practice: Practice) -> None:
    """Without patients:write nobody registers a patient."""
    command = RegisterPatient(
        record_number="A",
        family_name="B",
        given_name="C",
        birth_date=date(1950, 1, 1),
        sex="U",
    )
    with practice.refused(NotAllowed):
        register_patient(practice.db, practice.without("patients:write"), practice.now, command)


@pytest.mark.parametrize(
    "wrong",
    [
        {"sex": "female"},
        {"timezone": "Mars/Olympus"},
        {"birth_date": "23.04.1951"},
        {"birth_date": "1951-02-30"},
        {"birth_date": "0001-01-01"},
        {"birth_date": 0},
        {"family_name": " "},
        {"family_name": "a\x00b"},
        {"record_number": 417},
        {"nickname": "P"},
    ],
)
def test_a_patient_command_is_strict(wrong: dict[str, Any]) -> None:
    """Unknown words, fields, zones, days and types are refused before anything is done."""
    content = {
        "record_number": "A",
        "family_name": "B",
        "given_name": "C",
        "birth_date": "1951-04-23",
        "sex": "U",
    }
    assert RegisterPatient.model_validate(content).birth_date == date(1951, 4, 23)
    with pytest.raises(ValidationError):
        RegisterPatient.model_validate(content | wrong)


def test_opening_a_chart_leaves_an_event(practice: Practice) -> None:
    """Reading a chart records who looked at whom, and no fact."""
    patient = practice.register_patient()
    assert open_chart(practice.db, practice.actor, practice.now, patient.id).id == patient.id
    event = practice.last_event()
    assert (event.action, event.fact_counts) == ("chart.open", {})
    assert event.subject == {"patient_id": patient.id.hex}


def test_a_chart_of_another_organization_is_not_found(practice: Practice) -> None:
    """A foreign patient and one that never was are refused alike."""
    patient = practice.register_patient()
    for patient_id in (patient.id, uuid4()):
        with practice.refused(NotFound) as caught:
            open_chart(practice.db, practice.stranger, practice.now, patient_id)
        assert caught.value.message == "there is no such patient"


def test_patients_are_listed_by_program_name_and_number(practice: Practice) -> None:
    """A list keeps to its filters and to its own organization, page after page."""
    monitored = practice.enroll().patient_id
    other = practice.register_patient(family_name="O_her", record_number="X")
    practice.register_patient(family_name="Other")
    scope = Scope.of(practice.actor)
    ids = [row.id for row in patients_page(practice.db, scope, program="RPM")]
    assert ids == [monitored]
    assert patients_page(practice.db, scope, program="RTM-CBT") == []
    found = patients_page(practice.db, scope, family_name="o_h")
    assert [row.id for row in found] == [other.id]
    assert [row.id for row in patients_page(practice.db, scope, record_number="X")] == [other.id]
    first = patients_page(practice.db, scope, limit=2)
    rest = patients_page(practice.db, scope, limit=2, after=first[-1].id)
    assert [len(first), len(rest)] == [2, 1]
    assert patients_page(practice.db, Scope.of(practice.stranger)) == []


def test_a_payer_has_rules(practice: Practice) -> None:
    """A payer of the rule book is added once; its key names it from then on."""
    payer = add_payer(practice.db, practice.actor, practice.now, MEDICARE)
    assert add_payer(practice.db, practice.actor, practice.now, MEDICARE).id == payer.id
    with practice.refused(Conflict):
        other = AddPayer(key="MEDICARE_B", name="Something else")
        add_payer(practice.db, practice.actor, practice.now, other)


def test_an_unknown_payer_is_refused_by_name(practice: Practice) -> None:
    """A payer without any rule page is refused with an error that names it."""
    with practice.refused(InvalidRequest) as caught:
        command = AddPayer(key="NOBODY_KNOWS", name="Nobody")
        add_payer(practice.db, practice.actor, practice.now, command)
    assert isinstance(caught.value, InvalidRequest)
    assert "NOBODY_KNOWS" in caught.value.findings[0].message


def test_adding_a_payer_needs_its_permission(practice: Practice) -> None:
    """Without patients:write nobody adds a payer."""
    with practice.refused(NotAllowed):
        add_payer(practice.db, practice.without("patients:write"), practice.now, MEDICARE)


def test_a_practitioner_is_one_npi(practice: Practice) -> None:
    """The same practitioner again is the same row; other content under the NPI is refused."""
    command = AddPractitioner(name="Dr. Alex Example", npi="1234567893", credential="MD")
    first = add_practitioner(practice.db, practice.actor, practice.now, command)
    again = add_practitioner(practice.db, practice.actor, practice.now, command)
    assert again.id == first.id
    with practice.refused(Conflict):
        other = AddPractitioner(name="Dr. Other", npi="1234567893", credential="MD")
        add_practitioner(practice.db, practice.actor, practice.now, other)
    with practice.refused(NotAllowed):
        add_practitioner(practice.db, practice.without("users:manage"), practice.now, command)


def test_an_npi_with_a_wrong_check_digit_is_refused() -> None:
    """The check digit of an NPI must be right."""
    with pytest.raises(ValidationError):
        AddPractitioner(name="Dr. Alex Example", npi="1234567890", credential="MD")


def test_a_patient_has_one_coverage_a_day(practice: Practice) -> None:
    """A second coverage on a covered day is refused; after an end the next one is taken."""
    patient = practice.register_patient()
    payer = add_payer(practice.db, practice.actor, practice.now, MEDICARE)
    first = coverage(practice, patient, payer)
    with practice.refused(Conflict):
        coverage(practice, patient, payer, from_day=date(2026, 1, 1))
    end = EndCoverage(coverage_id=first.id, last_day=date(2025, 12, 31), reason="changed")
    end_coverage(practice.db, practice.actor, practice.now, end)
    second = coverage(practice, patient, payer, from_day=date(2026, 1, 1))
    states = coverages_of(practice.db, Scope.of(practice.actor), patient.id)
    assert [(state.coverage.id, state.last_day) for state in states] == [
        (first.id, date(2025, 12, 31)),
        (second.id, None),
    ]
    with practice.refused(Conflict):
        later = EndCoverage(coverage_id=first.id, last_day=date(2026, 1, 1), reason="wrong")
        end_coverage(practice.db, practice.actor, practice.now, later)


def test_a_coverage_may_never_have_been_in_force(practice: Practice) -> None:
    """An end on the day before the first takes the coverage out of the way, no earlier one."""
    patient = practice.register_patient()
    payer = add_payer(practice.db, practice.actor, practice.now, MEDICARE)
    wrong = coverage(practice, patient, payer)
    with practice.refused(InvalidRequest):
        end = EndCoverage(coverage_id=wrong.id, last_day=date(2024, 12, 30), reason="x")
        end_coverage(practice.db, practice.actor, practice.now, end)
    end = EndCoverage(coverage_id=wrong.id, last_day=date(2024, 12, 31), reason="typed wrong")
    end_coverage(practice.db, practice.actor, practice.now, end)
    assert practice.last_event().reason == "typed wrong"
    assert coverage(practice, patient, payer).id != wrong.id


def test_a_coverage_is_refused_when_its_parts_are_not_ours(practice: Practice) -> None:
    """Foreign patients and payers, days backwards and a missing permission write nothing."""
    patient = practice.register_patient()
    payer = add_payer(practice.db, practice.actor, practice.now, MEDICARE)
    command = RecordCoverage(
        patient_id=patient.id, payer_id=payer.id, member_id="M", from_day=date(2025, 1, 1)
    )
    with practice.refused(NotFound):
        record_coverage(practice.db, practice.stranger, practice.now, command)
    with practice.refused(NotAllowed):
        record_coverage(practice.db, practice.without("patients:write"), practice.now, command)
    with practice.refused(InvalidRequest):
        coverage(practice, patient, payer, to_day=date(2025, 1, 1) - timedelta(days=1))
    made = coverage(practice, patient, payer)
    end = EndCoverage(coverage_id=made.id, last_day=date(2025, 12, 31), reason="x")
    with practice.refused(NotFound):
        end_coverage(practice.db, practice.stranger, practice.now, end)
    with practice.refused(NotAllowed):
        end_coverage(practice.db, practice.without("patients:write"), practice.now, end)

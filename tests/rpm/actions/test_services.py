"""Other services: our own and another practice's, recorded and taken back."""

from datetime import date
from typing import Any

import pytest
from practice import Practice
from pydantic import ValidationError

from rpm.actions.add_practitioner import AddPractitioner, add_practitioner
from rpm.actions.record_service import (
    RecordService,
    ReverseService,
    record_service,
    reverse_service,
)
from rpm.errors import Conflict, InvalidRequest, NotAllowed, NotFound
from rpm.store.queries.services import services_page
from rpm.store.scope import Scope
from rpm.store.tables.ledger import OtherService


def record(practice: Practice, **changes: Any) -> OtherService:
    """An office visit of ours two days ago, of a new patient unless one is given."""
    content: dict[str, Any] = {"code": "99213", "service_day": date(2026, 1, 13), "own": True}
    content |= changes
    if "patient_id" not in content:
        content["patient_id"] = practice.register_patient().id
    return record_service(practice.db, practice.actor, practice.now, RecordService(**content))


@pytest.mark.parametrize("code", ["99213", "99473", "99474", "95250", "G0506", "98977"])
def test_services_are_recorded_whatever_their_code(practice: Practice, code: str) -> None:
    """Any well-formed code is kept with its day and whose it is, and is one audit event."""
    service = record(practice, code=code, own=False, note="seen on a remittance")
    assert (service.code, service.own, service.reverses_id) == (code, False, None)
    event = practice.last_event()
    assert (event.action, event.fact_counts) == ("service.record", {"other_service": 1})


@pytest.mark.parametrize("code", ["9921", "99213 ", "visit", "99213-25", 99213])
def test_a_code_has_the_shape_of_one(code: object) -> None:
    """What does not look like a CPT or HCPCS code is refused."""
    content = {
        "patient_id": "0190a5a0-0000-7000-8000-000000000001",
        "code": code,
        "service_day": "2026-01-13",
        "own": True,
    }
    with pytest.raises(ValidationError):
        RecordService.model_validate(content)


def test_a_service_of_tomorrow_is_refused(practice: Practice) -> None:
    """A service that has not been rendered is not recorded."""
    patient_id = practice.register_patient().id
    with practice.refused(InvalidRequest):
        record(practice, patient_id=patient_id, service_day=date(2026, 1, 16))


def test_another_practice_has_none_of_our_people(practice: Practice) -> None:
    """Who rendered it is kept for our own services and refused for another practice's."""
    doctor = add_practitioner(
        practice.db,
        practice.actor,
        practice.now,
        AddPractitioner(name="Dr. Alex Example", npi="1234567893", credential="MD"),
    )
    service = record(practice, practitioner_id=doctor.id, actor_user_id=practice.actor.user_id)
    assert service.practitioner_id == doctor.id
    with practice.refused(InvalidRequest):
        patient_id = service.patient_id
        record(practice, patient_id=patient_id, practitioner_id=doctor.id, own=False)


def test_a_service_is_taken_back_once(practice: Practice) -> None:
    """A reversal names the service and copies it; a second one, and its own, are refused."""
    service = record(practice)
    command = ReverseService(service_id=service.id, reason="visit was canceled")
    reversal = reverse_service(practice.db, practice.actor, practice.now, command)
    assert (reversal.reverses_id, reversal.reason) == (service.id, "visit was canceled")
    assert (reversal.code, reversal.service_day) == (service.code, service.service_day)
    for wrong in (service.id, reversal.id):
        with practice.refused(Conflict):
            command = ReverseService(service_id=wrong, reason="x")
            reverse_service(practice.db, practice.actor, practice.now, command)


def test_services_keep_to_permission_and_organization(practice: Practice) -> None:
    """Without the permission, and from another organization, nothing is recorded or reversed."""
    service = record(practice)
    command = RecordService(
        patient_id=service.patient_id, code="99213", service_day=date(2026, 1, 13), own=True
    )
    taken_back = ReverseService(service_id=service.id, reason="x")
    for actor, error in (
        (practice.without("services:write"), NotAllowed),
        (practice.stranger, NotFound),
    ):
        with practice.refused(error):
            record_service(practice.db, actor, practice.now, command)
        with practice.refused(error):
            reverse_service(practice.db, actor, practice.now, taken_back)


def test_services_are_listed_by_their_filters(practice: Practice) -> None:
    """A list keeps to patient, code, whose it is and days, and to its organization."""
    visit = record(practice)
    other = record(practice, code="99454", own=False, service_day=date(2025, 12, 1))
    scope = Scope.of(practice.actor)

    def listed(**filters: Any) -> list[Any]:
        return [service.id for service in services_page(practice.db, scope, **filters)]

    assert listed() == [visit.id, other.id]
    assert listed(patient_id=visit.patient_id) == [visit.id]
    assert listed(code="99454") == [other.id]
    assert listed(own=True) == [visit.id]
    assert listed(from_day=date(2025, 12, 1), to_day=date(2025, 12, 1)) == [other.id]
    assert listed(after=visit.id, limit=1) == [other.id]
    assert services_page(practice.db, Scope.of(practice.stranger)) == []

"""Bulk export: valid resources of one practice, as known when it was asked for."""

import json
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from claims_made import CLAIM
from fhir_checked import problems
from practice import Practice

from billing.claims.claim_json import claim_to_json
from billing.claims.fhir.bundle import TYPES, as_json
from rpm.actions.add_payer import AddPayer, add_payer
from rpm.actions.add_practitioner import AddPractitioner, add_practitioner
from rpm.actions.export_fhir import (
    EndFhirExport,
    RequestFhirExport,
    end_fhir_export,
    filled_types,
    known_at,
    open_export,
    request_fhir_export,
)
from rpm.actions.fhir_resources import all_resources
from rpm.actions.record_coverage import RecordCoverage, record_coverage
from rpm.actions.record_visit import RecordVisit, record_visit
from rpm.actions.visit_facts import VisitFacts
from rpm.errors import InvalidRequest, NotAllowed, NotFound
from rpm.store.chain import recording
from rpm.store.scope import Scope
from rpm.store.tables.claims import ClaimRecord, PatientAddress
from rpm.store.tables.ledger import Close, Posting
from rpm.store.tables.monitoring import Reading
from rpm.store.tables.people import Patient
from rpm.store.tables.proposals import FhirExport


def at_work(practice: Practice) -> Patient:
    """A patient of whom there is something of every type."""
    db, actor, now = practice.db, practice.actor, practice.now
    patient = practice.register_patient(family_name="O'BRIEN\nNúñez")
    episode = practice.enroll(patient)
    device = practice.register_device(make="Acme")
    practice.associate(device, episode)
    payer = add_payer(db, actor, now, AddPayer(key="MEDICARE_B", name="Medicare"))
    record_coverage(
        db, actor, now,
        RecordCoverage.model_validate(
            {
                "patient_id": patient.id, "payer_id": payer.id, "member_id": "1EG4",
                "from_day": "2025-01-01",
            }
        ),
    )  # fmt: skip
    add_practitioner(
        db, actor, now,
        AddPractitioner(name="Alice Green", npi="1245319599", credential="MD"),
    )  # fmt: skip
    day = practice.now.date()
    facts = VisitFacts.model_validate(
        {
            "payer": "MCR", "state": "OH", "dos": "2026-01-10", "provider_type": "MD",
            "provider_site": "OFFICE", "patient_location": "HOME", "modality": "AV",
            "fields": "dx=F32.1|I10",
        }
    )  # fmt: skip
    record_visit(db, actor, now, RecordVisit(patient_id=patient.id, facts=facts))
    with recording(db, actor, now, "test.record") as record:
        record.add(
            Reading(
                patient_id=patient.id, episode_id=episode.id, device_id=device.id,
                identity_key="r1", vendor="generic", vendor_device_id=device.vendor_device_id,
                kind="bp", measure="bp",
                components=[
                    {"loinc": "8480-6", "value": "128", "ucum": "mm[Hg]"},
                    {"loinc": "8462-4", "value": "81", "ucum": "mm[Hg]"},
                ],
                measured_at=now, vendor_time="", local_day=day, time_quality="zoned",
                received_at=now, received_day=day, entry_method="automatic", status="final",
                countable=True, flags=[], content_hash="x",
            )
        )  # fmt: skip
        close = record.add(
            Close(
                month_start_day=day.replace(day=1), ordinal=1, as_of=day, known_day=day,
                known_audit_number=1, product_version="x", rule_digests={}, totals={},
                outcome_digest="x", chain_anchor={},
            )
        )  # fmt: skip
        about: dict[str, Any] = {
            "close_id": close.id, "key": "k", "ordinal": 1, "patient_id": patient.id,
            "episode_id": episode.id, "code": "99454", "units": 1, "service_day": day,
            "period_start_day": day, "period_end_day": day, "payer_key": "MEDICARE_B",
            "rule_page_id": "x", "amount_status": "", "evidence_digest": "x",
        }  # fmt: skip
        record.add(Posting(sign=1, **about))
        record.add(
            ClaimRecord(
                patient_id=patient.id, payer_id=payer.id, control_number="C000001",
                rendering_npi="1245319599", from_day=day, to_day=day, charge_cents=20_400,
                content=claim_to_json(CLAIM),
            )
        )  # fmt: skip
    return patient


def asked(practice: Practice, **command: Any) -> FhirExport:
    """An export that was asked for now."""
    return request_fhir_export(
        practice.db, practice.actor, practice.now,
        RequestFhirExport.model_validate(command), "/v1/fhir/$export",
    )  # fmt: skip


def given(practice: Practice, export: FhirExport) -> list[dict[str, Any]]:
    """All resources of an export, each found valid by others."""
    scope = Scope.of(practice.actor)
    known = known_at(practice.db, scope, export)
    lines = [
        as_json(one)
        for kind in export.types
        for one in all_resources(practice.db, scope, kind, known)
    ]
    for line in lines:
        assert problems(line) == []
    return [json.loads(line) for line in lines]


def test_every_type_is_given_and_refers_to_what_is_given(practice: Practice) -> None:
    """All types are there, valid, and each reference is to a resource of the same export."""
    at_work(practice)
    made = given(practice, asked(practice))
    assert set(Counter(one["resourceType"] for one in made)) == set(TYPES)
    there = {f"{one['resourceType']}/{one['id']}" for one in made}
    referred = _references(made)
    assert len(referred) == 6
    assert {one for one in referred if not one.startswith("#")} <= there


def _references(value: Any) -> set[str]:
    if isinstance(value, dict):
        found = {value["reference"]} if isinstance(value.get("reference"), str) else set()
        return found.union(*map(_references, value.values()))
    return set().union(*map(_references, value)) if isinstance(value, list) else set()


def test_an_export_stays_as_it_was_asked_for(practice: Practice) -> None:
    """What is recorded later is in the next export, not in one that was asked for before."""
    patient = at_work(practice)
    export = asked(practice)
    before = given(practice, export)
    with recording(practice.db, practice.actor, practice.now, "test.record") as record:
        record.add(
            PatientAddress(
                patient_id=patient.id, street="22 Elm St", city="X", state="IL", postal_code="6270"
            )
        )
    practice.register_patient()
    assert given(practice, export) == before
    after = given(practice, asked(practice))
    lives = [one for one in after if one["id"] == str(patient.id)]
    assert lives[0]["address"][0]["line"] == ["22 Elm St"]


def test_since_gives_what_changed(practice: Practice) -> None:
    """Of an earlier patient with a new address the patient is given, and nobody else."""
    patient = at_work(practice)
    then, practice.now = practice.now, practice.now + timedelta(hours=1)
    with recording(practice.db, practice.actor, practice.now, "test.record") as record:
        record.add(
            PatientAddress(
                patient_id=patient.id, street="22 Elm St", city="X", state="IL", postal_code="6270"
            )
        )
    export = asked(practice, since=then.isoformat(), types=["Patient", "Observation"])
    assert [one["id"] for one in given(practice, export)] == [str(patient.id)]
    scope = Scope.of(practice.actor)
    assert filled_types(practice.db, scope, export) == ["Patient"]


def test_an_export_is_refused_ended_and_of_one_practice(practice: Practice) -> None:
    """Without the permission it is refused; ended or another practice's, there is none."""
    command = RequestFhirExport()
    with pytest.raises(NotAllowed):
        request_fhir_export(practice.db, practice.without("export:run"), practice.now, command, "x")
    future = RequestFhirExport(since=practice.now + timedelta(days=1))
    with pytest.raises(InvalidRequest):
        request_fhir_export(practice.db, practice.actor, practice.now, future, "x")
    export = asked(practice)
    with pytest.raises(NotFound):
        open_export(practice.db, Scope.of(practice.stranger), export.id)
    end_fhir_export(practice.db, practice.actor, practice.now, EndFhirExport(export_id=export.id))
    with pytest.raises(NotFound):
        open_export(practice.db, Scope.of(practice.actor), export.id)

"""Register a patient, and open a patient's chart.

Owns what makes the same patient (the practice's own record number). Does not own coverages or
episodes. Opening a chart changes no fact but is an action: it leaves an audit event.
"""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field
from sqlmodel import Session

from rpm.access import Actor, require
from rpm.actions.command import Command, Day, Name, OneOf, Zone
from rpm.actions.manage_sites import first_site
from rpm.actions.natural_key import same_or_conflict
from rpm.actions.practice_day import refuse_future
from rpm.clock import local_day
from rpm.store.chain import recording
from rpm.store.queries.people import (
    hold_organization,
    organization_of,
    patient_with_record_number,
)
from rpm.store.scope import Scope
from rpm.store.tables.people import Patient
from rpm.store.tables.sites import PatientSite

SEXES = ("F", "M", "U")
"""Codes of X12 segment DMG: female, male, unknown."""


class RegisterPatient(Command):
    """A new patient of the practice."""

    record_number: Name = Field(examples=["MRN-000417"], description="The practice's own id.")
    family_name: Name = Field(examples=["Example"])
    given_name: Name = Field(examples=["Pat"])
    birth_date: Day = Field(examples=["1951-04-23"])
    sex: Annotated[str, OneOf(SEXES)] = Field(examples=["U"])
    timezone: Zone | None = Field(
        default=None, description="Zone of the patient's days; the practice's when not given."
    )


def register_patient(db: Session, actor: Actor, now: datetime, command: RegisterPatient) -> Patient:
    """The patient under the record number; asked again with the same content, the same patient.

    ``Conflict`` when the record number belongs to a patient with other content.
    """
    require(actor, "patients:write")
    scope = Scope.of(actor)
    organization = organization_of(db, scope)
    refuse_future("birth_date", command.birth_date, local_day(now, organization.timezone))
    wanted = command.model_dump()
    wanted["timezone"] = command.timezone or organization.timezone
    hold_organization(db, scope)
    recorded = patient_with_record_number(db, scope, command.record_number)
    if recorded is not None:
        return same_or_conflict(recorded, wanted, "another patient has this record number")
    with recording(db, actor, now, "patient.register") as record:
        patient = record.add(Patient(**wanted))
        record.subject["patient_id"] = patient.id
        site_id = first_site(actor)
        if site_id is not None:
            record.add(PatientSite(patient_id=patient.id, site_id=site_id))
    return patient


def open_chart(db: Session, actor: Actor, now: datetime, patient_id: UUID) -> Patient:
    """The patient whose chart is opened; the event ``chart.open`` says who looked and when."""
    require(actor, "patients:read")
    patient = Scope.of(actor).get(db, Patient, patient_id)
    with recording(db, actor, now, "chart.open", {"patient_id": patient.id}):
        return patient

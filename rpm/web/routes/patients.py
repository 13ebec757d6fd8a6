"""Patients and who pays for them.

Owns the addresses and what is shown. Does not own registering (``rpm.actions``). Names and record
numbers never stand in an address: looking for them is a POST.
"""

from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import Query
from pydantic import Field

from rpm.access import Actor
from rpm.actions.command import Command, Name
from rpm.actions.record_coverage import (
    EndCoverage,
    RecordCoverage,
    end_coverage,
    record_coverage,
)
from rpm.actions.register_patient import RegisterPatient, open_chart, register_patient
from rpm.store.queries.episodes import episodes_of_patient
from rpm.store.queries.people import CoverageState, coverages_of, patients_page
from rpm.store.scope import Scope
from rpm.store.tables.people import Coverage, CoverageEnd, Patient
from rpm.web.deps import PROBLEMS, Db, Now, Page, Paging, ReadDb, area_router, permit
from rpm.web.routes.episodes import EpisodeOut, Program, shown_episode
from rpm.web.routes.readings import after_id
from rpm.web.shown import ShownFact

router = area_router("Patients")


class PatientOut(ShownFact):
    """A patient of the practice."""

    record_number: str = Field(description="The practice's own id.", examples=["MRN-000417"])
    family_name: str = Field(examples=["Example"])
    given_name: str = Field(examples=["Pat"])
    birth_date: date = Field(examples=["1951-04-23"])
    sex: str = Field(description="`F`, `M` or `U`.", examples=["U"])
    timezone: str = Field(description="IANA zone of the patient's days.")


class CoverageOut(ShownFact):
    """A patient with a payer."""

    patient_id: UUID
    payer_id: UUID
    member_id: str = Field(examples=["1EG4-TE5-MK73"])
    from_day: date = Field(examples=["2025-01-01"])
    last_day: date | None = Field(description="Last day that counts, included; null while open.")


class CoverageEndOut(ShownFact):
    """The end of a coverage; the one recorded last counts."""

    coverage_id: UUID
    last_day: date = Field(examples=["2025-12-31"])
    reason: str


class ChartOut(PatientOut):
    """A patient with coverages and episodes."""

    coverages: list[CoverageOut] = Field(description="In order of their first day.")
    episodes: list[EpisodeOut] = Field(description="In order of their first day.")


class FindPatients(Command):
    """What is known of a patient."""

    record_number: Name | None = Field(default=None, description="The practice's own id.")
    family_name: Name | None = Field(
        default=None, description="Beginning of the family name.", examples=["Exam"]
    )


def shown_coverage(state: CoverageState) -> CoverageOut:
    """A coverage with the end that counts."""
    values = state.coverage.model_dump(exclude={"to_day"})
    return CoverageOut.model_validate({**values, "last_day": state.last_day})


@router.post(
    "/patients",
    status_code=201,
    summary="Register a patient",
    description="The same record number with the same content again gives the same patient.",
    operation_id="register_patient",
    response_model=PatientOut,
    responses=PROBLEMS,
)
def register(
    db: Db, now: Now, actor: Annotated[Actor, permit("patients:write")], command: RegisterPatient
) -> Patient:
    """The patient."""
    return register_patient(db, actor, now, command)


@router.get(
    "/patients",
    summary="List patients",
    description="In the order they were registered.",
    operation_id="list_patients",
    response_model=Page[PatientOut],
    responses=PROBLEMS,
)
def list_patients(
    db: ReadDb,
    actor: Annotated[Actor, permit("patients:read")],
    paging: Paging,
    program: Annotated[
        Program | None, Query(description="Only patients with an open episode of this program.")
    ] = None,
) -> Page[Patient]:
    """A page of patients."""
    rows = patients_page(
        db, Scope.of(actor), program=program, after=after_id(paging), limit=paging.fetch
    )
    return paging.page(rows, lambda row: (row.id,))


@router.post(
    "/patients/search",
    summary="Find patients by name or record number",
    description="What is looked for stands in the body: addresses end up in logs.",
    operation_id="find_patients",
    response_model=Page[PatientOut],
    responses=PROBLEMS,
)
def find_patients(
    db: ReadDb,
    actor: Annotated[Actor, permit("patients:read")],
    paging: Paging,
    command: FindPatients,
) -> Page[Patient]:
    """A page of patients."""
    rows = patients_page(
        db,
        Scope.of(actor),
        record_number=command.record_number,
        family_name=command.family_name,
        after=after_id(paging),
        limit=paging.fetch,
    )
    return paging.page(rows, lambda row: (row.id,))


@router.get(
    "/patients/{patient_id}",
    summary="Open a patient's chart",
    description="Opening a chart is recorded: the audit event `chart.open` names who looked.",
    operation_id="open_chart",
    response_model=ChartOut,
    responses=PROBLEMS,
)
def chart(
    db: Db, now: Now, actor: Annotated[Actor, permit("patients:read")], patient_id: UUID
) -> ChartOut:
    """The patient with coverages and episodes."""
    patient, scope = open_chart(db, actor, now, patient_id), Scope.of(actor)
    return ChartOut(
        **patient.model_dump(exclude={"organization_id", "audit_number"}),
        coverages=[shown_coverage(state) for state in coverages_of(db, scope, patient_id)],
        episodes=[shown_episode(state) for state in episodes_of_patient(db, scope, patient_id)],
    )


@router.post(
    "/coverages",
    status_code=201,
    summary="Record a coverage",
    description="A patient has one coverage on a day.",
    operation_id="record_coverage",
    response_model=CoverageOut,
    responses=PROBLEMS,
)
def record(
    db: Db, now: Now, actor: Annotated[Actor, permit("patients:write")], command: RecordCoverage
) -> CoverageOut:
    """The coverage."""
    coverage: Coverage = record_coverage(db, actor, now, command)
    return shown_coverage(CoverageState(coverage, coverage.to_day))


@router.post(
    "/coverage-ends",
    status_code=201,
    summary="End a coverage",
    description="The end recorded last counts; the day before the first takes the coverage away.",
    operation_id="end_coverage",
    response_model=CoverageEndOut,
    responses=PROBLEMS,
)
def end(
    db: Db, now: Now, actor: Annotated[Actor, permit("patients:write")], command: EndCoverage
) -> CoverageEnd:
    """The end."""
    return end_coverage(db, actor, now, command)

"""Rows of patients and of coverages, through the actions that record them.

Owns when such a row says what is recorded already. A payer that the practice has not dealt with
yet is added under its key of the rule book.
"""

from datetime import datetime

from sqlmodel import Session

from rpm.access import Actor
from rpm.actions.add_payer import AddPayer, add_payer
from rpm.actions.import_row import RowTaken, made, patient_of
from rpm.actions.record_coverage import RecordCoverage, record_coverage
from rpm.actions.register_patient import RegisterPatient, register_patient
from rpm.imports.records import CoverageRow, PatientRow
from rpm.store.queries.people import coverages_of, patient_with_record_number, payer_with_key
from rpm.store.scope import Scope
from rpm.store.tables.people import Payer


def take_patient(db: Session, actor: Actor, now: datetime, row: PatientRow) -> RowTaken:
    """The patient of a row, registered unless known; errors as ``register_patient``."""
    known = patient_with_record_number(db, Scope.of(actor), row.record_number)
    command = made(
        RegisterPatient,
        record_number=row.record_number,
        family_name=row.family_name,
        given_name=row.given_name,
        birth_date=row.birth_date,
        sex=row.sex,
        timezone=row.timezone,
    )
    register_patient(db, actor, now, command)
    return RowTaken(new=known is None)


def take_coverage(db: Session, actor: Actor, now: datetime, row: CoverageRow) -> RowTaken:
    """The coverage of a row, recorded unless one says the same.

    Errors as ``add_payer`` and ``record_coverage``.
    """
    scope = Scope.of(actor)
    patient = patient_of(db, scope, row.record_number)
    payer = _payer(db, actor, now, row)
    command = made(
        RecordCoverage,
        patient_id=patient.id,
        payer_id=payer.id,
        member_id=row.member_id,
        from_day=row.from_day,
        to_day=row.to_day,
    )
    wanted = command.model_dump()
    for state in coverages_of(db, scope, patient.id):
        if all(getattr(state.coverage, name) == value for name, value in wanted.items()):
            return RowTaken(new=False)
    record_coverage(db, actor, now, command)
    return RowTaken(new=True)


def _payer(db: Session, actor: Actor, now: datetime, row: CoverageRow) -> Payer:
    known = payer_with_key(db, Scope.of(actor), row.payer)
    if known is not None:
        return known
    return add_payer(
        db, actor, now, made(AddPayer, key=row.payer, name=row.payer_name or row.payer)
    )

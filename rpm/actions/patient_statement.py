"""What a patient's statement tells, from claims, answers and payments.

Owns gathering it. Does not own its sums (``billing.claims.statement``) nor its look
(``rpm.documents.statement``). What no payer has answered is unknown, not zero.
"""

from datetime import datetime
from uuid import UUID

from sqlmodel import Session, col

from billing.claims.balance import Answer, patient_share
from billing.claims.claim import Address, Name
from billing.claims.claim_json import json_to_claim
from billing.claims.statement import Statement, StatementLine, StatementPayment
from rpm.actions.claim_money import answers_by_claim
from rpm.actions.patient_money import PatientAccount, patient_account
from rpm.actions.practice_day import practice_today
from rpm.store.queries.billing import addresses_of, practice_billing
from rpm.store.queries.people import organization_of
from rpm.store.scope import Scope
from rpm.store.tables.claims import ClaimRecord, PatientAddress, PracticeBilling
from rpm.store.tables.people import Patient, Payer


def patient_statement(db: Session, scope: Scope, patient_id: UUID, now: datetime) -> Statement:
    """The statement as of now; ``NotFound`` when the patient is not here."""
    patient = scope.get(db, Patient, patient_id)
    account = patient_account(db, scope, patient_id)
    billing, home = practice_billing(db, scope), addresses_of(db, scope, [patient_id])
    organization = organization_of(db, scope)
    return Statement(
        practice=Name(billing.name if billing else organization.name, organization=True),
        practice_address=None if billing is None else _address(billing),
        practice_phone=billing.contact_phone if billing else "",
        patient=Name(patient.family_name, patient.given_name),
        patient_address=_address(home[patient_id]) if patient_id in home else None,
        record_number=patient.record_number,
        made_day=practice_today(db, scope, now),
        lines=_lines(db, scope, account),
        payments=tuple(
            StatementPayment(row.on_day, row.method, row.cents) for row in account.payments
        ),
    )


def _lines(db: Session, scope: Scope, account: PatientAccount) -> tuple[StatementLine, ...]:
    answers = answers_by_claim(db, scope, account.rows)
    ids = {row.payer_id for row in account.rows.values()}
    payers = {row.id: row.name for row in scope.all_of(db, Payer, col(Payer.id).in_(ids))}
    rows = sorted(account.rows.values(), key=lambda row: (row.from_day, row.control_number))
    return tuple(_line(row, answers.get(row.id, []), payers[row.payer_id]) for row in rows)


def _line(row: ClaimRecord, answers: list[Answer], payer_name: str) -> StatementLine:
    claim = json_to_claim(row.content)
    answered = bool(answers)
    return StatementLine(
        from_day=row.from_day,
        to_day=row.to_day,
        control_number=row.control_number,
        payer_name=payer_name,
        procedures=tuple(line.procedure for line in claim.lines),
        charge_cents=row.charge_cents,
        payer_cents=sum(one.paid_cents for one in answers) if answered else None,
        adjusted_cents=sum(one.adjusted_cents for one in answers) if answered else None,
        patient_cents=patient_share(answers) if answered else None,
    )


def _address(row: PracticeBilling | PatientAddress) -> Address:
    return Address(row.street, row.city, row.state, row.postal_code, row.street_more)

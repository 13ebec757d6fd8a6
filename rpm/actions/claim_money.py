"""What payers did with claims, as the balance takes it.

Owns reading it from the rows. Does not own any sum (``billing.claims.balance``).
"""

from collections import defaultdict
from collections.abc import Collection
from uuid import UUID

from sqlmodel import Session, col

from billing.claims.balance import Answer
from billing.claims.remittance import PATIENT_RESPONSIBILITY, known_cents
from billing.claims.remittance_json import json_to_adjustments, json_to_lines
from rpm.actions.post_remittances import NOT_ADJUDICATED
from rpm.store.queries.answers import answers_to, matches_of
from rpm.store.scope import Scope
from rpm.store.tables.answers import Remittance, RemittanceClaim


def answers_by_claim(
    db: Session, scope: Scope, claim_ids: Collection[UUID]
) -> dict[UUID, list[Answer]]:
    """What payers did with some claims, those that a person matched too."""
    rows = answers_to(db, scope, claim_ids)
    matches = matches_of(db, scope, [row.id for row in rows if row.claim_id is None])
    payments = _payments(db, scope, {row.remittance_id for row in rows})
    found: dict[UUID, list[Answer]] = defaultdict(list)
    for row in rows:
        claim_id = row.claim_id or matches[row.id].claim_id
        if row.status_code not in NOT_ADJUDICATED:
            found[claim_id].append(_answer(row, payments[row.remittance_id]))
    return found


def _payments(db: Session, scope: Scope, ids: Collection[UUID]) -> dict[UUID, Remittance]:
    return {row.id: row for row in scope.all_of(db, Remittance, col(Remittance.id).in_(ids))}


def _answer(row: RemittanceClaim, payment: Remittance) -> Answer:
    every = [
        *json_to_adjustments(row.adjustments),
        *(one for line in json_to_lines(row.lines) for one in line.adjustments),
    ]
    return Answer(
        payment.payer_id_text or payment.payer_name,
        row.status_code,
        row.paid_cents,
        row.patient_cents,
        payment.payment_day,
        known_cents(one.cents for one in every if one.group != PATIENT_RESPONSIBILITY),
    )

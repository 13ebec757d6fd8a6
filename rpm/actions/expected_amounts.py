"""Expected amounts of claims as they stand, where the payer's schedule was loaded.

Owns which claims are looked at and which of their versions. Does not own when an amount may be
expected (``billing.claims.expected``).
"""

from collections.abc import Collection
from uuid import UUID

from sqlmodel import Session, col

from billing.claims.claim_json import json_to_claim
from billing.claims.expected import MEDICARE, expected_cents
from rpm.store.queries.claims import claims_of, versions_of
from rpm.store.rule_books import book_of
from rpm.store.scope import Scope
from rpm.store.tables.people import Payer


def expected_amounts(db: Session, scope: Scope, claim_ids: Collection[UUID]) -> dict[UUID, int]:
    """Expected cents of those of some claims for which they are known."""
    fees = book_of(db, scope.organization_id).fees
    if not fees.tables or not claim_ids:
        return {}
    rows, versions = claims_of(db, scope, claim_ids), versions_of(db, scope, claim_ids)
    payers = {payer.id for payer in scope.all_of(db, Payer, col(Payer.key) == MEDICARE)}
    found = {}
    for claim_id, row in rows.items():
        if row.payer_id in payers:
            claim = json_to_claim((versions.get(claim_id) or row).content)
            cents = expected_cents(claim, MEDICARE, fees)
            if cents is not None:
                found[claim_id] = cents
    return found

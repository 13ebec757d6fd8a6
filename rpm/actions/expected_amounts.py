"""Expected amounts of claims as they stand, where the payer's schedule was loaded.

Owns which claims are looked at, which of their versions, and what is kept of the answers. Does not
own when an amount may be expected (``billing.claims.expected``). What is kept follows from the
content of a claim and the schedules, both of which never change; it only saves time.
"""

from collections.abc import Collection, Hashable, Mapping
from threading import Lock
from uuid import UUID

from sqlmodel import Session, col

from billing.claims.claim_json import json_to_claim
from billing.claims.expected import MEDICARE, expected_cents
from billing.rules.fees import NATIONAL, FeeSchedules
from rpm.store.queries.claims import claims_of, versions_of
from rpm.store.queries.denials import paid_sums
from rpm.store.rule_books import book_of
from rpm.store.scope import Scope
from rpm.store.tables.people import Payer

_MOST_KEPT = 200_000
_KEPT: dict[Hashable, int | None] = {}
_LOCK = Lock()


def expected_amounts(db: Session, scope: Scope, claim_ids: Collection[UUID]) -> dict[UUID, int]:
    """Expected cents of those of some claims for which they are known."""
    fees = book_of(db, scope.organization_id).fees
    if not _is_loaded(fees) or not claim_ids:
        return {}
    payers = {payer.id for payer in scope.all_of(db, Payer, col(Payer.key) == MEDICARE)}
    schedules = (fees.locality, *(table.sha256 for table in fees.tables))
    versions = versions_of(db, scope, claim_ids)
    keys = {one: (schedules, versions[one].id if one in versions else one) for one in claim_ids}
    with _LOCK:
        known = {one: _KEPT[key] for one, key in keys.items() if key in _KEPT}
    new = [one for one in claim_ids if one not in known]
    for claim_id, row in claims_of(db, scope, new).items():
        known[claim_id] = None
        if row.payer_id in payers:
            claim = json_to_claim((versions.get(claim_id) or row).content)
            known[claim_id] = expected_cents(claim, MEDICARE, fees)
    with _LOCK:
        if len(_KEPT) + len(new) > _MOST_KEPT:
            _KEPT.clear()
        _KEPT.update((keys[one], known[one]) for one in new if one in known)
    return {one: cents for one, cents in known.items() if cents is not None}


def short_claims(db: Session, scope: Scope, kept_back: Mapping[UUID, int]) -> dict[UUID, int]:
    """Expected cents of the paid claims that got less, by claim.

    ``kept_back`` are cents of sequestration by claim: they count as received.
    """
    payers = scope.all_of(db, Payer, col(Payer.key) == MEDICARE)
    if not payers or not _is_loaded(book_of(db, scope.organization_id).fees):
        return {}
    sums = paid_sums(db, scope, payers[0].id)
    expected = expected_amounts(db, scope, sums)
    return {
        claim_id: cents
        for claim_id, cents in expected.items()
        if cents > sums[claim_id] + kept_back.get(claim_id, 0)
    }


def _is_loaded(fees: FeeSchedules) -> bool:
    """Whether any amount can be known at all: a schedule, and a locality to take it by."""
    return bool(fees.tables) and fees.locality != NATIONAL

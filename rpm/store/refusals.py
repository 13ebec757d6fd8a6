"""Which answers refused something, read once for each remittance: a remittance never changes.

Owns this reading and what is kept of it. Does not own what a refusal is
(``billing.claims.denial_reasons``). What is kept here saves time and nothing else: it is found by
the id of the remittance that it follows from.
"""

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from threading import Lock
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import select
from sqlmodel import Session, col

from billing.claims.denial import SEQUESTRATION
from billing.claims.denial_reasons import shipped_groups
from rpm.store.scope import Scope
from rpm.store.tables.answers import Remittance, RemittanceClaim, RemittanceMatch

_MOST_KEPT = 20_000
_AT_ONCE = 500


class Refusal(NamedTuple):
    """An answer that refused something, or kept back what the law says."""

    answer_id: UUID
    claim_id: UUID | None  # None: a person matched it, or nobody yet
    refused: bool
    kept_back_cents: int


_KEPT: OrderedDict[UUID, tuple[Refusal, ...]] = OrderedDict()
_LOCK = Lock()


def refusals(db: Session, scope: Scope) -> list[tuple[UUID, Refusal]]:
    """Every refusal with its claim; those that name none and nobody matched are left out."""
    ids = db.execute(
        select(col(Remittance.id)).where(col(Remittance.organization_id) == scope.organization_id)
    )
    found = [one for some in _of(db, scope, list(ids.scalars())) for one in some]
    matched: dict[UUID, UUID] = {}
    if any(one.claim_id is None for one in found):
        rows = scope.all_of(db, RemittanceMatch)
        matched = {row.remittance_claim_id: row.claim_id for row in rows}
    named = ((one.claim_id or matched.get(one.answer_id), one) for one in found)
    return [(claim_id, one) for claim_id, one in named if claim_id is not None]


def _of(db: Session, scope: Scope, ids: Sequence[UUID]) -> Iterator[tuple[Refusal, ...]]:
    with _LOCK:
        known = {one: _KEPT[one] for one in ids if one in _KEPT}
    new = [one for one in ids if one not in known]
    for start in range(0, len(new), _AT_ONCE):
        known |= _read(db, scope, new[start : start + _AT_ONCE])
    with _LOCK:
        for one in new:
            _KEPT[one] = known[one]
        while len(_KEPT) > _MOST_KEPT:
            _KEPT.popitem(last=False)
    return iter(known.values())


def _read(db: Session, scope: Scope, ids: Sequence[UUID]) -> dict[UUID, tuple[Refusal, ...]]:
    names = ("remittance_id", "id", "claim_id", "adjustments", "lines")
    query = select(*(col(getattr(RemittanceClaim, name)) for name in names)).where(
        col(RemittanceClaim.organization_id) == scope.organization_id,
        col(RemittanceClaim.remittance_id).in_(ids),
    )
    found: dict[UUID, list[Refusal]] = {one: [] for one in ids}
    for row in db.execute(query):
        refused, kept_back = _told(row)
        if refused or kept_back:
            found[row.remittance_id].append(Refusal(row.id, row.claim_id, refused, kept_back))
    return {one: tuple(some) for one, some in found.items()}


def _told(row: Any) -> tuple[bool, int]:
    """Whether anything was refused, and the cents that sequestration kept back."""
    groups, refused, kept_back = shipped_groups(), False, 0
    for part in (row.adjustments, *(line.get("adjustments", ()) for line in row.lines)):
        for group, reason, cents in part:
            if reason == SEQUESTRATION:
                kept_back += cents or 0
            elif (cents or 0) > 0 and not groups.of(group, reason).usual:
                refused = True
    return refused, kept_back

"""What a recorded close posted, added up by the database.

Owns the sum of a code and payer, and its SELECT. Does not own postings
(``rpm.store.queries.ledger``) nor sums of a close that is only computed
(``rpm.actions.close_summary``).
"""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import case, func, select
from sqlmodel import Session, col

from rpm.store.scope import Scope
from rpm.store.tables.ledger import Posting


@dataclass
class LineSum:
    """Postings of one code and payer; those of reversals count against those of issues."""

    code: str
    payer_key: str
    issued: int = 0
    reversed: int = 0
    units: int = 0
    amount_cents: int = 0
    amounts_unknown: int = 0  # postings without an amount: in no sum


def sums_of_close(db: Session, scope: Scope, close_id: UUID) -> list[LineSum]:
    """The sum for each code and payer that the close posted something for, in this order."""
    sign, amount = col(Posting.sign), col(Posting.amount_cents)
    found = db.execute(
        select(
            col(Posting.code),
            col(Posting.payer_key),
            func.sum(case((sign > 0, 1), else_=0)),
            func.sum(case((sign < 0, 1), else_=0)),
            func.sum(sign * col(Posting.units)),
            func.coalesce(func.sum(sign * amount), 0),
            func.count() - func.count(amount),
        )
        .where(
            col(Posting.organization_id) == scope.organization_id,
            col(Posting.close_id) == close_id,
        )
        .group_by(col(Posting.code), col(Posting.payer_key))
        .order_by(col(Posting.code), col(Posting.payer_key))
    )
    return [LineSum(code, payer, *(int(one) for one in sums)) for code, payer, *sums in found]

"""Run a purge that two persons decided: payloads go, rows and digests stay, tombstones tell.

Owns the removal. Does not own the decision (``rpm.actions.order_purge``) nor what may go
(``rpm.store.purgeable``): both are asked again, so that a hold placed meanwhile keeps what it
covers. Everything is one transaction, which is only committed when the record verifies after it.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlmodel import Session, col

from rpm.access import Actor, require
from rpm.actions.order_purge import approval_of, older_than, oldest_kept_day
from rpm.audit import row_digest
from rpm.errors import Conflict
from rpm.store.append_only import without_update_guard
from rpm.store.chain import Record, recording
from rpm.store.purgeable import DELIVERY
from rpm.store.queries.people import hold_organization
from rpm.store.scope import Scope
from rpm.store.stored_form import stored_form
from rpm.store.tables.base import METADATA
from rpm.store.tables.retention import PurgeOrder, Tombstone
from rpm.store.verify import verify_chain

Progress = Callable[[int, int], None]
"""Called with payloads removed and payloads in all."""
_TABLE = METADATA.tables[DELIVERY]
_EMPTY: Mapping[str, Any] = {"body": b"", "headers": {}}
_AT_ONCE = 200


def run_purge(
    db: Session,
    actor: Actor,
    now: datetime,
    order_id: UUID,
    progress: Progress | None = None,
) -> int:
    """Remove what the order covers and may still go; how many payloads.

    ``Conflict`` when nobody else approved it, it ran already, the practice keeps payloads for
    longer now or does not say, or the record does not verify. ``NotReady`` where the login may not
    remove anything.
    """
    require(actor, "records:purge")
    scope = Scope.of(actor)
    hold_organization(db, scope)
    order = scope.get(db, PurgeOrder, order_id)
    _refuse_undecided(db, scope, order)
    before_day = min(order.before_day, oldest_kept_day(db, scope, now))
    free = older_than(db, scope, before_day).free
    subject = {"order_id": order.id}
    with recording(db, actor, now, "purge.run", subject, order.reason) as record:
        record.subject["payloads"] = len(free)
        with without_update_guard(db.connection(), DELIVERY):
            for start in range(0, len(free), _AT_ONCE):
                some = free[start : start + _AT_ONCE]
                _remove(db, scope, record, order, some)
                if progress is not None:
                    progress(start + len(some), len(free))
    if verify_chain(db, scope.organization_id):
        raise Conflict("the record does not verify: nothing was removed")
    return len(free)


def _refuse_undecided(db: Session, scope: Scope, order: PurgeOrder) -> None:
    approval = approval_of(db, scope, order.id)
    if approval is None or approval.approved_by == order.ordered_by:
        raise Conflict("the purge needs the approval of a second person")
    if scope.all_of(db, Tombstone, col(Tombstone.order_id) == order.id):
        raise Conflict("the purge ran already")


def _remove(
    db: Session, scope: Scope, record: Record, order: PurgeOrder, row_ids: Sequence[UUID]
) -> None:
    chosen = (_TABLE.c.organization_id == scope.organization_id) & _TABLE.c.id.in_(row_ids)
    rows = [dict(row._mapping) for row in db.execute(_TABLE.select().where(chosen))]
    db.execute(_TABLE.update().where(chosen).values(**_EMPTY))
    record.add_values(
        Tombstone,
        (
            {
                "order_id": order.id,
                "table_name": DELIVERY,
                "row_id": row["id"],
                "row_digest": _digest(row),
                "left_digest": _digest({**row, **_EMPTY}),
            }
            for row in rows
        ),
    )


def _digest(row: Mapping[str, Any]) -> str:
    return row_digest(DELIVERY, stored_form(_TABLE, row)).hex()

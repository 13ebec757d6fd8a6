"""A pack held against the ledger: are its facts recorded as it shows them, and its anchors true.

Owns the comparison of row digests with the rows and with the audit events that recorded them, and
of anchors with the chain. Does not own the check of a pack by itself (``billing.evidence``) nor
that of the chain (``rpm.actions.verify``). Changes nothing.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlmodel import Session, col, select

from billing.evidence.mismatch import Mismatch
from rpm.audit import LOCATOR_BYTES, Anchor, row_digest
from rpm.errors import NotFound
from rpm.store.queries.ledger import anchor_of
from rpm.store.scope import Scope
from rpm.store.stored_form import stored_form
from rpm.store.tables.base import METADATA
from rpm.store.tables.security import AuditEvent

_AT_ONCE = 500
Json = Mapping[str, Any]


def compare_pack(db: Session, scope: Scope, pack: Json) -> list[Mismatch]:
    """What of a pack is not as the organization's ledger has it."""
    owner = pack["organization"].get("id")
    if owner != scope.organization_id.hex:
        return [Mismatch("organization.id", str(owner), scope.organization_id.hex)]
    found = list(_anchors(db, scope, pack["chain"]))
    for start in range(0, len(pack["facts"]), _AT_ONCE):
        some = list(enumerate(pack["facts"]))[start : start + _AT_ONCE]
        recorded = _recorded(db, scope, [fact for _, fact in some])
        pieces = _pieces(db, scope, {number for number, _ in recorded.values()})
        for place, fact in some:
            found += _compared(f"facts[{place}]", fact, recorded, pieces)
    return found


def _anchors(db: Session, scope: Scope, chain: Json) -> Iterator[Mismatch]:
    named: dict[str, Any] = {"at_pack": chain.get("at_pack")}
    named |= {f"at_closes.{one}": anchor for one, anchor in chain.get("at_closes", {}).items()}
    for name, told in named.items():
        try:
            kept = anchor_of(db, scope, int(told["number"]))
            said = Anchor(int(told["number"]), str(told["hmac"]))
        except (NotFound, KeyError, TypeError, ValueError, OverflowError):
            yield Mismatch(f"chain.{name}", "an audit event", "no event of this number")
            continue
        if kept != said:
            yield Mismatch(f"chain.{name}.hmac", said.hmac, kept.hmac)


Recorded = Mapping[tuple[str, str], tuple[int, bytes]]
"""By table and id: audit number and digest of a row."""


def _recorded(db: Session, scope: Scope, facts: Sequence[Json]) -> Recorded:
    wanted: dict[str, set[UUID]] = {}
    for fact in facts:
        name, row_id = fact.get("table"), _uuid(fact.get("stored", {}).get("id"))
        if name in METADATA.tables and row_id is not None:
            wanted.setdefault(str(name), set()).add(row_id)
    found = {}
    for name, ids in wanted.items():
        table = METADATA.tables[name]
        if not table.info.get("append_only"):
            continue
        owner = table.c.organization_id if "organization_id" in table.c else table.c.id
        rows = db.execute(
            table.select().where(owner == scope.organization_id, table.c.id.in_(sorted(ids)))
        )
        for row in rows:
            values = dict(row._mapping)
            digest = row_digest(name, stored_form(table, values))
            found[name, values["id"].hex] = (int(values["audit_number"]), digest)
    return found


def _pieces(db: Session, scope: Scope, numbers: set[int]) -> dict[int, set[bytes]]:
    """By audit event, the piece of each row digest that it keeps."""
    events = db.exec(
        select(AuditEvent.number, AuditEvent.row_digests).where(
            col(AuditEvent.organization_id) == scope.organization_id,
            col(AuditEvent.number).in_(sorted(numbers)),
        )
    )
    return {
        number: {kept[at : at + LOCATOR_BYTES] for at in range(0, len(kept), LOCATOR_BYTES)}
        for number, kept in events
    }


def _compared(
    path: str, fact: Json, recorded: Recorded, pieces: Mapping[int, set[bytes]]
) -> Iterator[Mismatch]:
    name, row_id = str(fact.get("table")), str(fact.get("stored", {}).get("id"))
    path = f"{path} ({name} {row_id})"
    kept = recorded.get((name, row_id))
    if kept is None:
        yield Mismatch(path, "a recorded fact", "nothing: the ledger has none of this id")
        return
    number, digest = kept
    if digest.hex() != fact.get("row_digest"):
        yield Mismatch(f"{path}.row_digest", str(fact.get("row_digest")), digest.hex())
    if digest[:LOCATOR_BYTES] not in pieces.get(number, set()):
        said = "a fact that its audit event covers"
        yield Mismatch(path, said, f"another: audit event {number} does not cover the row")


def _uuid(text: Any) -> UUID | None:
    try:
        return UUID(str(text))
    except ValueError:
        return None

"""Verification: walks an organization's chain and every fact it covers, and names what is wrong.

Owns the findings ``E_CHAIN_*``. Does not own the arithmetic (``rpm.audit``) nor the closes'
recomputation. Reads each table once, in order, as a stream: memory stays flat.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from heapq import heapify, heapreplace
from itertools import islice
from math import inf
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, Table, select
from sqlmodel import Session

from billing.finding import Finding
from rpm.audit import (
    GENESIS_HMAC,
    LOCATOR_BYTES,
    Anchor,
    event_hmac,
    facts_digest,
    organization_key,
)
from rpm.keys import KeyRing
from rpm.store.chain import chain_head
from rpm.store.digested_rows import Digested, digested_rows, prepare
from rpm.store.engine import audit_keys
from rpm.store.tables.base import METADATA
from rpm.store.tables.retention import Tombstone
from rpm.store.tables.security import AuditEvent

_ROWS_AT_ONCE = 2_000
_EVENT = METADATA.tables[str(AuditEvent.__tablename__)]
_TOMBSTONE = METADATA.tables[str(Tombstone.__tablename__)]


def fact_tables() -> list[Table]:
    """The tables whose rows the chain covers, by name."""
    covered = [t for t in METADATA.tables.values() if "audit_number" in t.c]
    return sorted(covered, key=lambda table: table.name)


def verify_chain(
    session: Session,
    organization_id: UUID,
    *,
    until: int | None = None,
    anchors: Sequence[Anchor] = (),
    limit: int = 100,
) -> list[Finding]:
    """What does not fit in an organization's record, first things first; empty when all does.

    Events are checked up to number ``until`` (all by default). ``anchors`` are chain heads kept
    elsewhere (close, export manifest): they show a cut tail and an old copy put back.
    """
    walk = _Walk(session.connection(), audit_keys(session), organization_id, until)
    findings = list(islice(walk.findings({a.number: a for a in anchors}), limit))
    if until is None and len(findings) < limit:
        head = chain_head(session, organization_id)
        if (head.number, head.hmac) != (walk.last.number, walk.last.hmac):
            findings.append(_cut(walk.last.number, head.number, "the organization's head"))
    return findings


def _tombstones(
    connection: Connection, organization_id: UUID
) -> dict[str, dict[str, tuple[bytes, bytes]]]:
    """By table and row id (hex), the digest as it was recorded and that of what is left."""
    found: dict[str, dict[str, tuple[bytes, bytes]]] = {}
    names = (_TOMBSTONE.c[name] for name in ("table_name", "row_id", "row_digest", "left_digest"))
    rows = connection.execute(select(*names).where(_TOMBSTONE.c.organization_id == organization_id))
    for table, row_id, recorded, left in rows:
        digests = (bytes.fromhex(recorded), bytes.fromhex(left))
        found.setdefault(table, {})[row_id.hex] = digests
    return found


def _as_recorded(
    rows: Iterator[Digested], gone: Mapping[str, tuple[bytes, bytes]]
) -> Iterator[Digested]:
    """Rows whose payload was removed, with the digest they were recorded with.

    Only where what is left is just what the tombstone tells: anything else shows as changed. The
    chain covers the tombstone itself, and the event covers the digest that it gives.
    """
    if not gone:
        yield from rows
        return
    for number, row_id, digest in rows:
        recorded, left = gone.get(row_id, (digest, digest))
        yield number, row_id, recorded if digest == left else digest


class _FactStream:
    """Rows of one table in order of audit number and id."""

    def __init__(self, name: str, rows: Iterator[Digested]) -> None:
        self.name = name
        self._rows = rows
        self._next = next(rows, None)

    @property
    def number(self) -> float:
        """The audit number of the next row; infinity after the last."""
        return inf if self._next is None else self._next[0]

    def take(self, up_to: float) -> list[Digested]:
        """Rows whose audit number is at most ``up_to``."""
        taken, rows, row = [], self._rows, self._next
        while row is not None and row[0] <= up_to:
            taken.append(row)
            row = next(rows, None)
        self._next = row
        return taken


class _FactStreams:
    """The streams of all tables; only those that have a row for an event are looked at."""

    def __init__(self, streams: Iterable[_FactStream]) -> None:
        self._waiting = [(stream.number, stream.name, stream) for stream in streams]
        heapify(self._waiting)

    def take(self, up_to: float) -> dict[str, list[Digested]]:
        """Rows whose audit number is at most ``up_to``, by table."""
        taken = {}
        while self._waiting[0][0] <= up_to and self._waiting[0][0] < inf:
            _, name, stream = self._waiting[0]
            taken[name] = stream.take(up_to)
            heapreplace(self._waiting, (stream.number, name, stream))
        return taken


class _Walk:
    """One pass over the events of an organization beside the streams of its facts."""

    def __init__(
        self, connection: Connection, keys: KeyRing, organization_id: UUID, until: int | None
    ) -> None:
        prepare(connection)
        self.last = Anchor(0, GENESIS_HMAC)
        self._chain_keys = {
            key_id: organization_key(key, organization_id) for key_id, key in keys.keys.items()
        }
        where = [_EVENT.c.organization_id == organization_id]
        if until is not None:
            where.append(_EVENT.c.number <= until)
        self._events = connection.execute(
            select(_EVENT).where(*where).order_by(_EVENT.c.number),
            execution_options={"yield_per": _ROWS_AT_ONCE},
        )
        gone = _tombstones(connection, organization_id)
        self._facts = _FactStreams(
            _FactStream(
                table.name,
                _as_recorded(
                    digested_rows(connection, table, organization_id, until),
                    gone.get(table.name, {}),
                ),
            )
            for table in fact_tables()
        )

    def findings(self, anchors: Mapping[int, Anchor]) -> Iterator[Finding]:
        for event in self._events:
            yield from self._check_event(event)
            anchor = anchors.get(event.number)
            if anchor is not None and anchor.hmac != event.hmac:
                message = "is not the event that an anchor kept elsewhere names"
                yield Finding("E_CHAIN_ANCHOR", f"audit_event {event.number}", message)
            self.last = Anchor(event.number, event.hmac)
        for name, rows in sorted(self._facts.take(inf).items()):
            for number, row_id, _ in rows:
                yield _without_event(name, number, row_id)
        for number in sorted(anchors):
            if number > self.last.number:
                yield _cut(self.last.number, number, "an anchor kept elsewhere")

    def _check_event(self, event: Row[Any]) -> Iterator[Finding]:
        where = f"audit_event {event.number}"
        sound = False
        key = self._chain_keys.get(event.key_id)
        if event.number != self.last.number + 1:
            message = f"follows event {self.last.number}: the events between are missing"
            yield Finding("E_CHAIN_EVENT_MISSING", where, message)
        elif event.previous_hmac != self.last.hmac:
            message = "does not continue the event before it"
            yield Finding("E_CHAIN_BROKEN", where, message)
        if key is None:
            yield Finding("E_CHAIN_KEY_UNKNOWN", where, "was signed with a key that is not set")
        elif event.hmac != event_hmac(key, _plain(event._mapping)):
            yield Finding("E_CHAIN_EVENT_CHANGED", where, "was changed or not written by us")
        else:
            sound = True
        yield from self._check_rows(event, sound=sound)

    def _check_rows(self, event: Row[Any], *, sound: bool) -> Iterator[Finding]:
        rows: dict[str, list[Digested]] = {}
        for name, taken in sorted(self._facts.take(event.number).items()):
            own = [row for row in taken if row[0] == event.number]
            if own:
                rows[name] = own
            for number, row_id, _ in taken[: len(taken) - len(own)]:
                yield _without_event(name, number, row_id)
        digests = [digest for name in sorted(rows) for _, _, digest in rows[name]]
        if sound and facts_digest(digests) != event.fact_digest:
            yield from _locate(event, rows)


def _locate(event: Row[Any], rows: Mapping[str, list[Digested]]) -> Iterator[Finding]:
    """Which rows of an event do not fit, by the piece of each digest that the event keeps."""
    position = 0
    for name in sorted(set(event.fact_counts) | set(rows)):
        count, found = event.fact_counts.get(name, 0), rows.get(name, [])
        kept = event.row_digests[position * LOCATOR_BYTES : (position + count) * LOCATOR_BYTES]
        position += count
        expected = {kept[i : i + LOCATOR_BYTES] for i in range(0, len(kept), LOCATOR_BYTES)}
        strange = [row_id for _, row_id, digest in found if digest[:LOCATOR_BYTES] not in expected]
        inserted = max(len(found) - count, 0)
        for place, row_id in enumerate(strange):
            what = "ROW_INSERTED" if place < inserted else "ROW_CHANGED"
            message = f"does not fit the digest in audit event {event.number}"
            yield Finding(f"E_CHAIN_{what}", f"{name} {UUID(row_id)}", message)
        if len(found) < count:
            message = f"{count - len(found)} of {count} rows of {name} are missing"
            yield Finding("E_CHAIN_ROW_REMOVED", f"{name} of audit_event {event.number}", message)


def _without_event(table: str, number: int, row_id: str) -> Finding:
    message = f"names audit event {number}, which does not exist"
    return Finding("E_CHAIN_ROW_INSERTED", f"{table} {UUID(row_id)}", message)


def _cut(last: int, known: int, witness: str) -> Finding:
    message = f"the chain ends here, but {witness} names event {known}"
    return Finding("E_CHAIN_CUT", f"audit_event {last}", message)


def _plain(row: Mapping[Any, Any]) -> dict[str, Any]:
    return {str(name): value for name, value in row.items()}

"""Recording: facts and their audit event, written together under the organization's lock.

Owns the numbering and chaining of audit events and the stamping and insertion of rows. Does not
own what an action writes, nor commits: ``rpm.store.engine.transaction`` does.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from functools import lru_cache
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import Table, insert, select, update
from sqlalchemy.orm.attributes import instance_dict
from sqlmodel import Session

from rpm.access import Actor
from rpm.audit import (
    GENESIS_HMAC,
    LOCATOR_BYTES,
    Anchor,
    event_hmac,
    facts_digest,
    organization_key,
    row_digest,
)
from rpm.ids import uuid7
from rpm.store.engine import audit_keys, enter
from rpm.store.insertion import insert_stored
from rpm.store.stored_form import stored_columns, stored_rows
from rpm.store.tables.base import METADATA, Row
from rpm.store.tables.security import AuditEvent, OrganizationHead

T = TypeVar("T", bound=Row)
_LATER = object()
"""Stands for an id that is not made yet."""
_OPEN = "rpm_ledger_recording"
_HEAD = METADATA.tables[str(OrganizationHead.__tablename__)]
_EVENT = METADATA.tables[str(AuditEvent.__tablename__)]


@lru_cache(maxsize=1)
def _table_order() -> dict[str, int]:
    return {table.name: place for place, table in enumerate(METADATA.sorted_tables)}


class Record:
    """One action's rows, inserted in bulk, and the audit event that covers them."""

    def __init__(
        self,
        session: Session,
        actor: Actor,
        now: datetime,
        action: str,
        subject: Mapping[str, Any],
        reason: str | None,
    ) -> None:
        self.subject = dict(subject)  # ids only; may be completed while recording
        self.reason = reason
        self._session = session
        self._actor = actor
        self._now = now
        self._action = action
        self._pending: dict[str, list[dict[str, Any]]] = {}
        self._digests: list[tuple[str, str, bytes]] = []
        self._previous: Anchor | None = None
        self._has_head = False

    @property
    def previous(self) -> Anchor:
        """The head of the chain before this event; asking for it takes the organization's lock."""
        if self._previous is None:
            organization_id = self._actor.organization_id
            head = (
                self._session.connection()
                .execute(
                    select(_HEAD.c.last_number, _HEAD.c.last_hmac)
                    .where(_HEAD.c.organization_id == organization_id)
                    .with_for_update()
                )
                .first()
            )
            self._has_head = head is not None
            self._previous = Anchor(*head) if head is not None else Anchor(0, GENESIS_HMAC)
        return self._previous

    @property
    def number(self) -> int:
        """The number of this event; taken under the lock, so numbers are in commit order."""
        return self.previous.number + 1

    def add(self, row: T) -> T:
        """Take a row for insertion and fill in what every row has: organization, id, number, time.

        The row is not attached to the session; it stands in the database after ``flush``.
        """
        table = METADATA.tables[str(type(row).__tablename__)]
        values = instance_dict(row)
        for name, value in self._stamps(table, values).items():
            setattr(row, name, value)
        self._take(table, {column.name: values.get(column.name) for column in table.columns})
        return row

    def add_values(
        self, kind: type[Row], rows: Iterable[Mapping[str, Any]]
    ) -> list[dict[str, Any]]:
        """``add`` for many rows given as columns and values, without an object for each.

        What a row leaves out gets the table's default. ValueError for a column that is not there.
        """
        table = METADATA.tables[str(kind.__tablename__)]
        defaults, stamps = _defaults(kind), self._stamps(table, {"id": _LATER})
        makes_id = "id" in table.c
        taken = []
        for given in rows:
            if not given.keys() <= defaults.keys():
                raise ValueError(f"{table.name} has no such column")
            row = {**defaults, **given, **stamps}
            if makes_id and row["id"] is None:
                row["id"] = uuid7(self._now)
            taken.append(row)
        if taken:
            self._pending.setdefault(table.name, []).extend(taken)
        return taken

    def _stamps(self, table: Table, values: Mapping[str, Any]) -> dict[str, Any]:
        stamps: dict[str, Any] = {"audit_number": self.number, "recorded_at": self._now}
        if "organization_id" in table.c:
            stamps["organization_id"] = self._actor.organization_id
        if "id" in table.c and values.get("id") is None:
            stamps["id"] = uuid7(self._now)
        return {name: value for name, value in stamps.items() if name in table.c}

    def _take(self, table: Table, row: dict[str, Any]) -> None:
        self._pending.setdefault(table.name, []).append(row)

    def add_all(self, rows: Iterable[T]) -> list[T]:
        """``add`` for each row."""
        return [self.add(row) for row in rows]

    def flush(self) -> None:
        """Insert what was added so far, tables in the order in which they refer to each other."""
        self._session.flush()
        connection = self._session.connection()
        pending, self._pending = self._pending, {}
        for name in sorted(pending, key=_table_order().__getitem__):
            table, rows = METADATA.tables[name], pending[name]
            if not table.info.get("append_only"):
                connection.execute(insert(table), rows)
                continue
            stored = stored_columns(table, rows)
            insert_stored(connection, table, rows, stored)
            self._digests.extend(
                (name, row["id"], row_digest(name, row)) for row in stored_rows(stored)
            )

    def finish(self) -> None:
        """Insert the rest and write the event."""
        previous = self.previous
        self.flush()
        event = self._event(previous)
        connection = self._session.connection()
        connection.execute(insert(_EVENT), [event])
        head = {"last_number": event["number"], "last_hmac": event["hmac"]}
        organization_id = self._actor.organization_id
        if self._has_head:
            where = _HEAD.c.organization_id == organization_id
            connection.execute(update(_HEAD).where(where).values(**head))
        else:
            connection.execute(insert(_HEAD), [{"organization_id": organization_id, **head}])

    def _event(self, previous: Anchor) -> dict[str, Any]:
        rows = sorted(self._digests)
        counts: dict[str, int] = {}
        for table, _, _ in rows:
            counts[table] = counts.get(table, 0) + 1
        keys = audit_keys(self._session)
        event: dict[str, Any] = {
            "organization_id": self._actor.organization_id,
            "number": previous.number + 1,
            "id": uuid7(self._now),
            "recorded_at": self._now,
            "actor": self._actor.as_json(),
            "action": self._action,
            "subject": {name: _plain(value) for name, value in self.subject.items()},
            "reason": self.reason,
            "fact_counts": counts,
            "fact_digest": facts_digest(digest for _, _, digest in rows),
            "row_digests": b"".join(digest[:LOCATOR_BYTES] for _, _, digest in rows),
            "previous_hmac": previous.hmac,
            "key_id": keys.current_id,
        }
        key = organization_key(keys.current, self._actor.organization_id)
        return {**event, "hmac": event_hmac(key, event)}


@contextmanager
def recording(
    session: Session,
    actor: Actor,
    now: datetime,
    action: str,
    subject: Mapping[str, Any] | None = None,
    reason: str | None = None,
) -> Iterator[Record]:
    """One action: what is added inside is inserted, and one audit event covers all of it.

    Written when the block ends without an exception, in the session's transaction; an event is
    written also when nothing was added. RuntimeError when a recording of this session is open.
    """
    if _OPEN in session.info:
        raise RuntimeError("one action writes one audit event: a recording is already open")
    session.info[_OPEN] = action
    try:
        enter(session, actor.organization_id)
        record = Record(session, actor, now, action, subject or {}, reason)
        yield record
        record.finish()
    finally:
        del session.info[_OPEN]


def chain_head(session: Session, organization_id: UUID) -> Anchor:
    """The head of an organization's chain, to be kept elsewhere; number 0 before any event."""
    head = (
        session.connection()
        .execute(
            select(_HEAD.c.last_number, _HEAD.c.last_hmac).where(
                _HEAD.c.organization_id == organization_id
            )
        )
        .first()
    )
    return Anchor(*head) if head is not None else Anchor(0, GENESIS_HMAC)


@lru_cache(maxsize=128)
def _defaults(kind: type[Row]) -> dict[str, Any]:
    return {
        name: None if field.is_required() else field.default
        for name, field in kind.model_fields.items()
    }


def _plain(value: Any) -> Any:
    return value.hex if isinstance(value, UUID) else value

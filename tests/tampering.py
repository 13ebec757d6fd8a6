"""Random manipulations of a record, as somebody with every right on the database makes them.

Each is made in a transaction that is never committed, so that thousands can be tried on one record.
"""

import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, Table, func, insert, select, update
from sqlalchemy.engine import Engine
from sqlalchemy.exc import DBAPIError

from rpm.store.append_only import append_only_tables, guard_names
from rpm.store.tables import METADATA
from rpm.store.verify import fact_tables

EVENT, HEAD = METADATA.tables["audit_event"], METADATA.tables["organization_head"]


@dataclass(frozen=True)
class Tampered:
    """What was done, and the places one of which has to be named."""

    what: str
    places: frozenset[str]


@contextmanager
def unguarded(engine: Engine) -> Iterator[Connection]:
    """A connection without guards and reference checks; what is done on it is undone."""
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql("PRAGMA defer_foreign_keys = ON")
            for table in append_only_tables():
                for name in guard_names(table.name, "sqlite"):
                    connection.exec_driver_sql(f"DROP TRIGGER {name}")
        else:
            connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
        yield connection
        connection.rollback()


class Intruder:
    """Manipulates one organization's record on an unguarded connection."""

    def __init__(self, connection: Connection, organization_id: UUID, seed: int) -> None:
        self._connection = connection
        self._organization_id = organization_id
        self._random = random.Random(seed)
        self._last = int(self._one(select(func.max(EVENT.c.number)).where(self._mine(EVENT))))

    def tamper(self, kind: str) -> Tampered:
        """One manipulation of a kind: it is tried until the database's keys let it through."""
        while True:
            try:
                with self._connection.begin_nested():
                    done: Tampered | None = getattr(self, f"_{kind}")()
            except DBAPIError:
                continue
            if done is not None:
                return done

    def _change(self) -> Tampered | None:
        table, row = self._any_row([*_FACTS, EVENT])
        free = [column for column in table.columns if column.name not in _PLACE]
        column = self._random.choice(free)
        value = self._other(row._mapping[column], column.type.python_type)
        if value is None and row._mapping[column] is None:
            return None
        self._update(table, row, {column.name: value})
        return Tampered(f"changed {table.name}.{column.name}", frozenset({_place(table, row)}))

    def _delete(self) -> Tampered:
        table, row = self._any_row([*_FACTS, EVENT])
        self._connection.execute(table.delete().where(*_key(table, row)))
        if table is EVENT:
            near = {f"audit_event {row.number + step}" for step in (-1, 1)}
            return Tampered("deleted an event", frozenset(near))
        return Tampered(
            f"deleted from {table.name}",
            frozenset({f"{table.name} of audit_event {row.audit_number}"}),
        )

    def _insert(self) -> Tampered:
        table, row = self._any_row([*_FACTS, EVENT])
        values = dict(row._mapping) | {"id": self._id()}
        if table is EVENT:
            values |= {"number": self._last + 1, "previous_hmac": self._hmac_of(self._last)}
            place = f"audit_event {self._last + 1}"
        else:
            unique = {one.name for key in table.constraints for one in _unique(key)}
            for name in unique - set(_PLACE):
                values[name] = self._other(values[name], table.c[name].type.python_type)
            values["audit_number"] = self._random.choice([row.audit_number, self._last + 7])
            place = f"{table.name} {values['id']}"
        self._connection.execute(insert(table), [values])
        return Tampered(f"inserted into {table.name}", frozenset({place}))

    def _swap(self) -> Tampered | None:
        table, one = self._any_row([*_FACTS, EVENT])
        _, other = self._any_row([table])
        column = self._random.choice(list(table.columns))
        first, second = one._mapping[column], other._mapping[column]
        if first == second or column.primary_key or column.name == "organization_id":
            return None
        self._update(table, one, {column.name: second})
        self._update(table, other, {column.name: first})
        places = {_place(table, one), _place(table, other)}
        return Tampered(f"swapped {table.name}.{column.name}", frozenset(places))

    def _cut(self) -> Tampered:
        """The end is cut off and the organization's head moved, as if nothing had been there."""
        until = self._random.randrange(1, self._last)
        for table in [EVENT, *_FACTS]:
            number = table.c.number if table is EVENT else table.c.audit_number
            self._connection.execute(table.delete().where(self._mine(table), number > until))
        head = {"last_number": until, "last_hmac": self._hmac_of(until)}
        self._connection.execute(update(HEAD).where(self._mine(HEAD)).values(**head))
        return Tampered(f"cut after event {until}", frozenset({f"audit_event {until}"}))

    def _any_row(self, tables: Sequence[Table]) -> tuple[Table, Row[Any]]:
        while True:
            table = self._random.choice(tables)
            rows = self._one(select(func.count()).select_from(table).where(self._mine(table)))
            if rows:
                query = select(table).where(self._mine(table)).order_by(*table.primary_key)
                place = self._random.randrange(rows)
                return table, self._connection.execute(query.offset(place).limit(1)).one()

    def _update(self, table: Table, row: Row[Any], values: dict[str, Any]) -> None:
        done = self._connection.execute(update(table).where(*_key(table, row)).values(**values))
        assert done.rowcount == 1

    def _other(self, value: Any, kind: type) -> Any:
        """Another value of the same kind; some optional ones are emptied, empty ones filled."""
        filled = value if value is not None else _SAMPLES.get(kind)
        match filled:
            case bool():
                return not filled
            case int():
                return filled + self._random.choice([-1, 1])
            case str():
                return f"{filled[:-1]}{'x' if filled[-1:] != 'x' else 'y'}"
            case UUID():
                return self._id()
            case datetime():
                return filled + timedelta(microseconds=self._random.randrange(1, 10**12))
            case date():
                return filled + timedelta(days=1)
            case bytes():
                return filled + b"x"
            case dict():
                return {**filled, "x": 1}
            case list():
                return [*filled, 1]
        return None

    def _id(self) -> UUID:
        return UUID(int=self._random.getrandbits(128))

    def _hmac_of(self, number: int) -> Any:
        return self._one(select(EVENT.c.hmac).where(self._mine(EVENT), EVENT.c.number == number))

    def _mine(self, table: Table) -> Any:
        owner = table.c.id if table.name == "organization" else table.c.organization_id
        return owner == self._organization_id

    def _one(self, query: Any) -> Any:
        return self._connection.execute(query).scalar_one()


KINDS = ("change", "delete", "insert", "swap", "cut")
_FACTS = fact_tables()
_PLACE = ("organization_id", "id", "number", "audit_number")
_SAMPLES: dict[type, Any] = {
    str: "a",
    int: 1,
    bool: False,
    UUID: UUID(int=1),
    date: date(2026, 1, 1),
    dict: {},
}


def _unique(constraint: Any) -> list[Any]:
    return list(constraint.columns) if type(constraint).__name__ == "UniqueConstraint" else []


def _key(table: Table, row: Row[Any]) -> list[Any]:
    return [column == row._mapping[column] for column in table.primary_key]


def _place(table: Table, row: Row[Any]) -> str:
    return f"audit_event {row.number}" if table is EVENT else f"{table.name} {row.id}"

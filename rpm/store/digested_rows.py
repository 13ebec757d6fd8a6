"""Stored rows and their digests, read back in order.

Owns how the database itself writes a row's canonical JSON: nothing is parsed that a digest would
only have to write out again, and a row costs a few microseconds. Does not own the digest
(``rpm.audit``) nor how rows get their form when they are stored (``rpm.store.stored_form``).
"""

import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from tempfile import SpooledTemporaryFile
from typing import Any
from uuid import UUID

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Connection,
    Date,
    DateTime,
    Integer,
    LargeBinary,
    Select,
    String,
    Table,
    TypeDecorator,
    Uuid,
    func,
    literal_column,
    select,
    text,
)
from sqlalchemy.exc import DBAPIError

from rpm.audit import canonical_json, digest_of
from rpm.errors import NotReady
from rpm.store.copying import copying

Digested = tuple[int, str, bytes]
"""Audit number, id (hex) and digest of a row."""

_ROWS_AT_ONCE = 2_000
_BYTES_IN_MEMORY = 16 * 1024**2
"""Of what a COPY gave; beyond that it waits on the disk."""
_SHA256 = "rpm_ledger_sha256"
_PROBE = "".join(map(chr, range(1, 130))) + "\u2028\ud7ff\ue000\U0001f4a3"
# inside a JSON text a quote has a backslash before it, so that only a key can look like this
_EMPTY = re.compile(rb',"\w+":null')
_EMPTY_FIRST = re.compile(rb'^{"\w+":null,')
_POSTGRESQL = {
    JSON: "to_json({c}::text)::text",
    Uuid: "'\"' || encode(uuid_send({c}), 'hex') || '\"'",
    DateTime: "'\"' || to_char({c} AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US') || '\"'",
    Date: "to_json({c})::text",
    Boolean: "{c}::integer::text",
    Integer: "{c}::text",
    LargeBinary: "'\"' || encode(sha256({c}), 'hex') || '\"'",
    String: "to_json({c})::text",
}
"""How each kind of column is written as JSON."""


def prepare(connection: Connection) -> None:
    """Make a connection ready for ``digested_rows``, while no other result of it is being read.

    ``NotReady`` for a database that quotes text otherwise than ``canonical_json`` does.
    """
    quoted = "json_quote(:probe)"
    if connection.dialect.name == "sqlite":
        driver: Any = connection.connection.driver_connection
        driver.create_function(_SHA256, 1, _sha256, deterministic=True)
    else:
        quoted = "to_json(CAST(:probe AS text))::text"
        # its planner does not know what a digest costs: worth a second process, not worth compiling
        for setting in ("jit = off", "parallel_setup_cost = 0", "parallel_tuple_cost = 0"):
            connection.execute(text(f"SET LOCAL {setting}"))  # safe: one of the texts above
    asked = text(f"SELECT {quoted}")  # safe: one of two texts above
    found = connection.execute(asked, {"probe": _PROBE}).scalar_one()
    if found != canonical_json(_PROBE):
        raise NotReady("this version of the database writes JSON in an unknown way")


def digested_rows(
    connection: Connection, table: Table, organization_id: UUID, until: int | None
) -> Iterator[Digested]:
    """An organization's rows in order of audit number and id; ``prepare`` comes first.

    ``until`` is the highest audit number asked for; None for all. The transaction must see one
    state of the database.
    """
    part = _Part(connection, table, organization_id, until)
    if connection.dialect.name == "postgresql":
        yield from part.copied()
        return
    seen, digest = 0, digest_of(table.name)
    try:
        for number, row_id, written in part.rows("id", part.sqlite_json("{c}")):
            yield number, row_id, digest(part.json(written))
            seen += 1
    except DBAPIError:
        # somebody put bytes where text belongs: the row is to be named, not to end the walk
        guarded = part.sqlite_json("CASE typeof({c}) WHEN 'blob' THEN hex({c}) ELSE {c} END")
        for number, row_id, written in islice(part.rows("id", guarded), seen, None):
            yield number, row_id, digest(part.json(written))


class _Part:
    """The rows of one organization in one table, and the SQL that writes them."""

    def __init__(
        self, connection: Connection, table: Table, organization_id: UUID, until: int | None
    ) -> None:
        self._connection, self._table = connection, table
        self._owner = table.c.organization_id if "organization_id" in table.c else table.c.id
        self._where = [self._owner == organization_id]
        if until is not None:
            self._where.append(table.c.audit_number <= until)
        self._columns, self._some_empty = self._used_columns()

    def rows(self, *written: str) -> Iterator[Any]:
        """Audit number and what was asked for of each row, in order."""
        found = self._connection.execute(
            self._asked(written), execution_options={"yield_per": _ROWS_AT_ONCE}
        )
        return chain.from_iterable(found.partitions())

    def copied(self) -> Iterator[Digested]:
        """Each row with its digest as PostgreSQL makes it, set down in a file of our own first.

        A cursor would keep the server from using more than one of its processes, and while a COPY
        lasts its connection can do nothing else.
        """
        asked = self._asked(("encode(uuid_send(id), 'hex')", f"encode({self._digest()}, 'hex')"))
        dialect = self._connection.dialect
        query = asked.compile(dialect=dialect, compile_kwargs={"literal_binds": True})
        with SpooledTemporaryFile(_BYTES_IN_MEMORY) as kept:
            with copying(self._connection, f"COPY ({query}) TO STDOUT") as copy:
                kept.writelines(copy)
            kept.seek(0)
            for line in kept:
                number, row_id, digest = line.decode("ascii").split("\t")
                yield int(number), row_id, bytes.fromhex(digest)

    def _asked(self, written: Iterable[str]) -> Select[Any]:
        number, row_id = self._table.c.audit_number, self._table.c.id
        return (
            select(number, *map(literal_column, written))
            .select_from(self._table)
            .where(*self._where)
            .order_by(self._owner, number, row_id)
        )

    def json(self, written: bytes) -> bytes:
        """The canonical JSON of a row in the form of ``sqlite_json``."""
        if self._some_empty:
            written = _EMPTY_FIRST.sub(b"{", _EMPTY.sub(b"", written))
        return written

    def sqlite_json(self, value: str) -> str:
        """A JSON object of all columns; empty ones are null and have to be taken out."""
        pairs = []
        for column in self._columns:
            form = f"{_SHA256}({{c}})" if isinstance(column.type, LargeBinary) else value
            pairs.append(f"'{column.name}', {form.format(c=self._name(column))}")
        return f"CAST(json_object({', '.join(pairs)}) AS BLOB)"

    def _digest(self) -> str:
        """The digest itself. An empty column is joined to nothing, and ``concat`` leaves it out."""
        pieces = []
        for column in self._columns:
            form = _POSTGRESQL[_kind(column)].format(c=self._name(column))
            joint = " || " if column.nullable else ", "
            pieces.append(f"',\"{column.name}\":'{joint}{form}")
        json = f"'{{' || substr(concat({', '.join(pieces)}), 2) || '}}'"
        return f"sha256(convert_to('{self._table.name}' || chr(10) || {json}, 'UTF8'))"

    def _used_columns(self) -> tuple[Sequence[Column[Any]], bool]:
        """Columns by name without those empty in every row; whether others are empty in some."""
        optional = [column for column in self._table.columns if column.nullable]
        counts = select(func.count(), *map(func.count, optional)).select_from(self._table)
        rows, *filled = self._connection.execute(counts.where(*self._where)).one()
        unused = {column for column, count in zip(optional, filled, strict=True) if not count}
        used = [column for column in self._table.columns if column not in unused]
        return sorted(used, key=lambda column: column.name), any(0 < one < rows for one in filled)

    def _name(self, column: Column[Any]) -> str:
        quote = self._connection.dialect.identifier_preparer.quote
        return f"{quote(self._table.name)}.{quote(column.name)}"


def _kind(column: Column[Any]) -> type:
    declared: Any = column.type
    own = declared.impl if isinstance(declared, TypeDecorator) else declared
    return next(kind for kind in _POSTGRESQL if isinstance(own, kind))


def _sha256(value: object) -> str | None:
    if value is None:
        return None
    return hashlib.sha256(value).hexdigest() if isinstance(value, bytes) else "not bytes"

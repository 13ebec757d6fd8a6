"""Guards in the database itself: facts are inserted, never changed, removed or replaced.

Owns the triggers and the grants for the service's role. They refuse and compute nothing. Does not
own which tables are facts: a table says so (``info["append_only"]``).
"""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from sqlalchemy import Connection, Table, event, inspect, text
from sqlalchemy.engine import Engine

from rpm.errors import NotReady
from rpm.store.tables.base import METADATA

MESSAGE = "append-only"
"""Every refusal begins with this word."""

_SCHEMA_CHANGES = frozenset(
    {
        *(sqlite3.SQLITE_ALTER_TABLE, sqlite3.SQLITE_DROP_TABLE, sqlite3.SQLITE_CREATE_TABLE),
        *(sqlite3.SQLITE_CREATE_TRIGGER, sqlite3.SQLITE_DROP_TRIGGER),
        *(sqlite3.SQLITE_CREATE_INDEX, sqlite3.SQLITE_DROP_INDEX),
        *(sqlite3.SQLITE_CREATE_VIEW, sqlite3.SQLITE_DROP_VIEW),
        *(sqlite3.SQLITE_CREATE_TEMP_TRIGGER, sqlite3.SQLITE_ATTACH),
    }
)
_UNSAFE_PRAGMAS = frozenset({"writable_schema", "trusted_schema", "schema_version"})
_FUNCTION = "rpm_ledger_refuse"
_REMOVABLE = frozenset(
    {
        *("device_contact", "device_day", "idempotency_key", "job_run"),
        *("readiness_mark", "readiness_row", "sign_in_tries"),
        *("saved_view", "timer", "worklist_row"),
    }
)


def append_only_tables() -> list[Table]:
    """The tables that refuse everything but reading and inserting, by name."""
    guarded = [t for t in METADATA.tables.values() if t.info.get("append_only")]
    return sorted(guarded, key=lambda table: table.name)


def guard(connection: Connection, table: str) -> None:
    """Put the guards on a table as it now stands; anew after a migration rebuilt it."""
    statements = (
        _sqlite_guards(table, _keys(connection, table))
        if connection.dialect.name == "sqlite"
        else _postgresql_guards(table)
    )
    for statement in statements:
        connection.execute(text(statement))


@contextmanager
def without_update_guard(connection: Connection, table: str) -> Iterator[None]:
    """Let the rows of a table be changed inside the block: for a purge, and nothing else.

    ``NotReady`` for a login that may not change the schema. The guard is back when the block ends,
    in the same transaction: nobody else ever sees the table without it.
    """
    if connection.dialect.name == "sqlite":
        name = f"append_only_{table}_update"
        asked = text("SELECT sql FROM sqlite_master WHERE type = 'trigger' AND name = :name")
        put_back = connection.execute(asked, {"name": name}).scalar_one()
        take_off = f"DROP TRIGGER {name}"
        # what is overwritten does not stay behind in free pages of the file
        connection.execute(text("PRAGMA secure_delete = ON"))
    else:
        if not privileged_login(connection):
            raise NotReady("only the role that owns the tables may remove anything")
        guard_name = f"append_only_{table}_change"
        take_off = f"ALTER TABLE {table} DISABLE TRIGGER {guard_name}"
        put_back = f"ALTER TABLE {table} ENABLE TRIGGER {guard_name}"
    connection.execute(text(take_off))
    yield
    connection.execute(text(put_back))


def guard_names(table: str, dialect_name: str) -> set[str]:
    """Names of the triggers that ``guard`` makes."""
    kinds = ("update", "delete", "insert") if dialect_name == "sqlite" else ("change",)
    return {f"append_only_{table}_{kind}" for kind in kinds}


def missing_guards(connection: Connection) -> set[str]:
    """Triggers that should stand in the database and do not, are switched off or do nothing."""
    name = connection.dialect.name
    # one of the same name that refuses nothing is none
    catalog = (
        "SELECT name FROM sqlite_master WHERE type = 'trigger' AND sql LIKE '%RAISE(ABORT%'"
        if name == "sqlite"
        else "SELECT tgname FROM pg_trigger JOIN pg_proc ON pg_proc.oid = tgfoid"
        " WHERE tgenabled IN ('O', 'A') AND prosrc LIKE '%RAISE EXCEPTION%'"
    )
    expected = {guard for table in append_only_tables() for guard in guard_names(table.name, name)}
    return expected - set(connection.execute(text(catalog)).scalars())


def _keys(connection: Connection, table: str) -> list[Sequence[str]]:
    inspector = inspect(connection)
    unique = [constraint["column_names"] for constraint in inspector.get_unique_constraints(table)]
    primary = inspector.get_pk_constraint(table)["constrained_columns"]
    return [primary, *(columns for columns in unique if columns)]


def _sqlite_guards(table: str, keys: list[Sequence[str]]) -> list[str]:
    # REPLACE removes rows without firing DELETE triggers unless the connection asked for it, so
    # an insert that would meet an existing key is refused; NEW.rowid is -1 unless one was given
    refuse = f"SELECT RAISE(ABORT, '{MESSAGE}: {table}')"
    meets = [" AND ".join(f"{column} = NEW.{column}" for column in columns) for columns in keys]
    held = f"EXISTS (SELECT 1 FROM {table} WHERE"  # noqa: S608 - names of our own tables
    known = " OR ".join(f"{held} {key})" for key in meets)
    given = f"NEW.rowid <> -1 AND {held} rowid = NEW.rowid)"
    name = f"append_only_{table}"
    return [
        f"CREATE TRIGGER {name}_update BEFORE UPDATE ON {table} BEGIN {refuse}; END",
        f"CREATE TRIGGER {name}_delete BEFORE DELETE ON {table} BEGIN {refuse}; END",
        f"CREATE TRIGGER {name}_insert BEFORE INSERT ON {table}"
        f" WHEN {known} OR {given} BEGIN {refuse}; END",
    ]


def _postgresql_guards(table: str) -> list[str]:
    return [
        f"CREATE OR REPLACE FUNCTION {_FUNCTION}() RETURNS trigger LANGUAGE plpgsql AS"
        f" $$ BEGIN RAISE EXCEPTION '{MESSAGE}: %', TG_TABLE_NAME; END $$",
        f"CREATE TRIGGER append_only_{table}_change BEFORE UPDATE OR DELETE OR TRUNCATE"
        f" ON {table} FOR EACH STATEMENT EXECUTE FUNCTION {_FUNCTION}()",
    ]


def keep_schema(engine: Engine) -> None:
    """Refuse every change of the schema on this engine's connections: a server never makes one.

    On SQLite the guards have no owner to protect them, so the connection itself does; on
    PostgreSQL the service's role has no right to.
    """
    if engine.dialect.name != "sqlite":
        return
    engine.dispose()  # connections made before are not bound by it

    @event.listens_for(engine, "connect")
    def protect(connection: sqlite3.Connection, _record: object) -> None:
        connection.set_authorizer(_allowed)


def _allowed(action: int, first: str | None, *_where: str | None) -> int:
    if action in _SCHEMA_CHANGES:
        return sqlite3.SQLITE_DENY
    if action == sqlite3.SQLITE_PRAGMA and (first or "").lower() in _UNSAFE_PRAGMAS:
        return sqlite3.SQLITE_DENY
    return sqlite3.SQLITE_OK


def grants_sql(role: str) -> str:
    """What the service's PostgreSQL role may do; run by the role that owns the tables.

    ``role`` is quoted as a name. Facts: read and insert. Other tables also update; projections and
    answered idempotency keys may be removed too.
    """
    grantee = '"' + role.replace('"', '""') + '"'
    guarded = {table.name for table in append_only_tables()}
    lines = ["GRANT SELECT ON alembic_version TO " + grantee + ";"]
    for name in sorted(METADATA.tables):
        rights = "SELECT, INSERT" if name in guarded else "SELECT, INSERT, UPDATE"
        if name in _REMOVABLE:
            rights += ", DELETE"
        lines.append(f"GRANT {rights} ON {name} TO {grantee};")
    return "\n".join(lines) + "\n"


def grant_service_role(connection: Connection, role: str) -> None:
    """Give a PostgreSQL role the rights of ``grants_sql``; after every migration, as the owner."""
    for statement in grants_sql(role).splitlines():
        connection.execute(text(statement))


def privileged_login(connection: Connection) -> bool:
    """Whether this login could switch the guards off or go past them, on PostgreSQL.

    A superuser, an owner of the tables, or a role that row security does not hold. Always False on
    SQLite, where whoever can open the file can; there the chain tells.
    """
    if connection.dialect.name == "sqlite":
        return False
    found = connection.execute(
        text(
            "SELECT (SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user)"
            " OR EXISTS (SELECT 1 FROM pg_class WHERE relname = ANY(:tables) AND relkind = 'r'"
            " AND pg_has_role(current_user, relowner, 'MEMBER'))"
        ),
        {"tables": sorted(METADATA.tables)},
    )
    return bool(found.scalar_one())

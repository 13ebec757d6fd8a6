"""R17: rows of the ledger cannot be changed, removed or replaced, nor their guards taken away."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from conftest import SERVICE_PASSWORD, SERVICE_ROLE
from copying import another_place
from ledger_practice import Practice
from promised import Promised
from released import opened, releases
from sqlalchemy import Table, text
from sqlalchemy.engine import Engine, make_url
from sqlalchemy.exc import DBAPIError

from rpm.access import system_actor
from rpm.errors import NotReady
from rpm.settings import Settings
from rpm.store.append_only import (
    append_only_tables,
    grant_service_role,
    guard_names,
    keep_schema,
    missing_guards,
)
from rpm.store.engine import make_engine, reading
from rpm.store.migrations import migrate
from rpm.store.snapshot import holdings
from rpm.web.running import start


@dataclass(frozen=True)
class Ledger:
    """A ledger with rows in most tables: as its owner opens it, and as the service does."""

    owner: Engine
    service: Engine


@pytest.fixture
def ledger(owner_settings: Settings, tmp_path: Path) -> Iterator[Ledger]:
    """The kept database of the newest release, at this version."""
    release = releases()[-1]
    with (
        another_place(owner_settings, tmp_path) as place,
        opened(release, place, tmp_path) as owner,
    ):
        migrate(owner)
        url = owner.url
        if owner.dialect.name == "postgresql":
            with owner.begin() as connection:
                grant_service_role(connection, SERVICE_ROLE)
            url = url.set(username=SERVICE_ROLE, password=SERVICE_PASSWORD)
        shown = url.render_as_string(hide_password=False)
        service = make_engine(place.model_copy(update={"database_url": shown}))
        keep_schema(service)
        yield Ledger(owner, service)
        service.dispose()


def changes(table: Table, dialect: str) -> list[str]:
    """Every way to change, remove or replace the rows of a table in SQL."""
    name, key = table.name, ", ".join(column.name for column in table.primary_key)
    quoted = {column.name: f'"{column.name}"' for column in table.columns}
    column = quoted.get("recorded_at", key)
    found = [
        *(f"UPDATE {name} SET {one} = {one}" for one in quoted.values()),
        f"DELETE FROM {name}",
        f"INSERT INTO {name} SELECT * FROM {name} WHERE true ON CONFLICT ({key})"
        f" DO UPDATE SET {column} = excluded.{column}",
    ]
    if dialect == "sqlite":
        names = ", ".join(quoted.values())
        found += [
            f"REPLACE INTO {name} SELECT * FROM {name}",
            f"INSERT OR REPLACE INTO {name} SELECT * FROM {name}",
            f"INSERT OR REPLACE INTO {name} (rowid, {names}) SELECT rowid, {names} FROM {name}",
            f"UPDATE OR REPLACE {name} SET {column} = {column}",
        ]
    else:
        merge = " AND ".join(f"old.{one.name} = new.{one.name}" for one in table.primary_key)
        found += [
            f"TRUNCATE {name} CASCADE",
            f"MERGE INTO {name} old USING {name} new ON {merge} WHEN MATCHED THEN DELETE",
        ]
    return found


def attacks(dialect: str) -> list[str]:
    """Ways to take the guards away, or the tables from under them."""
    if dialect == "sqlite":
        drops = [
            f"DROP TRIGGER {name}"
            for table in append_only_tables()
            for name in sorted(guard_names(table.name, dialect))
        ]
        return [
            *drops,
            "DROP TABLE posting",
            "ALTER TABLE posting RENAME TO posted",
            "ALTER TABLE posting DROP COLUMN reason",
            "CREATE TABLE posted (x)",
            "CREATE TRIGGER quiet BEFORE UPDATE ON posting BEGIN SELECT RAISE(IGNORE); END",
            "CREATE TEMP TRIGGER quiet BEFORE UPDATE ON posting BEGIN SELECT RAISE(IGNORE); END",
            "PRAGMA writable_schema = ON",
            "DELETE FROM sqlite_master WHERE type = 'trigger'",
            "ATTACH DATABASE ':memory:' AS elsewhere",
        ]
    drops = [
        f"DROP TRIGGER {name} ON {table.name}"
        for table in append_only_tables()
        for name in sorted(guard_names(table.name, dialect))
    ]
    switches = [f"ALTER TABLE {table.name} DISABLE TRIGGER ALL" for table in append_only_tables()]
    return [
        *drops,
        *switches,
        "DROP TABLE posting CASCADE",
        "ALTER TABLE posting RENAME TO posted",
        "CREATE TRIGGER quiet BEFORE UPDATE ON posting FOR EACH STATEMENT"
        " EXECUTE FUNCTION rpm_ledger_refuse()",
        "CREATE RULE quiet AS ON INSERT TO posting DO INSTEAD NOTHING",
        "DROP FUNCTION rpm_ledger_refuse() CASCADE",
        "CREATE OR REPLACE FUNCTION rpm_ledger_refuse() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN RETURN NULL; END $$",
        "SET session_replication_role = replica",
        "DELETE FROM pg_trigger",
        f"ALTER ROLE {SERVICE_ROLE} SUPERUSER",
    ]


def refused(engine: Engine, statement: str) -> bool:
    """Whether a statement is refused; it is undone if it is not."""
    with engine.connect() as connection:
        try:
            connection.execute(text(statement))
        except DBAPIError:
            return True
        finally:
            connection.rollback()
    return False


def counts(engine: Engine) -> dict[str, int]:
    """Rows by table."""
    with reading(engine) as db:
        return holdings(db.connection()).rows


@pytest.mark.promise("R17")
def test_no_fact_can_be_changed(ledger: Ledger, promised: Promised) -> None:
    """UPDATE, DELETE, REPLACE, upsert, MERGE and TRUNCATE of facts are refused to the service."""
    before = counts(ledger.owner)
    dialect, tried = ledger.service.dialect.name, 0
    for table in append_only_tables():
        for statement in changes(table, dialect):
            if dialect == "postgresql" or before[table.name]:  # SQLite guards rows, not tables
                assert refused(ledger.service, statement), statement
                tried += 1
    assert counts(ledger.owner) == before
    promised.reached(f"{dialect}: {tried} statements that change facts refused")


def test_the_service_goes_on_adding_facts(ledger: Ledger) -> None:
    """What is refused is change: the same login records a new fact."""
    with reading(ledger.owner) as db:
        organization_id = next(iter(holdings(db.connection()).anchors))
    actor = system_actor(organization_id, "test")
    now = datetime(2026, 3, 1, tzinfo=UTC)
    before = counts(ledger.owner)["practice_setting"]
    Practice(ledger.service, actor, now).setting("count_cgm_days", value=True)
    assert counts(ledger.owner)["practice_setting"] == before + 1


@pytest.mark.promise("R17")
def test_no_guard_can_be_dropped(ledger: Ledger, promised: Promised) -> None:
    """The service cannot drop, replace, switch off or go around a guard."""
    dialect = ledger.service.dialect.name
    tried = attacks(dialect)
    for statement in tried:
        assert refused(ledger.service, statement), statement
    with ledger.owner.connect() as connection:
        assert missing_guards(connection) == set()
    promised.reached(f"{dialect}: {len(tried)} statements against guards refused")


@pytest.mark.promise("R17")
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_even_the_owner_is_stopped_by_the_guards(ledger: Ledger, promised: Promised) -> None:
    """With every right, a change of a fact is refused while its guard stands."""
    tried = 0
    for table in append_only_tables():
        for verb in (f"UPDATE {table.name} SET audit_number = 0", f"TRUNCATE {table.name} CASCADE"):
            if "UPDATE" in verb and "audit_number" not in table.c:
                continue
            assert refused(ledger.owner, verb), verb
            tried += 1
    promised.reached(f"postgresql: {tried} statements refused to the owner too")


@pytest.mark.promise("R17")
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_login_with_such_rights_cannot_start(
    owner_settings: Settings, promised: Promised
) -> None:
    """Whoever could take the guards away does not serve."""
    assert make_url(owner_settings.database_url).username != SERVICE_ROLE
    with pytest.raises(NotReady, match="superuser"):
        start(owner_settings)
    promised.reached("start refuses an owner or superuser login")

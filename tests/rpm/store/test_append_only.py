"""Guards of append-only tables and the migrations that put them there, on both databases."""

from datetime import UTC, date, datetime

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text
from sqlalchemy.engine import Engine
from sqlalchemy.exc import DBAPIError

from rpm.access import Actor
from rpm.store.append_only import (
    MESSAGE,
    append_only_tables,
    grant_service_role,
    missing_guards,
    privileged_login,
)
from rpm.store.chain import recording
from rpm.store.engine import transaction
from rpm.store.migrations import at_head, migrate
from rpm.store.tables import METADATA
from rpm.store.tables.people import Patient

NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)
WITHOUT_ORGANIZATION = {"organization", "job_run", "demo_clock", "sign_in_tries"}
MUTABLE = {
    "alert_mark",
    "api_token",
    "clearinghouse_state",
    "close_claim",
    "connection",
    "credential",
    "demo_clock",
    "device_contact",
    "device_contact_mark",
    "device_day",
    "endpoint",
    "idempotency_key",
    "invitation",
    "job_run",
    "number_sequence",
    "organization_head",
    "outbound_delivery",
    "proposed_entry",
    "pull_account",
    "readiness_mark",
    "readiness_row",
    "saved_view",
    "sign_in",
    "sign_in_tries",
    "timer",
    "user_account",
    "visit_platform",
    "worklist_row",
}
"""The only tables that may be updated. A new name here is a decision."""


def add_patient(engine: Engine, actor: Actor) -> Patient:
    """A patient on record."""
    with (
        transaction(engine) as session,
        recording(session, actor, NOW, "patient.register") as record,
    ):
        return record.add(
            Patient(
                record_number="R1",
                family_name="Doe",
                given_name="Ann",
                birth_date=date(1950, 1, 1),
                sex="F",
                timezone="America/New_York",
            )
        )


def attempt(engine: Engine, statement: str) -> None:
    """Run one statement in a transaction of its own."""
    with transaction(engine) as session:
        session.connection().execute(text(statement))


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE patient SET family_name = 'Roe'",
        "UPDATE audit_event SET action = 'nothing'",
        "UPDATE organization SET name = 'Other'",
        "DELETE FROM patient",
        "DELETE FROM audit_event",
    ],
)
def test_facts_refuse_change_and_removal(engine: Engine, actor: Actor, statement: str) -> None:
    """UPDATE and DELETE of facts and audit events are refused by the database itself."""
    add_patient(engine, actor)
    with pytest.raises(DBAPIError, match=MESSAGE):
        attempt(engine, statement)


def test_an_upsert_is_refused(engine: Engine, actor: Actor) -> None:
    """INSERT ... ON CONFLICT DO UPDATE cannot change a fact."""
    add_patient(engine, actor)
    with pytest.raises(DBAPIError, match=MESSAGE):
        attempt(
            engine,
            "INSERT INTO patient SELECT * FROM patient WHERE true"
            " ON CONFLICT (organization_id, id) DO UPDATE SET family_name = 'Roe'",
        )


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("recursive", ["ON", "OFF"])
@pytest.mark.parametrize(
    "columns",
    [
        "*",
        # another id, the same record number: the unique key alone would let REPLACE through
        "organization_id, lower(hex(randomblob(16))), recorded_at, audit_number, record_number,"
        " 'Roe', given_name, birth_date, sex, timezone",
    ],
)
def test_replace_is_refused_on_sqlite(
    engine: Engine, actor: Actor, columns: str, recursive: str
) -> None:
    """INSERT OR REPLACE is refused by either key, whatever the connection's trigger setting."""
    add_patient(engine, actor)
    with engine.connect() as connection:
        connection.connection.driver_connection.execute(  # type: ignore[union-attr] # a live one
            f"PRAGMA recursive_triggers = {recursive}"
        )
        with pytest.raises(DBAPIError, match=MESSAGE):
            connection.execute(
                text(f"INSERT OR REPLACE INTO patient SELECT {columns} FROM patient")
            )
        assert connection.execute(text("SELECT family_name FROM patient")).scalars().all() == [
            "Doe"
        ]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_replace_by_row_number_is_refused_on_sqlite(engine: Engine, actor: Actor) -> None:
    """REPLACE of the hidden row number is refused: it would remove a row under another key."""
    add_patient(engine, actor)
    names = ", ".join(METADATA.tables["patient"].c.keys())
    values = names.replace(" id,", " 'ff',").replace("record_number", "'R2'")
    with pytest.raises(DBAPIError, match=MESSAGE):
        attempt(
            engine,
            f"INSERT OR REPLACE INTO patient (rowid, {names}) SELECT rowid, {values} FROM patient",
        )


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
@pytest.mark.parametrize("table", ["audit_event", "posting", "reading"])
def test_truncate_is_refused_on_postgresql(engine: Engine, actor: Actor, table: str) -> None:
    """TRUNCATE of facts is refused, also with CASCADE."""
    with pytest.raises(DBAPIError, match=MESSAGE):
        attempt(engine, f"TRUNCATE {table} CASCADE")


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_the_service_role_can_insert_facts_and_nothing_else(engine: Engine, actor: Actor) -> None:
    """With the documented grants a role reads and inserts facts but may not change or unguard."""
    with transaction(engine) as session:
        connection = session.connection()
        assert privileged_login(connection)
        connection.execute(text("CREATE ROLE ledger_service"))
        grant_service_role(connection, "ledger_service")
        connection.execute(text("SET LOCAL ROLE ledger_service"))
        assert not privileged_login(connection)
        with recording(session, actor, NOW, "chart.open"):
            pass
        for refused in (
            "UPDATE patient SET sex = 'M'",
            "DELETE FROM posting",
            "TRUNCATE reading",
            "ALTER TABLE patient DISABLE TRIGGER ALL",
            "DROP TRIGGER append_only_patient_change ON patient",
            "SET session_replication_role = replica",
        ):
            with (
                pytest.raises(DBAPIError, match=r"denied|must be owner"),
                connection.begin_nested(),
            ):
                connection.execute(text(refused))
        session.rollback()


def test_every_table_but_a_listed_few_is_append_only(engine: Engine) -> None:
    """A table that may be updated stands in a short list, and every other one has its guards."""
    guarded = {table.name for table in append_only_tables()}
    assert set(METADATA.tables) - guarded == MUTABLE
    with engine.connect() as connection:
        assert missing_guards(connection) == set()


def test_a_guard_that_was_taken_away_is_named(engine: Engine) -> None:
    """A trigger that is dropped or switched off is found in the database's catalog."""
    sqlite = engine.dialect.name == "sqlite"
    name = "append_only_posting_update" if sqlite else "append_only_posting_change"
    attempt(engine, f"DROP TRIGGER {name}" + ("" if sqlite else " ON posting"))
    with engine.connect() as connection:
        assert missing_guards(connection) == {name}


def test_every_table_but_a_listed_few_belongs_to_an_organization() -> None:
    """Keys begin with the organization, and no reference leaves it."""
    for table in METADATA.tables.values():
        if table.name in WITHOUT_ORGANIZATION:
            continue
        assert next(iter(table.primary_key.columns)).name == "organization_id", table.name
        for reference in table.foreign_key_constraints:
            assert reference.column_keys[0] == "organization_id", reference.name


def test_the_newest_version_equals_the_tables(engine: Engine) -> None:
    """A migrated database has exactly the tables, columns, keys and indexes of the code."""
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, METADATA) == []
    assert at_head(engine)


def test_migrating_again_changes_nothing(engine: Engine, actor: Actor) -> None:
    """A database at the newest version is left as it is."""
    patient = add_patient(engine, actor)
    migrate(engine)
    with engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM patient")).scalar() == 1
    assert patient.record_number == "R1"

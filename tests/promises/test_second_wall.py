"""S8: the database is the second wall between practices, where a query forgot the first.

PostgreSQL only: SQLite has no roles. Every statement here is one that no query of the product is,
as the service's own login would send it.
"""

import time
from collections.abc import Iterator
from statistics import median

import pytest
from foreign import fill
from promised import Promised
from sqlalchemy import select, text
from sqlalchemy.engine import Engine
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session

from rpm.access import Actor
from rpm.clock import Clock
from rpm.errors import NotReady
from rpm.safe_start import dangers
from rpm.settings import Settings
from rpm.store.chain import recording
from rpm.store.engine import enter, make_engine, reading, transaction, within
from rpm.store.row_security import BEFORE_THE_WALL, missing_walls, walled_tables
from rpm.store.snapshot import copy_database
from rpm.store.tables.base import METADATA
from rpm.store.tables.people import Payer

pytestmark = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)

REFUSED = ("unrecognized configuration parameter", "invalid input syntax for type uuid")
"""What PostgreSQL says where no organization is named."""


@pytest.fixture
def service(settings: Settings) -> Iterator[Engine]:
    """The database as the service opens it."""
    service = make_engine(settings)
    yield service
    service.dispose()


@pytest.fixture
def filled(service: Engine, engine: Engine, actor: Actor, other_actor: Actor) -> Engine:
    """The same, with rows of two practices in every table."""
    fill(engine, actor.organization_id)
    fill(engine, other_actor.organization_id)
    return service


def owner_column(table: str) -> str:
    """The column that says whose a row is."""
    return "id" if table == "organization" else "organization_id"


def owners(db: Session, table: str) -> set[str]:
    """Whose rows of a table a query without any scope gives."""
    found = db.connection().execute(text(f"SELECT {owner_column(table)} FROM {table}"))
    return {str(one) for one in found.scalars()}


def refused_as_nobody(db: Session, table: str) -> bool:
    """Whether a table answers with an error while no organization is named."""
    try:
        owners(db, table)
    except DBAPIError as error:
        return any(reason in str(error.orig) for reason in REFUSED)
    return False


@pytest.mark.promise("S8")
def test_a_query_without_a_scope_finds_one_practice(
    filled: Engine, actor: Actor, other_actor: Actor, promised: Promised
) -> None:
    """In every table: rows of the named organization alone; with none named an error, no row."""
    both = {str(actor.organization_id), str(other_actor.organization_id)}
    errors = alone = 0
    for table in walled_tables():
        for one in (actor, other_actor):
            with reading(within(filled, one.organization_id)) as db:
                assert owners(db, table) <= {str(one.organization_id)}, table
                alone += 1
        with reading(filled) as db:
            if table in BEFORE_THE_WALL:
                assert owners(db, table) == both, table
            else:
                assert refused_as_nobody(db, table), table
                errors += 1
    promised.reached(f"{alone} queries without a scope gave one practice, {errors} gave an error")


@pytest.mark.promise("S8")
def test_a_query_with_a_wrong_scope_finds_nothing(
    filled: Engine, engine: Engine, actor: Actor, other_actor: Actor, promised: Promised
) -> None:
    """Another practice's rows are not there to be read, changed, removed, or made."""
    mine, theirs = str(actor.organization_id), str(other_actor.organization_id)
    own, tried = within(filled, actor.organization_id), 0
    with engine.begin() as owner:  # the wall itself is tried here, not what the grants refuse
        owner.execute(text(f"GRANT ALL ON ALL TABLES IN SCHEMA public TO {filled.url.username}"))
    for table in walled_tables():
        column = owner_column(table)
        with reading(own) as db:
            asked = text(f"SELECT count(*) FROM {table} WHERE {column} = :whose")
            assert db.connection().execute(asked, {"whose": theirs}).scalar_one() == 0, table
        for statement in (
            f"UPDATE {table} SET {column} = {column} WHERE {column} = '{theirs}'",
            f"DELETE FROM {table} WHERE {column} = '{theirs}'",
        ):
            assert changed(own, statement) in {0, None}, statement
        given_away = f"UPDATE {table} SET {column} = '{theirs}' WHERE {column} = '{mine}'"
        assert changed(own, given_away) in {0, None}, table
        assert not made(own, table, engine, theirs), table
        tried += 5
    promised.reached(f"{tried} statements on {len(walled_tables())} tables: 0 rows of another")


def changed(own: Engine, statement: str) -> int | None:
    """How many rows a statement changes; None where it is refused. It is undone."""
    with transaction(own) as db:
        try:
            return db.connection().execute(text(statement)).rowcount
        except DBAPIError:
            return None
        finally:
            db.rollback()


def made(own: Engine, name: str, engine: Engine, theirs: str) -> bool:
    """Whether another practice's row can be written a second time; its key is taken away first."""
    table = METADATA.tables[name]
    with engine.connect() as owner:
        whose = table.c[owner_column(name)]
        row = owner.execute(select(table).where(whose == theirs)).mappings().first()
    if row is None:
        return False
    with transaction(own) as db:
        try:
            db.connection().execute(table.insert(), [dict(row)])
        except DBAPIError as error:
            return "row-level security" not in str(error.orig)
        finally:
            db.rollback()
    return True


def test_the_next_transaction_knows_nothing_of_the_last(service: Engine, actor: Actor) -> None:
    """A pooled connection is within nobody again; entering lasts as long as the transaction."""
    with reading(within(service, actor.organization_id)) as db:
        assert owners(db, "audit_event") == {str(actor.organization_id)}
    with reading(service) as db:
        assert refused_as_nobody(db, "audit_event")
    with transaction(service) as db:
        enter(db, actor.organization_id)
        assert owners(db, "audit_event") == {str(actor.organization_id)}
    with reading(service) as db:
        assert refused_as_nobody(db, "audit_event")


def test_a_transaction_stays_with_its_practice(
    service: Engine, actor: Actor, other_actor: Actor, clock: Clock
) -> None:
    """What was begun for one practice can neither enter nor record for another."""
    own = within(service, actor.organization_id)
    with reading(own) as db, pytest.raises(RuntimeError):
        enter(db, other_actor.organization_id)
    with (
        pytest.raises(RuntimeError),
        transaction(own) as db,
        recording(db, other_actor, clock.now(), "payer.add") as record,
    ):
        record.add(Payer(key="X", name="X"))


def test_a_missing_wall_keeps_a_server_from_starting(
    service: Engine, engine: Engine, settings: Settings
) -> None:
    """Row security switched off, or another policy under the name, is found at the start."""
    assert dangers(settings, service, listens=True) == []
    for hole in (
        "ALTER TABLE reading DISABLE ROW LEVEL SECURITY",
        "ALTER POLICY one_organization ON patient USING (true)",
    ):
        with engine.begin() as owner:
            owner.execute(text(hole))
    with engine.connect() as connection:
        assert missing_walls(connection) == {"patient", "reading"}
    (danger,) = dangers(settings, service, listens=True)
    assert "keep practices apart" in danger.reason


def test_a_copy_is_not_taken_by_who_sees_one_practice(
    service: Engine, settings: Settings, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """The service's login is told who may take a backup; nothing is written."""
    path = tmp_path_factory.mktemp("copy") / "database.dump"
    with pytest.raises(NotReady, match="owns the tables"):
        copy_database(service, path, settings.postgresql_programs, lambda _done, _total: None)
    assert not path.exists()


@pytest.mark.promise("S8")
def test_naming_the_practice_costs_little(
    service: Engine, actor: Actor, promised: Promised
) -> None:
    """One statement more for a transaction: its cost is measured against one without."""
    rounds = promised.count(2_000, 200)
    own = within(service, actor.organization_id)
    taken: dict[str, list[float]] = {"none": [], "named": []}
    for _ in range(rounds):
        for name, engine in (("none", service), ("named", own)):
            began = time.perf_counter()
            with reading(engine) as db:
                db.connection().execute(text("SELECT name FROM user_account LIMIT 1")).all()
            taken[name].append(time.perf_counter() - began)
    more = (median(taken["named"]) - median(taken["none"])) * 1000
    assert more < 5.0
    promised.reached(f"{more:.2f} ms more a transaction, median of {rounds}")

"""Digests of rows as the database writes them are those of the rows as we stored them."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.engine import Engine

from rpm.access import Actor
from rpm.store.append_only import guard_names
from rpm.store.chain import recording
from rpm.store.engine import reading, transaction
from rpm.store.tables.base import Row
from rpm.store.tables.monitoring import Connection, Delivery, RejectedItem
from rpm.store.tables.people import Patient, PracticeSetting
from rpm.store.verify import verify_chain

# PostgreSQL stores no NUL, and neither engine takes a lone surrogate
TEXT = st.text(st.characters(min_codepoint=1, exclude_categories=["Cs"]))
# no column holds a bare number as JSON: SQLite would keep it as a number of its own
NUMBERS = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
HOSTILE = [
    '","sex":null,"x":"',
    ',"sex":null',
    '{"a":null,',
    "".join(map(chr, range(1, 32))) + '"\\/\x7f\x80',
    "é\u2028\ufeff\U0001f4a3 '; -- %s :name {c} {}",
]
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MOMENT = datetime(2026, 1, 15, 12, 30, 0, 1, tzinfo=UTC)


def record(engine: Engine, actor: Actor, *rows: Row) -> None:
    """Rows as one event."""
    with transaction(engine) as session, recording(session, actor, MOMENT, "test") as one:
        one.add_all(rows)


def found(engine: Engine, actor: Actor) -> list[str]:
    """What verification finds."""
    with reading(engine) as session:
        return [one.code for one in verify_chain(session, actor.organization_id)]


def rows_of(words: str, connection_id: UUID, body: bytes, at: datetime, value: Any) -> list[Row]:
    """Rows with every kind of column: text, JSON, bytes, instants, days, ids, empty ones."""
    delivery_id = uuid4()
    return [
        Delivery(
            id=delivery_id,
            connection_id=connection_id,
            vendor=words,
            fingerprint=uuid4().hex,
            received_at=at,
            headers={words: None, "n": 1},
            body=body,
            state="read",
            problem=words or None,
            results=[{"note": words}],
        ),
        RejectedItem(
            delivery_id=delivery_id if words else None, place=words, reason="r", message=words
        ),
        Patient(
            record_number=uuid4().hex,
            family_name=words,
            given_name="",
            birth_date=at.date(),
            sex="F",
            timezone="UTC",
        ),
        PracticeSetting(key=words, value=value, reason=words),
    ]


@pytest.fixture
def connection_id(engine: Engine, actor: Actor) -> UUID:
    """A vendor's connection for deliveries."""
    found_id = uuid4()
    with transaction(engine) as session:
        session.add(
            Connection(
                organization_id=actor.organization_id,
                id=found_id,
                vendor="generic",
                name="test",
                token_hash=uuid4().hex,
                secret_encrypted=b"",
                settings={},
                created_at=MOMENT,
            )
        )
    return found_id


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    words=TEXT | st.sampled_from(HOSTILE),
    body=st.binary(max_size=40),
    seconds=st.floats(-2e9, 7e9, allow_nan=False),
    value=TEXT
    | st.booleans()
    | st.lists(NUMBERS | TEXT | st.none())
    | st.dictionaries(TEXT, NUMBERS),
)
def test_what_was_stored_is_digested_the_same_when_read_back(
    engine: Engine,
    actor: Actor,
    connection_id: UUID,
    words: str,
    body: bytes,
    seconds: float,
    value: Any,
) -> None:
    """Text of any kind, bytes, instants, JSON and empty columns verify where others are filled."""
    at = EPOCH + timedelta(seconds=seconds)
    record(engine, actor, *rows_of(words, connection_id, body, at, value))
    assert found(engine, actor) == []


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # columns there hold any kind
@pytest.mark.parametrize("value", ["CAST('Doe' AS BLOB)", "1", "1.5", "''", "'doe'"])
def test_a_value_of_another_kind_is_named(engine: Engine, actor: Actor, value: str) -> None:
    """Bytes or a number where text was are found, and the rows around them still verify."""
    for name in ("Ann", "Bea", "Cay"):
        record(
            engine,
            actor,
            Patient(
                record_number=name,
                family_name="Doe",
                given_name=name,
                birth_date=date(1950, 1, 1),
                sex="F",
                timezone="UTC",
            ),
        )
    with transaction(engine) as session:
        connection = session.connection()
        for guard in guard_names("patient", "sqlite"):
            connection.execute(text(f"DROP TRIGGER {guard}"))
        connection.execute(
            text(f"UPDATE patient SET family_name = {value} WHERE record_number = 'Bea'")
        )
    assert found(engine, actor) == ["E_CHAIN_ROW_CHANGED"]

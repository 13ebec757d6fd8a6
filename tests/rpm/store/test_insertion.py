"""Rows inserted from their stored form, few and many, on both engines."""

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy.engine import Engine
from sqlalchemy.exc import IntegrityError
from sqlmodel import col, select

from rpm.access import Actor
from rpm.store.chain import recording
from rpm.store.engine import reading, transaction
from rpm.store.insertion import forget_inserted, inserted
from rpm.store.tables.monitoring import Connection, Delivery
from rpm.store.tables.people import Patient
from rpm.store.verify import verify_chain

NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)
SIZES = [1, 19, 20, 300]
"""PostgreSQL takes few rows as values and many as arrays of columns."""


def patients(count: int, first: int = 0) -> list[dict[str, Any]]:
    """Patients by record number, with names that a text format has to quote."""
    return [
        {
            "record_number": f"R{number:04}",
            "family_name": 'Tab\there, "quote" \\N and \\',
            "given_name": "Zoë\nMéi",
            "birth_date": date(1950, 1, 1),
            "sex": "F",
            "timezone": "America/New_York",
        }
        for number in range(first, first + count)
    ]


@pytest.mark.parametrize("count", SIZES)
def test_rows_come_back_as_they_were_given(engine: Engine, actor: Actor, count: int) -> None:
    """Text that needs quoting is stored as it is, and the chain fits."""
    with transaction(engine) as db, recording(db, actor, NOW, "a") as record:
        record.add_values(Patient, patients(count))
    with reading(engine) as db:
        found = db.exec(select(Patient).order_by(col(Patient.record_number))).all()
        assert verify_chain(db, actor.organization_id) == []
    names = patients(1)[0]
    assert [one.record_number for one in found] == [f"R{number:04}" for number in range(count)]
    assert {one.family_name for one in found} == {names["family_name"]}
    assert {one.given_name for one in found} == {names["given_name"]}
    assert {one.recorded_at for one in found} == {NOW}


@pytest.mark.parametrize("count", SIZES)
def test_bytes_instants_and_empty_cells(engine: Engine, actor: Actor, count: int) -> None:
    """Bytes stay bytes, an instant of any zone stays the instant, nothing stays nothing."""
    received = datetime(2026, 1, 15, 7, 0, 0, 5, tzinfo=timezone(timedelta(hours=-5)))
    with transaction(engine) as db:
        connection = Connection(
            organization_id=actor.organization_id,
            id=uuid4(),
            vendor="generic",
            name="one",
            token_hash="0" * 64,
            secret_encrypted=b"",
            settings={},
            created_at=NOW,
        )
        db.add(connection)
        db.flush()
        rows = [
            {
                "connection_id": connection.id,
                "vendor": "generic",
                "fingerprint": f"{number:064}",
                "received_at": received,
                "headers": {"a": [None, True, "é\\"]},
                "body": b"\x00\xff\\N\n",
                "state": "read",
                "results": [],
            }
            for number in range(count)
        ]
        with recording(db, actor, NOW, "a") as record:
            record.add_values(Delivery, rows)
    with reading(engine) as db:
        found = db.exec(select(Delivery)).all()
        assert verify_chain(db, actor.organization_id) == []
    assert len(found) == count
    for one in found:
        assert (one.body, one.received_at, one.message_id) == (b"\x00\xff\\N\n", received, None)
        assert (one.headers, one.results) == ({"a": [None, True, "é\\"]}, [])


@pytest.mark.parametrize("count", SIZES)
def test_rows_that_break_a_rule_fail_like_a_statement(
    engine: Engine, actor: Actor, count: int
) -> None:
    """A record number that stands already is an integrity error, and nothing is stored."""
    with transaction(engine) as db, recording(db, actor, NOW, "a") as record:
        record.add_values(Patient, patients(1, first=count - 1))
    with (
        pytest.raises(IntegrityError),
        transaction(engine) as db,
        recording(db, actor, NOW, "b") as record,
    ):
        record.add_values(Patient, patients(count))
    with reading(engine) as db:
        assert len(db.exec(select(Patient)).all()) == 1


@pytest.mark.parametrize("count", SIZES)
def test_inserted_rows_are_counted(engine: Engine, actor: Actor, count: int) -> None:
    """Rows count by table from the moment that counting begins anew."""
    with transaction(engine) as db:
        forget_inserted(db.connection())
        with recording(db, actor, NOW, "a") as record:
            record.add_values(Patient, patients(count))
        assert inserted(db.connection())["patient"] == count
        forget_inserted(db.connection())
        assert inserted(db.connection()) == {}

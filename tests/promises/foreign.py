"""Another practice's rows: one of every kind, so that its ids can be asked for.

Owns the rows and the finding of an id for a field or a part of an address. What real actions made
is taken first; where they made nothing, a row is filled in by its columns' types.
"""

from collections.abc import Collection, Mapping
from datetime import UTC, date, datetime
from functools import partial
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Column, Connection, ForeignKeyConstraint, Table, func, insert, select
from sqlalchemy.engine import Engine
from sqlalchemy.types import Boolean, Date, Integer, LargeBinary, Uuid

from rpm.store.tables import METADATA
from rpm.store.tables.base import JsonValue, UtcDateTime

TABLE_OF = {
    "answer": "remittance_claim",
    "claim": "claim_record",
    "change": "proposal",
    "encounter": "visit",
    "event": "outbound_event",
    "export": "fhir_export",
    "file": "claim_file",
    "hold": "legal_hold",
    "next_patient": "patient",
    "order": "purge_order",
    "page": "rule_page",
    "payment": "patient_payment",
    "proposal": "proposed_entry",
    "entry": "interaction_entry",
    "request": "write_off_request",
    "reverses": "interaction_entry",
    "view": "saved_view",
    "emergency": "emergency_access",
    "user": "user_account",
    "setup_by_user": "user_account",
    "token": "api_token",
    "previous": "episode",
    "limit": "alert_limit",
    "association": "device_association",
    "new_device": "device",
    "old_device": "device",
    "service": "other_service",
    "practitioner": "practitioner",
    "rendering": "practitioner",
}
"""Which table an id is of, where its name says something else."""
FACTS_OF_NOBODY = {"audit_event", "organization_head", "idempotency_key", "access_record"}
MARK = "Foreignmark"
"""Stands in every text of a filled row."""


def fill(engine: Engine, organization_id: UUID, without: Collection[str] = ()) -> None:
    """A row in each table of organizations where this one has none, but for those left out."""
    with engine.begin() as connection:
        for table in METADATA.sorted_tables:
            if "organization_id" not in table.c or table.name in {*FACTS_OF_NOBODY, *without}:
                continue
            if _first(connection, table, organization_id) is None:
                connection.execute(insert(table).values(_row(connection, table, organization_id)))


def _first(connection: Connection, table: Table, organization_id: UUID) -> Mapping[str, Any] | None:
    # the oldest: no reversal and no correction refers to it alone
    query = select(table).where(table.c.organization_id == organization_id).limit(1)
    found = connection.execute(query).mappings().first()
    return dict(found) if found is not None else None


def _row(connection: Connection, table: Table, organization_id: UUID) -> dict[str, Any]:
    row = {
        column.name: _value(column)
        for column in table.columns
        if not column.nullable or column.name in _referring(table)
    }
    for reference in table.foreign_key_constraints:
        row |= _referred(connection, reference, organization_id)
    return row | {"organization_id": organization_id}


def _referring(table: Table) -> set[str]:
    return {name for one in table.foreign_key_constraints for name in one.column_keys}


def _referred(
    connection: Connection, reference: ForeignKeyConstraint, organization_id: UUID
) -> dict[str, Any]:
    there = _first_or_none(connection, reference.referred_table, organization_id)
    return {
        element.parent.name: None if there is None else there[element.column.name]
        for element in reference.elements
        if element.parent.name != "organization_id"
    }


def _first_or_none(
    connection: Connection, table: Table, organization_id: UUID
) -> Mapping[str, Any] | None:
    return None if table.name == "organization" else _first(connection, table, organization_id)


def _value(column: Column[Any]) -> Any:
    now = datetime(2026, 1, 10, 12, tzinfo=UTC)
    by_type: list[tuple[type, Any]] = [
        (UtcDateTime, now),
        (JsonValue, {}),
        (Uuid, uuid4()),
        (Boolean, False),
        (Date, date(2026, 1, 10)),
        (Integer, 1),
        (LargeBinary, b""),
    ]
    text = f"{MARK}{uuid4().hex[:8]}"
    return next((value for kind, value in by_type if isinstance(column.type, kind)), text)


def id_of(engine: Engine, organization_id: UUID, name: str) -> str:
    """A real id of the organization for a field or a part of an address, such as ``close_id``."""
    if name == "organization_id":
        return str(organization_id)
    word = name.removesuffix("_id")
    table = METADATA.tables.get(TABLE_OF.get(word, word))
    if name == "key":
        table = METADATA.tables["posting"]
    assert table is not None, f"say in TABLE_OF what {name} is an id of"
    with engine.connect() as connection:
        found = _first(connection, table, organization_id)
    assert found is not None, f"the other practice has no {table.name}"
    return str(found["key" if name == "key" else "id"])


def counts_of(engine: Engine, organization_id: UUID) -> dict[str, int]:
    """How many rows of each table belong to the organization."""
    count = partial(select, func.count())
    with engine.connect() as connection:
        return {
            table.name: connection.execute(
                count().select_from(table).where(table.c.organization_id == organization_id)
            ).scalar_one()
            for table in METADATA.sorted_tables
            if "organization_id" in table.c
        }

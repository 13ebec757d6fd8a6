"""Claims: a row that only one of several may insert, decided by its primary key.

Owns the one statement. Does not own what a claim is for: answers, job runs.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session

from rpm.store.tables.base import METADATA, Row


def claim_row(db: Session, table: type[Row], row: Mapping[str, Any]) -> bool:
    """Insert the row; False when its key is taken. Waits for a claimer that has not committed."""
    connection = db.connection()
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    into = METADATA.tables[str(table.__tablename__)]
    statement = insert(into).values(dict(row)).on_conflict_do_nothing()
    key = next(iter(into.primary_key))
    return connection.execute(statement.returning(key)).first() is not None

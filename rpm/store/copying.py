"""COPY on PostgreSQL: many rows out in one statement.

Owns opening it on SQLAlchemy's connection and turning the driver's errors into SQLAlchemy's. Does
not own what is copied.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

if TYPE_CHECKING:
    from psycopg import Copy


@contextmanager
def copying(connection: Connection, statement: str) -> Iterator["Copy"]:
    """A COPY that is going on; raises what SQLAlchemy raises."""
    import psycopg  # the service runs without it on SQLite

    driver: Any = connection.connection.driver_connection
    try:
        with driver.cursor() as cursor, cursor.copy(statement) as copy:
            yield copy
    except psycopg.Error as error:
        raise DBAPIError.instance(
            statement,
            None,
            error,
            psycopg.Error,
            hide_parameters=True,
            connection_invalidated=driver.closed,
            dialect=connection.dialect,
        ) from error

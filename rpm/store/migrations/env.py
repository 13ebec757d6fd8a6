"""What alembic runs for each command: our metadata on the connection that ``migrate`` gives.

Owns how versions are compared and written. Does not own connections: there is no command-line use.
"""

from typing import Any, Literal

from alembic import context

from rpm.store.tables import METADATA
from rpm.store.tables.base import JsonValue, UtcDateTime


def render_item(kind: str, item: Any, _context: Any) -> str | Literal[False]:
    """Column types as plain SQLAlchemy ones: a version must not change with our classes."""
    if kind == "type" and isinstance(item, UtcDateTime):
        return "sa.DateTime(timezone=True)"
    if kind == "type" and isinstance(item, JsonValue):
        return "sa.JSON()"
    if kind == "type" and type(item).__name__ == "AutoString":
        return "sa.String()"
    return False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    render_as_batch=True,
    render_item=render_item,
)
context.run_migrations()
